"""Image formats, a file each: every module here defines a `FORMAT`, and this file finds them.

Dialogs, error messages and help texts are made from `FORMATS`.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from ascnet_core.errors import UserError
from ascnet_core.imaging.dicom.source import files_below, split_series
from ascnet_core.imaging.image_format import Format, Grid, either, suffix_of

if TYPE_CHECKING:
    from ascnet_core.imaging.image_format import Stored

FORMATS: tuple[Format, ...] = tuple(
    import_module(f"{__name__}.{module.name}").FORMAT for module in iter_modules(__path__)
)
ENDINGS = sorted(
    {s.rpartition(".")[2] for one in FORMATS for s in one.suffixes if s not in one.pair}
)
"""What names of single files end in, for file dialogs: `gz` stands for `.nii.gz`."""
IN_SHORT = ", ".join(one.short for one in FORMATS)
"""All formats, for help texts."""
# The other file of formats of two, by the ending of the one that a scan is known by.
_BESIDE = {
    ".hdr": (".img",), ".img": (".hdr",), ".mhd": (".raw", ".zraw"), ".nhdr": (".raw", ".raw.gz"),
}  # fmt: skip


def stem_of(path: Path) -> str:
    """Return the file name without its suffix (".nii.gz" counts as one)."""
    return path.name[: len(path.name) - len(suffix_of(path))]


def natural_key(text: str) -> list[tuple[int, int | str]]:
    """Sort key that puts "slice_2" before "slice_10"."""
    return [
        (0, int(part)) if part.isdigit() else (1, part.lower())
        for part in re.split(r"(\d+)", text)
        if part
    ]


def format_of(path: Path) -> Format | None:
    """Return the format that the file's name says, None if it is none of those read here."""
    suffix = suffix_of(split_series(path)[0])
    return next((one for one in FORMATS if suffix in one.suffixes), None)


def scan_name(path: Path) -> str:
    """Return what a scan is called after its image: `x` of x.nii.gz, `FOLDER_2` of FOLDER#2."""
    place, number = split_series(path)
    # A folder, or a DICOM file named by numbers with dots, has no suffix to take off.
    plain = place.is_dir() or format_of(place) is None
    name = place.absolute().resolve().name if plain else stem_of(place)
    return name if number is None else f"{name}_{number}"


def is_there(path: Path) -> bool:
    """Say whether an image is there: a file, or a folder of a series (`FOLDER`, `FOLDER#2`)."""
    return split_series(path)[0].exists()


def files_of(path: Path) -> list[Path]:
    """Return the files that an image is read from: those of a series, header and data of a pair."""
    beside = (path.with_suffix(suffix) for suffix in _BESIDE.get(path.suffix.lower(), ()))
    return [*files_below(split_series(path)[0]), *(file for file in beside if file.is_file())]


def output_suffix(grid: Grid) -> str:
    """Return the ending of masks and maps on the grid of an image."""
    return next(one.output for one in FORMATS if one.name == grid.kind)


def check_file(path: Path) -> Format:
    """Return the format of a file.

    Raises a UserError if it is not there, of no format that is read here, or half of a pair.
    """
    place, _ = split_series(path)
    if place.is_dir():
        found = next((one for one in FORMATS if one.holds and one.holds(place)), None)
        if found is None:
            raise UserError(f"{path} is a folder without DICOM files; name an image file in it.")
        return found
    if not place.is_file():
        raise UserError(f"{path} is not there; check the path.")
    found = format_of(path) or next((one for one in FORMATS if one.holds and one.holds(path)), None)
    if found is None:
        known = either(one.long for one in FORMATS)
        raise UserError(f"{path} is of no format read here; give {known}.")
    if suffix_of(place) in found.pair:
        header, data = found.pair
        is_header = suffix_of(place) == header
        other = place.with_suffix(data if is_header else header)
        if not other.is_file():
            missing = "image data" if is_header else "header"
            raise UserError(f"{path} lacks its {missing}: put {other.name} beside it.")
    return found


def load_stored(
    path: Path, frame: int | None = None, channel: int | None = None
) -> tuple[Stored, Grid]:
    """Read an image file in its stored order, as float32 in real units (scale factors applied).

    `frame` (NIfTI's fourth axis, a TIF's page) and `channel` count from 0; a choice is needed where
    there are several frames, or colour channels that differ, and has no effect elsewhere.

    Raises a UserError if the file is missing, damaged or unsuitable, or a choice is needed.
    """
    return check_file(path).load(path, frame, channel)


def load_head(path: Path) -> Grid:
    """Read the grid of a file without its data; `full_shape` is the whole shape, frames too."""
    return check_file(path).head(path)
