"""What the Threshold page finds out about a view, and what of it the browser gets.

`look_at` loads a view's case, histogram, table of scores and threshold; all that does not depend on
the threshold is kept between reruns. `viewer_data` writes it down for the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from ascnet_core import names
from ascnet_core.metrics.overlap import ThresholdTable, oracle_threshold, threshold_table, voxel_ml
from ascnet_core.segmentation.histogram import SEPARATED, Look, count_levels, look
from ascnet_core.segmentation.threshold import Threshold
from pages.parts.shared import cases, state
from pages.parts.shared.state import View
from pages.parts.threshold import view_rules, viewer


@dataclass(frozen=True)
class Facts:
    """What does not depend on the threshold: histogram, table of scores, comparison figures.

    `shown` belongs to the scope (subject or cohort), `table` always to the subject on the screen;
    `mean_dice` is over the cohort's subjects with a lesion.
    """

    shown: Look
    input_counts: np.ndarray
    table: ThresholdTable
    rank: float
    oracle: dict[str, tuple[int, float]]
    input_oracle: tuple[int, float] | None
    mean_dice: dict[str, np.ndarray] | None
    mean_of: int


@st.cache_resource(show_spinner=False, max_entries=24)
def _facts(key: str, name: str, scope: str, _case: cases.Case, _view: View) -> Facts:
    prepared, map8, input8 = _case.prepared, _case.maps[name], _case.maps["input"]
    region, truth = prepared.region, prepared.truth
    table = threshold_table(map8, truth, region)
    mean_dice, lesions = None, []
    counts, input_counts = table.levels, count_levels(input8, region)
    if scope == "cohort":
        where = (_view.run, _view.cycle, _view.cohort)
        tables = cases.cohort_tables(*where, name, _view.range, _view.flip)
        counts = np.sum([one.levels for one in tables], axis=0)
        input_counts = cases.cohort_counts(*where, "input", _view.range, _view.flip)
        lesions = [one for one in tables if one.has_truth and one.true]
        if lesions:
            mean_dice = {
                side: np.mean([one.dice(side) for one in lesions], axis=0) for side in names.SIDES
            }
    oracle, input_oracle = {}, None
    if table.has_truth:
        oracle = {side: oracle_threshold(table, side) for side in names.SIDES}
        plain = threshold_table(input8, truth, region)
        input_oracle = max(
            (oracle_threshold(plain, side) for side in names.SIDES), key=lambda found: found[1]
        )
    itself = name == "input"
    rank = float("nan") if itself else view_rules.rank_correlation(map8, input8, region)
    return Facts(
        look(counts), input_counts, table, rank, oracle, input_oracle, mean_dice, len(lesions)
    )


@dataclass(frozen=True)
class Shown:
    """One rerun's findings: the case, what the rule proposes, the threshold in force."""

    view: View
    case: cases.Case
    facts: Facts
    proposed: Threshold
    threshold: Threshold
    cursor: tuple[int, int, int]

    @property
    def key(self) -> str:
        """Changes whenever another histogram is on the screen."""
        view = self.view
        return f"{self.case.key} {view.map} {view.scope}"


def _reference(view: View) -> np.ndarray | None:
    if not view.rule.startswith("reference-quantile"):
        return None
    return cases.reference_counts(
        view.run, view.cycle, view.cohort, view.map, view.range, view.flip
    )


