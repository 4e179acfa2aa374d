"""The trainings of `crossval`: one after the other here, or several processes at a time."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from ascnet_core.commands import train
from ascnet_core.commands.options import PROGRAM
from ascnet_core.commands.progress import duration
from ascnet_core.crossval.tasks import Task, is_finished
from ascnet_core.errors import UserError
from ascnet_core.runs.start import child_environment

_POLL_SECONDS = 0.2


def trained(tasks: Sequence[Task], device: str, jobs: int) -> Iterator[Task]:
    """Yield the runs that are finished, then train the others and yield each when it is done.

    Raises `UserError` if a run of that name has other settings or a training fails, and
    `KeyboardInterrupt` after Ctrl-C, when the training has stopped and left a checkpoint.
    """
    finished = [task for task in tasks if is_finished(task)]
    waiting = [task for task in tasks if task not in finished]
    print(f"{len(tasks)} runs, {len(finished)} of them finished before", flush=True)
    yield from finished
    if jobs > 1 and len(waiting) > 1:
        yield from _side_by_side(waiting, device, jobs, len(tasks))
        return
    spent = 0.0
    for number, task in enumerate(waiting):
        left = duration(spent / number * (len(waiting) - number)) if number else ""
        left = f", {left} of training left" if left else ""
        number_of_all = len(finished) + number + 1
        print(f"--- run {number_of_all} of {len(tasks)}: {task.name}{left}", flush=True)
        started = time.monotonic()
        _train(task.arguments(device))
        spent += time.monotonic() - started
        if not is_finished(task):  # `train` took the Ctrl-C and left a checkpoint
            print("stopped; the same command goes on here", flush=True)
            raise KeyboardInterrupt
        yield task


def _train(arguments: Sequence[str]) -> None:
    """Run `train` as its command line would; the run keeps that line."""
    parser = argparse.ArgumentParser()
    train.add(parser)
    options = parser.parse_args(arguments[1:])
    options.command_line = [*PROGRAM.split(), *arguments]
    train.run(options)


def _side_by_side(waiting: Sequence[Task], device: str, jobs: int, total: int) -> Iterator[Task]:
    """Several `train` processes at a time; each writes the log of its run."""
    queue, running = list(waiting), list[tuple[Task, subprocess.Popen[bytes]]]()
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
                running.append((task, process))
            time.sleep(_POLL_SECONDS)
            for task, process in list(running):
                if process.poll() is None:
                    continue
                running.remove((task, process))
                if process.returncode or not is_finished(task):
                    raise UserError(
                        f"Training {task.name} ended before its end (status {process.returncode}); "
                        f"see {task.run / 'log.txt'}. The same command goes on with it."
                    )
                done += 1
                print(f"--- run {done} of {total} finished: {task.name}", flush=True)
                yield task
    finally:
        for _, process in running:
            process.terminate()  # `train` stops at its next step and leaves a checkpoint
        for _, process in running:
            process.wait()
