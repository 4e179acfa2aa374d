"""A run as one file, to send, to keep or to open elsewhere: a ZIP with a table of its contents.

The first member is `contents.json`: the format's version, the run's name, and bytes and SHA-256 of
every other member. The others are the files of the run as they are, in order of their names and
without times, so that the same run gives the same file. Any program unpacks it.

Imported files are not trusted: nothing is unpacked whose name, kind, size or hash is not as it
should be, and nothing is unpickled.
"""

import hashlib
import json
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

from ascnet_core import __version__
from ascnet_core.errors import UserError
from ascnet_core.files import made_folder, refused, replacing
from ascnet_core.names import Tell, tell_nobody
from ascnet_core.places import CONTROL, MODEL, SETTINGS, TRAINING
from ascnet_core.runs.card import retitle_card
from ascnet_core.runs.folder import Run, new_run_path
from ascnet_core.runs.lock import LOCK, lock_holder
from ascnet_core.runs.manage import arriving, check_name, in_words

FORMAT = 1
CONTENTS = "contents.json"
LARGEST = 32 * 10**9
"""Bytes that a run may have unpacked."""

_KIND = "ASC-Net run"
_MOST_MEMBERS = 50_000
_LARGEST_CONTENTS = 16 * 10**6
_PIECE = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)
# The files that a run may hold, at the top or in a snapshot: no hidden file, no other folder,
# nothing executable.
_MEMBER = re.compile(
    r"(?:[A-Za-z0-9][A-Za-z0-9_-]*\.(?:toml|csv|json|jsonl|txt|md|safetensors)"
    r"|snapshots/[0-9]{3,}-s[0-9]+-c[0-9]+/[A-Za-z0-9][A-Za-z0-9_-]*\.(?:json|safetensors))\Z"
)
_DAMAGES = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError,
    ValueError, KeyError, TypeError, OverflowError,
)  # fmt: skip


@dataclass(frozen=True)
class RunFile:
    """What a file says that it holds: a run's name, and size and SHA-256 of each of its files."""

    name: str
    members: Mapping[str, tuple[int, str]]

    @property
    def size(self) -> int:
        """Bytes once unpacked."""
        return sum(size for size, _ in self.members.values())


class Exported(NamedTuple):
    """What was written, its size in bytes, and the files that were left out."""

    contents: RunFile
    size: int
    left_out: tuple[str, ...]


def files_to_export(
    run: Path, with_training: bool = True, with_networks: bool = True
) -> tuple[list[str], list[str]]:
    """Paths that an export holds, in order, and paths in the folder that belong to no run.

    `with_training`: with D and the optimisers, which resuming needs. `with_networks`: with the
    networks of kept cycles. The run's result is always included.
    """
    kept: list[str] = []
    strange: list[str] = []
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if path.is_symlink():
            strange.append(name)
        elif path.is_file() and name not in (LOCK, CONTROL):
            (kept if _is_member(name) else strange).append(name)
    left = [] if with_training else [TRAINING]
    if not with_networks:
        left += [name for name in kept if name.endswith(f"/{MODEL}")]
    return [name for name in kept if name not in left], strange


def export_run(
    run: Path,
    file: Path,
    with_training: bool = True,
    with_networks: bool = True,
    progress: Tell = tell_nobody,
) -> Exported:
    """Write a run into one file, whole or not at all; an older file of that name is replaced.

    The options are as in `files_to_export`. `progress` is called with (bytes read, bytes to read
    in all). Raises UserError if the run is being trained, changes meanwhile, or the file cannot be
    written.
    """
    run = run.resolve()
    _refuse_trained(run)
    names, left_out = files_to_export(run, with_training, with_networks)
    try:
        tell = _teller(progress, 2 * sum((run / name).stat().st_size for name in names))
        members = {}
        for name in names:
            with (run / name).open("rb") as stream:
                members[name] = _copied(stream, None, tell)
        _refuse_trained(run)
        contents = {
            "kind": _KIND,
            "format": FORMAT,
            "made_by": f"ASC-Net Explorer {__version__}",
            "name": run.name,
            "members": {name: {"bytes": n, "sha256": sha} for name, (n, sha) in members.items()},
        }
        with replacing(file) as temporary:
            with zipfile.ZipFile(temporary, "w") as archive:
                archive.writestr(_entry(CONTENTS), json.dumps(contents, indent=1) + "\n")
                for name, member in members.items():
                    entry = _entry(name, member[0])
                    with (run / name).open("rb") as stream, archive.open(entry, "w") as out:
                        if _copied(stream, out, tell, most=member[0]) != member:
                            raise UserError(
                                f"{run / name} changed while it was exported; try again."
                            )
            size = temporary.stat().st_size
    except OSError as error:
        raise UserError(refused(file, "written", error)) from error
    return Exported(RunFile(run.name, members), size, tuple(left_out))


def _is_member(name: str) -> bool:
    return bool(_MEMBER.match(name)) and name not in (CONTROL, CONTENTS)


def _refuse_trained(run: Path) -> None:
    if lock_holder(run) is not None:
        raise UserError(f"Run {run.name} is being trained; stop it before you export it.")


def _entry(name: str, size: int = 0) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    entry.file_size = size  # from 2 GiB on the format of the entry is another one
    # Weights do not compress; cuts and events shrink to a third.
    weights = Path(name).name in (MODEL, TRAINING)
    entry.compress_type = zipfile.ZIP_STORED if weights else zipfile.ZIP_DEFLATED
    return entry


