"""Write files so that a crash never leaves half of one, and read files that may be missing."""

import codecs
import errno
import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ascnet_core.errors import UserError

_WAYS = {
    "ENOENT": "it is not there; check the path",
    "ENOTDIR EEXIST": "a part of its path is a file; choose another place",
    "EISDIR": "it is a folder; name a file",
    "ENAMETOOLONG": "the name is too long; choose a shorter one",
    "ENOSPC": "the disk is full; make room or choose another place",
    "EDQUOT": "your share of the disk is used up; make room or choose another place",
    "EFBIG": "files may not be so large there; choose another place",
    "EROFS": "the place is read-only; choose another place",
    "EACCES EPERM": "permission denied; change its permissions or choose another place",
    "ELOOP": "its links lead in a circle; mend them",
    "EMLINK": "it has too many links; choose another place",
    "EMFILE ENFILE": "too many files are open; close programs, or raise the limit (ulimit -n)",
    "EIO": "the disk gives an error; check it or choose another place",
    "ENODEV ENXIO": "there is no such device; choose another place",
    "EBUSY ETXTBSY": "another program is using it; close that one",
    "ESTALE ENOTCONN EHOSTDOWN": "the network drive has lost it; connect it again",
    "EINVAL EILSEQ": "the system takes no such name or file there; choose another place",
    "ENOMEM": "memory does not suffice; close programs or take less at once",
}
_MEND = {
    getattr(errno, name): way
    for names, way in _WAYS.items()
    for name in names.split()
    if hasattr(errno, name)  # not every system knows all
}
"""What a user can mend where the system refuses a file, and how."""

_LONGEST = 64 * 10**6
"""Bytes of a text that a user wrote; more is another kind of file, or a device without an end."""


BYTE = r"\\udc[89a-f][0-9a-f]"
"""How `write_text` writes a byte of a name that is no UTF-8 (a pattern)."""


def refused(path: object, doing: str, error: OSError) -> str:
    """Say in a sentence why a file cannot be "read" or "written" (`doing`), and what to do."""
    why = _MEND.get(error.errno or 0) or f"{error.strerror or error}; check it or take another one"
    return f"{path} cannot be {doing}: {why}."


def mendable(error: BaseException) -> str | None:
    """The sentence for an error that a user can mend; None for a fault of the program.

    Besides each `UserError` such are a full disk, a missing file, a name that the system does not
    take, and too little memory.
    """
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return refused(_named(error.filename), "read or written", error)
    if isinstance(error, OSError) and error.errno in _MEND:
        return refused("A file, or what is printed,", "written", error)
    narrow = sys.getfilesystemencoding() if sys.getfilesystemencoding() != "utf-8" else None
    if isinstance(error, UnicodeEncodeError) and error.encoding == narrow:
        return (
            f"The name {error.object!a} has letters that this system's language settings "
            f"({error.encoding}) do not know; set the variable PYTHONUTF8=1."
        )
    if isinstance(error, MemoryError) or "t allocate memory" in str(error):  # the latter by torch
        return "Memory does not suffice; close programs, or take smaller images or fewer at once."
    return None


def _named(name: Any) -> str:
    return os.fsdecode(name) if isinstance(name, bytes | os.PathLike) else str(name)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` and, on success, move it over `path`.

    It has the same suffixes, by which libraries choose the format. On an exception it is removed
    and `path` is as it was. Raises `UserError` if the folder cannot be made or written, or the
    disk is full.
    """
    path = Path(path)
    # Of a long name only the end: the longest that the system takes must not become longer.
    temporary = path.with_name(f".tmp-{uuid.uuid4().hex[:8]}-{path.name[-40:]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno is None:
            raise  # not the system's word
        own = (None, temporary, path, *path.parents)
        if error.filename is not None and Path(_named(error.filename)) not in own:
            raise  # of a file that was read meanwhile
        raise UserError(refused(path, "written", error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def made_folder(folder: Path, doing: str = "made") -> Iterator[None]:
    """Make a folder for the block, and remove it again if an exception leaves it empty.

    The same goes for the folders above it that had to be made. Raises UserError, which says that
    it cannot be `doing`, if it cannot be made.
    """
    missing = [one for one in (folder, *folder.parents) if not os.path.lexists(one)]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(refused(folder, doing, error)) from error
        yield
    except BaseException:
        for one in missing:
            with suppress(OSError):  # it is not empty, so are those above; or was not made
                one.rmdir()
        raise


@contextmanager
def whole_or_nothing(folder: Path, stays: Callable[[], bool]) -> Iterator[None]:
    """Remove what came into a folder during the block if an exception ends it.

    What was there before is left alone, and so is everything where `stays` says yes. Nobody else
    may write there meanwhile: hold the run's lock.
    """
    before = set(folder.iterdir())
    try:
        yield
    except BaseException:
        for path in [] if stays() else set(folder.iterdir()) - before:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


def file_named(folder: Path, name: str) -> Path:
    """The file of that name, as a table in `folder` has it, with `/` or as Windows writes it.

    Where no such file is there, it is the path as its letters say.
    """
    unescaped = re.sub(BYTE, lambda found: chr(int(found[0][2:], 16)), name)
    forms = (name, name.replace("\\", "/"), unescaped)
    # The bytes of a name are its UTF-8, whatever this system's language settings are.
    paths = [folder / os.fsdecode(form.encode("utf-8", "surrogateescape")) for form in forms]
    return _straight(next((path for path in paths if path.exists()), paths[1]))


def _straight(path: Path) -> Path:
    """A path without `..` where that names the same file; `..` of a link may lead elsewhere."""
    if ".." not in path.parts:
        return path
    straight = Path(os.path.normpath(path))
    same = path.exists() and straight.exists() and path.samefile(straight)
    return straight if same else path


def text_of(path: Path) -> str:
    """Return the text of a file that a user wrote, in UTF-8 with or without a byte order mark.

    Raises UserError if it cannot be read, or is in another encoding; its content is not quoted.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(_LONGEST + 1)
    except OSError as error:
        raise UserError(refused(path, "read", error)) from error
    if len(content) > _LONGEST:
        raise UserError(f"{path} is too large to be a table or settings; give another file.")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UserError(f"{path} is in UTF-16; save it again in UTF-8 (a table as 'CSV UTF-8').")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not in UTF-8; save it again in UTF-8 (a table as 'CSV UTF-8')."
        ) from error


def read_text(path: Path) -> str:
    """Return the text of a file; empty if it cannot be read, odd bytes replaced."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def read_json(path: Path) -> Any:
    """Return the content of a JSON file; None if it cannot be read or is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    r"""Write `content` to `path` as UTF-8, whole or not at all.

    Bytes of a file name that are no UTF-8 (Python holds them as lone surrogates) are written as
    `\udcff`, which JSON and `file_named` read back.
    """
    write_bytes(path, content.encode("utf-8", "backslashreplace"))


def write_json(path: Path, content: Any, indent: int | None = 2) -> None:
    """Write `content` to `path` as JSON, whole or not at all; without an indent on one line."""
    write_text(path, json.dumps(content, indent=indent, ensure_ascii=False) + "\n")
