"""Threshold: click the peak that is the anomaly, see the mask in three planes, read its Dice."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.scoring.metrics import (
    ThresholdTable,
    oracle_threshold,
    threshold_table,
    voxel_ml,
)
from ascnet_core.segmentation.histogram import SEPARATED, Look, count_levels, look
from ascnet_core.segmentation.threshold import RULES, Threshold
from pages.parts import cases, choice, export, state, viewer
from pages.parts.sidebar import menu, neighbour, sidebar
from pages.parts.state import View

VIEWER = "threshold viewer"
HINT = "hint of the last drawn region"
SEQ = "number of the viewer's last message"
TOLD = "what the viewer told, not yet heard"
DRAWN = "key of the histogram on the screen"

STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding: 0 1rem 0 0; max-width: none; }
[data-testid="stHeader"] { height: 0; min-height: 0; overflow: visible; }
[data-testid="stMain"] [data-testid="stVerticalBlock"] { gap: 0.55rem; }
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] { gap: 0; }
.st-key-volumes { display: none; }
.st-key-stage [data-testid="stHorizontalBlock"] { gap: 1.1rem; flex-wrap: nowrap; }
.st-key-decide [data-testid="stHorizontalBlock"] { gap: 0.5rem !important; }
.st-key-decide button { min-height: 2.1rem; padding-left: 0.4rem; padding-right: 0.4rem; }
.st-key-stage [data-testid="stColumn"]:first-child { flex: 1 1 0; min-width: 0; }
.st-key-stage [data-testid="stColumn"]:last-child { flex: 0 0 236px; min-width: 0;
  padding-top: 0.9rem; }
.st-key-decide [data-testid="stWidgetLabel"] { min-height: 0; }
.st-key-decide [data-testid="stWidgetLabel"] p { font-size: 0.75rem; opacity: 0.8; }
.st-key-decide [data-testid="stHorizontalBlock"] [data-testid="stColumn"] { flex: 1 1 0;
  padding-top: 0; }
@media (max-width: 1150px) {
  .st-key-stage > div > [data-testid="stHorizontalBlock"],
  .st-key-stage > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .st-key-stage [data-testid="stColumn"]:last-child { flex: 1 1 100%; padding: 0 0 0 1rem; }
  .st-key-decide [data-testid="stColumn"]:last-child { flex: 1 1 0; padding: 0; }
}
</style>"""


@dataclass(frozen=True)
class Facts:
    """What does not depend on the threshold: histogram, table of scores, comparison figures.

    `shown` belongs to the scope (subject or cohort), `table` always to the subject on the screen.
    """

    shown: Look
    input_counts: np.ndarray
    table: ThresholdTable
    rank: float
    oracle: dict[str, tuple[int, float]]
    input_oracle: tuple[int, float] | None
    mean_dice: dict[str, np.ndarray] | None


@st.cache_resource(show_spinner=False, max_entries=24)
def _facts(key: str, name: str, scope: str, _case: cases.Case, _view: View) -> Facts:
    prepared, map8, input8 = _case.prepared, _case.maps[name], _case.maps["input"]
    region, truth = prepared.region, prepared.truth
    table = threshold_table(map8, truth, region)
    mean_dice = None
    counts, input_counts = table.levels, count_levels(input8, region)
    if scope == "cohort":
        where = (_view.run, _view.cycle, _view.cohort)
        tables = cases.cohort_tables(*where, name, _view.range)
        counts = np.sum([one.levels for one in tables], axis=0)
        input_counts = cases.cohort_counts(*where, "input", _view.range)
        if all(one.has_truth for one in tables):
            mean_dice = {
                side: np.mean([one.dice(side) for one in tables], axis=0) for side in state.SIDES
            }
    oracle, input_oracle = {}, None
    if table.has_truth:
        oracle = {side: oracle_threshold(table, side) for side in state.SIDES}
        plain = threshold_table(input8, truth, region)
        input_oracle = max(
            (oracle_threshold(plain, side) for side in state.SIDES), key=lambda found: found[1]
        )
    rank = choice.rank_correlation(map8, input8, region)
    return Facts(look(counts), input_counts, table, rank, oracle, input_oracle, mean_dice)


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
    return cases.reference_counts(view.run, view.cycle, view.cohort, view.map, view.range)