def look_at(view: View) -> Shown:
    """Load what a complete view shows. Raises UserError."""
    case = cases.load_maps(view.run, view.cycle, view.cohort, view.scan, view.range, view.flip)
    facts = _facts(f"{case.key} {view.cohort}", view.map, view.scope, case, view)
    proposed = view_rules.proposal(view.rule, facts.shown.counts, view.side, _reference(view))
    threshold = view_rules.threshold_of(view, proposed)
    shape = case.prepared.region.shape
    if view.slice is not None:
        at = view.at or (shape[0] // 2, shape[1] // 2)
        cursor = (min(at[0], shape[0] - 1), min(at[1], shape[1] - 1), min(view.slice, shape[2] - 1))
    else:
        cursor = _first_cursor(case.key, view.map, proposed.level, view.side, case)
    return Shown(view, case, facts, proposed, threshold, cursor)


@st.cache_resource(show_spinner=False, max_entries=64)
def _first_cursor(
    key: str, name: str, level: int, side: str, _case: cases.Case
) -> tuple[int, int, int]:
    region = _case.prepared.region
    threshold = Threshold(level, None, side, str(level), "")
    return view_rules.first_cursor(view_rules.segment(_case.maps[name], region, threshold), region)


@st.cache_resource(show_spinner=False, max_entries=12)
def _cleaned(
    key: str,
    name: str,
    level: int,
    upper: int | None,
    side: str,
    steps: tuple[str, ...],
    _case: cases.Case,
) -> tuple[view_rules.Outcome, dict[str, Any]]:
    prepared = _case.prepared
    threshold = Threshold(level, upper, side, "", "")
    mask = view_rules.segment(
        _case.maps[name],
        prepared.region,
        threshold,
        steps,
        lambda modality: prepared.further(modality) * 255,
    )
    found = view_rules.outcome(mask, prepared.truth, prepared.spacing)
    return found, viewer.pack_mask(mask)


def cleaned(shown: Shown) -> view_rules.Outcome:
    """The mask after post-processing and its scores. UserError on a step that means nothing."""
    return _cleaned_as_sent(shown)[0]


def _cleaned_as_sent(shown: Shown) -> tuple[view_rules.Outcome, dict[str, Any]]:
    threshold, view = shown.threshold, shown.view
    return _cleaned(
        shown.case.key,
        view.map,
        threshold.level,
        threshold.upper,
        threshold.side,
        view.post or (),
        shown.case,
    )


# --- what the browser gets -----------------------------------------------------------------------


def viewer_data(
    shown: Shown, after: view_rules.Outcome | None, seq: int, hint: str, accepted: str
) -> dict[str, Any]:
    """All the viewer and the panel draw from, JSON-able; arrays are 256 long.

    `after` is what post-processing makes of the threshold in force, `seq` the number of the
    viewer's message that this answers, `hint` how a level by hand came about, `accepted` what was
    decided so far.
    """
    view, facts, threshold = shown.view, shown.facts, shown.threshold
    prepared, table, peaks = shown.case.prepared, facts.table, facts.shown.peaks
    maps = cases.run_maps(view.run)
    name, ml = maps[view.map].short, voxel_ml(prepared.spacing)
    where = (
        f"over the cohort {cases.cohort_label(view.cohort)}"
        if view.scope == "cohort"
        else f"inside the region of {view.scan}"
    )
    beside = "" if view.map == "input" else " (grey line: I_in)"
    oracle = facts.oracle.get(view.side)
    data: dict[str, Any] = {
        "seq": seq,
        "key": shown.key,
        "case": f"{view.cohort} {view.scan}",
        "volumes": volumes_key(shown),
        "map": view.map,
        "full": list(prepared.region.shape),
        "hasTruth": table.has_truth,
        "counts": facts.shown.counts.tolist(),
        "inputCounts": facts.input_counts.tolist() if view.map != "input" else None,
        "levels": table.levels.tolist(),
        "lesion": table.lesion.tolist() if table.has_truth else None,
        "true": table.true,
        "voxelMl": ml,
        "peaks": [{"position": peak.position, "share": peak.share} for peak in peaks],
        "verdict": view_rules.describe_peaks(
            peaks, facts.shown.separations, facts.shown.verdict, view.side
        ),
        "separated": view_rules.outer_separation(facts.shown.separations, view.side) >= SEPARATED,
        "caption": f"Histogram of {name} {where}{beside} · click a peak, click anywhere, or drag "
        "the line",
        "axis": f"grey level of {name}, {shown.case.ranges[view.map].describe()}",
        "values": [(key, maps[key].short) for key in _valued(shown)],
        "live": {
            "t": threshold.level,
            "upper": threshold.upper,
            "side": threshold.side,
            "rule": view.rule if view.t is None else "",
        },
        "proposal": {
            "t": shown.proposed.level,
            "text": shown.proposed.text(),
            "side": shown.proposed.side,
            "rule": view.rule,
            "kind": shown.proposed.kind.replace("manual", "by hand"),
            "sentence": shown.proposed.sentence,
        },
        "cursor": list(shown.cursor),
        "hint": hint,
        "rank": None if np.isnan(facts.rank) else facts.rank,
        "warning": view_rules.warn_quantiser(view.map, facts.rank),
        "oracle": {"t": oracle[0], "dice": oracle[1]} if oracle else None,
        "inputOracle": (
            {"t": facts.input_oracle[0], "dice": facts.input_oracle[1]}
            if facts.input_oracle
            else None
        ),
        "dice": (
            {side: viewer.rounded(table.dice(side)) for side in names.SIDES}
            if table.has_truth
            else None
        ),
        "meanDice": (
            {side: viewer.rounded(curve) for side, curve in facts.mean_dice.items()}
            if facts.mean_dice
            else None
        ),
        "meanOf": facts.mean_of,
        "query": state.link("", view).partition("?")[2],
        "steps": " · ".join(view.post or ()),
        "accepted": accepted,
        "cleaned": None,
    }
    if after is not None:
        upper = "null" if threshold.upper is None else threshold.upper
        data["cleaned"] = {
            "key": f"{shown.key} {threshold.text()} {view.post}",
            "for": f"{threshold.level} {upper} {threshold.side}",
            "numbers": after.numbers(),
            **_cleaned_as_sent(shown)[1],
        }
    return data


def _valued(shown: Shown) -> tuple[str, ...]:
    """Maps whose values are read under the cursor."""
    wanted = viewer.maps_to_send(shown.case.prepared.region.size, shown.view.map)
    return tuple(name for name in wanted if name in shown.case.maps)


def volumes_key(shown: Shown) -> str:
    """Names the block of volumes; a residual is sent only while it is looked at."""
    return f"{shown.case.key} {' '.join(_valued(shown))}"


def packed(shown: Shown) -> bytes:
    """The block of volumes of what is shown."""
    return _pack(volumes_key(shown), _valued(shown), shown.case)


@st.cache_resource(show_spinner=False, max_entries=4)
def _pack(key: str, names: tuple[str, ...], _case: cases.Case) -> bytes:
    prepared = _case.prepared
    maps = {name: _case.maps[name] for name in names}
    return viewer.pack_volumes(key, maps, prepared.region, prepared.truth, prepared.spacing)
