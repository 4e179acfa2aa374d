"""What NRRD and MetaImage share: a text header, with the data behind it or in files beside it.

Both count mm to the patient's left, to posterior and to superior (LPS).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import UNSIZED, Grid, choose, damage_told, one_channel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_MM = {
    "mm": 1.0, "millimeter": 1.0, "millimetre": 1.0, "cm": 10.0, "m": 1e3, "meter": 1e3,
    "metre": 1e3, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3, "micrometer": 1e-3,
    "micrometre": 1e-3, "nm": 1e-6,
}  # fmt: skip
_NO_SPACE = (
    "The header does not say where left and front are; its axes are taken to run to the patient's "
    "left, to posterior and to superior."
)
_MOST_HEADER = 1 << 20


def header_text(path: Path) -> str:
    """Return the beginning of a file as text, a character a byte."""
    with damage_told(path), path.open("rb") as stream:
        return stream.read(_MOST_HEADER).decode("latin-1")


def fields(lines: Sequence[str], separator: str) -> dict[str, str]:
    """Return the fields of header lines by name in lower case; the last of a name counts."""
    found: dict[str, str] = {}
    for line in lines:
        key, between, value = line.partition(separator)
        if between:
            found[key.strip().lower()] = value.strip()
    return found


def beside(path: Path, name: str, following: Iterable[str]) -> tuple[Path, ...]:
    """Return the data files that a header names, as one name, a numbered pattern or a list.

    Raises a UserError unless they are plain names of files in the header's own folder.
    """
    words = name.split()
    if words and words[0] == "LIST":
        names = [line.strip() for line in following if line.strip()]
    elif len(words) >= 4 and re.fullmatch(r"[^%]*%0?\d{0,2}d[^%]*", words[0]):
        first, last, step = (int(word) if word.lstrip("-").isdigit() else 0 for word in words[1:4])
        count = (last - first) // step + 1 if step else 0
        if not 0 < count <= 100_000:
            raise UserError(f"{path} names its data files by numbers that make no sense; mend it.")
        names = [words[0] % (first + step * index) for index in range(count)]
    else:
        names = [name.strip()]
    if not names or any("%" in one or re.search(r"[/\\\0]|^\.*$", one) for one in names):
        raise UserError(
            f"{path} has its image data in another folder; put them beside it, and name them in "
            "its header without a folder."
        )
    for one in names:
        if not path.with_name(one).is_file():
            raise UserError(f"{path} lacks its image data: put {one} beside it.")
    return tuple(path.with_name(one) for one in names)


def grid_of(
    path: Path,
    kind: str,
    size: Sequence[int],
    components: int,
    bytes_: bool,
    lps: npt.NDArray[np.float64],
    units: Sequence[str],
    remarks: tuple[str, ...] = (),
) -> Grid:
    """Return the grid of stored voxels whose indices `lps` (4 x 4) takes to `units` (mm if none).

    Frames lie along a fourth axis or are components, `bytes_` or other numbers, of a voxel.

    Raises a UserError if the axes make no volume, a ValueError if the affine makes none.
    """
    import numpy as np

    x, y, z = (*size, 1, 1)[:3]
    further = math.prod(size[3:])
    frames = further * (1 if _is_colour(bytes_, components) else components)
    lone = further == 1 or components == 1
    if min(*size, components) < 1 or not 2 <= len(size) <= 4 or not lone:
        raise UserError(f"{path} has axes that do not make a volume; save three of them.")
    named = {unit.strip().lower() for unit in units} - {"", "?", "???"}
    factor = _MM.get(min(named)) if len(named) == 1 else None
    if named and factor is None:
        remarks += ("The header's unit of length is not known; millimetres are taken.",)
    with np.errstate(all="ignore"):
        affine = np.diag([-1.0, -1, 1, 1]) @ lps
        affine[:3] *= factor or 1.0
        lengths = np.linalg.norm(affine[:3, :3], axis=0)
        volume = abs(float(np.linalg.det(affine[:3, :3] / lengths)))
    if not np.isfinite([*affine.ravel(), *lengths]).all() or not volume > 1e-3:
        raise ValueError("its header places voxels nowhere")
    full = (x, y, z, frames) if frames > 1 else (x, y, z)
    return Grid((x, y, z), affine, None, kind, full, frames, remarks)


def unsaid(placed: bool, sized: bool) -> tuple[str, ...]:
    """Return remarks on a header that does not say how its axes lie, or how large voxels are."""
    return (() if placed else (_NO_SPACE,)) + (() if sized else (UNSIZED,))


def one_volume(
    path: Path,
    values: npt.NDArray[Any],
    components: int,
    grid: Grid,
    frame: int | None,
    channel: int | None,
) -> tuple[npt.NDArray[np.float32], Grid]:
    """Choose one volume from the values of a file: float32 by column, row and slice.

    The values are ordered by frames, slices, rows, columns and components; returned is also the
    volume's grid, which has no frames.
    """
    import numpy as np

    array = values.reshape(-1, *grid.shape[::-1], components)
    if _is_colour(array.dtype == np.uint8, components):
        array = one_channel(path, array[0], channel)
    else:
        chosen = 0 if grid.frames == 1 else choose(path, "frame", grid.frames, frame)
        array = array[0, ..., chosen] if components > 1 else array[chosen, ..., 0]
    return np.array(array.T, np.float32, order="F"), replace(grid, full_shape=grid.shape)


def _is_colour(bytes_: bool, components: int) -> bool:
    """Say whether components are colours and not frames."""
    return bytes_ and components in (3, 4)
