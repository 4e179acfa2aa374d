"""By what the counts of a scan are found again: hashes of all that they were made of.

Files are hashed once, and known again by size, inode and times.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.formats import files_of
from ascnet_core.outputs import sha256_of
from ascnet_core.studies.counts import store
from ascnet_core.studies.folder import images_of

_VERSION = 1
"""Of what is counted: another one finds nothing of this one's."""
# Read without loading torch, another version of which may round differently.
_version = cache(version)

Files = tuple[Path, ...]


class Hashes:
    """SHA-256 of files, by path: a file that has not changed is read once, for good.

    A file is taken as unchanged where size, inode and both times are the same.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        self._lock = Lock()

    def clear(self) -> None:
        """Forget what is in memory."""
        self._known.clear()

    def stamp(self, path: Path) -> str | None:
        """With what time and size a file's hash is known; None if it is not."""
        known = self._known.get(os.fspath(path))
        return None if known is None else known[0]

    def find(self, paths: Iterable[Path], read: bool) -> dict[Path, str | None]:
        """Return the hash of each file; None of one that is not there or may not be read.

        Files that are not known are read if `read`, else left out.
        """
        stamps = {path: _stamp(path) for path in dict.fromkeys(paths)}
        wanted = [os.fspath(path) for path, stamp in stamps.items() if stamp]
        if unknown := [path for path in wanted if path not in self._known]:
            with self._lock:
                self._known |= store.read_files(unknown)
        found: dict[Path, str | None] = {}
        new: dict[str, tuple[str, str]] = {}
        for path, stamp in stamps.items():
            known = self._known.get(os.fspath(path))
            if stamp is None:
                found[path] = None
            elif known is not None and known[0] == stamp:
                found[path] = known[1]
            elif read or not os.access(path, os.R_OK):
                found[path] = _hash(path)
                if sha256 := found[path]:
                    new[os.fspath(path)] = (stamp, sha256)
        if new:
            self._known |= new
            store.write_files(new)
        return found


_HASHES = Hashes()
_LOCK = Lock()


class Key(NamedTuple):
    """By what the counts of a scan are found, and the SHA-256 of its files but the truth."""

    text: str
    files: dict[Path, str]


def forget() -> None:
    """Forget what is in memory, as a new process does; what is on the disk stays."""
    with _LOCK:
        _HASHES.clear()
        _LAST.clear()
    store.forget()


def keys_of(
    run_sha256: str, flip: bool, scans: Sequence[Scan], read: bool
) -> dict[str, Key | None]:
    """The key of each scan through a network, by the scan's name; None if a file is not there.

    Scans with files whose content is not known are left out, unless files are to be `read`, which
    takes as long as that takes.
    """
    if len(scans) < _MANY:
        return _keys_of(run_sha256, flip, scans, read)[0]
    # Of hundreds of scans nothing but times and sizes is looked at, where these are as before.
    name = (run_sha256, flip, id(scans))
    last = _LAST.get(name)
    if last is None or last.scans is not scans or last.stamps != tuple(map(_stamp, last.files)):
        keys, files = _keys_of(run_sha256, flip, scans, read)
        last = _Last(scans, files, tuple(map(_HASHES.stamp, files)), keys)
        if all(map(_is_alone, files)) and len(keys) == len(scans) and all(keys.values()):
            with _LOCK:
                _LAST.pop(name, None)
                _LAST[name] = last
                while len(_LAST) > _MOST_LAST:
                    del _LAST[next(iter(_LAST))]
    return dict(last.keys)


class _Last(NamedTuple):
    scans: Sequence[Scan]
    files: Files
    stamps: tuple[str | None, ...]
    keys: dict[str, Key | None]


_LAST: dict[tuple[str, bool, int], _Last] = {}
_MANY, _MOST_LAST = 16, 8


def _is_alone(file: Path) -> bool:
    """Whether no other file can come to belong to this one, as in a folder or a pair."""
    return file.name.endswith((".nii", ".nii.gz"))


def _keys_of(
    run_sha256: str, flip: bool, scans: Sequence[Scan], read: bool
) -> tuple[dict[str, Key | None], Files]:
    """As `keys_of`, and all files that were looked at."""
    # Where hundreds of scans know the same other masks, these are gone through once.
    listed = cache(_listed)
    every = {scan.scan: (_listed(images_of(scan)), _truths(scan, listed)) for scan in scans}
    looked = (chain(images, *truths) for images, truths in every.values())
    files = tuple(dict.fromkeys(chain.from_iterable(looked)))
    hashes = _HASHES.find(files, read)
    joined = cache(lambda files: "\n".join(hashes[file] or "" for file in files))
    found: dict[str, Key | None] = {}
    for scan in scans:
        images, truths = every[scan.scan]
        if any(file not in hashes for file in chain(images, *truths)):
            continue
        own = {file: hashes[file] for file in images}
        if not all(hashes[file] for file in chain(images, *truths[:1])):
            found[scan.scan] = None
            continue
        parts = [
            *(run_sha256, flip, _VERSION, _version("torch"), scan.channel, scan.label),
            # By a name's ending the format is known, by `#2` the series in a folder.
            *(path and path.name for path in (scan.image, scan.mask, scan.region)),
            *(len(scan.series), joined(images), *map(joined, truths)),
        ]
        text = hashlib.blake2b(json.dumps(parts).encode(), digest_size=20).hexdigest()
        found[scan.scan] = Key(text, {file: str(sha256) for file, sha256 in own.items()})
    return found, files


def _truths(scan: Scan, listed: Callable[[Files], Files]) -> tuple[Files, ...]:
    """The files of the truth, and those of other masks, which are asked what background is."""
    return () if scan.mask is None else (_listed([scan.mask]), *map(listed, scan.other_masks))


def _listed(paths: Iterable[Path]) -> Files:
    return tuple(dict.fromkeys(chain.from_iterable(map(files_of, paths))))


def _hash(path: Path) -> str | None:
    try:
        return sha256_of(path)
    except UserError:
        return None


def _stamp(path: Path) -> str | None:
    try:
        about = path.stat()
    except (OSError, ValueError):
        return None
    return f"{about.st_size} {about.st_ino} {about.st_mtime_ns} {about.st_ctime_ns}"
