"""One writer at a time in a run folder."""

import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ascnet_core.errors import UserError

LOCK = "run.lock"
_PATIENCE = 1.0


def lock_holder(run: Path) -> dict[str, Any] | None:
    """Who writes the run: its pid, host and start time; None if no living process does.

    The kernel drops the lock when its process ends, however it ends: neither a kill nor a number
    given to another process later can make a dead writer look alive.
    """
    try:
        with (run / LOCK).open("rb") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return _content(stream)
            return None
    except OSError:
        return None


@contextmanager
def hold_lock(run: Path) -> Iterator[None]:
    """Hold the run's lock; the lock of a dead process is taken over.

    Raises
    ------
    UserError
        If a living process holds it, or the folder cannot be written.
    """
    path = run / LOCK
    try:
        stream = _acquire(path)
    except PermissionError as error:
        raise UserError(f"{run} cannot be written: permission denied.") from error
    try:
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": time.time()}
        stream.seek(0)
        stream.truncate()
        stream.write(json.dumps(holder).encode())
        stream.flush()
        yield
    finally:
        path.unlink(missing_ok=True)
        stream.close()


def _acquire(path: Path) -> IO[bytes]:
    deadline = time.monotonic() + _PATIENCE
    while True:
        stream = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = _content(stream)
            stream.close()
            # A reader that only looks holds the file for an instant: try again before refusing.
            if time.monotonic() > deadline:
                raise UserError(
                    f"{path.parent} is being written by process {holder.get('pid', '?')} on "
                    f"{holder.get('host', '?')}; wait for it, stop it, or choose another name."
                ) from None
            time.sleep(0.05)
            continue
        if _is_current(path, stream):
            return stream
        # Its last holder removed the file between our opening and our locking it.
        stream.close()


def _is_current(path: Path, stream: IO[bytes]) -> bool:
    try:
        return os.fstat(stream.fileno()).st_ino == path.stat().st_ino
    except OSError:
        return False


def _content(stream: IO[bytes]) -> dict[str, Any]:
    try:
        stream.seek(0)
        content = json.loads(stream.read())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
