"""Thresholds that a rater decided, as one more row of an evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.methods.base import Method
from ascnet_core.names import RangeKind
from ascnet_core.scoring.choices import Choice, rule_choice
from ascnet_core.scoring.plan import Plan
from ascnet_core.scoring.summary import IDENTITY, summary_row, to_plain
from ascnet_core.segmentation.levels import Kept
from ascnet_core.segmentation.ways import Way

_DIFFERS = "differs by subject"


@dataclass(frozen=True)
class Decided:
    """Subjects whose masks are made in one way, by a network's map; `name` is the row's rule."""

    name: str
    method: Method
    way: Way

    def plan(self, plan: Plan) -> Plan:
        """The plan of the whole evaluation, changed to this way; no rule is asked for."""
        how = self.way.segmentation
        return replace(plan, rules=(), side=how.side, scope=how.scope, post=how.post, oracle=False)

    def choice(
        self,
        units: Mapping[str, Sequence[Kept]],
        counts: Mapping[str, NDArray[np.int64]],
        reference: NDArray[np.int64] | None,
    ) -> Choice:
        """The threshold of each unit that this holds for."""
        how, given = self.way.segmentation, self.way.given
        mine = {unit: scans[0].scan.subject for unit, scans in units.items()}
        mine = {unit: subject for unit, subject in mine.items() if self.way.holds_for(subject)}
        if given:
            found = {unit: given[subject] for unit, subject in mine.items()}
            return Choice(self.method, self.name, "manual", "subject", found)
        whole = rule_choice(self.method, how.rule, counts, how.side, "cohort", reference)
        chosen = {unit: whole.thresholds[unit] for unit in mine}
        return Choice(self.method, self.name, "manual", "subject", chosen)


def range_of(ways: Sequence[Way], asked: RangeKind | None) -> RangeKind:
    """The range on which all ways are; UserError if they differ, or another one is asked for."""
    kinds = sorted({way.range for way in ways} | ({asked} if asked else set()))
    if len(kinds) > 1:
        raise UserError(
            f"Decisions and --range are on {' and '.join(kinds)}, which one table cannot hold; "
            "leave --range out, or score masks of `segment --study`."
        )
    return kinds[0]


def merge_rows(
    rows: Sequence[pd.DataFrame], summary: dict[str, Any], name: str, seed: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Add the rows of decisions (all but the first table) to those of an evaluation.

    In the summary they are one row, in which what differs by subject says so.
    """
    parts = [table for table in rows[1:] if len(table)]
    if not parts:
        return rows[0], summary
    mine = pd.concat(parts, ignore_index=True)
    alike = mine.assign(
        **{one: _DIFFERS for one in IDENTITY if mine[one].nunique(dropna=False) > 1}
    )
    row = to_plain(summary_row(alike, seed))
    return pd.concat([rows[0], mine], ignore_index=True), summary | {
        "rows": [*summary["rows"], row],
        "decided": {"rule": name, "subjects": len(mine)},
    }
