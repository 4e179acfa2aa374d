"""One run on one screen: what one watches fills the window, all else lies behind tabs below."""

import dataclasses
from pathlib import Path

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.places import MODEL, TRAINING
from ascnet_core.runs.folder import Run, Snapshot, short_name
from ascnet_core.runs.parent import read_parent
from ascnet_core.settings.tables import Settings
from pages.parts.links import of_run
from pages.parts.new_run import continue_run, form, schedule_box
from pages.parts.shared import feedback
from pages.parts.shared.ticker import Part
from pages.parts.watch import live_run, manage, stopping

STYLE = Path(__file__).with_suffix(".css")
FILM, CHARTS, RULES, LOSSES, FILES = TABS = (
    "Film of the run",
    "More charts",
    "Rules of the advice",
    "Losses and gauges",
    "Command, settings, log",
)
OPEN = "open tab below the board"  # session key; only that tab's charts and film are made


def parts(run: Run) -> dict[str, Part]:
    """The fragments that a clock draws again while the run trains."""
    charts = st.session_state.get(OPEN) == CHARTS
    return live_run.parts(run) | stopping.parts(run, charts)


def show_head(run: Run) -> None:
    """The run's name, and what can be done with it."""
    settings = None
    with feedback.show_user_errors(stop=False):
        settings = run.settings()
    about = f" · preset {settings.preset}" if settings else ""
    parent = read_parent(run.path)
    told = [settings.description] if settings else []
    st.markdown(
        f"## {feedback.plain(run.name + about)}",
        help=feedback.plain(" ".join(told)) or None,
        width="content",
    )
    if parent:
        sentence = feedback.plain(parent.sentence)
        st.caption(f":material/fork_right: {sentence[:1].upper()}{sentence[1:]}.", width="stretch")
    else:
        st.space("stretch")
    status = run.status()
    if status in live_run.ACTIVE:
        live_run.controls(run, status)
    else:
        _offer_more(run, settings)
    name, ready = short_name(run.path), (run.path / MODEL).is_file()
    if st.button("Cuts", icon=":material/content_cut:", disabled=not ready):
        of_run.open_run("pages/cuts.py", name)
    if st.button("Threshold", icon=":material/equalizer:", disabled=not ready):
        of_run.open_run("pages/threshold.py", name)
    manage.show_manage(run)


def _offer_more(run: Run, settings: Settings | None) -> None:
    """Go on with a run that stopped, or extend one that has finished."""
    if not (run.path / TRAINING).is_file():
        return
    name = short_name(run.path)
    if run.status() != "finished":
        pressed = st.button(
            "Go on",
            icon=":material/play_arrow:",
            help="Resumes from the last checkpoint; the same as if it had never stopped.",
        )
        form.start(pressed, ["--resume", name], name, schedule_box.processes_as_before(run))
    elif settings:
        before = schedule_box.processes_as_before(run)
        continue_run.extend_popover(name, settings, before)


def show_board(run: Run) -> None:
    """Where the run is; watched slices and histogram beside advice, heat map and curve."""
    progress, slider = st.columns([2.2, 1], gap="medium", vertical_alignment="center")
    with progress:
        live_run.show_progress(run)
    with slider:
        chosen = choose_moment(run)
    live_run.show_death(run)
    with st.container(key="board"):
        left, right = st.columns([1.2, 1], gap="medium")
        with left:
            live_run.show_snapshot(run, chosen)
        with right:
            stopping.show_course(run)


def choose_moment(run: Run) -> Snapshot | None:
    """A slider over the snapshots of a run that does not train; None for the newest."""
    snapshots = run.snapshots()
    if run.status() in live_run.ACTIVE or len(snapshots) < 2:
        return None
    index = st.select_slider(
        "Snapshot",
        options=range(len(snapshots)),
        value=len(snapshots) - 1,
        format_func=lambda i: snapshots[i].label,
        key=f"snapshot of {run.name}",
        label_visibility="collapsed",
    )
    return snapshots[index]


def show_details(run: Run) -> None:
    """The film and everything else that one looks up now and then, a tab each."""
    film, charts, rules, losses, files = st.tabs(TABS, key=OPEN, on_change="rerun")
    with film:
        if film.open:
            stopping.show_moving(run)
    with charts:
        if charts.open:
            stopping.show_charts(run)
    with rules:
        stopping.show_rules_of(run)
    with losses:
        live_run.show_curves(run, bool(losses.open))
    with files:
        _show_files(run)


def _show_files(run: Run) -> None:
    st.caption("Command")
    st.code(run.command() or "not recorded", language="bash", wrap_lines=True)
    try:
        settings = dataclasses.asdict(run.settings())
    except UserError as error:
        st.error(feedback.plain(str(error)), icon=":material/error:")
    else:
        st.caption("Settings")
        st.json(settings, expanded=1)
    st.caption("Log, last lines")
    st.code(run.log(30) or "empty", language=None)