def look_at(view: View) -> Shown:
    """Load what a complete view shows. Raises UserError."""
    case = cases.load_maps(view.run, view.cycle, view.cohort, view.scan, view.range)
    facts = _facts(f"{case.key} {view.cohort}", view.map, view.scope, case, view)
    proposed = choice.proposal(view.rule, facts.shown.counts, view.side, _reference(view))
    threshold = choice.threshold_of(view, proposed)
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
    return choice.first_cursor(choice.segment(_case.maps[name], region, threshold), region)


@st.cache_resource(show_spinner=False, max_entries=12)
def _cleaned(
    key: str,
    name: str,
    level: int,
    upper: int | None,
    side: str,
    steps: tuple[str, ...],
    _case: cases.Case,
) -> choice.Outcome:
    prepared = _case.prepared
    threshold = Threshold(level, upper, side, "", "")
    mask = choice.segment(
        _case.maps[name],
        prepared.region,
        threshold,
        steps,
        lambda modality: prepared.further(modality) * 255,
    )
    return choice.outcome(mask, prepared.truth, prepared.spacing)


def cleaned(shown: Shown) -> choice.Outcome:
    """The mask after post-processing and its scores."""
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


def viewer_data(shown: Shown, after: choice.Outcome | None, seq: int, hint: str) -> dict[str, Any]:
    """All the viewer and the panel draw from, JSON-able; arrays are 256 long."""
    view, facts, threshold = shown.view, shown.facts, shown.threshold
    prepared, table, peaks = shown.case.prepared, facts.table, facts.shown.peaks
    name, ml = viewer.SHORT[view.map], voxel_ml(prepared.spacing)
    where = (
        f"over the cohort {cases.cohort_label(view.cohort)}"
        if view.scope == "cohort"
        else f"inside the region of {view.scan}"
    )
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
        "verdict": choice.describe_peaks(peaks, facts.shown.separations, facts.shown.verdict),
        "separated": sum(s >= SEPARATED for s in facts.shown.separations) >= 1,
        "caption": f"Histogram of {name} {where} (grey line: I_in) · click a peak, click "
        "anywhere, or drag the line",
        "axis": f"grey level of {name}, {shown.case.ranges[view.map].describe()}",
        "values": [(key, viewer.SHORT[key]) for key in _valued(shown)],
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
        "warning": choice.warn_quantiser(view.map, facts.rank),
        "oracle": {"t": oracle[0], "dice": oracle[1]} if oracle else None,
        "inputOracle": (
            {"t": facts.input_oracle[0], "dice": facts.input_oracle[1]}
            if facts.input_oracle
            else None
        ),
        "dice": (
            {side: viewer.rounded(table.dice(side)) for side in state.SIDES}
            if table.has_truth
            else None
        ),
        "meanDice": (
            {side: viewer.rounded(curve) for side, curve in facts.mean_dice.items()}
            if facts.mean_dice
            else None
        ),
        "query": _query(view),
        "steps": " · ".join(view.post or ()),
        "accepted": export.accepted_line(_accepted(), view),
        "cleaned": None,
    }
    if after is not None:
        upper = "null" if threshold.upper is None else threshold.upper
        data["cleaned"] = {
            "key": f"{shown.key} {threshold.text()} {view.post}",
            "for": f"{threshold.level} {upper} {threshold.side}",
            "numbers": after.numbers(),
            **viewer.pack_mask(after.mask),
        }
    return data


def _valued(shown: Shown) -> tuple[str, ...]:
    """Maps whose values are read under the cursor."""
    return viewer.maps_to_send(shown.case.prepared.region.size, shown.view.map)


def volumes_key(shown: Shown) -> str:
    """Names the block of volumes; a residual is sent only while it is looked at."""
    return f"{shown.case.key} {' '.join(_valued(shown))}"


@st.cache_resource(show_spinner=False, max_entries=4)
def _packed(key: str, names: tuple[str, ...], _case: cases.Case) -> bytes:
    prepared = _case.prepared
    maps = {name: _case.maps[name] for name in names}
    return viewer.pack_volumes(key, maps, prepared.region, prepared.truth, prepared.spacing)


