"""One writer at a time in a run folder."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ascnet_core.errors import UserError
from ascnet_core.files import refused

if sys.platform != "win32":
    import fcntl

LOCK = "run.lock"
_PATIENCE = 1.0
_START = 1  # Windows lets nobody read the byte that is locked, the first


def lock_holder(run: Path) -> dict[str, Any] | None:
    """The process that writes the run: its pid, host and start time; None if none lives.

    The system drops the lock when its process ends, however it ends: neither a kill nor a process
    number that is used again makes a dead writer look alive.
    """
    try:
        return _content(run) if _is_held(run / LOCK) else None
    except OSError:
        return None


@contextmanager
def hold_lock(run: Path) -> Iterator[None]:
    """Hold the run's lock; the lock of a dead process is taken over.

    Raises UserError if a living process holds it, or the folder cannot be written.
    """
    # Imported here, since the first page of the app only asks for the holder.
    from filelock import FileLock, Timeout

    path = run / LOCK
    lock = FileLock(path)
    try:
        # `lock_holder` of another process locks the file for an instant: try for a second.
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        holder = _content(run)
        raise UserError(
            f"{run} is being written by process {holder.get('pid', '?')} on "
            f"{holder.get('host', '?')}; wait for it, stop it, or choose another name."
        ) from None
    except OSError as error:
        raise UserError(refused(run, "written", error)) from error
    try:
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": time.time()}
        with path.open("r+b", buffering=0) as stream:
            stream.seek(_START)
            stream.write(json.dumps(holder).encode())
            stream.truncate()
        yield
    finally:
        with suppress(OSError):  # gone with its folder, or on Windows, where release removes it
            path.unlink()
        lock.release()


def _is_held(path: Path) -> bool:
    """Whether a living process holds the lock file; OSError if it cannot be read."""
    if sys.platform == "win32":
        from filelock import FileLock, Timeout

        try:
            with path.open("rb"), FileLock(path, blocking=False):
                return False
        except Timeout:
            return True
    with path.open("rb") as stream:
        try:
            # A shared lock, which filelock lacks: several processes may ask at once.
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _content(run: Path) -> dict[str, Any]:
    """What the lock's holder wrote into it; empty if nothing yet."""
    try:
        with (run / LOCK).open("rb", buffering=0) as stream:
            stream.seek(_START)
            content = json.loads(stream.read())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
