"""Scoring a cross-validation: each fold once, kept in `scores/`, and the tables of all folds."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ascnet_core.crossval import heldout, stopping
from ascnet_core.crossval.heldout import Scored, Way
from ascnet_core.crossval.plan import CrossPlan
from ascnet_core.crossval.pooling import Part, over_seeds, pool, shared_oracle, subjects_of
from ascnet_core.crossval.table import table_text
from ascnet_core.crossval.tasks import HeldOut, Task
from ascnet_core.errors import UserError
from ascnet_core.files import write_text
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.names import OWN_REFERENCES, Tell
from ascnet_core.outputs import check_targets, writing
from ascnet_core.places import MODEL
from ascnet_core.runs.folder import Run

_NAMES = ("rows", "seeds", "runs", "subjects", "cycles", "stopping")
TABLES = (*(f"{name}.csv" for name in _NAMES), "table.md")
PLAN = "plan.toml"


@dataclass
class Scores:
    """What is scored by now, and how to write it.

    `command` gives the command line that makes the rows of a configuration or data set. `progress`
    opens a progress bar; its context is called with (steps done, steps in all).
    """

    plan: CrossPlan
    folds: Mapping[str, Sequence[HeldOut]]
    out: Path
    device: str
    command: Callable[[str], str]
    progress: Callable[[], AbstractContextManager[Tell]]
    parts: dict[str, Part] = field(default_factory=dict)
    courses: dict[str, stopping.Course] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, task: Task, anew: bool = True) -> None:
        """Score a finished run; `anew` False: only if it was scored before."""
        one, held = task.configuration, task.held
        scored = self._network(task, task.scores, anew)
        if scored is None:
            return
        snapshots = Run(task.run).snapshots()
        counts = np.asarray(snapshots[-1].info["counts"], np.int64) if snapshots else None
        who = (one.data.name, one.name, task.seed, held.fold.name, len(self.folds[one.data.name]))
        self.parts[task.name] = Part(*who, scored, counts, self.command(one.title))
        self.runs[task.name] = _run_row(task)
        if one.how.cycles == "all":
            self._add_course(task, anew)

    def add_baselines(self, held: HeldOut, anew: bool = True) -> None:
        """Score the methods without training on a fold."""
        if not held.data.baselines:
            return
        name = f"{held.name}-baselines"
        scored = self._baselines(held, None, self.out / "scores" / name, anew)
        if scored is not None:
            data = held.data.name
            who = (data, "", None, held.fold.name, len(self.folds[data]))
            self.parts[name] = Part(*who, scored, None, self.command(data))

    def add_oracles(self, tasks: Sequence[Task], anew: bool = True) -> None:
        """Score at the one oracle threshold of all folds, where all folds of a run are scored.

        Without post-processing the tables of thresholds hold these scores already.
        """
        for _, folds in groupby(tasks, lambda task: (task.configuration.title, task.seed)):
            several = list(folds)
            levels = self._levels([task.name for task in several])
            for task in several if levels else []:
                found = []
                for flip in task.configuration.how.flip:
                    own = {name: level for (name, other), level in levels.items() if other == flip}
                    rules = {name: (str(level),) for name, level in own.items()}
                    folder = task.scores / f"oracle{'-flip' if flip else ''}"
                    found.append(self._network(task, folder, anew, at_oracle=(rules, (flip,))))
                self._lay(task.name, found)

    def add_baseline_oracles(self, name: str, anew: bool = True) -> None:
        """The same for the methods without training on a data set."""
        folds = self.folds[name]
        names = [f"{held.name}-baselines" for held in folds]
        levels = self._levels(names)
        for held, part in zip(folds, names, strict=True) if levels else []:
            folder = self.out / "scores" / part / "oracle"
            self._lay(part, [self._baselines(held, levels, folder, anew)])

    def write(self) -> None:
        """Write the tables of what is scored by now."""
        parts = list(self.parts.values())
        rows = pool(parts)
        seeds = over_seeds(rows)
        runs = pd.DataFrame(list(self.runs.values()))
        about = {name: _about(folds) for name, folds in self.folds.items()}
        text = table_text(rows, seeds, about, runs)
        tables = {"rows": rows, "seeds": seeds, "runs": runs, "subjects": subjects_of(parts)}
        if self.courses:
            courses = list(self.courses.values())
            floors = {
                (part.data, part.fold): stopping.training_free(part.scored.rows)
                for part in parts
                if not part.configuration
            }
            stops = stopping.stopping_rows(courses, floors)
            tables |= {"cycles": stopping.cycle_rows(courses), "stopping": stops}
            text += f"\n### Stopping without masks\n\n{stopping.stopping_text(stops)}\n"
        contents = {
            f"{name}.csv": table.to_csv(index=False, float_format="%.6g")
            for name, table in tables.items()
        } | {"table.md": text}
        if not _is_plan(self.out / PLAN, self.plan):
            contents[PLAN] = self.plan.text
        with writing(self.out, list(contents), "crossval", overwrite=True) as aside:
            for name, content in contents.items():
                write_text(aside / name, content)

    def _network(
        self,
        task: Task,
        folder: Path,
        anew: bool,
        cycle: int | None = None,
        at_oracle: tuple[Mapping[str, tuple[str, ...]], tuple[bool, ...]] | None = None,
    ) -> Scored | None:
        """Score by the plan's rules and flips, or by those at the oracle of all folds."""
        own = task.configuration.how
        rules, flips = at_oracle or (own.rules, own.flip)
        fold, reference = task.held.fold, task.held.reference
        plans = task.held.data.plans(oracle=cycle is None and at_oracle is None)
        weights = (task.run if cycle is None else Run(task.run).at_cycle(cycle).path) / MODEL
        model = hashlib.sha256(weights.read_bytes()).hexdigest()
        how = {"rules": dict(rules), "flip": flips, "model": model}
        what = task.name if cycle is None else f"{task.name}, cycle {cycle}"
        what += ", at the oracle of all folds" if at_oracle else ""
        asked = heldout.asked_of(fold, reference, plans, **how)

        def work(tell: Tell) -> Scored:
            return heldout.score_network(
                task.run, fold, reference, rules, flips, plans, cycle, self.device, tell
            )

        return self._once(folder, asked, what, work, anew)

    def _baselines(
        self, held: HeldOut, levels: Mapping[Way, int] | None, folder: Path, anew: bool
    ) -> Scored | None:
        data = held.data
        how = self.plan.preparations[data.name]
        plans = data.plans(oracle=levels is None, rules=data.baseline_rules)
        reference = held.reference if levels is None else None
        asked = heldout.asked_of(
            held.fold,
            reference,
            plans,
            baselines=data.baselines,
            levels=[[*way, level] for way, level in levels.items()] if levels else None,
            # the size of slices matters to networks alone
            preparation=asdict(replace(how, size=Preparation().size)),
        )
        what = f"baselines on {held.name}" + (", at the oracle of all folds" if levels else "")
        work = partial(
            heldout.score_baselines, held.fold, reference, data.baselines, plans, how, levels
        )
        return self._once(folder, asked, what, work, anew)

    def _once(
        self,
        folder: Path,
        asked: Mapping[str, Any],
        what: str,
        work: Callable[[Tell], Scored],
        anew: bool,
    ) -> Scored | None:
        """The scores that were kept before, or new ones, which are kept now."""
        known = heldout.kept(folder, asked)
        if known is not None or not anew:
            return known
        print(f"scoring {what}", flush=True)
        try:
            with self.progress() as tell:
                found = work(tell)
        except UserError as error:
            raise UserError(f"{what}: {error}") from error
        heldout.keep(folder, found, asked)
        return found

    def _levels(self, names: Sequence[str]) -> dict[Way, int]:
        """The oracle levels of all folds; empty until all are scored, or without steps."""
        parts = [self.parts[name] for name in names if name in self.parts]
        if len(names) < 2 or len(parts) < len(names):
            return {}
        data = self.plan.data[parts[0].data]
        without_steps = data.post == ((),)
        return {} if without_steps else shared_oracle([part.scored for part in parts], data.side)

    def _lay(self, name: str, found: Sequence[Scored | None]) -> None:
        frames = [scored.rows for scored in found if scored is not None]
        if len(frames) == len(found):
            rows = pd.concat(frames, ignore_index=True)
            self.parts[name] = replace(self.parts[name], at_oracle=rows)

    def _add_course(self, task: Task, anew: bool) -> None:
        one, fold, cycles = task.configuration, task.held.fold.name, {}
        for cycle in stopping.kept_cycles(task.run):
            folder = task.scores / f"cycle{cycle}"
            found = self._network(task, folder, anew, cycle)
            if found is not None:
                cycles[cycle] = found
        advised = stopping.advised_cycle(task.run)
        course = stopping.Course(one.data.name, one.name, task.seed, fold, cycles, *advised)
        self.courses[task.name] = course


