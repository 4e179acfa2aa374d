"""What surrounds the command line: streams that may be closed, and signals that end it."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, TextIO

TERMINATED = 128 + signal.SIGTERM
"""The exit status after a signal that ends the process, as a shell would give it."""


def open_streams() -> None:
    """Make stdin, stdout and stderr usable, wherever they lead.

    A stream that is closed (a job of cron, `>&-`) becomes the null device, and characters that an
    encoding lacks (latin-1, ASCII) are printed as `?` instead of ending the work.
    """
    try:
        # A file that is opened later must not become descriptor 0, 1 or 2, where prints of
        # libraries or of child processes would write into it.
        while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:
            os.set_inheritable(spare, True)
        os.close(spare)
    except OSError:  # too many files are open, or there is no null device
        return
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream: Any = getattr(sys, name)
        if stream is None or stream.closed:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line of progress, by default on stdout.

    A reader that has gone, or a full disk, does not end hours of work.
    """
    try:
        print(text, file=stream or sys.stdout, flush=True)
    except OSError:
        let_go_of_output()


def let_go_of_output() -> None:
    """Send what is still to be printed nowhere: the reader has gone, or the disk is full.

    Otherwise Python would complain of it once more when it ends.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, stream.fileno())
            os.close(null)


@contextmanager
def ending_cleanly() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP of a closed terminal, end the block as an exception does.

    Temporary files and folders are removed then. The exception is SystemExit with `TERMINATED`.
    Signals that someone ignores or handles (`nohup`, a launcher) are left alone.
    """
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    numbers = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: FrameType | None) -> NoReturn:
        for one in numbers:  # a second one must not break off the cleaning
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(TERMINATED)

    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