def _query(view: View) -> str:
    return state.link("", view).partition("?")[2]


# --- what the person does ------------------------------------------------------------------------


def _accepted() -> dict[str, dict[str, Any]]:
    return st.session_state.setdefault(state.ACCEPTED, {})


def _on_told() -> None:
    """Keep what the viewer told until the fragment runs: a callback may draw no progress bar."""
    told = st.session_state[VIEWER].get("told")
    if isinstance(told, Mapping):
        st.session_state[TOLD] = told


def _hear(told: Mapping[str, Any]) -> None:
    """Act on what the viewer told: places of line and cursor, a drawn region, a decision."""
    st.session_state[SEQ] = int(told["seq"])
    if told.get("key") != st.session_state.get(DRAWN):
        return  # it speaks of a histogram that is no longer on the screen
    before = cases.complete(state.current())
    view = choice.apply_told(before, told)
    if (view.t, view.rule, view.side) != (before.t, before.rule, before.side):
        st.session_state[HINT] = ""
    if region := told.get("region"):
        case = look_at(before).case
        drawn = choice.propose_drawn(region, case.maps[view.map], case.prepared.region, view.side)
        view = replace(view, t=drawn.level, upper=None)
        st.session_state[HINT] = drawn.sentence
    state.show(view)
    if told.get("accept"):
        _accept(look_at(view))
    if step := told.get("step"):
        names = [scan.scan for scan in cases.load_cohort(view.cohort).scans]
        state.update(scan=neighbour(names, view.scan, int(step)))


def _accept(shown: Shown) -> None:
    _accepted()[f"{shown.view.cohort} {shown.view.scan}"] = export.row_of(
        shown.view,
        shown.threshold,
        choice.numbers_at(
            shown.facts.table, shown.threshold, voxel_ml(shown.case.prepared.spacing)
        ),
        cleaned(shown).numbers() if shown.view.post else None,
        time.strftime("%Y-%m-%d %H:%M:%S"),
    )


def _set(name: str) -> None:
    """A widget of the panel changed one field of the view."""
    value = st.session_state[state.widget(name)]
    changes: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value}
    if name == "rule" and not value:
        return
    st.session_state[HINT] = ""
    view = state.current()
    if name == "rule":  # choosing the rule again takes its number again
        changes |= {"t": None, "upper": None}
    elif name == "side":  # the number stays, whatever the rule would say of the other side
        changes["t"] = st.session_state["level number"]
    state.show(replace(view, **changes))


def _set_level(widget: str) -> None:
    value = st.session_state[widget]
    st.session_state[HINT] = ""
    t, upper = value if isinstance(value, tuple) else (int(value), None)
    view = state.current()
    if not isinstance(value, tuple) and view.upper is not None:
        upper = max(t, view.upper)
    state.show(replace(view, t=t, upper=upper))


def _level_widgets(shown: Shown) -> None:
    """The number field and the slider: the same level, for keyboards and screen readers."""
    threshold = shown.threshold
    field, slider = "level number", "level slider"
    st.session_state[field] = threshold.level
    band = threshold.upper is not None
    slider += " band" if band else ""
    st.session_state[slider] = (threshold.level, threshold.upper) if band else threshold.level
    left, right = st.columns([1, 1.3])
    left.number_input(
        "Level, 0 to 255", 0, 255, step=1, key=field, on_change=_set_level, args=(field,)
    )
    side = state.widget("side")
    st.session_state[side] = shown.view.side
    right.segmented_control(
        "Keeps what is",
        state.SIDES,
        key=side,
        on_change=_set,
        args=("side",),
        required=True,
        width="stretch",
    )
    st.slider(
        "Level",
        0,
        255,
        key=slider,
        on_change=_set_level,
        args=(slider,),
        label_visibility="collapsed",
    )