def check_place(out: Path, plan: CrossPlan) -> None:
    """Raise `UserError` if tables would take the place of files that are not ours."""
    plan_file = [] if _is_plan(out / PLAN, plan) else [PLAN]
    inputs = [path for data in plan.data.values() for path in (*data.manifests, *data.test)]
    check_targets(out, [*TABLES, *plan_file], inputs, overwrite=True)


def _is_plan(path: Path, plan: CrossPlan) -> bool:
    """Whether a file is the plan itself, or holds the same."""
    try:
        return path.samefile(plan.path) or path.read_text(encoding="utf-8") == plan.text
    except (OSError, ValueError):
        return False


def _run_row(task: Task) -> dict[str, Any]:
    """What a run cost and how it was started."""
    one, reader = task.configuration, Run(task.run)
    events = reader.events()
    seconds = sum(
        later["time"] - earlier["time"]
        for earlier, later in pairwise(events)
        if earlier["kind"] not in ("stop", "pause") and later["kind"] != "resume"
    )
    devices = re.findall(r"device ([a-z]+)", reader.log(10**6))
    return {
        "run": task.name,
        "data": one.data.name,
        "configuration": one.name,
        "seed": task.seed,
        "fold": task.held.fold.name,
        "preset": one.how.preset,
        "set": " ".join(one.how.set),
        "note": one.how.note,
        "steps": events[-1].get("step") if events else None,
        "minutes": round(seconds / 60, 2),
        "device": devices[-1] if devices else "",
        "command": reader.command().replace("\n", "; "),
    }


def _about(folds: Sequence[HeldOut]) -> str:
    """A data set and how it was divided, in a sentence."""
    data = folds[0].data
    names = " + ".join(f"`{path.name}`" for path in data.manifests)
    held = sum(len(one.fold.test.subjects) for one in folds)
    if data.test:
        scored = " + ".join(f"`{path.name}`" for path in data.test)
        how = f"Trained on {names}, scored on the {held} patients of {scored}"
    elif isinstance(data.folds, int):
        how = f"{names}: {held} patients, {data.folds} folds by patient"
        how += f" (drawn by seed {data.split_seed})"
    else:
        how = f"{names}: {held} patients scored, folds: {data.folds}"
    reference = data.reference
    if reference not in OWN_REFERENCES:
        reference = f"`{Path(reference).name}`"
    unit = ", means over scans (not patients)" if data.unit == "scan" else ""
    return f"{how}. Reference: {reference}. Side {data.side}, scope {data.scope}{unit}."
