"""Threshold: click the peak that is the anomaly, see the mask in three planes, read its Dice."""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from ascnet_core import names
from ascnet_core.errors import UserError
from ascnet_core.segmentation.rules import RULES, rule_menu
from ascnet_core.segmentation.steps import step_menu
from ascnet_core.segmentation.threshold import NoThreshold, Threshold
from ascnet_core.studies.table import THRESHOLDS
from pages.parts.links import fit
from pages.parts.links.veil import veiled
from pages.parts.shared import cases, cohorts, components, feedback, remarks, runs, state
from pages.parts.shared.sidebar import choose_flip, menu, neighbour, sidebar, unseen_title
from pages.parts.shared.state import View
from pages.parts.studies import choosing, keeping
from pages.parts.threshold import accepting, arriving, export
from pages.parts.viewer import findings, surface, view_rules, viewer
from pages.parts.viewer.pooled import cohort_progress

WAIT = 1.0  # seconds between two looks at how far the cohort is counted
STYLE = Path(export.__file__).with_name("page.css")


def _hear() -> None:
    """Act on the viewer's message: first where line and cursor are, then its acts in order.

    A click interrupts Streamlit wherever the session is read or something is drawn; the message
    stays until all of it is done, and no act is done twice: what was heard is noted in a dict, in
    which nothing can come between an act and its note.
    """
    told = st.session_state.get(state.TOLD)
    if told is None:
        return
    heard: dict[str, int] = st.session_state.setdefault(state.HEARD, {"seq": 0})
    last = int(told["seq"])
    if last > heard["seq"]:
        st.session_state[state.PROBLEM] = ""
        act: Mapping[str, Any] = {}
        try:
            _move(told)
            for act in view_rules.new_acts(told, heard["seq"]):
                done = _do(act, told)
                if done is not None:
                    st.session_state[state.VIEW] = done
                heard["seq"] = int(act["seq"])
                state.show(state.current())
        except UserError as error:  # A drawn region is empty, say; what was to follow is dropped.
            st.session_state[state.HINT] = str(error)
            if act.get("accept"):
                st.session_state[state.PROBLEM] = str(error)
            else:
                st.toast(feedback.plain(str(error)), icon=":material/info:")
        heard["seq"] = last
    st.session_state.pop(state.TOLD, None)


def _move(told: Mapping[str, Any]) -> None:
    """Take line and cursor from a message, but for one on a histogram that has left the screen."""
    key, drawn, pending = st.session_state.get(state.DRAWN, ("", None, False))
    before = runs.complete(state.current())
    if told.get("key") != key or drawn is None or not _same_histogram(drawn, before):
        return
    if pending and told.get("rule") != before.rule:
        told = {**told, "rule": ""}  # A peak of this subject is none of the cohort's.
    view = view_rules.apply_told(before, told)
    if (view.t, view.rule, view.side) != (before.t, before.rule, before.side):
        st.session_state[state.HINT] = ""
    state.show(view)


def _same_histogram(one: View, other: View) -> bool:
    names = ("cohort", "scan", "run", "cycle", "flip", "map", "range", "scope")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _do(act: Mapping[str, Any], told: Mapping[str, Any]) -> View | None:
    """Do one act; the session's view afterwards, where it is another one."""
    view = runs.complete(state.current())
    if region := act.get("region"):
        case = findings.load(view, wait=False).case
        drawn = view_rules.propose_drawn(
            region, case.maps[view.map], case.prepared.region, view.side
        )
        st.session_state[state.HINT] = drawn.sentence
        return replace(view, t=drawn.level, upper=None)
    if step := act.get("step"):
        names = [scan.scan for scan in cohorts.load_cohort(view.cohort).scans]
        return state.change(state.current(), scan=neighbour(names, view.scan, int(step)))
    if act.get("accept"):
        return _accept(act, told)
    return None


def _accept(act: Mapping[str, Any], told: Mapping[str, Any]) -> View | None:
    """Keep what was on the screen when the key was pressed, in the study that it was meant for."""
    now = runs.complete(state.current())
    view = now
    if on := act.get("on"):
        view = runs.complete(view_rules.apply_told(state.from_query(on)[0], {**told, **act}))
        if view.study == keeping.NEW:  # It may have been made since.
            view = replace(view, study=now.study)
    shown = findings.load(view, wait=False)
    if act.get("key") not in (None, shown.key):
        raise UserError(
            f"The files of {view.scan} or of the run have changed since they were on the screen; "
            "look at it again and accept anew."
        )
    accepting.accept(shown, act, arriving.seconds(), st.session_state.get(state.NEW_STUDY, ""))
    if now.study != keeping.NEW:
        return None
    made = keeping.name_of(keeping.studies_of(now)[0])
    arriving.stay(replace(now, study=made))
    return replace(state.current(), study=made)


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
    """Take the level from its field or slider; an empty field leaves it to the rule again."""
    value, view = st.session_state[widget], state.current()
    if isinstance(value, tuple):
        t, upper = value
    elif value is None:
        t, upper = None, None
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
        "Level, 0 to 255",
        0,
        255,
        value=None,
        step=1,
        key=field,
        **state.calls(_set_level, field),
        placeholder="the rule's",
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
        **state.calls(_set_level, slider),
        format="–" if parked else None,
        disabled=parked,
        label_visibility="collapsed",
    )


