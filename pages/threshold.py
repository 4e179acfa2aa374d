"""Threshold: click the peak that is the anomaly, see the mask in three planes, read its Dice."""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from ascnet_core import names
from ascnet_core.errors import UserError
from ascnet_core.segmentation.rules import RULES, rule_menu
from ascnet_core.segmentation.steps import step_menu
from ascnet_core.segmentation.threshold import NoThreshold, Threshold
from pages.parts.shared import cases, cohorts, feedback, remarks, runs, state
from pages.parts.shared.sidebar import choose_flip, menu, neighbour, sidebar
from pages.parts.threshold import export
from pages.parts.viewer import findings, surface, view_rules, viewer

STYLE = Path(export.__file__).with_name("page.css")


def _accepted() -> dict[str, dict[str, Any]]:
    """Rows of the thresholds accepted in this session, by "cohort scan"."""
    rows: dict[str, dict[str, Any]] = st.session_state.setdefault(state.ACCEPTED, {})
    return rows


def _on_told() -> None:
    """Keep the viewer's message until the fragment runs: a callback may draw no progress bar."""
    told = st.session_state[state.VIEWER].get("told")
    if isinstance(told, Mapping):
        st.session_state[state.TOLD] = told


def _hear(told: Mapping[str, Any]) -> None:
    """Act on the viewer's message: first where line and cursor are, then its acts in order."""
    heard, st.session_state[state.SEQ] = st.session_state.get(state.SEQ, 0), int(told["seq"])
    if told.get("key") != st.session_state.get(state.DRAWN):
        return  # The message is about a histogram that has left the screen.
    before = runs.complete(state.current())
    view = view_rules.apply_told(before, told)
    if (view.t, view.rule, view.side) != (before.t, before.rule, before.side):
        st.session_state[state.HINT] = ""
    state.show(view)
    for act in view_rules.new_acts(told, heard):
        if region := act.get("region"):
            case = findings.load(view).case
            drawn = view_rules.propose_drawn(
                region, case.maps[view.map], case.prepared.region, view.side
            )
            view = state.show(replace(view, t=drawn.level, upper=None))
            st.session_state[state.HINT] = drawn.sentence
        elif act.get("accept"):
            shown = findings.load(view)
            if isinstance(shown.threshold, NoThreshold):
                raise UserError(f"There is no threshold to accept. {shown.threshold.sentence}")
            now = time.strftime("%Y-%m-%d %H:%M:%S")
            _accepted()[f"{view.cohort} {view.scan}"] = _row(shown, now)
        elif step := act.get("step"):
            names = [scan.scan for scan in cohorts.load_cohort(view.cohort).scans]
            view = state.update(scan=neighbour(names, view.scan, int(step)))


def _row(shown: findings.Shown, accepted: str) -> dict[str, Any]:
    """What is on the screen as a row of the table; `accepted` is the time or empty."""
    after = findings.cleaned(shown).numbers if shown.finished else None
    return export.row_of(shown.view, shown.threshold, shown.numbers, after, accepted)


def _set(name: str, parked: bool = False) -> None:
    """Take a field of the view from its widget; `parked`: no threshold is in force."""
    value = st.session_state[state.widget(name)]
    if name == "rule" and not value:
        return
    changes: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value}
    if name == "rule":  # The rule decides again, not the level set by hand.
        changes |= {"t": None, "upper": None}
    elif name == "side" and not parked:  # The level stays, whatever the rule gives for that side.
        changes["t"] = st.session_state["level number"]
    st.session_state[state.HINT] = ""
    state.show(replace(state.current(), **changes))


def _set_level(widget: str) -> None:
    value, view = st.session_state[widget], state.current()
    if isinstance(value, tuple):
        t, upper = value
    else:
        t, upper = int(value), None if view.upper is None else max(int(value), view.upper)
    st.session_state[state.HINT] = ""
    state.show(replace(view, t=t, upper=upper))


def _level_widgets(shown: findings.Shown) -> None:
    """The number field and the slider: the same level, for keyboards and screen readers.

    Where no threshold is in force, the field is empty and the slider, which cannot be, is disabled.
    """
    field, slider, upper = "level number", "level slider", shown.threshold.upper
    parked = isinstance(shown.threshold, NoThreshold)
    if upper is not None:
        slider += " band"
    st.session_state[field] = None if parked else shown.line
    st.session_state[slider] = shown.line if upper is None else (shown.line, upper)
    left, right = st.columns([1, 1.3])
    left.number_input(
        "Level, 0 to 255", 0, 255, step=1, key=field, on_change=_set_level, args=(field,)
    )
    right.segmented_control(
        "Keeps what is",
        names.SIDES,
        **state.bound("side", shown.view.side, _set, parked),
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
        format="–" if parked else None,
        disabled=parked,
        label_visibility="collapsed",
    )


