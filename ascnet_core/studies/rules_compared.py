"""Every mask-free rule on every subject of a study: where it cuts, how much it keeps, how far off.

Counts are all that is read, so no scan is cut again. Masks are those before post-processing. What
needs the truth stands apart, as `WithTruth`; nothing else here depends on it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from statistics import fmean, median
from typing import Any

import numpy as np

from ascnet_core.metrics.overlap import ThresholdTable, oracle_threshold
from ascnet_core.names import Scope, Side, Tell, tell_nobody
from ascnet_core.segmentation.rules import RULES, needs_reference, parse_rule
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, attempt
from ascnet_core.settings.tables import Segmentation
from ascnet_core.studies.attempts import Counts, attempts
from ascnet_core.studies.facts import INPUT, Facts


@dataclass(frozen=True)
class WithTruth:
    """ORACLE knowledge of a rule's level: the Dice there, and the subject's own best level."""

    dice: float
    oracle_level: int
    oracle_dice: float
    levels_off: int | None

    @property
    def dice_lost(self) -> float:
        """How much less Dice than at the subject's best level."""
        return self.oracle_dice - self.dice


@dataclass(frozen=True)
class Found:
    """What one rule finds for one subject on one map.

    `scope` is whose histogram it read. Without a `level` it found none, the mask is empty, and
    `sentence` says why. `from_decided` is level minus the rater's level on the same map, None where
    there is none. `truth` is None for subjects without lesion or mask.
    """

    subject: str
    map: str
    rule: str
    scope: Scope
    level: int | None
    volume_ml: float
    sentence: str
    from_decided: int | None = None
    truth: WithTruth | None = None


@dataclass(frozen=True)
class RuleSummary:
    """One rule over all subjects. Medians are None where nothing is to be counted.

    `nothing` subjects get no level by it. `decided` subjects have a rater's level to compare with;
    `off_decided` is the median distance to it, in levels. The fields from `lesions` on need the
    truth: subjects with a lesion, their mean Dice, and medians of how far the level and the Dice
    are from the subject's own best (ORACLE).
    """

    map: str
    rule: str
    scope: Scope
    subjects: int
    nothing: int
    level: float | None
    low: float | None
    high: float | None
    volume_ml: float
    decided: int
    off_decided: float | None
    lesions: int
    dice: float | None
    levels_off: float | None
    dice_lost: float | None


def rules_for(side: Side, own: str, reference: bool) -> list[str]:
    """The run's `own` rule, then every mask-free one of the registry that suits the side.

    Left out are rules that name a peak by its number, those of the other end of the scale, and,
    without a `reference`, those that read it.
    """
    other = "leftmost-" if side == "bright" else "rightmost-"
    known = [
        rule
        for entry in RULES.values()
        if entry.kind == "mask-free" and entry.offers is None
        for rule in entry.examples
        if not rule.startswith(other)
    ]
    rules = dict.fromkeys(str(parse_rule(rule)) for rule in (own, *known))
    return [rule for rule in rules if reference or not needs_reference([rule])]


def compare_rules(
    facts: Iterable[Facts],
    how: Segmentation,
    references: Mapping[str, Counts | None],
    decided: Mapping[str, int],
) -> list[Found]:
    """What each rule finds for each subject, on the run's map and, as the baseline, on the input.

    `how` is the run's own way; its rule is tried with both scopes. `references` hold the normal
    reference's counts (256,) by map, `decided` a rater's levels on the run's map by subject.
    """
    facts, found = list(facts), list[Found]()
    for name in dict.fromkeys((how.map, INPUT)):
        reference = references.get(name)
        rules = _rules_on(how, reference)
        pooled = sum((_counts(one, name) for one in facts), np.zeros(256, np.int64))
        shared = attempt(how.rule, pooled, how.side, reference)
        for one in facts:
            level = decided.get(one.subject) if name == how.map else None
            each = attempts(rules, _counts(one, name), how.side, reference)
            scoped: list[tuple[Scope, Threshold | NoThreshold]] = [("cohort", shared)]
            scoped += [("subject", threshold) for threshold in each]
            found += [_found(one, name, scope, threshold, level) for scope, threshold in scoped]
    return found


