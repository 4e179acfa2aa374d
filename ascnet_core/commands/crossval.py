"""`crossval`: a list of configurations, trained and scored on patients held out."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.commands import train
from ascnet_core.commands.options import PROGRAM, add_device, add_verb, need_folder, pick_device
from ascnet_core.commands.progress import Progress, duration
from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.imaging.cohort import Cohort
    from ascnet_core.scoring.crossplan import Configuration, CrossPlan, DataSet
    from ascnet_core.scoring.folds import Fold
    from ascnet_core.scoring.heldout import Scored

_EXAMPLES = f"""\
examples:
  {PROGRAM} crossval plan.toml                    all of it, into crossval/plan
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
  reference = "lesion-free"                 # or "normal", or a manifest
  side = "bright"                           # liver: "dark"
  scope = "cohort"                          # or "subject": a threshold each
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
        help="folder for runs and tables (default: crossval/ and the plan's name)",
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


@dataclass(frozen=True)
class Task:
    """One training and its scoring."""

    configuration: Configuration
    seed: int
    fold: Fold
    reference: Cohort
    folder: Path
    split: Path

    @property
    def name(self) -> str:
        """Name of the run, unique in the plan."""
        return f"{self.configuration.title}-{self.fold.name}-seed{self.seed}"

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return self.folder / "runs" / self.name

    @property
    def scores(self) -> Path:
        """Folder of its scores."""
        return self.folder / "scores" / self.name


def run(options: argparse.Namespace) -> None:
    """Cross-validate."""
    if options.jobs < 1:
        raise UserError("--jobs takes a number from 1.")
    from ascnet_core.scoring.crossplan import read_crossplan

    out = need_folder(options.out or Path("crossval") / options.plan.stem)
    whole = read_crossplan(options.plan)
    plan = whole.only(options.only)
    folds = {name: _divide(data) for name, data in plan.data.items()}
    tasks = _tasks(plan, folds, out)
    if options.list:
        _list(tasks, folds)
        return
    device = pick_device(options.device) if options.device != "auto" else "auto"
    for name, data in plan.data.items():
        _write_folds(data, folds[name], out)
    if not options.no_train:
        _train_all(tasks, device, options.jobs)
    for name, data in whole.data.items():
        if name not in folds:  # was left out by --only: its old scores stay in the table
            with suppress(UserError):
                folds[name] = _divide(data)
    known = {name: data for name, data in whole.data.items() if name in folds}
    whole = replace(
        whole,
        data=known,
        configurations=tuple(c for c in whole.configurations if c.data.name in known),
    )
    chosen = {task.name for task in tasks}
    _score_all(whole, folds, chosen, set(plan.data), out, pick_device(device), options)


def _divide(data: DataSet) -> list[tuple[Fold, Cohort]]:
    """The folds of a data set with what is normal for each, checked before any long work."""
    from ascnet_core.methods.baselines import baselines
    from ascnet_core.scoring.heldout import reference_of_fold
    from ascnet_core.scoring.plan import check
    from ascnet_core.segmentation.postprocess import parse_steps

    found = []
    for fold in data.divide():
        reference = reference_of_fold(data, fold)
        for plan in data.plans():
            check(fold.test, baselines(), plan, parse_steps(list(plan.post)), reference)
        found.append((fold, reference))
    return found


def _split_folder(out: Path, data: DataSet, fold: Fold) -> Path:
    return out / "folds" / f"{data.name}-{fold.name}"


def _tasks(plan: CrossPlan, folds: dict[str, list[tuple[Fold, Cohort]]], out: Path) -> list[Task]:
    tasks = [
        Task(one, seed, fold, reference, out, _split_folder(out, one.data, fold))
        for one in plan.configurations
        for seed in one.seeds
        for fold, reference in folds[one.data.name]
    ]
    names = [task.name for task in tasks]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{plan.path}: two runs would be called {name}; rename one.")
    return tasks


def _list(tasks: list[Task], folds: dict[str, list[tuple[Fold, Cohort]]]) -> None:
    for name, several in folds.items():
        for fold, _ in several:
            print(f"{name} {fold.name}: trained on {len(fold.train.subjects)} subjects, scored on")
            print(f"    {' '.join(fold.test.subjects)}")
    for task in tasks:
        print(f"{task.name}: {'finished' if _is_finished(task) else 'to train'}")


