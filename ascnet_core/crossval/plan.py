"""The plan of a cross-validation, as a TOML file: data sets, configurations, what is scored."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ascnet_core.crossval.folds import Fold, apart, join, split
from ascnet_core.errors import UserError
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.methods.baselines import BASELINES, baselines
from ascnet_core.names import MAPS, SCOPES, SIDES, UNITS
from ascnet_core.scoring.plan import Plan
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.segmentation.steps import parse_steps
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import apply_set

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
RULES = {"reconstruction": ("rightmost-peak",)}


@dataclass(frozen=True)
class Scoring:
    """What is read from each network: the choices of the two tables laid over each other.

    Attributes
    ----------
    rules : dict
        Map -> its threshold rules.
    flip : tuple of bool
        Plain cuts, cuts averaged with the mirror image, or both.
    cycles : bool
        Whether every cycle that was kept is scored too, at the mask-free rules.
    """

    rules: Mapping[str, tuple[str, ...]]
    flip: tuple[bool, ...] = (False,)
    cycles: bool = False


@dataclass(frozen=True)
class DataSet:
    """Scans, how they are divided, and what is the same for all methods on them."""

    name: str
    manifests: tuple[Path, ...]
    tests: tuple[Path, ...] = ()
    folds: int | str = 2
    split_seed: int = 0
    always_train: tuple[str, ...] = ()
    reference: str = "lesion-free"
    side: str = "bright"
    scope: str = "cohort"
    unit: str = "subject"
    post: tuple[tuple[str, ...], ...] = ((),)
    baselines: tuple[str, ...] = tuple(BASELINES)
    baseline_rules: tuple[str, ...] = ()
    shapes: bool = False

    def divide(self) -> tuple[Fold, ...]:
        """Return the folds; raises UserError."""
        cohort = join(self.manifests)
        if self.tests:
            return (apart(cohort, join(self.tests)),)
        return split(cohort, self.folds, self.split_seed, self.always_train)

    def plans(self, oracle: bool = True, rules: tuple[str, ...] = ()) -> list[Plan]:
        """Return how a fold is scored: a plan for each post-processing."""
        return [
            Plan(
                rules=rules,
                side="dark" if self.side == "dark" else "bright",
                scope="subject" if self.scope == "subject" else "cohort",
                post=post,
                unit="scan" if self.unit == "scan" else "subject",
                oracle=oracle,
                shapes=self.shapes and oracle,
            )
            for post in self.post
        ]


@dataclass(frozen=True)
class Configuration:
    """One recipe on one data set, for some seeds."""

    name: str
    data: DataSet
    preset: str
    changes: tuple[str, ...]
    seeds: tuple[int, ...]
    scoring: Scoring
    note: str = ""

    def settings(self, seed: int) -> Settings:
        """Return what a run of it is trained with; raises UserError."""
        return apply_set(load_preset(self.preset), [*self.changes, f"schedule.seed={seed}"])

    @property
    def title(self) -> str:
        """What it is called where several data sets come together."""
        return f"{self.data.name}-{self.name}"


@dataclass(frozen=True)
class CrossPlan:
    """A plan file, read."""

    path: Path
    text: str
    data: Mapping[str, DataSet]
    configurations: tuple[Configuration, ...]
    preparations: Mapping[str, Preparation]

    def preparation(self, data: DataSet) -> Preparation:
        """Return how scans are prepared for baselines: as for the data set's first configuration.

        `only` does not change it.
        """
        return self.preparations.get(data.name, Preparation())

    def only(self, names: Sequence[str]) -> CrossPlan:
        """Keep the configurations (or data sets) of these names.

        Raises
        ------
        UserError
            If a name is none.
        """
        if not names:
            return self
        known = {c.name for c in self.configurations} | set(self.data)
        known |= {c.title for c in self.configurations}
        for name in names:
            if name not in known:
                raise UserError(
                    f"{self.path} has no {name!r}; --only takes {', '.join(sorted(known))}."
                )
        wanted = set(names)
        kept = tuple(c for c in self.configurations if wanted & {c.name, c.title, c.data.name})
        data = {
            name: one
            for name, one in self.data.items()
            if name in wanted or any(c.data.name == name for c in kept)
        }
        return CrossPlan(self.path, self.text, data, kept, self.preparations)


_DATA = {
    "manifests",
    "test",
    "folds",
    "split_seed",
    "always_train",
    "reference",
    "side",
    "scope",
    "unit",
    "post",
    "baselines",
    "baseline_rules",
    "shapes",
}
_BOTH = {"rules", "flip", "cycles", "seeds", "set"}
_RUN = {"data", "preset", "note"}


def read_crossplan(path: Path) -> CrossPlan:
    """Read a plan; every name, rule, setting and file in it is checked.

    Raises
    ------
    UserError
        Naming the table and key that don't fit.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}); give a plan in TOML.") from error
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path} is no valid TOML ({error}); mend it.") from error
    everywhere = {key: content.pop(key) for key in list(content) if key in _BOTH}
    sets, runs = content.pop("data", {}), content.pop("run", {})
    for key in content:
        raise UserError(
            f"{path} has {key!r}; it takes tables [data.NAME] and [run.NAME], and before them "
            f"{', '.join(sorted(_BOTH))} for all runs."
        )
    if not sets:
        raise UserError(f"{path} has no table [data.NAME]; name the manifests to learn from.")
    found = {name: _data(path, name, table) for name, table in sets.items()}
    configurations = [
        _configuration(path, name, table, found[chosen], _laid(path, everywhere, sets[chosen]))
        for name, table in runs.items()
        for chosen in _chosen(path, name, table, found)
    ]
    ways: dict[str, Preparation] = {}
    for one in configurations:
        ways.setdefault(one.data.name, preparation_of(one.settings(one.seeds[0])))
    return CrossPlan(path, text, found, tuple(configurations), ways)