def find_levels(
    facts: Iterable[Facts],
    how: Segmentation,
    references: Mapping[str, Counts | None],
    tell: Tell = tell_nobody,
) -> None:
    """Do the slow part of `compare_rules` ahead, some 15 ms a subject; it is kept for a while.

    `tell` is called with (subjects done, subjects in all), and may end the work by what it raises.
    """
    facts = list(facts)
    rules = {name: _rules_on(how, references.get(name)) for name in (how.map, INPUT)}
    for number, one in enumerate(facts, 1):
        for name in rules:
            attempts(rules[name], _counts(one, name), how.side, references.get(name))
        tell(number, len(facts))


def _rules_on(how: Segmentation, reference: Counts | None) -> tuple[str, ...]:
    return tuple(rules_for(how.side, how.rule, reference is not None))


def summarise(found: Iterable[Found]) -> list[RuleSummary]:
    """One summary a map, scope and rule, in the order in which they come first."""
    groups: dict[tuple[str, Scope, str], list[Found]] = {}
    for one in found:
        groups.setdefault((one.map, one.scope, one.rule), []).append(one)
    return [_summary(group) for group in groups.values()]


def _summary(group: Sequence[Found]) -> RuleSummary:
    first = group[0]
    levels = [one.level for one in group if one.level is not None]
    off = [abs(one.from_decided) for one in group if one.from_decided is not None]
    truths = [one.truth for one in group if one.truth is not None]
    moved = [abs(one.levels_off) for one in truths if one.levels_off is not None]
    low, high = np.percentile(levels, [25, 75]) if levels else (None, None)
    return RuleSummary(
        first.map,
        first.rule,
        first.scope,
        len(group),
        len(group) - len(levels),
        median(levels) if levels else None,
        None if low is None else float(low),
        None if high is None else float(high),
        median(one.volume_ml for one in group),
        len(off),
        median(off) if off else None,
        len(truths),
        fmean(one.dice for one in truths) if truths else None,
        median(moved) if moved else None,
        median(one.dice_lost for one in truths) if truths else None,
    )


def _tables(facts: Facts, name: str) -> list[ThresholdTable]:
    return [one.plain if name == INPUT else one.table for one in facts.scans]


def _counts(facts: Facts, name: str) -> Counts:
    return facts.input_counts if name == INPUT else facts.counts


def _found(
    facts: Facts, name: str, scope: Scope, threshold: Threshold | NoThreshold, decided: int | None
) -> Found:
    tables, level = _tables(facts, name), threshold.level
    first, last = threshold.kept
    kept = [int(table.levels[first : last + 1].sum()) for table in tables]
    volume = sum(voxels * scan.voxel_ml for voxels, scan in zip(kept, facts.scans, strict=True))
    off = None if decided is None or level is None else level - decided
    truth = None
    if tables and all(table.has_truth for table in tables):
        whole = reduce(add, tables)
        if whole.true:
            best, dice = oracle_threshold(whole, threshold.side)
            moved = None if level is None else level - best
            truth = WithTruth(whole.band(first, last).dice, best, dice, moved)
    return Found(
        facts.subject, name, threshold.rule, scope, level, volume, threshold.sentence, off, truth
    )


MASK_FREE = (
    *("subject", "map", "rule", "scope", "side", "level", "volume_ml", "decided", "from_decided"),
    "sentence",
)
ORACLE = ("truth_dice", "oracle_level", "oracle_dice", "oracle_levels_off", "oracle_dice_lost")
COLUMNS = (*MASK_FREE, *ORACLE)
"""Of `rules.csv`; those of `ORACLE` need the truth."""


def row_of(found: Found, side: Side) -> dict[str, Any]:
    """One row of `rules.csv`, with `COLUMNS`."""
    off, truth = found.from_decided, found.truth
    decided = None if off is None or found.level is None else found.level - off
    row = {name: getattr(found, name) for name in ("subject", "map", "rule", "scope", "level")}
    row |= {"side": side, "volume_ml": round(found.volume_ml, 4), "sentence": found.sentence}
    row |= {"decided": decided, "from_decided": off}
    if truth is None:
        return row | dict.fromkeys(ORACLE)
    values = (truth.dice, truth.oracle_level, truth.oracle_dice, truth.levels_off, truth.dice_lost)
    return row | dict(zip(ORACLE, values, strict=True))
