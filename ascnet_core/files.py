"""Write files so that a crash never leaves half of one, and read files that may be missing."""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ascnet_core.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` and, on success, move it over `path`.

    It has the same suffixes, by which libraries choose the format. On an exception it is removed
    and `path` is as it was. Raises `UserError` if the folder cannot be made or written.
    """
    path = Path(path)
    temporary = path.with_name(f".tmp-{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except PermissionError as error:
        raise UserError(
            f"{path} cannot be written: permission denied; choose another place."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


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
    """Write `content` to `path` as UTF-8, whole or not at all."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, content: Any, indent: int | None = 2) -> None:
    """Write `content` to `path` as JSON, whole or not at all; without an indent on one line."""
    write_text(path, json.dumps(content, indent=indent, ensure_ascii=False) + "\n")
