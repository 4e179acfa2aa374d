"""The plan of a cross-validation, as a TOML file: data sets, configurations, what is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ascnet_core.crossval.folds import Fold, apart, join, split
from ascnet_core.crossval.plan_file import DataTable, PlanFile, RunTable, laid, read_plan_file
from ascnet_core.errors import UserError
from ascnet_core.files import text_of
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.names import OWN_REFERENCES
from ascnet_core.scoring.plan import Plan
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import apply_set, parse_toml


class DataSet(DataTable):
    """A table [data.NAME] with its name; its paths do not depend on the plan's folder."""

    name: str

    def divide(self) -> tuple[Fold, ...]:
        """Return the folds; raises UserError."""
        cohort = join(self.manifests)
        if self.test:
            return (apart(cohort, join(self.test)),)
        return split(cohort, self.folds, self.split_seed, self.always_train)

    def plans(self, oracle: bool = True, rules: tuple[str, ...] = ()) -> list[Plan]:
        """Return how a fold is scored: a plan for each post-processing."""
        shapes = self.shapes and oracle
        plan = Plan(rules, self.side, self.scope, unit=self.unit, oracle=oracle, shapes=shapes)
        return [replace(plan, post=post) for post in self.post]


class Configuration(NamedTuple):
    """One recipe on one data set: its table [run.NAME] with what stands above laid under it."""

    name: str
    data: DataSet
    how: RunTable

    def settings(self, seed: int) -> Settings:
        """Return the settings of a run with this seed; raises UserError."""
        return apply_set(load_preset(self.how.preset), [*self.how.set, f"schedule.seed={seed}"])

    @property
    def title(self) -> str:
        """A name that is unique among several data sets."""
        return f"{self.data.name}-{self.name}"


@dataclass(frozen=True)
class CrossPlan:
    """A plan file, read.

    `preparations` say how the scans of a data set are prepared for baselines: as for the first
    configuration on it in the whole plan, whatever `only` keeps, or as the plan's `set` says.
    """

    path: Path
    text: str
    data: Mapping[str, DataSet]
    configurations: tuple[Configuration, ...]
    preparations: Mapping[str, Preparation]

    def only(self, names: Sequence[str]) -> CrossPlan:
        """Keep the configurations or data sets of these names; `UserError` if one is unknown."""
        if not names:
            return self
        known = {name for c in self.configurations for name in (c.name, c.title)} | set(self.data)
        for name in names:
            if name not in known:
                raise UserError(
                    f"{self.path} has no {name!r}; --only takes {', '.join(sorted(known))}."
                )
        wanted = set(names)
        kept = tuple(c for c in self.configurations if wanted & {c.name, c.title, c.data.name})
        wanted |= {c.data.name for c in kept}
        data = {name: one for name, one in self.data.items() if name in wanted}
        return replace(self, data=data, configurations=kept)


def read_crossplan(path: Path) -> CrossPlan:
    """Read a plan and check it; `UserError` names the table and key that don't fit."""
    text = text_of(path)
    file = read_plan_file(path, parse_toml(text, str(path)))
    data = {name: _data_set(path.parent, name, table) for name, table in file.data.items()}
    configurations = tuple(
        _configuration(path, file, name, data[chosen])
        for name in file.run
        for chosen in _chosen(path, file, name)
    )
    ways = {
        one.data.name: preparation_of(one.settings(one.how.seeds[0]))
        for one in reversed(configurations)
    }
    ways |= {name: _without_runs(path, file, name) for name in data.keys() - ways.keys()}
    return CrossPlan(path, text, data, configurations, ways)


def _without_runs(path: Path, file: PlanFile, name: str) -> Preparation:
    """How a data set is prepared that no configuration is on."""
    try:
        return preparation_of(apply_set(Settings(), laid(file, file.data[name])["set"]))
    except UserError as error:
        raise UserError(f"{path}, [data.{name}]: {error}") from error


def _data_set(here: Path, name: str, table: DataTable) -> DataSet:
    reference = table.reference
    if reference not in OWN_REFERENCES:
        reference = str(here / reference)
    paths = {key: tuple(here / one for one in getattr(table, key)) for key in ("manifests", "test")}
    return DataSet.model_construct(**dict(table) | paths | {"name": name, "reference": reference})


def _chosen(path: Path, file: PlanFile, name: str) -> Sequence[str]:
    """The data sets of a run: those it names, or the only one."""
    asked = file.run[name].data
    names = asked or (tuple(file.data) if len(file.data) == 1 else ())
    if not names or not all(one in file.data for one in names):
        shown = asked[0] if asked and len(asked) == 1 else asked
        raise UserError(
            f"{path}, [run.{name}]: data is {shown!r}; name one or more of {', '.join(file.data)}."
        )
    return names


def _configuration(path: Path, file: PlanFile, name: str, data: DataSet) -> Configuration:
    run = file.run[name]
    values = laid(file, file.data[data.name], run)
    preset = str(path.parent / run.preset) if run.preset.endswith(".toml") else run.preset
    try:
        method = apply_set(load_preset(preset), values["set"]).method
        first = method.maps[0]
        values.setdefault("rules", {first.name: (first.rule,)})
        for asked in values["rules"]:
            method.map_named(asked)
    except UserError as error:
        raise UserError(f"{path}, [run.{name}]: {error}") from error
    how = RunTable.model_construct(**dict(run) | values | {"preset": preset})
    return Configuration(name, data, how)
