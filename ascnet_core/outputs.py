"""What this tool wrote: a table in each folder of outputs, by which it knows its files again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ascnet_core.files import read_json

LEDGER = ".ascnet-written.json"
"""The table's name. `{"files": {NAME: {"sha256": ..., "verb": ...}}, "finished": true}`."""


@dataclass(frozen=True)
class Record:
    """One file that was written: the SHA-256 of its bytes, and the verb that wrote it."""

    sha256: str
    verb: str


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_ledger(folder: Path) -> Mapping[str, Record]:
    """Return what was written into a folder, by file name; empty where there is no table."""
    content = read_json(folder / LEDGER)
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict):
        return {}
    return {
        name: Record(str(one.get("sha256", "")), str(one.get("verb", "")))
        for name, one in files.items()
        if isinstance(one, dict)
    }


def is_ours(path: Path) -> bool:
    """Say whether this tool wrote the file as it is now, and nobody has changed it since."""
    record = read_ledger(path.parent).get(path.name)
    return record is not None and path.is_file() and sha256_of(path) == record.sha256
