"""Pictures: a file is one slice, in grey or in colour."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core import files
from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import (
    UNSIZED,
    Format,
    Grid,
    choose,
    damage_told,
    one_channel,
    suffix_of,
)
from ascnet_core.imaging.memory import check_memory

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL.Image import Image

    from ascnet_core.imaging.image_format import Stored

_READ_AS = dict.fromkeys(("P", "CMYK", "YCbCr", "LAB", "HSV", "PA"), "RGB") | {"1": "L"}
# What a picture may be whatever its name says; among others are some that run another program.
_FORMATS = ("PNG", "TIFF", "JPEG", "BMP", "GIF", "WEBP")
_LOSSY = (".jpg", ".jpeg")
# JPEG stores colour apart from brightness: a grey picture may come back with channels a little off.
_LOSSY_TOLERANCE = 8


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    from PIL import Image

    # What pillow raises on a broken file is not bounded.
    with damage_told(path, Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters is raised
        with Image.open(path, formats=_FORMATS) as picture:
            _check_covered(picture)
            yield picture


def _check_covered(picture: Any) -> None:
    """Raise a ValueError if the strips of a TIF end before its last row; pillow takes 0 there."""
    ends = [tile[1][2:] for tile in picture.tile]
    there = [max((end[axis] for end in ends), default=0) for axis in (0, 1)]
    if picture.format == "TIFF" and (there[0] < picture.width or there[1] < picture.height):
        raise ValueError(
            f"it says {picture.width} x {picture.height} pixels, its strips end at "
            f"{there[0]} x {there[1]}"
        )


def colour_channels(path: Path) -> int:
    """Return how many colour channels a picture stores; 1 for a grey one."""
    with _opened(path) as picture:
        return len([band for band in picture.getbands() if band not in ("A", "a")])


def _head(path: Path) -> Grid:
    with _opened(path) as picture:
        return _grid(picture.height, picture.width)


def _grid(rows: int, columns: int) -> Grid:
    """Place rows from anterior down and columns from the patient's right, at 1 mm."""
    import numpy as np

    affine = [[0, -1, 0, columns - 1], [-1, 0, 0, rows - 1], [0, 0, 1, 0], [0, 0, 0, 1]]
    shape, place = (rows, columns, 1), np.array(affine, np.float64)
    return Grid(shape, place, None, "picture", (rows, columns), remarks=(UNSIZED,))


def _load(path: Path, frame: int | None, channel: int | None) -> tuple[Stored, Grid]:
    import numpy as np

    with _opened(path) as picture:
        check_memory(path, (picture.height, picture.width, 1))
        pages = getattr(picture, "n_frames", 1)
        picture.seek(0 if pages == 1 else choose(path, "frame", pages, frame))
        _check_covered(picture)
        mode = picture.mode
        pixels = np.asarray(picture.convert(_READ_AS.get(mode, mode)))
    if mode in ("LA", "La", "RGBA", "RGBa"):
        colour, shape = pixels[..., :-1], pixels[..., -1]
        # one colour all over: the picture is in what is transparent
        flat = shape.min() < shape.max() and (colour == colour[0, 0]).all()
        pixels = shape if flat else colour
    elif mode == "RGBX":
        pixels = pixels[..., :3]
    if pixels.ndim == 3:
        tolerance = _LOSSY_TOLERANCE if suffix_of(path) in _LOSSY else 0
        pixels = one_channel(path, pixels, channel, tolerance)
    return np.array(pixels, np.float32)[:, :, np.newaxis], _grid(*pixels.shape)


def _mask_level(path: Path, stored: Stored) -> float:
    """Take the middle of the scale, or 0 where a lossless picture uses low labels only."""
    highest = float(stored.max())
    if suffix_of(path) in _LOSSY:
        return 127  # compression leaves low values around edges and in empty masks
    if highest <= 127:
        return 0
    return 127 if highest <= 255 else highest / 2


def _write(path: Path, stored: npt.NDArray[Any], grid: Grid, dtype: npt.DTypeLike) -> None:
    """Write bool as 0 and 255, floats in [0, 1] as 0 to 255, and uint8 as it is."""
    import numpy as np
    from PIL import Image

    if suffix_of(path) in _LOSSY:
        raise UserError(f"{path} would blur what is written; name it .png.")
    if grid.kind != "picture":
        raise UserError(f"{path} can hold one slice of a picture only; name it .nii.gz.")
    pixels = stored[:, :, 0]
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8) * np.uint8(255)
    elif pixels.dtype != np.uint8:
        pixels = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    with files.replacing(path) as temporary:
        Image.fromarray(pixels).save(temporary)


FORMAT = Format(
    name="picture",
    suffixes=(".png", ".tif", ".tiff", *_LOSSY),
    short="PNG, TIF, JPEG",
    long="a PNG, TIF or JPEG picture",
    files="pictures (a subject is what stands before the last _ and number)",
    output=".png",
    load=_load,
    head=_head,
    write=_write,
    mask_level=_mask_level,
    flat=True,
)
