"""`crossval`: a list of configurations, trained and scored on patients held out."""

from __future__ import annotations

import argparse
import shlex
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import PROGRAM, add_device, add_verb, need_folder, pick_device
from ascnet_core.commands.progress import Progress
from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.crossval.plan import CrossPlan
    from ascnet_core.crossval.scores import Scores
    from ascnet_core.crossval.tasks import HeldOut, Task

_EXAMPLES = f"""\
examples:
  {PROGRAM} crossval plan.toml                    all of it, into checkpoints/crossval/plan
  {PROGRAM} crossval plan.toml --list             the folds and runs, and stop
  {PROGRAM} crossval plan.toml --only teaching -o out
  {PROGRAM} crossval plan.toml --no-train         the table of what is finished by now

A plan, as small as it can be:

  seeds = [0, 1, 2]

  [data.lgg]
  manifests = ["lgg.csv", "lgg_more.csv"]   # read as one; paths from the plan's folder
  folds = 2                                 # by patient

  [run.teaching]
  preset = "teaching"

and with everything that it may say:

  seeds = [0, 1, 2]                         # keys up here are for all runs
  set = ["data.size=96"]                    # settings, as in train --set

  [data.ms]
  manifests = ["ms.csv"]
  folds = "leave-one-patient-out"           # or a number, or "manifest" (its column fold)
  split_seed = 0                            # draws who is in which fold
  always_train = []                         # subjects who are never scored
  reference = "lesion-free"                 # or "normal", or a manifest
  side = "bright"                           # liver: "dark"
  scope = "cohort"                          # or "subject": a threshold each
  unit = "subject"                          # or "scan": means over scans, not patients
  post = ["components:100"]                 # scored raw and with it; [[...], [...]] for several
  baselines = ["input-threshold", "equalised-input", "multi-otsu-input", "input-peaks"]
  baseline_rules = []                       # beside their own
  shapes = false                            # surface distances and lesions too (slow)

  [data.hospital]
  manifests = ["lgg.csv"]
  test = ["other.csv"]                      # instead of folds: train on one, score on the other

  [run.no-adversary]
  data = ["ms", "hospital"]                 # may be left out if there is one
  preset = "teaching"                       # or a TOML file
  set = ["adversary.weight=0"]              # added to those above
  seeds = [0]
  rules = {{ reconstruction = ["rightmost-peak"], wild = ["otsu", "reference-quantile:0.995"] }}
  flip = [false, true]                      # true: averaged with the mirror image
  cycles = "all"                            # score every kept cycle, and the advisor's choice

`set`, `seeds`, `rules`, `flip` and `cycles` may stand above, in [data.X] or in [run.X].

Writes into OUT: rows.csv (a row a configuration, seed, map and rule, its held-out patients
pooled), seeds.csv (mean and SD over seeds), subjects.csv (a row a patient), table.md, and with
cycles = "all" cycles.csv and stopping.csv; folds/ (who is on which side), runs/ (ordinary runs),
scores/. Nobody is scored by a network that was trained on them. What is finished is never done
again: Ctrl-C at any time, and the same command goes on.
"""


def add(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "crossval",
        "train and score a list of configurations on patients held out",
        "Divides cohorts by patient, trains every configuration for every seed and fold, scores "
        "the patients who were held out beside training-free baselines, and writes one table.",
        _EXAMPLES,
    )
    parser.add_argument("plan", type=Path, metavar="PLAN", help="a TOML file, see below")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="OUT",
        help="folder for runs and tables (default: checkpoints/crossval/ and the plan's name)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help="only these configurations or data sets of the plan",
    )
    parser.add_argument("--list", action="store_true", help="print the folds and runs, and stop")
    parser.add_argument(
        "--no-train", action="store_true", help="train nothing: score and pool what is finished"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="trainings at a time, each a process (default: 1)",
    )
    add_device(parser)
    parser.set_defaults(run_verb=run)


def run(options: argparse.Namespace) -> None:
    """Cross-validate."""
    if options.jobs < 1:
        raise UserError("--jobs takes a number from 1.")
    with _terminated_like_interrupted():
        _run(options)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """A kill acts like Ctrl-C: trainings leave a checkpoint, child processes end too."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(options: argparse.Namespace) -> None:
    device = pick_device(options.device) if options.device != "auto" else "auto"
    from ascnet_core import places
    from ascnet_core.crossval.plan import read_crossplan
    from ascnet_core.crossval.tasks import divide, is_finished, tasks_of, write_folds

    out = need_folder(options.out or places.RUNS / "crossval" / options.plan.stem)
    whole = read_crossplan(options.plan)
    plan = whole.only(options.only)
    folds = {name: divide(data, out) for name, data in plan.data.items()}
    tasks = tasks_of(plan, folds, out)
    if options.list:
        _list(tasks, folds)
        return
    for task in tasks:
        is_finished(task)  # complains of runs that are another plan's before anything is written
    for several in folds.values():
        write_folds(several)
    from ascnet_core.crossval.scores import Scores

    whole = _within_reach(whole, folds, out)
    scores = Scores(whole, folds, out, pick_device(device), _command_of(options), _steps)
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


@contextmanager
def _steps() -> Iterator[Callable[[int, int], None]]:
    """Show the progress of one scoring."""
    with Progress("steps") as progress:
        yield progress.at


def _add_known(scores: Scores, every: list[Task], chosen: set[str], plan: CrossPlan) -> None:
    """What --only leaves alone stays in the tables as it was scored before."""
    from ascnet_core.crossval.tasks import is_finished

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
    """Score the baselines, then each run once it is trained; tables whenever a seed is done."""
    from ascnet_core.commands.crossval_train import trained
    from ascnet_core.crossval.tasks import is_finished

    for name in plan.data:
        for held in scores.folds[name]:  # soon done, and it finds what is wrong with the data
            scores.add_baselines(held)
    waiting = len(tasks)
    if options.no_train:
        tasks = [task for task in tasks if is_finished(task)]
        print(f"{len(tasks)} of {waiting} runs are finished")
    runs = iter(tasks) if options.no_train else trained(tasks, device, options.jobs)
    left = Counter((task.configuration.title, task.seed) for task in tasks)
    for task in runs:
        scores.add(task)
        left[task.configuration.title, task.seed] -= 1
        if not left[task.configuration.title, task.seed]:
            scores.write()


def _within_reach(whole: CrossPlan, folds: dict[str, list[HeldOut]], out: Path) -> CrossPlan:
    """The plan with the data sets that --only left out, where their files are here."""
    from ascnet_core.crossval.tasks import divide

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
    from ascnet_core.crossval.tasks import is_finished

    for several in folds.values():
        for held in several:
            train, test = held.fold.train.subjects, held.fold.test.subjects
            print(f"{held.name}: trained on {len(train)} subjects, scored on {len(test)}:")
            print(f"    {' '.join(test)}")
    for task in tasks:
        print(f"{task.name}: {'finished' if is_finished(task) else 'to train'}")


def _command_of(options: argparse.Namespace) -> Callable[[str], str]:
    """The command line that makes the rows of a configuration or data set."""

    def command(name: str) -> str:
        words = [*PROGRAM.split(), "crossval", str(options.plan), "--only", name]
        return shlex.join([*words, "-o", str(options.out)] if options.out else words)

    return command