def _laid(path: Path, everywhere: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """What a data set says laid over what the plan says; changes of settings add up."""
    both = {key: value for key, value in data.items() if key in _BOTH}
    words = [*_words(str(path), everywhere, "set", ()), *_words(str(path), both, "set", ())]
    return {**everywhere, **both, "set": words}


def _chosen(
    path: Path, name: str, table: Mapping[str, Any], found: Mapping[str, DataSet]
) -> list[str]:
    asked = table.get("data", list(found) if len(found) == 1 else None)
    names = [asked] if isinstance(asked, str) else asked
    if not names or not all(one in found for one in names):
        raise UserError(
            f"{path}, [run.{name}]: data is {asked!r}; name one or more of {', '.join(found)}."
        )
    return list(names)


def _data(path: Path, name: str, table: Mapping[str, Any]) -> DataSet:
    where = f"{path}, [data.{name}]"
    _check_name(where, name)
    _check_keys(where, table, _DATA | _BOTH)
    here = path.parent
    reference = table.get("reference", "lesion-free")
    if reference not in ("normal", "lesion-free"):
        reference = str(here / reference)
    given = table.get("post", [])
    several = bool(given) and isinstance(given[0], list)
    post = tuple(tuple(map(str, one)) for one in (given if several else [given]))
    if () not in post:
        post = ((), *post)  # raw figures are always there to compare with
    for one in post:
        parse_steps(list(one))
    choices = {"side": SIDES, "scope": SCOPES, "unit": UNITS}
    for key, allowed in choices.items():
        if table.get(key, allowed[0]) not in allowed:
            raise UserError(f"{where}: {key} is {table[key]!r}; write {' or '.join(allowed)}.")
    names = tuple(_words(where, table, "baselines", tuple(BASELINES)))
    baselines(names)
    rules = tuple(_words(where, table, "baseline_rules", ()))
    for rule in rules:
        parse_rule(rule)
    return DataSet(
        name=name,
        manifests=tuple(here / one for one in _words(where, table, "manifests")),
        tests=tuple(here / one for one in _words(where, table, "test", ())),
        folds=table.get("folds", 2),
        split_seed=int(table.get("split_seed", 0)),
        always_train=tuple(_words(where, table, "always_train", ())),
        reference=reference,
        side=table.get("side", "bright"),
        scope=table.get("scope", "cohort"),
        unit=table.get("unit", "subject"),
        post=post,
        baselines=names,
        baseline_rules=rules,
        shapes=bool(table.get("shapes", False)),
    )


def _configuration(
    path: Path,
    name: str,
    table: Mapping[str, Any],
    data: DataSet,
    defaults: Mapping[str, Any],
) -> Configuration:
    where = f"{path}, [run.{name}]"
    _check_name(where, name)
    _check_keys(where, table, _BOTH | _RUN)
    laid = {**defaults, **table}
    preset = str(table.get("preset", "teaching"))
    if preset.endswith(".toml"):
        preset = str(path.parent / preset)
    changes = (*_words(where, defaults, "set", ()), *_words(where, table, "set", ()))
    seeds = laid.get("seeds", [0])
    if not seeds or not all(type(seed) is int for seed in seeds):
        raise UserError(f"{where}: seeds is {seeds!r}; write whole numbers, as in [0, 1, 2].")
    flip = laid.get("flip", False)
    cycles = laid.get("cycles", "last")
    if cycles not in ("last", "all"):
        raise UserError(f"{where}: cycles is {cycles!r}; write last or all.")
    scoring = Scoring(
        _rules(where, laid.get("rules", RULES)),
        tuple(map(bool, flip)) if isinstance(flip, list) else (bool(flip),),
        cycles == "all",
    )
    found = Configuration(
        name, data, preset, changes, tuple(seeds), scoring, str(table.get("note", ""))
    )
    try:
        found.settings(seeds[0])
    except UserError as error:
        raise UserError(f"{where}: {error}") from error
    return found


def _rules(where: str, table: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict) or not table:
        raise UserError(
            f'{where}: rules is {table!r}; write it as {{ wild = ["otsu"], reconstruction = '
            '["rightmost-peak"] }.'
        )
    for name in table:
        if name not in MAPS:
            raise UserError(f"{where}: there is no map {name!r}; choose among {', '.join(MAPS)}.")
    rules = {name: tuple(_words(where, table, name)) for name in table}
    for several in rules.values():
        for rule in several:
            parse_rule(rule)
    return rules


def _words(
    where: str, table: Mapping[str, Any], key: str, default: Sequence[str] | None = None
) -> list[str]:
    value = table.get(key, default)
    if isinstance(value, str):
        return [value]
    if value is None or not all(isinstance(one, str) for one in value):
        raise UserError(f"{where}: {key} is {value!r}; write one text or a list of texts.")
    return list(value)


def _check_name(where: str, name: str) -> None:
    if not _NAME.match(name):
        raise UserError(f"{where}: use letters, digits, '.', '_' and '-' in a name.")


def _check_keys(where: str, table: Mapping[str, Any], known: set[str]) -> None:
    for key in table:
        if key not in known:
            raise UserError(
                f"{where}: there is no key {key!r}; it takes {', '.join(sorted(known))}."
            )
