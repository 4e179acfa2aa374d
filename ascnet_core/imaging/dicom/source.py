"""The files of a DICOM series: those below a folder, those in a zip, or a single file."""

from __future__ import annotations

import io
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ascnet_core.errors import UserError
from ascnet_core.files import refused

ENDINGS = (".dcm", ".ima", ".dicom")
"""Names that say DICOM; most of its files have none of them."""
MOST_UNFOLDED = 16 << 30
"""Bytes that the files of a zip may have together; they are read one by one."""

_MOST_LOOKED_AT = 1000
"""Files of a folder after which it is taken as one without DICOM: it may be a whole disk."""
_SYSTEM = ("/proc", "/sys", "/dev")

# A file without the usual preamble begins with a tag of group 8 in little endian.
_BARE = tuple(b"\x08\x00" + bytes([element]) + b"\x00" for element in (0, 1, 5, 8, 18, 20, 22))

Opener = Callable[[str], BinaryIO]


def split_series(path: Path) -> tuple[Path, int | None]:
    """Take `FOLDER#2` apart into the folder and the number of a series in it; None without one."""
    found = re.fullmatch(r"(.*?)[/\\]?#(\d+)", str(path)) if "#" in path.name else None
    if found is None or path.exists():
        return path, None
    return Path(found[1]), int(found[2])


def looks_like_dicom(start: bytes) -> bool:
    """Say whether the first 132 bytes of a file are those of DICOM."""
    return start[128:132] == b"DICM" or start[:4] in _BARE


def is_dicom(path: Path) -> bool:
    """Say whether a file's content is DICOM, whatever its name."""
    try:
        with path.open("rb") as stream:
            return looks_like_dicom(stream.read(132))
    except OSError:
        return False


def holds_dicom(path: Path) -> bool:
    """Say whether a file is DICOM, or a folder has one among the first files anywhere below."""
    if path.is_dir():
        return any(is_dicom(path / name) for name in islice(_names_below(path), _MOST_LOOKED_AT))
    return path.is_file() and is_dicom(path)


def files_below(place: Path) -> list[Path]:
    """Return the files that an image is read from: itself, or all below a folder."""
    return [place / name for name in _names_below(place)] if place.is_dir() else [place]


def _names_below(folder: Path) -> Iterator[str]:
    """Yield the relative names of regular files, in order; links are followed, each folder once.

    Folders in which the system describes itself are not entered.
    """
    seen: set[str] = set()
    for where, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one != "__MACOSX")
        real = os.path.realpath(where)
        if real in seen or real in _SYSTEM:
            folders.clear()
            continue
        seen.add(real)
        for name in sorted(names):
            path = Path(where, name)
            if not name.startswith(".") and path.is_file():
                yield str(path.relative_to(folder))


def place_of(place: Path, name: str) -> Path:
    """Return what to call a file of a folder, a zip or a single file in sentences."""
    return place if place.name == name and not place.is_dir() else place / name


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise UserError(refused(path, "read", error)) from error


@contextmanager
def opened(place: Path) -> Iterator[tuple[list[str], Opener]]:
    """Yield the names of the files in a folder, a zip or a single file, and what opens one.

    Raises a UserError if a zip is damaged, locked by a password or unfolds to too much.
    """
    if place.is_dir():
        yield list(_names_below(place)), lambda name: _open(place / name)
        return
    import lzma  # these take a while to import, which every call of the program would pay
    import zipfile

    if not zipfile.is_zipfile(place) or is_dicom(place):
        yield [place.name], lambda name: _open(place)
        return
    broken = (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError,
    )  # fmt: skip
    sentence = f"{place} is a damaged zip; copy or download it again."
    try:
        whole = zipfile.ZipFile(place)
    except broken as error:
        raise UserError(sentence) from error
    with whole as archive:
        # a damaged name may be empty, which `is_dir` does not bear
        inside = [one for one in archive.infolist() if one.filename and not one.is_dir()]
        if sum(one.file_size for one in inside) > MOST_UNFOLDED:
            raise UserError(
                f"{place} unfolds to more than {MOST_UNFOLDED >> 30} GB; unzip it and name a "
                "folder of it."
            )
        if any(one.flag_bits & 1 for one in inside):
            raise UserError(f"{place} is locked by a password; unzip it and name the folder.")
        hidden = re.compile(r"(^|/)(\.|__MACOSX/)")
        names = sorted(one.filename for one in inside if not hidden.search(one.filename))

        def unfolded(name: str) -> BinaryIO:
            try:
                with archive.open(name) as stream:
                    start = stream.read(132)  # what is no DICOM is not unfolded
                    return io.BytesIO(start + (stream.read() if looks_like_dicom(start) else b""))
            except broken as error:
                raise UserError(sentence) from error

        yield names, unfolded