def _teller(progress: Tell, total: int) -> Callable[[int], None]:
    """Make a function that adds up bytes and reports how many are done."""
    done = 0

    def tell(number: int) -> None:
        nonlocal done
        done += number
        progress(min(done, total), total)

    return tell


def _copied(
    source: IO[bytes], target: IO[bytes] | None, tell: Callable[[int], None], most: int = LARGEST
) -> tuple[int, str]:
    """Copy (or only read) up to `most` bytes, or a piece more; their number and SHA-256."""
    size, digest = 0, hashlib.sha256()
    while size <= most and (piece := source.read(_PIECE)):
        size += len(piece)
        digest.update(piece)
        tell(len(piece))
        if target is not None:
            target.write(piece)
    return size, digest.hexdigest()


def read_contents(file: Path | BinaryIO) -> RunFile:
    """Read the table of contents of an exported run; nothing is unpacked.

    Raises UserError if it is no such file, of a newer format, or holds what no run holds.
    """
    with _opened(file) as (archive, label):
        return _read_contents(archive, label)


def import_run(
    file: Path | BinaryIO,
    name: str | None = None,
    progress: Tell = tell_nobody,
) -> Path:
    """Unpack an exported run under `checkpoints/`, whole or not at all; returns its path.

    `name` (or a path, as in `train --name`) replaces the name that it had. `progress` is called
    with (bytes unpacked, bytes in all). Raises UserError as `read_contents` does, and if the name
    is taken, or a member differs from the table of contents.
    """
    with _opened(file) as (archive, label):
        contents = _read_contents(archive, label)
        if not name:
            check_name(contents.name)
        run = new_run_path(name or contents.name)
        tell = _teller(progress, contents.size)
        with made_folder(run.parent), arriving(run) as folder:
            free = shutil.disk_usage(folder).free
            if contents.size > free:
                raise UserError(
                    f"{label} needs {in_words(contents.size)} and {run.parent} has "
                    f"{in_words(free)} left; make room first."
                )
            for member, (size, digest) in contents.members.items():
                target = folder / member
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("xb") as out:
                    if _copied(source, out, tell, most=size) != (size, digest):
                        raise UserError(
                            f"{label} is damaged: {member} is not what its SHA-256 says; get the "
                            "file again."
                        )
            try:
                Run(folder).settings()
            except UserError as error:
                raise UserError(f"{label} would open nowhere: {error}") from error
    retitle_card(run)
    return run


@contextmanager
def _opened(file: Path | BinaryIO) -> Iterator[tuple[zipfile.ZipFile, str]]:
    """The archive, and what sentences call it; a broken one is refused in one sentence."""
    label = str(file if isinstance(file, Path) else getattr(file, "name", None) or "The file")
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive, label
    except OSError as error:
        raise UserError(refused(label, "read", error)) from error
    except _DAMAGES as error:
        # What the error says may quote the file.
        raise UserError(
            f"{label} is no exported run, or a damaged one; export the run again."
        ) from error


def _read_contents(archive: zipfile.ZipFile, label: str) -> RunFile:
    entries = archive.infolist()
    if len(entries) > _MOST_MEMBERS:
        raise UserError(f"{label} holds {len(entries)} files, too many for a run; it is refused.")
    found = {entry.filename: entry for entry in entries}
    contents = found.get(CONTENTS)
    if contents is None or contents.file_size > _LARGEST_CONTENTS:
        raise UserError(
            f"{label} is no exported run: it has no {CONTENTS}; give a file that Export on the "
            "Training page or `run export` wrote."
        )
    with archive.open(contents) as stream:
        told = _parse(stream.read(_LARGEST_CONTENTS + 1), label)
    for entry in entries:
        _check_entry(entry, label)
    if len({name.casefold() for name in found}) != len(entries):
        raise UserError(f"{label} holds a file twice; it is refused.")
    told_sizes = {name: size for name, (size, _) in told.members.items()}
    sizes = {name: entry.file_size for name, entry in found.items() if name != CONTENTS}
    if sizes != told_sizes:
        differing = sorted(set(sizes.items()) ^ set(told_sizes.items()))[0][0]
        raise UserError(
            f"{label} is damaged: {differing} is not as its {CONTENTS} says; get the file again."
        )
    if SETTINGS not in sizes:
        raise UserError(f"{label} holds no {SETTINGS}, so no run; export the run again.")
    if told.size > LARGEST:
        raise UserError(
            f"{label} would unpack to {in_words(told.size)}, more than the {in_words(LARGEST)} "
            "that a run may have; export it without the networks of its cycles."
        )
    return told


def _parse(content: bytes, label: str) -> RunFile:
    told: Any = json.loads(content)
    if not isinstance(told, dict) or told.get("kind") != _KIND:
        raise ValueError(f"{CONTENTS} is another program's")
    if int(told["format"]) > FORMAT:
        raise UserError(
            f"{label} is of format {int(told['format'])}, and this version reads up to {FORMAT}; "
            "update ASC-Net Explorer."
        )
    table = dict(told["members"])
    members = {name: (int(one["bytes"]), str(one["sha256"])) for name, one in table.items()}
    return RunFile(str(told["name"]), members)


def _check_entry(entry: zipfile.ZipInfo, label: str) -> None:
    # orig_filename: zipfile cuts `filename` short at a null byte
    known = entry.orig_filename == CONTENTS or _is_member(entry.orig_filename)
    mode = stat.S_IFMT(entry.external_attr >> 16)
    if not known or mode not in (0, stat.S_IFREG) or entry.flag_bits & 1:
        shown = entry.orig_filename.encode("ascii", "backslashreplace").decode()[:80]
        raise UserError(f"{label} holds {shown!r}, which is no part of a run; it is refused.")
