"""What the Threshold page finds out about a view, and what of it the browser gets.

`load` gives a view's case, histogram, table of scores and threshold; all that does not depend on
the threshold is kept between reruns. `viewer_data` puts it in the viewer's form.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ascnet_core import names
from ascnet_core.metrics.overlap import ThresholdTable, oracle_threshold, threshold_table
from ascnet_core.segmentation.histogram import (
    SEPARATED,
    describe_peaks,
    outer_separation,
)
from ascnet_core.segmentation.masks import numbers_at, numbers_of, on_levels, segment
from ascnet_core.segmentation.pieces import Edit, by_scan, describe_edits, edit_pieces, to_json
from ascnet_core.segmentation.quantiser import rank_correlation, warn_quantiser
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, attempt
from pages.parts.shared import cases, cohorts, disk, remarks, runs, state, thresholds
from pages.parts.shared.state import View
from pages.parts.viewer import view_rules, viewer
from pages.parts.viewer.pooled import Pooled, pooled_of

SHORT = 30  # letters of a scan's name in the caption of its histogram
FIRST = "voxels shown first"  # session key: of each scan


class Facts(NamedTuple):
    """What is known of the scan on the screen whatever the threshold.

    `table` has all its scores, `rank` is the map's rank correlation with the input. The oracles
    are (level, Dice), by side for the map and the better side for the input.
    """

    table: ThresholdTable
    rank: float
    oracle: dict[names.Side, tuple[int, float]]
    input_oracle: tuple[int, float] | None


@st.cache_resource(show_spinner=False, max_entries=24)
def _facts(key: str, _case: cases.Case, _view: View) -> Facts:
    prepared, map8, input8 = _case.prepared, _case.map(_view.map), _case.maps["input"]
    region, truth = prepared.region, prepared.truth
    table = threshold_table(map8, truth, region)
    oracle, input_oracle = {}, None
    if table.has_truth:
        oracle = {side: oracle_threshold(table, side) for side in names.SIDES}
        plain = threshold_table(input8, truth, region)
        input_oracle = max(
            (oracle_threshold(plain, side) for side in names.SIDES), key=lambda found: found[1]
        )
    rank = float("nan") if _view.map == "input" else rank_correlation(map8, input8, region)
    return Facts(table, rank, oracle, input_oracle)


@dataclass(frozen=True)
class Shown:
    """One rerun's findings: the case, what the rule proposes, the threshold in force."""

    view: View
    case: cases.Case
    facts: Facts
    pooled: Pooled
    proposed: Threshold | NoThreshold
    threshold: Threshold | NoThreshold
    cursor: tuple[int, int, int]

    @property
    def key(self) -> str:
        """Another one for every histogram on the screen."""
        return f"{self.case.key} {self.view.map} {self.view.scope}"

    @property
    def line(self) -> int:
        """Level of the line: the one in force, else the end of the scale where it is parked."""
        if isinstance(self.threshold, Threshold):
            return self.threshold.level
        return 255 if self.view.side == "bright" else 0

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits of this scan's pieces."""
        return by_scan(self.view.pieces).get(self.view.scan, ())

    @property
    def finished(self) -> bool:
        """Whether the mask is more than its threshold: steps or edits of pieces follow."""
        return bool(self.view.post or self.edits)

    @property
    def numbers(self) -> dict[str, float | None]:
        """Volume and scores of the threshold in force, before any steps."""
        return numbers_at(self.facts.table, self.threshold, self.case.prepared.volume.voxel_ml)


