"""The database of a study: one SQLite file, in which what was accepted stays.

A transaction is on the disk when it ends (write-ahead log, flushed each time), so that a kill or a
power cut at any moment loses nothing. Several processes may write at once: each waits its turn.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ascnet_core.errors import UserError

DATABASE = "study.sqlite"
VERSION = 2
"""Of the tables below; kept in the file as `user_version`. Files of an older one are upgraded."""

_WAIT = 60.0
"""Seconds that a writer waits for the others."""
_KIND = 0x41534353
"""Says that an SQLite file is a study's, kept in it as `application_id`."""

_TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE subjects (place INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE raters (name TEXT PRIMARY KEY, joined TEXT NOT NULL);
-- Rows are only ever added. A row with `undoes` takes an earlier one back and says nothing else.
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made TEXT NOT NULL,
    rater TEXT NOT NULL REFERENCES raters (name),
    subject TEXT NOT NULL REFERENCES subjects (name),
    undoes INTEGER UNIQUE REFERENCES decisions (id),
    scan TEXT,
    map TEXT,
    rule TEXT,
    scope TEXT,
    level INTEGER CHECK (level BETWEEN 0 AND 255),
    upper INTEGER CHECK (upper BETWEEN level AND 255),
    side TEXT CHECK (side IN ('bright', 'dark')),
    range TEXT CHECK (range IN ('raw', 'subject', 'cohort')),
    post TEXT,
    flag TEXT CHECK (flag IN ('fine', 'doubtful', 'exclude', 'flipped')),
    rating INTEGER CHECK (rating BETWEEN 1 AND 5),
    note TEXT,
    seconds REAL CHECK (seconds >= 0),
    truth_shown INTEGER CHECK (truth_shown IN (0, 1)),
    dice_shown INTEGER CHECK (dice_shown IN (0, 1)),
    blind INTEGER CHECK (blind IN (0, 1)),
    pieces TEXT,
    scan_sha256 TEXT,
    run_sha256 TEXT,
    versions TEXT NOT NULL,
    CHECK (undoes IS NOT NULL OR level IS NOT NULL OR flag = 'exclude'),
    CHECK (undoes IS NOT NULL OR (map IS NOT NULL AND side IS NOT NULL AND range IS NOT NULL
        AND flag IS NOT NULL AND scan_sha256 IS NOT NULL AND run_sha256 IS NOT NULL))
);
CREATE INDEX decisions_by_subject ON decisions (rater, subject, id);
CREATE TRIGGER decisions_stay BEFORE UPDATE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END;
CREATE TRIGGER decisions_are_kept BEFORE DELETE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are never deleted'); END;
"""

_SINCE_2 = (
    # What the sender of a decision calls it: one that is sent twice is recorded once.
    "ALTER TABLE decisions ADD COLUMN token TEXT",
    "CREATE UNIQUE INDEX decisions_by_token ON decisions (token)",
    # Which of two masks a rater prefers, not knowing what made them (JSON says it).
    """CREATE TABLE preferences (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    made TEXT NOT NULL,
    rater TEXT NOT NULL REFERENCES raters (name),
    subject TEXT NOT NULL REFERENCES subjects (name),
    left TEXT NOT NULL,
    right TEXT NOT NULL,
    better TEXT NOT NULL CHECK (better IN ('left', 'right', 'neither')),
    seconds REAL CHECK (seconds >= 0),
    token TEXT UNIQUE,
    versions TEXT NOT NULL
)""",
    """CREATE TRIGGER preferences_stay BEFORE UPDATE ON preferences
    BEGIN SELECT RAISE(ABORT, 'preferences are never changed'); END""",
    """CREATE TRIGGER preferences_are_kept BEFORE DELETE ON preferences
    BEGIN SELECT RAISE(ABORT, 'preferences are never deleted'); END""",
)


def make(folder: Path) -> None:
    """Make the database of a new study in a folder."""
    path = folder / DATABASE
    with _told(path), closing(sqlite3.connect(path, isolation_level=None)) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = FULL")
        base.executescript(
            f"BEGIN; {_TABLES} PRAGMA application_id = {_KIND}; PRAGMA user_version = 1; COMMIT;"
        )
        _upgrade(base)


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection to a study's database, rows being read by name.

    Raises a UserError if it is not there, is damaged, or a newer version made it.
    """
    path = folder / DATABASE
    if not path.is_file():
        raise UserError(f"{path} is not there; give a study's folder, or make one by `study new`.")
    with _told(path):
        where = f"{path.absolute().as_uri()}?mode=rw"
        base = sqlite3.connect(where, uri=True, timeout=_WAIT, isolation_level=None)
        with closing(base):
            base.row_factory = sqlite3.Row
            # Both are the connection's, not the file's.
            base.execute("PRAGMA synchronous = FULL")
            base.execute("PRAGMA foreign_keys = ON")
            (kind,), (version,) = (
                base.execute(f"PRAGMA {name}").fetchone()
                for name in ("application_id", "user_version")
            )
            if kind != _KIND:
                raise UserError(f"{path} is no study's database; give another folder.")
            if version == 1:
                _upgrade(base)
            elif version != VERSION:
                raise UserError(
                    f"{path} was made by another version of this program (its tables are of "
                    f"version {version}, not {VERSION}); use that version."
                )
            yield base


def _upgrade(base: sqlite3.Connection) -> None:
    """Bring the tables of version 1 to this one, whole or not at all."""
    base.execute("BEGIN IMMEDIATE")
    try:
        if base.execute("PRAGMA user_version").fetchone()[0] == 1:  # else another was quicker
            for statement in _SINCE_2:
                base.execute(statement)
            base.execute("PRAGMA user_version = 2")
        base.execute("COMMIT")
    except BaseException:
        if base.in_transaction:
            base.execute("ROLLBACK")
        raise


@contextmanager
def writing(folder: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection inside a transaction, which nobody else writes beside.

    When the block has ended the changes are on the disk; after an exception there are none.
    """
    with reading(folder) as base:
        base.execute("BEGIN IMMEDIATE")
        try:
            yield base
            base.execute("COMMIT")
        except BaseException:
            if base.in_transaction:
                base.execute("ROLLBACK")
            raise


def sent(base: sqlite3.Connection, table: str, token: str | None) -> int | None:
    """The number of the row of a table that came with a token before."""
    row = base.execute(f"SELECT id FROM {table} WHERE token = ?", [token]).fetchone()
    return None if row is None else int(row["id"])


def insert(base: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> int:
    """Add a row to a table and return its number; that of the earlier one if it was sent before."""
    if number := sent(base, table, row["token"]):
        return number
    names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
    return int(base.execute(statement, row).lastrowid or 0)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        what = str(error)
        if "locked" in what or "busy" in what:
            mend = "another program has held it for too long; close that one and try again"
        elif "readonly" in what or "unable to open" in what:
            mend = f"{what}; change the permissions of its folder"
        elif "full" in what:
            mend = "the disk is full; make room"
        else:
            mend = f"{what}; check the disk, or restore the folder from a copy"
        raise UserError(f"{path} cannot be used: {mend}.") from error
