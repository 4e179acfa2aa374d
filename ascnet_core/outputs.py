"""Writing outputs so that nothing is destroyed: only files that this tool wrote are replaced.

Each folder of outputs holds a table of what was written there, with hashes. By it the tool knows
its own files again: whatever is not in the table, or has been changed since, is left alone.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ascnet_core.errors import UserError
from ascnet_core.file_names import same_file_name
from ascnet_core.files import made_folder, read_json, refused, write_bytes, write_json

LEDGER = ".ascnet-written.json"
"""The table's name. `{"files": {NAME: {"sha256": ..., "verb": ...}}}`; while files are moved into
their place `"moving"` holds the same of the new ones, so that a call killed then is known too."""

_ASIDE = ".tmp-ascnet-"


def is_record(name: str) -> bool:
    """Say whether a file's name is that of our table, or of what a killed call left."""
    return name == LEDGER or name.startswith(_ASIDE)


@dataclass(frozen=True)
class Record:
    """One file that was written: the SHA-256 of its bytes, and the verb that wrote it."""

    sha256: str
    verb: str


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal. UserError if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(refused(path, "read", error)) from error


def read_ledger(folder: Path) -> Mapping[str, Record]:
    """Return what was written into a folder, by file name; empty where there is no table."""
    content = read_json(folder / LEDGER)
    return _records(content, "files") | _records(content, "moving")


def _records(content: Any, part: str) -> dict[str, Record]:
    files = content.get(part) if isinstance(content, dict) else None
    return {
        name: Record(str(one.get("sha256", "")), str(one.get("verb", "")))
        for name, one in (files.items() if isinstance(files, dict) else ())
        if isinstance(one, dict)
    }


def is_ours(path: Path) -> bool:
    """Say whether this tool wrote the file as it is now, and nobody has changed it since."""
    content = read_json(path.parent / LEDGER)
    records = [_records(content, part).get(path.name) for part in ("files", "moving")]
    known = [one.sha256 for one in records if one is not None]
    return bool(known) and path.is_file() and not path.is_symlink() and sha256_of(path) in known


def check_targets(
    folder: Path, names: Sequence[str], inputs: Iterable[Path] = (), overwrite: bool = False
) -> None:
    """Raise a UserError if files `names` may not be written into a folder.

    That is: if one of them is an input, is there and not ours (or a link, or has been changed), or
    is ours and `overwrite` is False, or if two of them would be one file on some systems. What a
    killed call had just moved there is replaced without asking.
    """
    twice = same_file_name(names)
    if twice:
        raise UserError(
            f"{folder / twice[0]} would be written twice, also as {twice[1]}; rename one scan."
        )
    there = [folder / name for name in names if os.path.lexists(folder / name)]
    read = {(about.st_dev, about.st_ino) for path in inputs if (about := _stat(path))}
    half_done = _records(read_json(folder / LEDGER), "moving")
    for path in there:
        about = _stat(path)
        if about and (about.st_dev, about.st_ino) in read:
            raise UserError(
                f"{path} is read by this call and would be replaced by it; choose another place "
                "to write to."
            )
        if path.is_dir():
            raise UserError(
                f"{path} is there, and this tool did not write it: it is a folder; name a file."
            )
        if not is_ours(path):
            older = "" if (folder / LEDGER).exists() else " (early versions kept no record)"
            raise UserError(
                f"{path} is there, and this tool did not write it as it is now{older}; move it "
                "away, or choose another place to write to."
            )
        if not overwrite and path.name not in half_done:
            raise UserError(
                f"{path} was written by an earlier call; give --overwrite to replace it, or "
                "choose another place to write to."
            )


def held_in(folder: Path) -> list[str]:
    """Return the names of what a folder holds, without our table and the rests of killed calls."""
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return sorted(name for name in names if not is_record(name))


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


