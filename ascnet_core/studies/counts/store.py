"""Counts of scans on the disk, found again by what they were made of.

One SQLite file in the app's own folder holds, for each network and scan, what was found out when
the scan was cut: the ends of its maps and the counts of their levels. The key (`keys`) is made of
contents (network, settings, files, truth): a file that changed is counted anew, one that lies
elsewhere is not. Everything here can be made again: a damaged file is thrown away, a damaged row is
not read.
"""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core import places
from ascnet_core.metrics.overlap import LEVELS, ThresholdTable
from ascnet_core.segmentation.histogram import Range

FOLDER, FILE = "facts", "facts.sqlite"
MOST_SCANS = 20_000
"""Kept; of more the oldest go. One takes some 10 kB."""

_MOST_IN_MEMORY = 4096
_AT_ONCE = 500
_TABLES = """
CREATE TABLE IF NOT EXISTS files (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, sha256 TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS scans (key TEXT PRIMARY KEY, about TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counts (
    key TEXT NOT NULL REFERENCES scans (key) ON DELETE CASCADE,
    map TEXT NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    levels BLOB NOT NULL,
    lesion BLOB,
    outside INTEGER NOT NULL,
    background INTEGER NOT NULL,
    PRIMARY KEY (key, map, low, high)
);
"""

Ends = tuple[float, float] | None
"""Smallest and largest value of a map inside the region; None where that is empty."""
What = tuple[str, float, float]
"""A map, and its values at levels 0 and 255."""


@dataclass(frozen=True)
class Known:
    """What is known of one scan through one network.

    `failed` says why nothing is, where it cannot be read. `extremes` are the ends of its maps, by
    name, `tables` the counts that were made so far, on any range.
    """

    voxel_ml: float = 0.0
    extremes: Mapping[str, Ends] = field(default_factory=dict)
    tables: Mapping[What, ThresholdTable] = field(default_factory=dict)
    failed: str = ""

    def table(self, name: str, range_: Range) -> ThresholdTable | None:
        """The table of a map on a range; None where it was not counted."""
        return self.tables.get((name, range_.low, range_.high))


_MEMORY: dict[tuple[Path, str], Known] = {}
_LOCK = Lock()


def read(keys: Iterable[str]) -> dict[str, Known]:
    """What is known by these keys; those of which nothing is are left out."""
    folder = places.cache_folder()
    memory = {key: _MEMORY.get((folder, key)) for key in keys}
    found = {key: known for key, known in memory.items() if known is not None}
    missing = [key for key in memory if key not in found]
    for start in range(0, len(missing), _AT_ONCE):
        found |= _read_scans(missing[start : start + _AT_ONCE])
    return found


def forget() -> None:
    """Forget what is in memory, as a new process does; what is on the disk stays."""
    with _LOCK:
        _MEMORY.clear()


def write(key: str, known: Known) -> None:
    """Add to what is known by a key; what was known before stays, but for a failure.

    A failure is kept in memory alone: what another process has installed may read the scan.
    """
    folder = places.cache_folder()
    before = read([key]).get(key)
    if before is not None and not before.failed:
        tables, extremes = {**before.tables, **known.tables}, {**before.extremes, **known.extremes}
        known = Known(known.voxel_ml or before.voxel_ml, extremes, tables, known.failed)
    text = json.dumps({"ml": known.voxel_ml, "ends": dict(known.extremes)})
    rows = [(key, *what, *_row(table)) for what, table in known.tables.items()]

    def work(base: sqlite3.Connection) -> None:
        base.execute(
            "INSERT INTO scans VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET about = excluded.about",
            (key, f"{_check(text.encode())} {text}"),
        )
        base.executemany("INSERT OR REPLACE INTO counts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        base.execute(
            "DELETE FROM scans WHERE rowid <= (SELECT max(rowid) FROM scans) - ?", [MOST_SCANS]
        )

    if not known.failed:
        _write(work)
    _remember(folder, {key: known})


def _remember(folder: Path, known: Mapping[str, Known]) -> None:
    with _LOCK:
        for key, one in known.items():
            _MEMORY.pop((folder, key), None)
            _MEMORY[folder, key] = one
        while len(_MEMORY) > _MOST_IN_MEMORY:
            del _MEMORY[next(iter(_MEMORY))]


