"""Slices as pictures in radiological convention, uint8: montages, rows, masks laid over them."""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
T = TypeVar("T", bound=np.generic)


def display(slices: NDArray[T]) -> NDArray[T]:
    """Slices (..., y, x) as the screen shows them: anterior up, the patient's right on the left."""
    return slices[..., ::-1, ::-1]


def grey(values: NDArray[Any]) -> Picture:
    """Values in [0, 1] (float) or 0..255 (uint8) as uint8."""
    if values.dtype == np.uint8:
        return values
    levels: Picture = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    return levels


def montage(pictures: NDArray[Any], columns: int, gap: int = 2) -> Picture:
    """Pictures (N, H, W), float in [0, 1] or uint8, in rows of `columns` on black.

    The last row is filled up with black. No picture at all gives one black pixel.
    """
    if len(pictures) == 0:
        return np.zeros((1, 1), np.uint8)
    number, height, width = pictures.shape
    rows = -(-number // columns)
    canvas = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap), np.uint8)
    for index, picture in enumerate(grey(pictures)):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        canvas[top : top + height, left : left + width] = picture
    return canvas


def as_rgb(picture: Picture) -> Picture:
    """A grey picture (H, W) as RGB (H, W, 3); one that is RGB stays as it is."""
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)


def rgb(colour: str) -> Picture:
    """A colour "#RRGGBB" as three values 0..255."""
    return np.frombuffer(bytes.fromhex(colour[1:]), np.uint8)


def outline(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The border pixels of a mask (H, W)."""
    from scipy import ndimage

    inner: NDArray[np.bool_] = ndimage.binary_erosion(mask)
    return mask & ~inner


def over(picture: Picture, mask: NDArray[np.bool_], colour: str, opacity: float = 0.5) -> Picture:
    """A grey picture (H, W) as RGB (H, W, 3) with a mask laid over it in a colour "#RRGGBB"."""
    painted = as_rgb(picture).astype(np.float32)
    painted[mask] = (1 - opacity) * painted[mask] + opacity * rgb(colour).astype(np.float32)
    return np.rint(painted).astype(np.uint8)


def enlarge(picture: NDArray[T], factor: int) -> NDArray[T]:
    """Each pixel `factor` times as wide and high, so that the browser needn't blur it."""
    return np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1)


def side_by_side(pictures: Sequence[Picture], gap: int = 4) -> Picture:
    """Pictures of one height beside each other on black; grey ones become RGB."""
    colour = [as_rgb(picture) for picture in pictures]
    strip = np.zeros((colour[0].shape[0], gap, 3), np.uint8)
    parts = [part for picture in colour for part in (picture, strip)]
    return np.concatenate(parts[:-1], axis=1)