@contextmanager
def writing(
    folder: Path,
    names: Sequence[str],
    verb: str,
    inputs: Iterable[Path] = (),
    overwrite: bool = False,
) -> Iterator[Path]:
    """Yield a folder to write the files `names` into; at the end they move into `folder` together.

    They move in the order of `names`, and are recorded. Of those that were not written this time,
    earlier ones of ours are removed: they would contradict the new ones. Anything else in the
    yielded folder is thrown away, so that it serves for work too; after an exception all of it is,
    and `folder` is as it was. What killed calls left of theirs is removed first.

    Raises a UserError as `check_targets` does, before anything is touched, and if the folder
    cannot be written.
    """
    inputs = list(inputs)
    check_targets(folder, names, inputs, overwrite)
    with made_folder(folder, "written"), _set_aside(folder) as aside:
        yield aside
        check_targets(folder, names, inputs, overwrite)  # others may have written meanwhile
        try:
            _settle(folder, aside, names, verb)
        except OSError as error:
            raise UserError(refused(folder, "written", error)) from error


def write_own(path: Path, content: bytes | str, verb: str) -> None:
    """Write a file that is not there, or replace one of ours; one of the same bytes stays.

    Raises a UserError if the file there is not ours.
    """
    content = content.encode() if isinstance(content, str) else content
    with suppress(OSError):
        if path.read_bytes() == content:
            return
    with writing(path.parent, [path.name], verb, overwrite=True) as aside:
        write_bytes(aside / path.name, content)


def _settle(folder: Path, aside: Path, names: Sequence[str], verb: str) -> None:
    """Move what was written into its place. A kill at any moment leaves only files in the table."""
    made = [name for name in names if (aside / name).is_file()]
    stale = [name for name in names if name not in made and os.path.lexists(folder / name)]
    if not made and not stale:
        return
    content = read_json(folder / LEDGER)
    files = _records(content, "files")
    for name, record in _records(content, "moving").items():  # of a killed call
        if (folder / name).is_file() and sha256_of(folder / name) == record.sha256:
            files[name] = record
    new = {name: Record(sha256_of(aside / name), verb) for name in made}
    begun, done = aside / ".begun.json", aside / ".done.json"
    write_json(begun, {"files": _plain(files), "moving": _plain(new)})
    kept = {name: record for name, record in (files | new).items() if name not in stale}
    write_json(done, {"files": _plain(kept)})
    # From here on nothing takes room on the disk.
    begun.replace(folder / LEDGER)
    for name in made:
        (aside / name).replace(folder / name)
    for name in stale:
        (folder / name).unlink()
    done.replace(folder / LEDGER)


def _plain(records: Mapping[str, Record]) -> dict[str, dict[str, str]]:
    return {name: asdict(records[name]) for name in sorted(records)}


@contextmanager
def _set_aside(folder: Path) -> Iterator[Path]:
    """Yield a folder to work in, which is gone in the end; errors within speak of `folder`.

    A lock that the system drops with the process tells others that it is no rest.
    """
    from filelock import FileLock

    try:
        _remove_rests(folder)
        aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=folder))
    except OSError as error:
        raise UserError(refused(folder, "written", error)) from error
    lock = FileLock(aside / ".lock")
    with suppress(OSError, NotImplementedError):  # some network drives know no locks
        lock.acquire(blocking=False)
    try:
        yield aside
    except UserError as error:
        if str(aside) not in str(error):
            raise
        raise UserError(str(error).replace(str(aside), str(folder))) from error
    except OSError as error:
        if isinstance(error.filename, str):
            error.filename = error.filename.replace(str(aside), str(folder))
        raise
    finally:
        lock.release()
        shutil.rmtree(aside, ignore_errors=True)


def _remove_rests(folder: Path) -> None:
    """Remove what killed calls left here; that of a living one is locked."""
    from filelock import FileLock

    for rest in folder.glob(f"{_ASIDE}*"):
        with suppress(OSError, NotImplementedError, TimeoutError):
            if (rest / ".lock").is_file():
                with FileLock(rest / ".lock", blocking=False):
                    pass
                shutil.rmtree(rest, ignore_errors=True)
