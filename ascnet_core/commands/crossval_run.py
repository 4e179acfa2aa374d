"""`crossval` at work: folds, runs, scores and tables, in this order."""

import argparse
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from ascnet_core import places
from ascnet_core.commands import train
from ascnet_core.commands.options import PROGRAM, need_folder, pick_device
from ascnet_core.commands.progress import Progress, duration
from ascnet_core.crossval.plan import CrossPlan, read_crossplan
from ascnet_core.crossval.scores import Scores, check_place
from ascnet_core.crossval.tasks import HeldOut, Task, divide, is_finished, tasks_of, write_folds
from ascnet_core.errors import UserError
from ascnet_core.files import made_folder, whole_or_nothing
from ascnet_core.runs.folder import new_run_path
from ascnet_core.runs.start import child_environment


def cross_validate(options: argparse.Namespace) -> None:
    """Train and score what the options choose of a plan, and write the tables."""
    device = pick_device(options.device) if options.device != "auto" else "auto"
    out = need_folder(options.out or places.RUNS / "crossval" / options.plan.stem)
    whole = read_crossplan(options.plan)
    plan = whole.only(options.only)
    folds = {name: divide(data, out) for name, data in plan.data.items()}
    tasks = tasks_of(plan, folds, out)
    if options.list:
        _list(tasks, folds)
        return
    for task in tasks:
        new_run_path(str(task.run))  # complains of a name or place that no run can have
        is_finished(task)  # complains of runs that are another plan's before anything is written
    check_place(out, whole)

    def has_begun() -> bool:
        return any(out.glob("runs/*")) or any(out.glob("scores/*"))

    with made_folder(out), whole_or_nothing(out, has_begun):
        _work(whole, plan, folds, tasks, out, device, options)


def _work(
    whole: CrossPlan,
    plan: CrossPlan,
    folds: dict[str, list[HeldOut]],
    tasks: list[Task],
    out: Path,
    device: str,
    options: argparse.Namespace,
) -> None:
    """Write folds, runs, scores and tables; `plan` is what the options choose of the `whole`."""
    for several in folds.values():
        write_folds(several)
    whole = _within_reach(whole, folds, out)
    command, progress = partial(_command, options), partial(Progress, "steps")
    scores = Scores(whole, folds, out, pick_device(device), command, progress)
    every = tasks_of(whole, folds, out)
    chosen = {task.name for task in tasks}
    _add_known(scores, every, chosen, plan)
    _add_chosen(scores, tasks, plan, device, options)
    scores.add_oracles(tasks)
    scores.add_oracles([task for task in every if task.name not in chosen], anew=False)
    for name in folds:
        scores.add_baseline_oracles(name, anew=name in plan.data)
    if not scores.parts:
        raise UserError("No run is finished by now and there are no baselines: nothing to score.")
    scores.write()
    print(f"{len(scores.runs)} runs scored; tables in {out}: table.md, rows.csv, seeds.csv ...")


def _add_known(scores: Scores, every: list[Task], chosen: set[str], plan: CrossPlan) -> None:
    """Add what --only leaves out, as it was scored before."""
    for name, several in scores.folds.items():
        for held in several if name not in plan.data else []:
            scores.add_baselines(held, anew=False)
    for task in every:
        with suppress(UserError):  # a run that no longer fits the plan is not the plan's
            if task.name not in chosen and is_finished(task):
                scores.add(task, anew=False)


def _add_chosen(
    scores: Scores, tasks: list[Task], plan: CrossPlan, device: str, options: argparse.Namespace
) -> None:
    """Score the baselines, then each run once it is trained; write tables after each seed."""
    for name in plan.data:
        for held in scores.folds[name]:  # quick, and finds what is wrong with the data
            scores.add_baselines(held)
    waiting = len(tasks)
    if options.no_train:
        tasks = [task for task in tasks if is_finished(task)]
        print(f"{len(tasks)} of {waiting} runs are finished")
    left = Counter((task.configuration.title, task.seed) for task in tasks)
    for task in tasks if options.no_train else trained(tasks, device, options.jobs):
        scores.add(task)
        left[task.configuration.title, task.seed] -= 1
        if not left[task.configuration.title, task.seed]:
            scores.write()


def _within_reach(whole: CrossPlan, folds: dict[str, list[HeldOut]], out: Path) -> CrossPlan:
    """Add the data sets that --only left out if their files are here; else leave them out."""
    for name, data in whole.data.items():
        if name not in folds:
            with suppress(UserError):
                folds[name] = divide(data, out)
    return replace(
        whole,
        data={name: data for name, data in whole.data.items() if name in folds},
        configurations=tuple(c for c in whole.configurations if c.data.name in folds),
    )


def _list(tasks: list[Task], folds: dict[str, list[HeldOut]]) -> None:
    for several in folds.values():
        for held in several:
            train, test = held.fold.train.subjects, held.fold.test.subjects
            print(f"{held.name}: trained on {len(train)} subjects, scored on {len(test)}:")
            print(f"    {' '.join(test)}")
    for task in tasks:
        print(f"{task.name}: {'finished' if is_finished(task) else 'to train'}")


def _command(options: argparse.Namespace, name: str) -> str:
    """The command line that makes the rows of a configuration or data set."""
    words = [*PROGRAM.split(), "crossval", str(options.plan), "--only", name]
    return shlex.join([*words, "-o", str(options.out)] if options.out else words)


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
            time.sleep(0.2)
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