def _panel(shown: findings.Shown) -> None:
    """The widgets under the numbers: rule, level, post-processing, downloads."""
    view = shown.view
    st.selectbox(
        "Rule",
        rule_menu([view.rule], len(shown.facts.shown.peaks)),
        **state.bound("rule", view.rule, _set),
        accept_new_options=True,
        help="Mask-free rules read the histogram alone (paper, section 3.3): "
        + "; ".join(f"**{entry.form}** {entry.sentence}" for entry in RULES.values())
        + ".",
    )
    _level_widgets(shown)
    steps = list(view.post or ())
    st.multiselect(
        "Post-processing, in order",
        step_menu(steps, list(shown.case.prepared.scan.further)),
        **state.bound("post", steps, _set),
        accept_new_options=True,
        placeholder="none",
        help="Run after the line is let go. Squares work slice by slice (the paper opens and "
        "closes with 5 or 9); type any step, such as open:7 or components:50.",
    )
    names = [scan.scan for scan in cohorts.load_cohort(view.cohort).scans]
    left, right = st.columns(2)
    left.download_button(
        "Mask",
        data=lambda: export.mask_file(shown.case.prepared, findings.cleaned(shown).mask),
        file_name=export.mask_name(shown.case.prepared, view.scan, names),
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
        disabled=isinstance(shown.threshold, NoThreshold),
        help="The mask as NIfTI on the scan's own grid.",
    )
    right.download_button(
        "CSV",
        data=lambda: export.table(list(_accepted().values()), _row(shown, "")),
        file_name="thresholds.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
        help="The numbers on the screen and every accepted threshold of this session.",
    )
    surface.show_button(shown, truth=True)


@st.fragment
def stage(drawn: str, left_out: list[str]) -> None:
    """Viewer, numbers and panel; a click reruns only this.

    `drawn`: see `_around`; `left_out`: see `cases.left_out`.
    """
    told = st.session_state.pop(state.TOLD, None)
    with feedback.show_user_errors():
        if told is not None:
            try:
                _hear(told)
            except UserError as error:  # A drawn region is empty, say: the view stays.
                st.session_state[state.HINT] = str(error)
                st.toast(feedback.plain(str(error)), icon=":material/info:")
        full = runs.complete(state.current())
        shown = findings.load(full)
        if _around(shown) != drawn:
            st.rerun()  # Another subject or newer weights: sidebar and volumes change too.
        after, hint = None, st.session_state.get(state.HINT, "")
        if shown.finished and isinstance(shown.threshold, Threshold):
            try:
                after = findings.cleaned(shown)
            except UserError as error:
                hint = str(error)
        st.session_state[state.DRAWN] = shown.key
        with st.container(key="stage"):
            left, right = st.columns([5, 1.2])
            with left:
                seq = st.session_state.get(state.SEQ, 0)
                accepted = export.accepted_line(_accepted(), full)
                data = findings.viewer_data(shown, after, seq, hint, accepted)
                viewer.show_viewer(data, state.VIEWER, _on_told)
            with right, st.container(key="decide"):
                viewer.show_numbers()
                remarks.show(cases.load_remarks(full), width="stretch")
                cases.show_left_out(left_out, "stretch")
                _panel(shown)


def _around(shown: findings.Shown) -> str:
    """What the page shows around the fragment: when it changes, the whole page is drawn again."""
    return json.dumps([shown.view.cohort, shown.view.scan, findings.volumes_key(shown)])


def page() -> None:
    view = sidebar()
    st.html(STYLE)
    with feedback.show_user_errors():
        full = runs.complete(view)
        with st.sidebar:
            maps = runs.run_maps(full.run)
            menu("map", "Map", list(maps), full.map, lambda name: maps[name].label)
            menu(
                "scope",
                "Scope of the rule",
                names.SCOPES,
                full.scope,
                {"subject": "this subject", "cohort": "whole cohort"}.__getitem__,
                help="Whose histogram the rule reads: this subject's, or the pooled one of the "
                "whole cohort, as in the paper.",
            )
            menu(
                "range",
                "Range of the levels",
                names.RANGES,
                full.range,
                {"raw": "raw, 0 to 1", "subject": "subject", "cohort": "cohort"}.__getitem__,
                help="What levels 0 and 255 stand for: 0 and 1 of the network (raw), or the "
                "lowest and highest value of the subject or of the cohort (the paper's).",
            )
            choose_flip(view)
        state.show(replace(view, scan=full.scan))
        shown = findings.load(full)
        left_out = cases.left_out(full)
        viewer.show_volumes(findings.packed(shown))
    stage(_around(shown), left_out)


page()
