"""Images that SimpleITK reads: a text header, with the data behind it or in files beside it."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import Grid, choose, damage_told, extra_told, one_channel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ascnet_core.imaging.image_format import Stored

_MM = {
    "mm": 1.0, "millimeter": 1.0, "millimetre": 1.0, "cm": 10.0, "m": 1e3, "meter": 1e3,
    "metre": 1e3, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3, "micrometer": 1e-3,
    "micrometre": 1e-3, "nm": 1e-6,
}  # fmt: skip
# What compressed data may grow to, in parts of their size: that of gzip at most, and with room.
_GROWTH = {"raw": 1, "gzip": 1100, "zlib": 1100, "text": 8}
_MOST_HEADER = 1 << 20


@dataclass(frozen=True)
class TextHeader:
    """What a text header says that SimpleITK does not.

    `length` is that of the header in bytes, `data` the names of files with the image data (none:
    behind the header), `packing` one of raw, gzip, zlib and text, `dtype` numpy's name of a voxel's
    type (for zlib alone), `units` those of lengths.
    """

    length: int
    data: tuple[str, ...]
    packing: str
    dtype: str = ""
    units: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def header_text(path: Path) -> str:
    """Return the beginning of a file as text, a character a byte."""
    with damage_told(path), path.open("rb") as stream:
        return stream.read(_MOST_HEADER).decode("latin-1")


def beside(path: Path, name: str, following: Iterable[str]) -> tuple[str, ...]:
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
    return tuple(names)


def head(path: Path, io: str, header: TextHeader) -> Grid:
    """Read the grid; `io` is the name of SimpleITK's reader."""
    return _opened(path, io, header)[1]


def load(
    path: Path, io: str, header: TextHeader, frame: int | None, channel: int | None
) -> tuple[Stored, Grid]:
    """Read the voxels as float32 by column, row and slice, and the grid."""
    import numpy as np

    reader, grid = _opened(path, io, header)
    with damage_told(path):
        try:
            import SimpleITK

            if header.packing == "zlib":
                array = _unpacked(path, reader, header)
            else:
                array = SimpleITK.GetArrayFromImage(reader.Execute())
        except (RuntimeError, zlib.error) as error:
            raise _damaged(path) from error
    if _is_colour(reader):
        array = one_channel(path, array, channel)
    elif grid.frames > 1 or reader.GetNumberOfComponents() > 1:
        chosen = choose(path, "frame", grid.frames, frame)
        array = array[..., chosen] if reader.GetNumberOfComponents() > 1 else array[chosen]
    stored = np.array(array.T, np.float32, order="F").reshape(grid.shape, order="F")
    return stored, replace(grid, full_shape=grid.shape)


def _unpacked(path: Path, reader: Any, header: TextHeader) -> npt.NDArray[Any]:
    """Unpack zlib's data: SimpleITK returns whatever was in memory where they are damaged."""
    import numpy as np

    size, components = tuple(reader.GetSize()), int(reader.GetNumberOfComponents())
    shape = (*size[::-1], *((components,) if components > 1 else ()))
    expected = math.prod(shape) * np.dtype(header.dtype).itemsize
    content = bytearray()
    for file in [path.with_name(name) for name in header.data] or [path]:
        with file.open("rb") as stream:
            stream.seek(0 if header.data else header.length)
            unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # zlib's header or gzip's
            content += unpack.decompress(stream.read(), expected + 1 - len(content))
    if len(content) != expected:
        raise _damaged(path)
    return np.frombuffer(content, header.dtype).reshape(shape)


def _damaged(path: Path) -> UserError:
    return UserError(
        f"{path} is damaged, cut short, or its header makes no sense; copy or download it again."
    )


def _is_colour(reader: Any) -> bool:
    import SimpleITK

    components = reader.GetNumberOfComponents()
    return components in (3, 4) and reader.GetPixelID() == SimpleITK.sitkVectorUInt8


def _opened(path: Path, io: str, header: TextHeader) -> tuple[Any, Grid]:
    """Return SimpleITK's reader that has read the header alone, and the grid."""
    with extra_told(path):
        import SimpleITK
    itk: Any = SimpleITK  # its types do not hold
    itk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = itk.ImageFileReader()
    reader.SetImageIO(io)
    reader.SetFileName(str(path))
    with damage_told(path):
        try:
            reader.ReadImageInformation()
        except RuntimeError as error:
            raise _damaged(path) from error
    kind = reader.GetPixelID()
    if kind in (SimpleITK.sitkComplexFloat32, SimpleITK.sitkComplexFloat64):
        raise UserError(f"{path} holds complex numbers; save their magnitude.")
    size = tuple(int(n) for n in reader.GetSize())
    components = int(reader.GetNumberOfComponents())
    _check_size(path, header, math.prod(size) * components * _bytes_of(kind))
    x, y, z = (*size, 1, 1)[:3]
    further = math.prod(size[3:])
    frames = further if _is_colour(reader) else further * components
    if 0 in size or len(size) > 4 or (further > 1 and components > 1):
        raise UserError(f"{path} has axes that do not make a volume; save three of them.")
    affine, remarks = _affine(path, reader, len(size), header)
    full = (x, y, z, frames) if frames > 1 else (x, y, z)
    return reader, Grid((x, y, z), affine, None, _KINDS[io], full, frames, header.remarks + remarks)


_KINDS = {"NrrdImageIO": "nrrd", "MetaImageIO": "metaimage"}


def _bytes_of(kind: int) -> int:
    import SimpleITK

    itk: Any = SimpleITK
    name = itk.GetPixelIDValueAsString(kind)
    found = re.search(r"(8|16|32|64)-bit", name)
    return int(found[1]) // 8 if found else 1


def _check_size(path: Path, header: TextHeader, expected: int) -> None:
    """Refuse a header that asks for more than its data can be."""
    there = path.stat().st_size - header.length
    if header.data:
        there = sum(path.with_name(name).stat().st_size for name in header.data)
    if expected > there * _GROWTH[header.packing] + 4096 * (header.packing != "raw"):
        raise _damaged(path)


def _affine(
    path: Path, reader: Any, axes: int, header: TextHeader
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Return the affine in RAS order and mm, and what was unsure of it."""
    import numpy as np

    direction = np.reshape(reader.GetDirection(), (axes, axes))[:3, :3]
    affine = np.eye(4)
    used = min(axes, 3)
    affine[:used, :used] = direction * np.array(reader.GetSpacing()[:used])
    affine[:used, 3] = reader.GetOrigin()[:used]
    remarks: tuple[str, ...] = ()
    units = [unit.strip().lower() for unit in header.units if unit.strip()]
    factor = _MM.get(units[0]) if units and len(set(units)) == 1 else None
    if factor is None and units:
        factor = 1.0
        remarks = ("The header's unit of length is not known; millimetres are taken.",)
    affine[:3] *= factor or 1.0
    axes_mm = affine[:3, :3]
    lengths = np.linalg.norm(axes_mm, axis=0)
    if not np.isfinite(affine).all() or not lengths.all():
        raise _damaged(path)
    if abs(np.linalg.det(axes_mm / lengths)) < 1e-3:
        raise _damaged(path)
    return np.diag([-1.0, -1, 1, 1]) @ affine, remarks


def fields(lines: Sequence[str], separator: str) -> dict[str, str]:
    """Return the fields of header lines by name in lower case; the last of a name counts."""
    found: dict[str, str] = {}
    for line in lines:
        key, between, value = line.partition(separator)
        if between:
            found[key.strip().lower()] = value.strip()
    return found
