"""MetaImage: one file (.mha), or a header (.mhd) with data files beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import Format, Grid
from ascnet_core.imaging.itk import TextHeader, beside, fields, head, header_text, load

if TYPE_CHECKING:
    from ascnet_core.imaging.image_format import Stored

_IO = "MetaImageIO"
_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip


def _header(path: Path) -> TextHeader:
    text = header_text(path)
    # The header ends with the line that names the data.
    end = re.search(r"^[ \t]*ElementDataFile[ \t]*[=:]([^\r\n]*)\r?(\n|$)", text, re.I | re.M)
    if end is None:
        raise UserError(f"{path} is no MetaImage file; copy or download it again.")
    named = fields(re.split(r"\r?\n", text[: end.start()].replace(":", "=")), "=")
    data = end[1].strip()
    names: tuple[str, ...] = ()
    length = end.end()
    if data.upper() != "LOCAL":
        names = beside(path, data, text[end.end() :].splitlines())
    if named.get("binarydata", "true").lower() == "false":
        packing = "text"
    else:
        packed = named.get("compresseddata", "false").lower() in ("true", "t", "1")
        packing = "zlib" if packed else "raw"
    units = named.get("distanceunits", "").strip("\"' ")
    big = named.get("binarydatabyteordermsb", named.get("elementbyteordermsb", "false"))
    dtype = _TYPES.get(named.get("elementtype", "").upper(), "")
    if packing == "zlib" and not dtype:
        raise UserError(f"{path} has voxels of an unknown type; save it with MET_FLOAT.")
    order = ">" if big.lower() in ("true", "t", "1") else "<"
    known_units = (units,) if units not in ("", "?") else ()
    return TextHeader(length, names, packing, order + dtype, known_units)


def _head(path: Path) -> Grid:
    return head(path, _IO, _header(path))


def _load(path: Path, frame: int | None, channel: int | None) -> tuple[Stored, Grid]:
    return load(path, _IO, _header(path), frame, channel)


FORMAT = Format(
    name="metaimage",
    suffixes=(".mha", ".mhd"),
    short="MHA",
    long="MetaImage (.mha, .mhd)",
    files="MetaImage files",
    output=".nii.gz",
    load=_load,
    head=_head,
    write=None,
)
