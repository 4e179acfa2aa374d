"""MetaImage: one file (.mha), or a header (.mhd) with data files beside it.

It is read here and not by SimpleITK: that returns whatever was in memory where packed data are
damaged, and can hang on a broken header.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import Format, Grid, damage_told
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
    import numpy.typing as npt

    from ascnet_core.imaging.image_format import Stored

# A "long" of this format has four bytes everywhere.
_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_TURN, _SPACING = ("transformmatrix", "rotation", "orientation"), ("elementspacing", "elementsize")
_TRUE, _FALSE = ("true", "t", "1"), ("false", "f", "0")


@dataclass(frozen=True)
class _Header:
    """What the header says; `skip` is how many bytes of each file come before the data."""

    grid: Grid
    components: int
    dtype: str
    packing: str
    files: tuple[Path, ...]
    skip: int

    @property
    def values(self) -> int:
        """How many numbers there are."""
        frames = max(1, self.grid.frames // self.components)
        return math.prod(self.grid.shape) * frames * self.components


def _header(path: Path) -> _Header:
    text = header_text(path)
    # The header ends with the line that names the data.
    end = re.search(r"^[ \t]*ElementDataFile[ \t]*[=:]([^\r\n]*)\r?(\n|$)", text, re.I | re.M)
    if end is None:
        raise UserError(f"{path} is no MetaImage file; copy or download it again.")
    named = fields(re.split(r"\r?\n", text[: end.start()].replace(":", "=")), "=")
    data, skip = end[1].strip(), end.end()
    files: tuple[Path, ...] = (path,)
    if data.upper() != "LOCAL":
        files, skip = beside(path, data, text[end.end() :].splitlines()), 0
    with damage_told(path):
        skip += int(named.get("headersize", "0"))
        size = tuple(int(n) for n in named.get("dimsize", "").split())
        components = int(named.get("elementnumberofchannels", "1"))
        kind = _TYPES.get(named.get("elementtype", "").upper().removesuffix("_ARRAY"))
        if kind is None or len(size) != int(named.get("ndims", str(len(size)))) or not size:
            raise ValueError("its header makes no sense")
        big = _says(named, ("binarydatabyteordermsb", "elementbyteordermsb"), False)
        packing = "zlib" if _says(named, ("compresseddata",), False) else "raw"
        packing = packing if _says(named, ("binarydata",), True) else "text"
        units = (named.get("distanceunits", "").strip("\"' "),)
        lps = _lps(named, len(size))
        remarks = unsaid(any(key in named for key in _TURN), any(key in named for key in _SPACING))
        grid = grid_of(path, "metaimage", size, components, kind == "u1", lps, units, remarks)
        header = _Header(grid, components, (">" if big else "<") + kind, packing, files, skip)
        there = sum(file.stat().st_size - skip for file in files)
        expected = header.values * (2 if packing == "text" else int(kind[1])) - (packing == "text")
        check_promise(expected, there, packing == "zlib")
    return header


def _says(named: dict[str, str], keys: Sequence[str], otherwise: bool) -> bool:
    said = next((named[key].lower() for key in keys if key in named), None)
    if said is not None and said not in _TRUE + _FALSE:
        raise ValueError("a field that is neither True nor False")
    return otherwise if said is None else said in _TRUE


def _lps(named: dict[str, str], axes: int) -> npt.NDArray[Any]:
    """Return the affine (4 x 4) to LPS."""
    import numpy as np

    def numbers(keys: Sequence[str], otherwise: npt.NDArray[Any]) -> npt.NDArray[Any]:
        said = next((named[key] for key in keys if key in named), None)
        if said is None:
            return otherwise
        return np.array(said.split(), np.float64).reshape(otherwise.shape)

    turn = numbers(_TURN, np.eye(axes))
    origin = numbers(("offset", "position", "origin"), np.zeros(axes))
    spacing = numbers(_SPACING, np.ones(axes))
    lps, used = np.eye(4), min(axes, 3)
    # Each row of the matrix is the direction of an axis. What is infinite is refused later.
    with np.errstate(all="ignore"):
        turn = turn.T * spacing
    lps[:used, :used] = turn[:used, :used]
    lps[:used, 3] = origin[:used]
    return lps


def _head(path: Path) -> Grid:
    return _header(path).grid


def _load(path: Path, frame: int | None, channel: int | None) -> tuple[Stored, Grid]:
    import numpy as np

    header = _header(path)
    grid = header.grid
    check_memory(path, grid.full_shape)
    expected = header.values * np.dtype(header.dtype).itemsize
    content = bytearray()
    with damage_told(path, zlib.error):
        for file in header.files:
            with file.open("rb") as stream:
                stream.seek(header.skip)
                if header.packing == "zlib":
                    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # zlib's header or gzip's
                    content += unpack.decompress(stream.read(), expected + 1 - len(content))
                elif header.packing == "raw":
                    content += stream.read(expected - len(content))
                else:
                    content += stream.read() + b" "
        if header.packing == "text":
            array: npt.NDArray[Any] = np.array(content.split(), np.float64)
        else:
            array = np.frombuffer(content, header.dtype)
        if array.size != header.values or not content:
            raise ValueError("its data are not all there")
    return one_volume(path, array, header.components, grid, frame, channel)


FORMAT = Format(
    name="metaimage",
    suffixes=(".mha", ".mhd"),
    short="MHA",
    long="MetaImage (.mha, .mhd)",
    files="MetaImage files",
    output=".nii.gz",
    load=_load,
    head=_head,
)
