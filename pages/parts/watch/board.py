"""One run on one screen: what one watches fills the window, all else lies behind tabs below."""

import dataclasses
from pathlib import Path

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.places import MODEL
from ascnet_core.runs.folder import Run, Snapshot, short_name
from ascnet_core.runs.parent import read_parent
from ascnet_core.runs.result import result_of
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
NOTHING = -1  # in place of a cycle to open
OPEN = "open tab below the board"  # session key; only that tab's charts and film are made


def parts(run: Run) -> dict[str, Part]:
    """The fragments that a clock draws again while the run trains."""
    charts = st.session_state.get(OPEN) == CHARTS
    return live_run.parts(run) | stopping.parts(run, charts)


def offers(run: Run) -> tuple[bool, bool]:
    """What decides which buttons and tabs the page has, beside whether the run trains."""
    return run.status() == "paused", run.newest_snapshot() is not None


def show_head(run: Run, settings: Settings | None, shown: Snapshot | None) -> None:
    """The run's name, and what can be done with it and with the moment that is `shown`.

    `settings` are None where they cannot be read.
    """
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
    with st.container(key="acts", horizontal=True):  # their number must not move what follows
        status = run.status()
        if status in live_run.ACTIVE:
            live_run.controls(run, status)
        elif settings:
            _offer_more(run, settings)
    cycle, about = what_opens(run, shown)
    name, ready = short_name(run.path), settings is not None and cycle != NOTHING
    for label, icon, page in (
        ("Cuts", "content_cut", "pages/cuts.py"),
        ("Threshold", "equalizer", "pages/threshold.py"),
    ):
        if st.button(label, icon=f":material/{icon}:", disabled=not ready, help=about):
            of_run.open_run(page, name, cycle)
    manage.show_manage(run)


def what_opens(run: Run, shown: Snapshot | None) -> tuple[int | None, str]:
    """The cycle that Cuts and Threshold open for the moment that is shown, and a sentence on it.

    None is the run's result, which is opened where the moment keeps no network; `NOTHING` where
    there is neither.
    """
    result = result_of(run)
    if shown is not None:
        is_result = result is not None and result.index == shown.index
        kept = run.at_cycle(shown.total_cycle)
        # a training may write another result at any time
        if (kept.path / MODEL).is_file() and not (is_result and run.status() == "finished"):
            return kept.total_cycle, "Opens the moment shown on any scan."
        if is_result:
            return None, "Opens the moment shown, the run's result, on any scan."
    if not (run.path / MODEL).is_file():
        return NOTHING, "Opens as soon as the run has kept a network."
    named = f", {result.label}" if result else ""
    return None, f"Opens the run's result{named}; the moment shown keeps no network."


def _offer_more(run: Run, settings: Settings) -> None:
    """Go on with a run that stopped, or extend one that has finished."""
    name, way = short_name(run.path), live_run.way_on(run)
    if way == live_run.GO_ON:
        pressed = st.button(
            way,
            icon=":material/play_arrow:",
            help="Resumes from the last checkpoint; the same as if it had never stopped.",
        )
        form.start(pressed, ["--resume", name], name, schedule_box.processes_as_before(run))
    elif way:
        before = schedule_box.processes_as_before(run)
        continue_run.extend_popover(way, name, settings, before)


def show_board(run: Run) -> Snapshot | None:
    """Where the run is; watched slices and histogram beside advice, heat map and curve.

    Returns the moment that is shown.
    """
    progress, slider = st.columns([2.2, 1], gap="medium", vertical_alignment="center")
    with progress:
        live_run.show_progress(run)
    with slider:
        chosen = choose_moment(run)
    with st.container():  # a place for it, so that what follows never moves
        live_run.show_death(run)
    with st.container(key="board"):
        left, right = st.columns([1.2, 1], gap="medium")
        with left:
            live_run.show_snapshot(run, chosen)
        with right:
            stopping.show_course(run)
    return chosen or run.newest_snapshot()


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