def _panel(shown: findings.Shown, kept: keeping.Kept) -> None:
    """The widgets under the numbers: rule, level, post-processing, downloads."""
    view = shown.view
    st.selectbox(
        "Rule",
        rule_menu([view.rule], len(shown.pooled.shown.peaks)),
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
    left, middle, right = st.columns(3)
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
    study = kept.study
    middle.download_button(
        "CSV",
        data=partial(keeping.thresholds_csv, study) if study else "",
        file_name=THRESHOLDS,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
        disabled=study is None,
        help="Every decision that holds in the study, of all raters, as it is on the disk. Nothing "
        "is kept before the first Accept.",
    )
    with right:
        surface.show_button(shown, truth=not view.blind)
    choosing.choose(kept, view)


@st.fragment
def stage(drawn: str, left_out: list[str]) -> None:
    """Viewer, numbers and panel; a click reruns only this.

    `drawn`: see `_around`; `left_out`: see `cases.left_out`.
    """
    with feedback.show_user_errors():
        _hear()
        full = arriving.arrive()
        shown = findings.load(full, wait=False)
        if _around(shown) != drawn:
            st.rerun()  # Another subject or newer weights: sidebar and volumes change too.
        kept = keeping.kept(full)
        after, (hint, kind) = None, _hint(kept, full)
        if shown.finished and isinstance(shown.threshold, Threshold):
            try:
                after = findings.cleaned(shown)
            except UserError as error:
                hint = str(error)
        st.session_state[state.DRAWN] = shown.key, full, bool(shown.pooled.pending)
        with st.container(key="stage"):
            left, right = st.columns([5, 1.2])
            with left:
                seq = st.session_state.get(state.HEARD, {"seq": 0})["seq"]
                accepted = accepting.line_of(kept, accepting.subject_of(full), full)
                data = findings.viewer_data(shown, after, seq, hint, accepted, kind, decides=True)
                heard = partial(components.keep_told, state.VIEWER, state.TOLD)
                viewer.show_viewer(data, state.VIEWER, heard)
            with right, st.container(key="decide"):
                viewer.show_numbers()
                if problem := st.session_state.get(state.PROBLEM):
                    st.error(feedback.plain(problem), icon=":material/error:")
                if shown.pooled.pending:
                    _cohort_progress(full)
                misfit = remarks.load_misfit(full)  # it stands above
                others = [one for one in remarks.load_remarks(full) if one != misfit]
                remarks.show(others, width="stretch")
                cases.show_left_out(left_out, "stretch")
                _panel(shown, kept)


@st.fragment(run_every=WAIT)
def _cohort_progress(full: View) -> None:
    """How far the cohort's histogram is; once it is there, the page is drawn again with it."""
    so_far = cases.tables_so_far(full)
    if so_far.complete:
        st.rerun()
    share = len(so_far.tables) / max(1, so_far.total)
    st.progress(share, text=feedback.plain(cohort_progress(so_far)))


def _hint(kept: keeping.Kept, full: View) -> tuple[str, str]:
    """How a level by hand came about, and of what kind it is."""
    entry = kept.on(accepting.subject_of(full))
    if entry and (threshold := entry.decided.threshold) and accepting.holds(full, entry.decided):
        return threshold.sentence, "accepted"
    return st.session_state.get(state.HINT, ""), "by hand"


def _around(shown: findings.Shown) -> str:
    """What the page shows around the fragment: when it changes, the whole page is drawn again."""
    return json.dumps([shown.view.cohort, shown.view.scan, findings.volumes_key(shown)])


def page() -> None:
    view = sidebar()
    st.html(STYLE)
    unseen_title("Threshold")
    with veiled(view):
        draw(view)


def draw(view: View) -> None:
    """Draw everything but what all pages share."""
    with feedback.show_user_errors():
        full = runs.complete(view)
        with st.sidebar:
            choosing.choose_blind(full)
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
        full = arriving.arrive()
        shown = findings.load(full, wait=False)
        left_out = cases.left_out(full)
        fit.say(full)
        viewer.show_volumes(findings.packed(shown))
    stage(_around(shown), left_out)


page()