def _write_folds(data: DataSet, folds: list[tuple[Fold, Cohort]], out: Path) -> None:
    """Manifests of every fold, and who is on which side."""
    from ascnet_core.files import write_json
    from ascnet_core.imaging.cohort import write_manifest
    from ascnet_core.training.run_create import manifest_rows

    for fold, reference in folds:
        folder = _split_folder(out, data, fold)
        write_manifest(folder / "train.csv", manifest_rows(fold.train, folder))
        write_manifest(folder / "test.csv", manifest_rows(fold.test, folder))
        if data.reference not in ("normal", "lesion-free"):
            write_manifest(folder / "reference.csv", manifest_rows(reference, folder))
    write_json(
        out / "folds" / f"{data.name}.json",
        {
            "manifests": [str(path) for path in data.manifests],
            "test": [str(path) for path in data.tests],
            "folds": "test manifest" if data.tests else data.folds,
            "split_seed": data.split_seed,
            "reference": data.reference,
            "subjects": {
                fold.name: {"train": fold.train.subjects, "test": fold.test.subjects}
                for fold, _ in folds
            },
        },
    )


# --- training ------------------------------------------------------------------------------------


def _arguments(task: Task, device: str) -> list[str]:
    """What `train` is called with: a new run, or going on with one."""
    from ascnet_core.training.run_folder import is_run

    if is_run(task.run):
        return ["train", "--resume", str(task.run), "--device", device]
    one = task.configuration
    reference = one.data.reference
    if reference not in ("normal", "lesion-free"):
        reference = str(task.split / "reference.csv")
    arguments = ["train", str(task.split / "train.csv"), "--name", str(task.run)]
    arguments += ["--reference", reference, "--preset", one.preset, "--device", device]
    for change in (*one.changes, f"schedule.seed={task.seed}"):
        arguments += ["--set", change]
    return arguments


def _is_finished(task: Task) -> bool:
    """Whether the run is there with the same settings and data, trained to its end.

    Raises
    ------
    UserError
        If a run of that name has other settings or other data.
    """
    from ascnet_core.training.presets import differing
    from ascnet_core.training.run_create import check_data
    from ascnet_core.training.run_folder import Run, is_run

    if not is_run(task.run):
        return False
    reader = Run(task.run)
    wanted = task.configuration.settings(task.seed)
    keys = [
        key
        for key in differing(reader.settings(), wanted)
        if not key.startswith(("compute.", "segmentation."))
        and key not in ("schedule.checkpoint_seconds", "schedule.log_every")
    ]
    if keys:
        raise UserError(
            f"{task.run} was trained with another {', '.join(keys)}; rename the configuration, or "
            "remove that folder to train it anew."
        )
    scans = [(scan.subject, scan.image.resolve()) for scan in reader.cohort().scans]
    if scans != [(scan.subject, scan.image.resolve()) for scan in task.fold.train.scans]:
        raise UserError(
            f"{task.run} was trained on other patients; rename the configuration, or remove that "
            "folder to train it anew."
        )
    if reader.status() == "finished" or _was_enough(reader.events()):
        check_data(task.run)
        return True
    return False


def _was_enough(events: list[dict[str, Any]]) -> bool:
    """Whether the advisor ended the run."""
    kinds = [event for event in events if event["kind"] in ("advice", "stop", "resume")][-2:]
    return [e["kind"] for e in kinds] == ["advice", "stop"] and kinds[0]["advice"] == "stop"


def _train_all(tasks: list[Task], device: str, jobs: int) -> None:
    waiting = [task for task in tasks if not _is_finished(task)]
    done = len(tasks) - len(waiting)
    _say(f"{len(tasks)} runs, {done} finished before")
    if jobs > 1:
        _train_side_by_side(waiting, device, jobs, done, len(tasks))
        return
    started = time.monotonic()
    for number, task in enumerate(waiting):
        left = ""
        if number:
            each = (time.monotonic() - started) / number
            left = f", {duration(each * (len(waiting) - number))} left for all"
        _say(f"--- run {done + number + 1} of {len(tasks)}: {task.name}{left}")
        _train(_arguments(task, device))
        if not _is_finished(task):
            raise KeyboardInterrupt  # Ctrl-C: `train` took it, and left a checkpoint


