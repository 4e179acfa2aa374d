"""Requests to a training process (stop, pause, go on, snapshot), as files in the run folder."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Literal

from ascnet_core.files import read_json, write_json
from ascnet_core.places import CONTROL
from ascnet_core.runs.lock import lock_holder

WANTED = "snapshot.json"
"""A file of its own, so that asking for a snapshot cancels neither a pause nor a stop."""


def ask(run: Path, what: Literal["stop", "pause", "go", "snapshot"]) -> bool:
    """Ask the process that trains for something within a step; False if none is training.

    A snapshot is one more kept moment and ends no cycle; a paused process takes it when it goes on.
    """
    if lock_holder(run) is None:
        return False
    write_json(run / (WANTED if what == "snapshot" else CONTROL), {"request": what})
    return True


def read_request(run: Path) -> str | None:
    """What the training process is asked for: stop, pause, go, or None."""
    content = read_json(run / CONTROL)
    request = content.get("request") if isinstance(content, dict) else None
    return request if request in ("stop", "pause", "go") else None


def take_request(run: Path) -> bool:
    """Whether a snapshot was asked for since the last call."""
    try:
        (run / WANTED).unlink()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def signals_noted() -> Iterator[Callable[[], bool]]:
    """Turn the first SIGINT or SIGTERM into a request to stop; the second acts as usual.

    So does SIGHUP, of a terminal that is closed, unless it is ignored (`nohup`).
    """
    received = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield received.is_set
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}

    def ask(number: int, frame: FrameType | None) -> None:
        received.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, ask)
    try:
        yield received.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
