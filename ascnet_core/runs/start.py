"""Starting a training as a process of its own, or as several. Needs no torch."""

import itertools
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.files import made_folder
from ascnet_core.places import LOG
from ascnet_core.runs.create import check_new
from ascnet_core.runs.folder import is_run, last_word, new_run_path, resolve_run
from ascnet_core.runs.launch import launch_words
from ascnet_core.runs.lock import lock_holder


def start_training(arguments: Sequence[str], processes: int = 1, wait: float = 300.0) -> int:
    """Start `python -m ascnet_core train ARGUMENTS` as a process of its own; its pid.

    `arguments` hold `--name NAME` or `--resume NAME`. The training goes on when the caller ends (it
    has its own session); what it prints on stderr goes to the run's `log.txt`. Of several
    `processes` on this machine the pid is their launcher's, which passes a signal on to all; the
    first of them holds the run's lock. Returns once the run has begun, or after `wait` seconds.
    Raises UserError, with the sentence that it printed, if the process ends
    before its run has begun; then nothing of it is left.
    """
    run = _run_of(arguments)
    if lock_holder(run) is not None:
        raise UserError(f"Run {run.name} is being trained already; stop it or choose another name.")
    if not is_run(run):
        check_new(run)
    with made_folder(run):
        before = set(run.iterdir())
        log = run / LOG
        written = log.stat().st_size if log.is_file() else 0
        given_up = threading.Event()
        process = _process(arguments, processes, log)
        # Collects the exit status, too: an ended child would stay in the process table.
        threading.Thread(
            target=_tidy_up, args=(process, run, before, given_up), daemon=True
        ).start()
        try:
            _wait(process, run, time.monotonic() + wait)
        except _EndedError as error:
            message = log.read_bytes()[written:].decode("utf-8", "replace")
            _discard(run, before)
            raise UserError(_why(error.status, last_word(message))) from None
        finally:
            given_up.set()
    return process.pid


class _EndedError(Exception):
    """The process ended before its run had begun."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _process(arguments: Sequence[str], processes: int, log: Path) -> subprocess.Popen[bytes]:
    launch = launch_words(processes)
    command = [sys.executable, *launch, "-m", "ascnet_core", "train", *arguments]
    environment = child_environment()
    if launch:  # the launcher would give each process one thread, and say so in the log
        each = max(1, (os.cpu_count() or 1) // processes)
        environment.setdefault("OMP_NUM_THREADS", str(each))
    with log.open("ab") as stream:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            start_new_session=True,
            env=environment,
        )


def _wait(process: subprocess.Popen[bytes], run: Path, deadline: float) -> None:
    """Wait until the run has begun, or until the deadline; raises `_EndedError`."""
    while time.monotonic() < deadline:
        status = process.poll()
        # It is locked while files are read, but becomes a run with its first event.
        if status == 0 or (status is None and lock_holder(run) is not None and is_run(run)):
            return
        if status is not None:
            raise _EndedError(status)
        time.sleep(0.05)


def _tidy_up(
    process: subprocess.Popen[bytes], run: Path, before: set[Path], given_up: threading.Event
) -> None:
    """Once a training has ended that never began, remove what it left, however it ended."""
    process.wait()
    given_up.wait()
    if lock_holder(run) is None:
        _discard(run, before)


def _discard(run: Path, before: set[Path]) -> None:
    """Remove what came into a folder that did not become a run, and the folder if it is empty."""
    if is_run(run) or not run.is_dir():
        return
    for path in set(run.iterdir()) - before:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    with suppress(OSError):
        run.rmdir()


def _why(status: int, said: str) -> str:
    """Say why a training did not start."""
    if status < 0:
        return (
            f"Training did not start: the system ended its process (signal {-status}); if memory "
            "is short, close programs or take smaller slices, else start it again."
        )
    return f"Training did not start: {said or f'exit status {status}'}"


def _run_of(arguments: Sequence[str]) -> Path:
    for option, following in itertools.zip_longest(arguments, arguments[1:]):
        name, _, value = option.partition("=")
        if name in ("--name", "--resume"):
            value = value or following or ""
            return resolve_run(value) if name == "--resume" else new_run_path(value)
    raise UserError("A run needs a name: give --name NAME, or --resume NAME.")


def child_environment() -> dict[str, str]:
    """The environment for another process, which finds the package from any folder."""
    search = (str(places.ROOT), os.environ.get("PYTHONPATH"))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in search if path)}