def load(view: View, wait: bool = True) -> Shown:
    """Load what a complete view shows. Raises UserError.

    A rule of the whole cohort needs every scan counted; not to `wait` for that gives the subject
    on the screen at once, and no threshold yet (`Pooled.pending`).
    """
    case = cases.load_maps(view)
    subject = thresholds.subject_of(view)
    scans = cohorts.load_cohort(view.cohort).scans
    stamp = disk.scans_stamp(scan for scan in scans if subject in (None, scan.subject))
    facts = _facts(f"{case.key} {view.map}", case, view)
    # Of the whole cohort nothing is of one subject: the next one finds it there.
    whole = [view.run, view.cycle, view.flip, view.range, runs.run_stamp(view.run, view.cycle)]
    of = case.key if subject else whole
    pooled = pooled_of(f"{of} {view.cohort} {view.map} {stamp}", view, wait)
    if pooled.pending:
        proposed: Threshold | NoThreshold = NoThreshold(
            view.side, view.rule, "Not known yet: not all scans of the cohort are counted."
        )
        threshold = thresholds.choose(view, proposed, None)
    else:
        proposed = thresholds.propose(view, pooled.shown.counts)
        threshold = thresholds.in_force(view, proposed)
    if view.slice is not None:
        width, height, depth = case.prepared.region.shape
        x, y = view.at or (width // 2, height // 2)
        cursor = min(x, width - 1), min(y, height - 1), min(view.slice, depth - 1)
    else:
        first = threshold
        if pooled.pending and isinstance(threshold, NoThreshold):
            first = attempt("otsu", pooled.shown.counts, view.side)
        cursor = _first_cursor(view, first, case)
    return Shown(view, case, facts, pooled, proposed, threshold, cursor)


def _first_cursor(
    view: View, threshold: Threshold | NoThreshold, case: cases.Case
) -> tuple[int, int, int]:
    """The voxel that a scan is shown at first, by the mask that it was shown with first.

    It stays with other maps and rules, so that they are compared on the same slices.
    """
    region = case.prepared.region
    found: dict[Hashable, tuple[int, int, int]] = st.session_state.setdefault(FIRST, {})
    of = view.cohort, view.scan, region.shape
    if of not in found:
        found[of] = view_rules.first_cursor(segment(case.maps[view.map], region, threshold), region)
    return found[of]


class Cleaned(NamedTuple):
    """What steps and edits make of a mask, its scores, and the mask as the browser gets it.

    `edited` says what the edits of pieces took away; empty where there are none.
    """

    mask: viewer.Mask
    numbers: dict[str, float | None]
    packed: dict[str, Any]
    edited: str = ""


def mask_key(shown: Shown) -> str:
    """Another one for every mask after steps and edits."""
    return f"{shown.case.key} {shown.view.map} {shown.threshold} {shown.view.post} {shown.edits}"


@st.cache_resource(show_spinner=False, max_entries=12, hash_funcs={Shown: mask_key})
def cleaned(shown: Shown) -> Cleaned:
    """The mask after steps and edits, and its scores.

    UserError on a step that means nothing, or an edit that lies on no piece.
    """
    map8, prepared = shown.case.maps[shown.view.map], shown.case.prepared
    ml, edited = prepared.volume.voxel_ml, ""
    if shown.edits:  # the steps are not run again for each edit
        before = cleaned(replace(shown, view=replace(shown.view, pieces=()))).mask
        mask = edit_pieces(before, shown.edits)
        less = (np.count_nonzero(before) - np.count_nonzero(mask)) * ml
        edited = f"{describe_edits(shown.edits)}, {less:.1f} ml less"
    else:
        further = on_levels(prepared.further)
        mask = segment(map8, prepared.region, shown.threshold, shown.view.post or (), further)
    return Cleaned(mask, numbers_of(mask, prepared.truth, ml), viewer.pack_mask(mask), edited)


def viewer_data(
    shown: Shown,
    after: Cleaned | None,
    seq: int,
    hint: str,
    accepted: str,
    hint_kind: str = "by hand",
    decides: bool = False,
) -> dict[str, Any]:
    """All that viewer and panel draw from, for JSON; lists of numbers are 256 long.

    `after` is what steps and edits make of the threshold in force, `seq` the number of the
    viewer's message that this answers, `hint` how a level by hand came about and `hint_kind` what
    kind that is, `accepted` the panel's sentence on what was accepted. `decides`: the viewer may
    accept and go to the next subject; its acts name the view then (`on`). Of a blind view nothing
    is sent that is made from the truth.
    """
    view, facts, pooled, threshold = shown.view, shown.facts, shown.pooled, shown.threshold
    prepared, table, reading = shown.case.prepared, facts.table, pooled.shown
    maps = runs.run_maps(view.run)
    edits = describe_edits(shown.edits)
    name, ml = maps[view.map].short, prepared.volume.voxel_ml
    # The panel has the whole name; a long one would cut the caption.
    of = f" of {view.scan}" if len(view.scan) <= SHORT else ""
    where = f"inside the region{of}"
    if pooled.pending:
        where = "in this subject (the cohort's is being counted)"
    elif view.scope == "cohort":
        where = f"over the cohort {cohorts.cohort_label(view.cohort)}"
    elif pooled.scans > 1:
        where = f"over the {pooled.scans} scans of {prepared.scan.subject}"
    beside = "" if view.map == "input" else " (grey line: I_in)"
    on = state.to_query(view) if decides else None
    trained = remarks.load_trained_on(view) if table.has_truth else ("", "")
    data: dict[str, Any] = {
        "seq": seq,
        "on": on,
        "blind": view.blind,
        "subject": view.scan,
        "key": shown.key,
        "case": f"{view.cohort} {view.scan}",
        "volumes": volumes_key(shown),
        "map": view.map,
        "full": list(prepared.region.shape),
        "hasTruth": table.has_truth,
        "counts": reading.counts.tolist(),
        "inputCounts": pooled.input_counts.tolist() if view.map != "input" else None,
        "levels": table.levels.tolist(),
        "lesion": None if table.lesion is None else table.lesion.tolist(),
        "true": table.true,
        "voxelMl": ml,
        "peaks": [{"position": peak.position, "share": peak.share} for peak in reading.peaks],
        "valleys": list(reading.valleys),
        "verdict": describe_peaks(reading.peaks, reading.separations, reading.verdict, view.side),
        "separated": outer_separation(reading.separations, view.side) >= SEPARATED,
        "caption": f"Histogram of {name} {where}{beside} · click a peak, click anywhere, or drag "
        "the line",
        "axis": f"grey level of {name}, {shown.case.ranges[view.map].describe()}",
        "values": [(key, maps[key].short) for key in _valued(shown)],
        "live": {
            "t": shown.line,
            "upper": threshold.upper,
            "side": threshold.side,
            "rule": view.rule if view.t is None else "",
        },
        "none": isinstance(threshold, NoThreshold),
        "pending": bool(pooled.pending),
        "trained": trained,
        "proposal": _proposal(shown),
        "cursor": list(shown.cursor),
        "hint": hint,
        "hintKind": hint_kind,
        "rank": None if np.isnan(facts.rank) else facts.rank,
        "warning": warn_quantiser(view.map, facts.rank),
        "oracle": _level_and_dice(facts.oracle.get(view.side)),
        "inputOracle": _level_and_dice(facts.input_oracle),
        "dice": _curves({side: table.dice(side) for side in names.SIDES if table.has_truth}),
        "meanDice": _curves(pooled.mean_dice),
        "meanOf": pooled.mean_of,
        "query": state.link("", replace(view, rater="")).partition("?")[2],
        "scan": view.scan,
        "after": "after steps" if view.post else "after edits",
        "pieces": to_json(view.pieces),
        "edited": st.session_state.get(state.FORGOT, ""),
        "steps": " · ".join([*(view.post or ()), *([edits] if edits else [])]),
        "accepted": accepted,
        "cleaned": None,
    }
    if shown.edits:
        data["edited"] = after.edited if after else hint
    if after is not None and isinstance(threshold, Threshold):
        upper = "null" if threshold.upper is None else threshold.upper
        data["cleaned"] = {
            "key": f"{shown.key} {threshold.text()} {view.post} {shown.edits}",
            "for": f"{threshold.level} {upper} {threshold.side}",
            "numbers": after.numbers,
            **after.packed,
        }
    return _without_truth(data) if view.blind else data


_OF_TRUTH: dict[str, Any] = {
    "hasTruth": False, "lesion": None, "true": 0, "oracle": None, "inputOracle": None,
    "dice": None, "meanDice": None, "meanOf": 0, "trained": ("", ""),
}  # fmt: skip


def _without_truth(data: dict[str, Any]) -> dict[str, Any]:
    """What the viewer gets of a case whose truth is not known."""
    if data["cleaned"] is not None:
        numbers = {"volume": data["cleaned"]["numbers"]["volume"]}
        data["cleaned"] |= {"numbers": dict.fromkeys(data["cleaned"]["numbers"]) | numbers}
    return data | _OF_TRUTH


def _level_and_dice(oracle: tuple[int, float] | None) -> dict[str, float] | None:
    return None if oracle is None else {"t": oracle[0], "dice": oracle[1]}


def _curves(by_side: Mapping[names.Side, NDArray[np.float64]]) -> dict[str, Any] | None:
    return {side: viewer.rounded(curve) for side, curve in by_side.items()} or None


def _proposal(shown: Shown) -> dict[str, Any]:
    """What the rule proposes; where it finds nothing, why, and whether the last threshold stays."""
    proposed, said = shown.proposed, {"side": shown.view.side, "rule": shown.view.rule}
    if isinstance(proposed, Threshold):
        kind = proposed.kind.replace("manual", "by hand")
        text, sentence = proposed.text(), proposed.sentence
        return {"t": proposed.level, "text": text, "kind": kind, "sentence": sentence} | said
    stays = shown.view.t is None and isinstance(shown.threshold, Threshold)
    sentence = shown.threshold.sentence if stays else proposed.sentence
    kind = "not known yet" if shown.pooled.pending else "none found"
    return {"t": shown.line, "text": "nothing", "kind": kind, "sentence": sentence} | said


def _valued(shown: Shown) -> tuple[str, ...]:
    """Maps whose values are read under the cursor."""
    case = shown.case
    return viewer.maps_to_send(case.prepared.region.size, shown.view.map, case.maps)


def volumes_key(shown: Shown) -> str:
    """The name of the block of volumes."""
    return f"{shown.case.key} {' '.join(_valued(shown))}{' blind' if shown.view.blind else ''}"


@st.cache_resource(show_spinner=False, max_entries=4, hash_funcs={Shown: volumes_key})
def packed(shown: Shown) -> bytes:
    """The block of volumes of what is shown; of a blind view without the truth."""
    key, prepared = volumes_key(shown), shown.case.prepared
    truth = None if shown.view.blind else prepared.truth
    maps = {name: shown.case.maps[name] for name in _valued(shown)}
    return viewer.pack_volumes(key, maps, prepared.region, truth, prepared.spacing)
