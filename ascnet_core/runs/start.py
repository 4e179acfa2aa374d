"""Starting a training as a process of its own, or as several. Needs no torch."""

import itertools
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from ascnet_core import places
from ascnet_core.errors import UserError
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
    Raises UserError, with the sentence that it printed, if the process ends at once.
    """
    run = _run_of(arguments)
    if lock_holder(run) is not None:
        raise UserError(f"Run {run.name} is being trained already; stop it or choose another name.")
    if not is_run(run):
        check_new(run)
    run.mkdir(parents=True, exist_ok=True)
    log = run / LOG
    before = log.stat().st_size if log.is_file() else 0
    launch = launch_words(processes)
    command = [sys.executable, *launch, "-m", "ascnet_core", "train", *arguments]
    environment = child_environment()
    if launch:  # the launcher would give each process one thread, and say so in the log
        each = max(1, (os.cpu_count() or 1) // processes)
        environment.setdefault("OMP_NUM_THREADS", str(each))
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stream,
            start_new_session=True,
            env=environment,
        )
    # Collect the exit status: an ended child would stay in the process table.
    threading.Thread(target=process.wait, daemon=True).start()
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        status = process.poll()
        # It is locked while files are hashed, but a page finds it only once its settings are there.
        if status == 0 or (status is None and lock_holder(run) is not None and is_run(run)):
            break
        if status is not None:
            message = log.read_bytes()[before:].decode("utf-8", "replace")
            if not is_run(run) and [path.name for path in run.iterdir()] == [LOG]:
                shutil.rmtree(run)  # it was refused before it began
            raise UserError(
                f"Training did not start: {last_word(message) or f'exit status {status}'}"
            )
        time.sleep(0.05)
    return process.pid


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
