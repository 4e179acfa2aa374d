"""Which threshold each unit gets: by a rule, or (labelled so) by an oracle that saw the masks."""

from collections.abc import Container, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ascnet_core.methods.base import Method
from ascnet_core.metrics.overlap import ThresholdTable, oracle_cohort_threshold, oracle_threshold
from ascnet_core.names import Scope, Side
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, choose

ORACLE_COHORT = "oracle-cohort"
ORACLE_OWN = "oracle-own"

Key = tuple[str, str, str]
"""A method's `key`: what its map depends on besides the scan."""
Mark = tuple[Key, tuple[int, int]]
"""What a unit's mask depends on, map and levels kept: equal marks are scored once."""


class Choice(NamedTuple):
    """A method with a rule, and the threshold of each unit, or why the rule found none."""

    method: Method
    rule: str
    kind: str
    scope: Scope
    thresholds: Mapping[str, Threshold | NoThreshold]

    @property
    def identity(self) -> dict[str, str | None]:
        """The columns of tables that name method and rule."""
        method = self.method
        who = {"method": method.name, "run": method.run, "map": method.map}
        return who | {"rule": self.rule, "kind": self.kind}

    def without(self, units: Container[str]) -> "Choice":
        """Return it for the other units alone."""
        left = {unit: one for unit, one in self.thresholds.items() if unit not in units}
        return self._replace(thresholds=left)

    def mark(self, unit: str) -> Mark:
        """Return what the mask of a unit depends on."""
        return self.method.key, self.thresholds[unit].kept


def rule_choice(
    method: Method,
    rule: str,
    counts: Mapping[str, NDArray[np.int64]],
    side: Side,
    scope: Scope,
    reference: NDArray[np.int64] | None,
) -> Choice:
    """Apply a rule to each unit's histogram, or to the sum of all of them (scope cohort)."""
    parsed = parse_rule(rule)
    thresholds = choose(rule, counts, side, scope, reference)
    return Choice(method, str(parsed), parsed.entry.kind, scope, thresholds)


def oracle_choices(
    method: Method, tables: Mapping[str, ThresholdTable], units: Sequence[str], side: Side
) -> tuple[Choice, ...]:
    """Choose with the truth: one threshold for the cohort, and each unit's own best.

    Both are chosen before post-processing, over the units that have lesions. The other units get
    the cohort's threshold and no best one of their own. Nothing where no unit has lesions.
    """
    with_lesions = {unit: table for unit, table in tables.items() if table.true}
    if not with_lesions:
        return ()

    def oracle(level: int, rule: str, how: str) -> Threshold:
        return Threshold(level, None, side, rule, f"ORACLE: chosen with {how}.", "oracle")

    level, mean = oracle_cohort_threshold(list(with_lesions.values()), side)
    how = f"the masks for the best mean Dice ({mean:.3f}) of the cohort"
    shared = dict.fromkeys(units, oracle(level, ORACLE_COHORT, how))
    own = {}
    for unit, table in with_lesions.items():
        level, best = oracle_threshold(table, side)
        own[unit] = oracle(level, ORACLE_OWN, f"this one's own mask for its best Dice ({best:.3f})")
    return (
        Choice(method, ORACLE_COHORT, "oracle", "cohort", shared),
        Choice(method, ORACLE_OWN, "oracle", "subject", own),
    )