def _train(arguments: list[str]) -> None:
    """Run `train` as its command line would; the run keeps that line."""
    parser = argparse.ArgumentParser(prog=PROGRAM)
    train.add(parser.add_subparsers())
    options = parser.parse_args(arguments)
    options.command_line = [*PROGRAM.split(), *arguments]
    options.run_verb(options)


def _train_side_by_side(waiting: list[Task], device: str, jobs: int, done: int, total: int) -> None:
    """Several processes at a time; each writes its run's log. Ctrl-C reaches them all."""
    running: dict[str, tuple[Task, subprocess.Popen[bytes]]] = {}
    queue = list(waiting)
    try:
        while queue or running:
            while queue and len(running) < jobs:
                task = queue.pop(0)
                _say(f"--- {task.name} begins; its log is {task.run / 'log.txt'}")
                command = [sys.executable, "-m", "ascnet_core", *_arguments(task, device)]
                running[task.name] = (
                    task,
                    subprocess.Popen(command, stdout=subprocess.DEVNULL, env=_environment()),
                )
            time.sleep(0.2)
            for name, (task, process) in list(running.items()):
                if process.poll() is None:
                    continue
                del running[name]
                if process.returncode or not _is_finished(task):
                    raise UserError(
                        f"Training {name} ended with status {process.returncode} before its end; "
                        f"its log is {task.run / 'log.txt'}. The same command goes on with it."
                    )
                done += 1
                _say(f"--- run {done} of {total} finished: {name}")
    finally:
        for _, process in running.values():
            process.terminate()  # `train` stops at the next step and leaves a checkpoint
        for _, process in running.values():
            process.wait()


def _environment() -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root}


# --- scoring -------------------------------------------------------------------------------------


def _score_all(
    plan: CrossPlan,
    folds: dict[str, list[tuple[Fold, Cohort]]],
    chosen: set[str],
    chosen_data: set[str],
    out: Path,
    device: str,
    options: argparse.Namespace,
) -> None:
    """Score what is chosen; what is not is in the tables where it was scored before."""
    from ascnet_core.scoring.pooling import Part

    parts: list[Part] = []
    courses = []
    tasks = _tasks(plan, folds, out)
    for number, task in enumerate(tasks, 1):
        one = task.configuration
        try:
            if not _is_finished(task):
                continue
        except UserError:
            if task.name in chosen:
                raise
            continue
        say = f"scoring {number} of {len(tasks)}: {task.name}" if task.name in chosen else ""
        scored = _score(task, None, device, say)
        if scored is None:
            continue
        name, of = one.data.name, len(folds[one.data.name])
        command = _command(options, one.title)
        trained = _trained_counts(task.run)
        parts.append(Part(name, one.name, task.seed, task.fold.name, of, scored, trained, command))
        if one.scoring.cycles:
            courses.append(_course(task, device, say))
    for name, data in plan.data.items():
        for fold, reference in folds[name] if data.baselines else []:
            scored = _score_baselines(data, fold, reference, plan, out, name in chosen_data)
            if scored is not None:
                of, command = len(folds[name]), _command(options, name)
                parts.append(Part(name, "", None, fold.name, of, scored, None, command))
    if not parts:
        raise UserError("No run is finished by now and there are no baselines: nothing to score.")
    _write(plan, folds, parts, courses, out)
    _say(f"tables in {out}: table.md, rows.csv, seeds.csv, subjects.csv")


