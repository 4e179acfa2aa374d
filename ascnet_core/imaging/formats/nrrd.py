"""NRRD: one file, or a header (.nhdr) with data files beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import Format, Grid
from ascnet_core.imaging.itk import TextHeader, beside, fields, head, header_text, load

if TYPE_CHECKING:
    from ascnet_core.imaging.image_format import Stored

_IO = "NrrdImageIO"
_PACKING = {
    "raw": "raw", "gzip": "gzip", "gz": "gzip",
    "ascii": "text", "text": "text", "txt": "text", "hex": "text",
}  # fmt: skip
# Spaces that SimpleITK turns to the one it works in; of others it takes the axes as they are.
_SPACES = (
    "right-anterior-superior", "left-anterior-superior", "left-posterior-superior",
    "ras", "las", "lps",
)  # fmt: skip


def _header(path: Path) -> TextHeader:
    text = header_text(path)
    if not text.startswith("NRRD"):
        raise UserError(f"{path} is no NRRD file; copy or download it again.")
    end = re.search(r"\r?\n\r?\n", text)
    lines = re.split(r"\r?\n", text[: end.start()] if end else text)
    named = fields([line for line in lines if not line.startswith("#")], ":")
    data = named.get("data file", named.get("datafile"))
    names: tuple[str, ...] = ()
    if data is not None:
        at = next(i for i, one in enumerate(lines) if re.match(r"\s*data ?file:", one, re.I))
        names = beside(path, data, lines[at + 1 :])
    packing = _PACKING.get(named.get("encoding", "").lower())
    if packing is None:
        raise UserError(f"{path} has an encoding that is not read; save it as raw or gzip.")
    space = named.get("space", "").lower().removesuffix("-time").removesuffix("t")
    remarks: tuple[str, ...] = ()
    if space not in _SPACES:
        remarks = (
            "The header does not say where left and front are; its axes are taken to run to the "
            "patient's left, to posterior and to superior.",
        )
    units = named.get("space units", named.get("units", ""))
    # an axis that is none of space has no unit, or that of time
    none = ("", "???", "s", "ms")
    words = tuple(unit for unit in re.findall(r'"([^"]*)"', units) if unit not in none)
    return TextHeader(end.end() if end else len(text), names, packing, "", words, remarks)


def _head(path: Path) -> Grid:
    return head(path, _IO, _header(path))


def _load(path: Path, frame: int | None, channel: int | None) -> tuple[Stored, Grid]:
    return load(path, _IO, _header(path), frame, channel)


FORMAT = Format(
    name="nrrd",
    suffixes=(".nrrd", ".nhdr"),
    short="NRRD",
    long="NRRD (.nrrd, .nhdr)",
    files="NRRD files",
    output=".nii.gz",
    load=_load,
    head=_head,
    write=None,
)