def _check(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _pack(counts: NDArray[np.int64]) -> bytes:
    content = zlib.compress(np.ascontiguousarray(counts, "<i8").tobytes(), 1)
    return _check(content).encode() + content


def _unpack(packed: bytes) -> NDArray[np.int64]:
    content = packed[16:]
    if _check(content).encode() != packed[:16]:
        raise ValueError("damaged")
    counts = np.frombuffer(zlib.decompress(content), "<i8").astype(np.int64, copy=False)
    return counts.reshape(LEVELS)


def _row(table: ThresholdTable) -> tuple[bytes, bytes | None, int, int]:
    lesion = None if table.lesion is None else _pack(table.lesion)
    return _pack(table.levels), lesion, table.outside, table.background


def _read_scans(keys: Sequence[str]) -> dict[str, Known]:
    marks = ", ".join("?" * len(keys))
    scans = _select(f"SELECT key, about FROM scans WHERE key IN ({marks})", keys)
    rows = _select(f"SELECT * FROM counts WHERE key IN ({marks})", keys)
    tables: dict[str, dict[What, ThresholdTable]] = {}
    for key, name, low, high, levels, lesion, outside, background in rows:
        try:
            counts = _unpack(levels), None if lesion is None else _unpack(lesion)
        except (ValueError, zlib.error, TypeError):
            continue
        tables.setdefault(key, {})[name, low, high] = ThresholdTable(*counts, outside, background)
    found = {}
    for key, checked in scans:
        check, _, text = checked.partition(" ")
        if _check(text.encode()) == check:
            about = json.loads(text)
            ends = {name: pair and (pair[0], pair[1]) for name, pair in about["ends"].items()}
            found[key] = Known(about["ml"], ends, tables.get(key, {}))
    _remember(places.cache_folder(), found)
    return found


def read_files(paths: Sequence[str]) -> dict[str, tuple[str, str]]:
    """What was written by `write_files` of these paths."""
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(paths), _AT_ONCE):
        some = paths[start : start + _AT_ONCE]
        marks = ", ".join("?" * len(some))
        rows = _select(f"SELECT path, stamp, sha256 FROM files WHERE path IN ({marks})", some)
        found |= {path: (stamp, sha256) for path, stamp, sha256 in rows}
    return found


def write_files(files: Mapping[str, tuple[str, str]]) -> None:
    """Keep of files, by path, their (stamp, SHA-256)."""
    rows = [(path, *found) for path, found in files.items()]

    def work(base: sqlite3.Connection) -> None:
        base.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)
        base.execute(
            "DELETE FROM files WHERE rowid <= (SELECT max(rowid) FROM files) - ?", [8 * MOST_SCANS]
        )

    _write(work)


def _select(query: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
    """Rows of a query; none where the file is not there or damaged."""
    try:
        with closing(_connect("rw")) as base:
            return base.execute(query, values).fetchall()
    except (sqlite3.Error, OSError):
        return []


def _write(work: Callable[[sqlite3.Connection], object]) -> None:
    """Do work in one transaction; a damaged file is thrown away first.

    Where nothing can be written nothing is kept: it can be made again.
    """
    path = places.cache_folder() / FOLDER / FILE
    for _ in range(2):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(_connect("rwc")) as base:
                base.execute("PRAGMA journal_mode = WAL")
                base.execute("PRAGMA synchronous = NORMAL")
                base.execute("PRAGMA foreign_keys = ON")
                base.executescript(_TABLES)
                with base:
                    base.execute("BEGIN IMMEDIATE")
                    work(base)
            return
        except sqlite3.OperationalError:  # full, read-only, held by another for too long
            return
        except sqlite3.DatabaseError:
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                with suppress(OSError):
                    path.with_name(name).unlink(missing_ok=True)
        except OSError:
            return


def _connect(mode: str) -> sqlite3.Connection:
    where = (places.cache_folder() / FOLDER / FILE).absolute().as_uri()
    return sqlite3.connect(f"{where}?mode={mode}", uri=True, timeout=10, isolation_level=None)
