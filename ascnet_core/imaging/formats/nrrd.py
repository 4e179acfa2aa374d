"""NRRD: one file, or a header (.nhdr) with data files beside it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import Format, Grid, damage_told, extra_told
from ascnet_core.imaging.memory import check_memory, check_promise
from ascnet_core.imaging.text_header import (
    beside,
    fields,
    grid_of,
    header_text,
    one_volume,
    unsaid,
)

if TYPE_CHECKING:
    from ascnet_core.imaging.image_format import Stored

_RAW, _PACKED, _TEXT = ("raw",), ("gzip", "gz"), ("ascii", "text", "txt", "hex")
# Spaces that SimpleITK turns to the one it works in; of others it takes the axes as they are.
_SPACES = (
    "right-anterior-superior", "left-anterior-superior", "left-posterior-superior",
    "ras", "las", "lps",
)  # fmt: skip


@dataclass(frozen=True)
class _Header:
    """What a header says that SimpleITK does not; `there` counts the bytes of the data."""

    there: int
    packed: bool
    units: tuple[str, ...]
    remarks: tuple[str, ...]


def _header(path: Path) -> _Header:
    text = header_text(path)
    if not text.startswith("NRRD"):
        raise UserError(f"{path} is no NRRD file; copy or download it again.")
    end = re.search(r"\r?\n\r?\n", text)
    lines = re.split(r"\r?\n", text[: end.start()] if end else text)
    named = fields([line for line in lines if not line.startswith("#")], ":")
    data = named.get("data file", named.get("datafile"))
    there = path.stat().st_size - (end.end() if end else len(text))
    if data is not None:
        at = [re.match(r"\s*data ?file\s*:", line, re.I) is not None for line in lines].index(True)
        there = sum(file.stat().st_size for file in beside(path, data, lines[at + 1 :]))
    encoding = named.get("encoding", "").lower()
    if encoding not in _RAW + _PACKED + _TEXT:
        raise UserError(f"{path} has an encoding that is not read; save it as raw or gzip.")
    space = named.get("space", "").lower().removesuffix("-time").removesuffix("t")
    units = re.findall(r'"([^"]*)"', named.get("space units", named.get("units", "")))
    # an axis that is none of space may have the unit of time
    lengths = tuple(unit for unit in units if unit not in ("s", "ms"))
    sized = "space directions" in named or re.search(r"\d", named.get("spacings", "")) is not None
    remarks = unsaid(space in _SPACES, sized)
    return _Header(there, encoding not in _RAW, lengths, remarks)


def _opened(path: Path) -> tuple[Any, Grid]:
    """Return SimpleITK's reader that has read the header alone, and the grid."""
    import numpy as np

    header = _header(path)  # first, as it looks where the data are
    with extra_told(path):
        import SimpleITK
    itk: Any = SimpleITK  # its types do not hold
    itk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = itk.ImageFileReader()
    reader.SetImageIO("NrrdImageIO")
    reader.SetFileName(str(path))
    with _told(path):
        reader.ReadImageInformation()
    if reader.GetPixelID() in (itk.sitkComplexFloat32, itk.sitkComplexFloat64):
        raise UserError(f"{path} holds complex numbers; save their magnitude.")
    size = tuple(int(n) for n in reader.GetSize())
    components = int(reader.GetNumberOfComponents())
    kind = str(itk.GetPixelIDValueAsString(reader.GetPixelID()))
    bits = re.search(r"(8|16|32|64)-bit", kind)
    expected = math.prod(size) * components * (int(bits[1]) // 8 if bits else 1)
    lps, used = np.eye(4), min(len(size), 3)
    direction = np.reshape(reader.GetDirection(), (len(size), -1))[:used, :used]
    lps[:used, :used] = direction * np.array(reader.GetSpacing()[:used])
    lps[:used, 3] = reader.GetOrigin()[:used]
    with damage_told(path):
        check_promise(expected, header.there, header.packed)
        bytes_ = "8-bit unsigned" in kind
        more = lps, header.units, header.remarks
        return reader, grid_of(path, "nrrd", size, components, bytes_, *more)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """As `damage_told`, but quoting nothing of SimpleITK, which speaks of its own source."""
    with damage_told(path):
        try:
            yield
        except RuntimeError as error:
            raise ValueError("its header or its data make no sense") from error


def _head(path: Path) -> Grid:
    return _opened(path)[1]


def _load(path: Path, frame: int | None, channel: int | None) -> tuple[Stored, Grid]:
    reader, grid = _opened(path)
    check_memory(path, grid.full_shape)
    import SimpleITK

    with _told(path):
        array = SimpleITK.GetArrayFromImage(reader.Execute())
    return one_volume(path, array, int(reader.GetNumberOfComponents()), grid, frame, channel)


FORMAT = Format(
    name="nrrd",
    suffixes=(".nrrd", ".nhdr"),
    short="NRRD",
    long="NRRD (.nrrd, .nhdr)",
    files="NRRD files",
    output=".nii.gz",
    load=_load,
    head=_head,
)