def _panel(shown: Shown) -> None:
    """The widgets under the numbers: rule, level, post-processing, downloads."""
    view = shown.view
    rule = state.widget("rule")
    st.session_state[rule] = view.rule
    st.selectbox(
        "Rule",
        choice.rule_menu(len(shown.facts.shown.peaks), view.rule),
        key=rule,
        on_change=_set,
        args=("rule",),
        accept_new_options=True,
        help="Mask-free rules read the histogram alone (paper, section 3.3): "
        + "; ".join(f"**{name}** {sentence}" for name, sentence in RULES.items())
        + ".",
    )
    _level_widgets(shown)
    steps = state.widget("post")
    st.session_state[steps] = list(view.post or ())
    st.multiselect(
        "Post-processing, in order",
        list(dict.fromkeys([*(view.post or ()), *choice.STEPS, *_gates(shown)])),
        key=steps,
        on_change=_set,
        args=("post",),
        accept_new_options=True,
        placeholder="none",
        help="Run after the line is let go. Squares work slice by slice (the paper opens and "
        "closes with 5 or 9); type any step, such as open:7 or components:50.",
    )
    left, right = st.columns(2)
    left.download_button(
        "Mask",
        data=lambda: export.mask_file(shown.case.prepared, cleaned(shown).mask),
        file_name=export.mask_name(shown.case.prepared, view.scan),
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
        help="The mask as NIfTI on the scan's own grid.",
    )
    right.download_button(
        "CSV",
        data=lambda: _table_of(shown),
        file_name="thresholds.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
        help="The numbers on the screen and every accepted threshold of this session.",
    )


def _gates(shown: Shown) -> list[str]:
    return [f"gate:{name}:50" for name in shown.case.prepared.scan.further]


def _table_of(shown: Shown) -> str:
    now = export.row_of(
        shown.view,
        shown.threshold,
        choice.numbers_at(
            shown.facts.table, shown.threshold, voxel_ml(shown.case.prepared.spacing)
        ),
        cleaned(shown).numbers() if shown.view.post else None,
        "",
    )
    return export.table(list(_accepted().values()), now)


@st.fragment
def stage(drawn: str) -> None:
    """Viewer, numbers and decisions; a click reruns only this. `drawn` is the case on the page."""
    told = st.session_state.pop(TOLD, None)
    with cases.show_user_errors():
        if told is not None:
            try:
                _hear(told)
            except UserError as error:  # a region that holds nothing: the view stays as it is
                st.session_state[HINT] = str(error)
                st.toast(str(error), icon=":material/info:")
        full = cases.complete(state.current())
        shown = look_at(full)
        if _around(shown) != drawn:
            st.rerun()  # another subject, or newer weights: sidebar and volumes change too
        after, hint = None, st.session_state.get(HINT, "")
        if full.post:
            try:
                after = cleaned(shown)
            except UserError as error:
                hint = str(error)
        st.session_state[DRAWN] = shown.key
        seq = st.session_state.get(SEQ, 0)
        with st.container(key="stage"):
            left, right = st.columns([5, 1.2])
            with left:
                viewer.show_viewer(viewer_data(shown, after, seq, hint), VIEWER, _on_told)
            with right, st.container(key="decide"):
                viewer.show_numbers()
                _panel(shown)


def _around(shown: Shown) -> str:
    """What the page around the fragment shows: when it changes, all is drawn anew."""
    view = shown.view
    return json.dumps([view.cohort, view.scan, view.side, view.scope, volumes_key(shown)])


def page() -> None:
    """The whole page."""
    view = sidebar()
    st.html(STYLE)
    with cases.show_user_errors():
        full = cases.complete(view)
        with st.sidebar:
            menu("map", "Map", state.MAPS, full.map, state.MAP_LABELS.__getitem__)
            menu(
                "scope",
                "Scope of the rule",
                state.SCOPES,
                full.scope,
                {"subject": "this subject", "cohort": "whole cohort"}.__getitem__,
                help="Whose histogram the rule reads: this subject's, or the pooled one of the "
                "whole cohort, as in the paper.",
            )
            menu(
                "range",
                "Range of the levels",
                state.RANGES,
                full.range,
                {"raw": "raw, 0 to 1", "subject": "subject", "cohort": "cohort"}.__getitem__,
                help="What levels 0 and 255 stand for: 0 and 1 of the network (raw), or the "
                "lowest and highest value of the subject or of the cohort (the paper's).",
            )
        state.show(replace(view, scan=full.scan))
        shown = look_at(full)
        viewer.show_volumes(_packed(volumes_key(shown), _valued(shown), shown.case))
    stage(_around(shown))


page()
