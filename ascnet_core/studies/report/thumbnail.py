"""A small picture of a slice with the outline of a mask, as the viewer shows it."""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from ascnet_core.imaging.prepare import Mask
from ascnet_core.imaging.slices import box_of

HEIGHT = 150
"""Most pixels of a picture's side."""
OUTLINE = (213, 94, 0)
"""The mask's colour, everywhere."""
_GREYS = 64  # so many are enough for an eye, and pack twice as well as 256


def slice_to_show(masks: Sequence[Mask | None], region: Mask) -> tuple[int, int]:
    """The axial slice that holds most of masks (X, Y, Z), and how many voxels of theirs it holds.

    Where they are empty it is the slice that holds most of the region, with 0 voxels.
    """
    held = sum((mask.sum(axis=(0, 1)) for mask in masks if mask is not None), np.zeros(1, np.int64))
    if held.any():
        return int(held.argmax()), int(held.max())
    return int(region.sum(axis=(0, 1)).argmax()), 0


def thumbnail(
    input_: NDArray[np.uint8], mask: Mask | None, region: Mask, spacing: Sequence[float], z: int
) -> bytes:
    """An axial slice of an input (X, Y, Z) on 0..255 as PNG, cropped to region and mask.

    Anterior is up and the patient's right on the left; voxels are in true proportion (`spacing` in
    mm). The outline of the mask lies inside it, one pixel wide.
    """
    x, y, _ = box_of(region if mask is None else region | mask, (2, 2, 0))
    plane = _shown(input_[x, y, z])
    sides = np.array([plane.shape[1] * spacing[0], plane.shape[0] * spacing[1]])
    size = np.maximum(1, np.rint(HEIGHT * sides / sides.max())).astype(int)
    width, height = int(size[0]), int(size[1])
    grey = np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR))
    places = np.asarray(grey, np.int64) * _GREYS // 256
    if mask is not None:
        drawn = Image.fromarray(_shown(mask[x, y, z]).astype(np.uint8))
        large = np.asarray(drawn.resize((width, height), Image.Resampling.NEAREST)) > 0
        places[large & ~ndimage.binary_erosion(large)] = _GREYS
    picture = Image.fromarray(places.astype(np.uint8), "P")
    greys = np.rint(np.linspace(0, 255, _GREYS)).astype(int)
    picture.putpalette([*np.repeat(greys, 3).tolist(), *OUTLINE])
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _shown(plane: NDArray[np.generic]) -> NDArray[np.generic]:
    """A slice (X, Y) as rows and columns on the screen."""
    return np.ascontiguousarray(plane.T[::-1, ::-1])
