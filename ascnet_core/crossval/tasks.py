"""The work of a cross-validation: who is held out, which runs there are, which are finished."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ascnet_core.crossval.folds import Fold
from ascnet_core.crossval.heldout import reference_of_fold
from ascnet_core.crossval.plan import Configuration, CrossPlan, DataSet
from ascnet_core.errors import UserError
from ascnet_core.file_names import same_file_name
from ascnet_core.imaging.cohort import Cohort, manifest_text
from ascnet_core.methods.baselines import baselines
from ascnet_core.names import OWN_REFERENCES
from ascnet_core.outputs import write_own
from ascnet_core.runs.create import learns_from, manifest_rows
from ascnet_core.runs.folder import Run, is_run
from ascnet_core.scoring.plan import check
from ascnet_core.segmentation.steps import parse_steps
from ascnet_core.settings.text import differing

_NO_MATTER = ("compute.", "segmentation.", "schedule.checkpoint_seconds", "schedule.log_every")


class HeldOut(NamedTuple):
    """A fold of a data set, what is normal for it, and the folder of its manifests."""

    data: DataSet
    fold: Fold
    reference: Cohort
    folder: Path

    @property
    def name(self) -> str:
        """Unique in the plan."""
        return f"{self.data.name}-{self.fold.name}"


class Task(NamedTuple):
    """One training, and its scoring."""

    configuration: Configuration
    seed: int
    held: HeldOut
    out: Path

    @property
    def name(self) -> str:
        """Name of the run, unique in the plan."""
        return f"{self.configuration.title}-{self.held.fold.name}-seed{self.seed}"

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return self.out / "runs" / self.name

    @property
    def scores(self) -> Path:
        """Folder of its scores."""
        return self.out / "scores" / self.name

    def arguments(self, device: str) -> list[str]:
        """Return what `train` is called with: a new run, or going on with one."""
        if is_run(self.run):
            return ["train", "--resume", str(self.run), "--device", device]
        one = self.configuration
        reference = one.data.reference
        if reference not in OWN_REFERENCES:
            reference = str(self.held.folder / "reference.csv")
        arguments = ["train", str(self.held.folder / "train.csv"), "--name", str(self.run)]
        arguments += ["--reference", reference, "--preset", one.how.preset, "--device", device]
        changes = (*one.how.set, f"schedule.seed={self.seed}")
        return arguments + [word for change in changes for word in ("--set", change)]


def divide(data: DataSet, out: Path) -> list[HeldOut]:
    """Return the folds of a data set; `UserError` if they can't be made or can't be scored."""
    found = []
    for fold in data.divide():
        reference = reference_of_fold(data, fold)
        for plan in data.plans():
            check(fold.test, baselines(), plan, parse_steps(list(plan.post)), reference)
        folder = out / "folds" / f"{data.name}-{fold.name}"
        found.append(HeldOut(data, fold, reference, folder))
    return found


def tasks_of(plan: CrossPlan, folds: Mapping[str, Sequence[HeldOut]], out: Path) -> list[Task]:
    """Return the runs of a plan, sorted by configuration and seed; `UserError` if names clash."""
    tasks = [
        Task(one, seed, held, out)
        for one in plan.configurations
        for seed in one.how.seeds
        for held in folds[one.data.name]
    ]
    held = [one.name for several in folds.values() for one in several]
    for what, names in (("runs", [task.name for task in tasks]), ("folds", held)):
        twice = same_file_name(names)
        if twice:
            raise UserError(
                f"{plan.path}: two {what} would be called {' and '.join(dict.fromkeys(twice))}, "
                "which is one folder on some systems; rename a table of the plan."
            )
    return tasks


def write_folds(folds: Sequence[HeldOut]) -> None:
    """Write the manifests of a data set's folds, and a JSON file of who is on which side.

    Raises `UserError` if one of these files is there and not ours.
    """
    for held in folds:
        cohorts = {"train": held.fold.train, "test": held.fold.test}
        if held.data.reference not in OWN_REFERENCES:
            cohorts["reference"] = held.reference
        for name, cohort in cohorts.items():
            text = manifest_text(manifest_rows(cohort, held.folder), held.folder)
            write_own(held.folder / f"{name}.csv", text, "crossval")
    data = folds[0].data
    content = {
        "manifests": [str(path) for path in data.manifests],
        "test": [str(path) for path in data.test],
        "folds": "test manifest" if data.test else data.folds,
        "split_seed": data.split_seed,
        "reference": data.reference,
        "subjects": {
            held.fold.name: {"train": held.fold.train.subjects, "test": held.fold.test.subjects}
            for held in folds
        },
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_own(folds[0].folder.parent / f"{data.name}.json", text, "crossval")


def is_finished(task: Task) -> bool:
    """Whether the run was trained to its end; `UserError` if it has other settings or data.

    It may have been trained elsewhere: files are compared by what is in them.
    """
    if not is_run(task.run):
        return False
    reader, wanted = Run(task.run), task.configuration.settings(task.seed)
    remedy = "rename the configuration, or remove that folder to train it anew"
    keys = [k for k in differing(reader.settings(), wanted) if not k.startswith(_NO_MATTER)]
    if keys:
        raise UserError(f"{task.run} has another {', '.join(keys)} than the plan; {remedy}.")
    learnt = [task.held.fold.train]
    if task.held.data.reference not in OWN_REFERENCES:
        learnt.append(task.held.reference)
    if not learns_from(task.run, *learnt):
        raise UserError(f"{task.run} was trained on other data than the plan's; {remedy}.")
    if reader.status() == "finished":
        return True
    # or the advisor ended it, by schedule.stop_when
    last = [one for one in reader.events() if one["kind"] in ("advice", "stop", "resume")][-2:]
    return [one["kind"] for one in last] == ["advice", "stop"] and last[0]["advice"] == "stop"
