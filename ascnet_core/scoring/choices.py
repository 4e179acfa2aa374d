"""Which threshold each unit gets: by a rule, or (labelled so) by an oracle that saw the masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ascnet_core.methods.base import Method
from ascnet_core.metrics.overlap import ThresholdTable, oracle_cohort_threshold, oracle_threshold
from ascnet_core.names import Scope, Side
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, choose

ORACLE_COHORT = "oracle-cohort"
ORACLE_OWN = "oracle-own"


@dataclass(frozen=True)
class Choice:
    """One row of the summary before it is scored: a method with a rule.

    Attributes
    ----------
    thresholds : dict
        Unit -> its threshold, or why the rule found none.
    """

    method: Method
    rule: str
    kind: str
    scope: Scope
    thresholds: dict[str, Threshold | NoThreshold]


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

    Both are chosen before post-processing, over the units that have lesions; units without truth
    or without lesions get the cohort's, too, and no own best. Nothing where no unit has lesions.
    """
    with_lesions = {unit: table for unit, table in tables.items() if table.true}
    if not with_lesions:
        return ()
    level, mean = oracle_cohort_threshold(list(with_lesions.values()), side)
    shared = Threshold(
        level,
        None,
        side,
        ORACLE_COHORT,
        f"ORACLE: chosen with the masks for the best mean Dice ({mean:.3f}) of the cohort.",
        "oracle",
    )
    own: dict[str, Threshold | NoThreshold] = {}
    for unit, table in with_lesions.items():
        level, best = oracle_threshold(table, side)
        own[unit] = Threshold(
            level,
            None,
            side,
            ORACLE_OWN,
            f"ORACLE: chosen with this one's own mask for its best Dice ({best:.3f}).",
            "oracle",
        )
    return (
        Choice(method, ORACLE_COHORT, "oracle", "cohort", dict.fromkeys(units, shared)),
        Choice(method, ORACLE_OWN, "oracle", "subject", own),
    )
