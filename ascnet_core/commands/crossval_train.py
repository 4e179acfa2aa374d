"""The trainings of `crossval`: one after the other here, or several processes at a time."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ascnet_core.commands import train
from ascnet_core.commands.options import PROGRAM
from ascnet_core.commands.progress import duration
from ascnet_core.errors import UserError
from ascnet_core.runs.start import child_environment

if TYPE_CHECKING:
    from ascnet_core.crossval.tasks import Task

_LOOK = 0.2


def trained(tasks: Sequence[Task], device: str, jobs: int) -> Iterator[Task]:
    """Train what is not finished, and give every run as soon as it is: those of before first.

    Raises
    ------
    UserError
        If a run of that name has other settings, or a training fails.
    KeyboardInterrupt
        After Ctrl-C: the training has stopped and left a checkpoint.
    """
    from ascnet_core.crossval.tasks import is_finished

    finished = [is_finished(task) for task in tasks]
    waiting = [task for task, over in zip(tasks, finished, strict=True) if not over]
    done = len(tasks) - len(waiting)
    print(f"{len(tasks)} runs, {done} of them finished before", flush=True)
    for task, over in zip(tasks, finished, strict=True):
        if over:
            yield task
    if jobs > 1 and len(waiting) > 1:
        yield from _side_by_side(waiting, device, jobs, len(tasks))
        return
    spent = 0.0
    for number, task in enumerate(waiting):
        left = duration(spent / number * (len(waiting) - number)) if number else ""
        left = f", {left} of training left" if left else ""
        print(f"--- run {done + number + 1} of {len(tasks)}: {task.name}{left}", flush=True)
        started = time.monotonic()
        _train(task.arguments(device))
        spent += time.monotonic() - started
        if not is_finished(task):  # `train` took the Ctrl-C and left a checkpoint
            print("stopped; the same command goes on here", flush=True)
            raise KeyboardInterrupt
        yield task


def _train(arguments: Sequence[str]) -> None:
    """Run `train` as its command line would; the run keeps that line."""
    parser = argparse.ArgumentParser(prog=PROGRAM)
    train.add(parser.add_subparsers())
    options = parser.parse_args(arguments)
    options.command_line = [*PROGRAM.split(), *arguments]
    options.run_verb(options)


def _side_by_side(waiting: Sequence[Task], device: str, jobs: int, total: int) -> Iterator[Task]:
    """Several `train` processes at a time; each writes the log of its run."""
    from ascnet_core.crossval.tasks import is_finished

    queue, running = list(waiting), dict[str, tuple["Task", subprocess.Popen[bytes]]]()
    done = total - len(waiting)
    try:
        while queue or running:
            while queue and len(running) < jobs:
                task = queue.pop(0)
                print(f"--- {task.name} begins; its log: {task.run / 'log.txt'}", flush=True)
                command = [sys.executable, "-m", "ascnet_core", *task.arguments(device)]
                process = subprocess.Popen(
                    command, stdout=subprocess.DEVNULL, env=child_environment()
                )
                running[task.name] = (task, process)
            time.sleep(_LOOK)
            for name, (task, process) in list(running.items()):
                if process.poll() is None:
                    continue
                del running[name]
                if process.returncode or not is_finished(task):
                    raise UserError(
                        f"Training {name} ended before its end (status {process.returncode}); "
                        f"see {task.run / 'log.txt'}. The same command goes on with it."
                    )
                done += 1
                print(f"--- run {done} of {total} finished: {name}", flush=True)
                yield task
    finally:
        for _, process in running.values():
            process.terminate()  # `train` stops at its next step and leaves a checkpoint
        for _, process in running.values():
            process.wait()