def _score(task: Task, cycle: int | None, device: str, say: str) -> Scored | None:
    """The scores of a run, or of a cycle of it; without words only those that are kept."""
    from ascnet_core.scoring.heldout import asked_of, keep, kept, score_network

    one = task.configuration
    folder = task.scores if cycle is None else task.scores / f"cycle{cycle}"
    asked = asked_of(task.fold, task.reference, one.data, one.scoring, task.run, cycle)
    known = kept(folder, asked)
    if known is not None or not say:
        return known
    _say(say if cycle is None else f"{say}, cycle {cycle}")
    with Progress("steps") as progress:
        found = score_network(
            task.run,
            task.fold,
            task.reference,
            one.data,
            one.scoring,
            cycle,
            device,
            progress.at,
        )
    keep(folder, found, asked)
    return found


def _score_baselines(
    data: DataSet, fold: Fold, reference: Cohort, plan: CrossPlan, out: Path, chosen: bool
) -> Scored | None:
    from ascnet_core.scoring.heldout import asked_of, keep, kept, score_baselines

    how = plan.preparation(data)
    folder = out / "scores" / f"{data.name}-{fold.name}-baselines"
    asked = asked_of(fold, reference, data, preparation=how)
    known = kept(folder, asked)
    if known is not None or not chosen:
        return known
    _say(f"scoring the baselines on {data.name}, {fold.name}")
    with Progress("steps") as progress:
        found = score_baselines(fold, reference, data, how, progress.at)
    keep(folder, found, asked)
    return found


def _course(task: Task, device: str, say: str) -> Any:
    from ascnet_core.scoring.stopping import Course, advised_cycle, kept_cycles

    advice, advised = advised_cycle(task.run)
    found = {cycle: _score(task, cycle, device, say) for cycle in kept_cycles(task.run)}
    cycles = {cycle: scored for cycle, scored in found.items() if scored is not None}
    one = task.configuration
    return Course(one.data.name, one.name, task.seed, task.fold.name, cycles, advice, advised)


def _trained_counts(run: Path) -> Any:
    import numpy as np

    from ascnet_core.training.run_folder import Run

    snapshots = Run(run).snapshots()
    return np.asarray(snapshots[-1].info["counts"], np.int64) if snapshots else None


def _command(options: argparse.Namespace, only: str) -> str:
    words = [*PROGRAM.split(), "crossval", str(options.plan), "--only", only]
    return shlex.join([*words, "-o", str(options.out)] if options.out else words)


def _write(
    plan: CrossPlan,
    folds: dict[str, list[tuple[Fold, Cohort]]],
    parts: list[Any],
    courses: list[Any],
    out: Path,
) -> None:
    from ascnet_core.files import write_text
    from ascnet_core.scoring.pooled_table import table_text
    from ascnet_core.scoring.pooling import over_seeds, pool, subjects_of
    from ascnet_core.scoring.stopping import cycle_rows, stopping_rows, stopping_text

    rows = pool(parts)
    seeds = over_seeds(rows)
    text = table_text(rows, seeds, {n: _about(d, folds[n]) for n, d in plan.data.items()})
    tables = {"rows.csv": rows, "seeds.csv": seeds, "subjects.csv": subjects_of(parts)}
    if courses:
        tables |= {"cycles.csv": cycle_rows(courses), "stopping.csv": stopping_rows(courses)}
        text += "\n### Stopping without masks\n\n" + stopping_text(tables["stopping.csv"]) + "\n"
    for name, table in tables.items():
        write_text(out / name, table.to_csv(index=False, float_format="%.6g"))
    write_text(out / "table.md", text)
    write_text(out / "plan.toml", plan.text)


def _about(data: DataSet, folds: list[tuple[Fold, Cohort]]) -> str:
    names = " + ".join(f"`{path.name}`" for path in data.manifests)
    held = sum(len(fold.test.subjects) for fold, _ in folds)
    if data.tests:
        scored = " + ".join(f"`{path.name}`" for path in data.tests)
        how = f"trained on {names}, scored on {held} patients of {scored}"
    elif isinstance(data.folds, int):
        how = f"{names}, {held} patients, {data.folds} folds by patient (seed {data.split_seed})"
    else:
        how = f"{names}, {held} patients, folds: {data.folds}"
    reference = data.reference
    if reference not in ("normal", "lesion-free"):
        reference = f"`{Path(reference).name}`"
    return f"{how}; reference: {reference}; side {data.side}, scope {data.scope}."


def _say(text: str) -> None:
    print(text, flush=True)
