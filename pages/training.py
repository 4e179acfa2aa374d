"""Training: start, watch, continue and compare runs."""

import dataclasses

import streamlit as st

from ascnet_core.places import EVENTS, MODEL, TRAINING
from ascnet_core.runs.folder import Run, find_run, list_runs, short_name
from ascnet_core.runs.parent import read_parent
from pages.parts.compare import reference_lab, runs_compared
from pages.parts.new_run import continue_run, form, schedule_box
from pages.parts.shared import access, feedback, state, tables, ticker
from pages.parts.shared.sidebar import sidebar
from pages.parts.shared.ticker import Part
from pages.parts.watch import live_run, manage, stopping

SWITCH = "training view"
LIST = "list of runs, live"  # a fragment


def runs_table(runs: list[Run]) -> None:
    """The list of runs; a click on a row watches that run."""
    rows = [tables.run_row(run) for run in runs]
    names = [row["run"] for row in rows]
    chosen = tables.choose_row(
        rows,
        # a row number means another run once the list has changed
        "list of runs " + "/".join(names),
        height=min(38 + 35 * len(rows), 213),
        column_config={
            "run": st.column_config.TextColumn(width="medium"),
            "preset": st.column_config.TextColumn(width="medium"),
            "done": st.column_config.ProgressColumn(
                "done, % of steps", format="%d %%", min_value=0, max_value=100
            ),
            "histogram of I_ro": st.column_config.TextColumn(width="medium"),
            "note": st.column_config.TextColumn(width="large"),
        },
    )
    if chosen is not None and names[chosen] != state.current().run:
        state.update(run=names[chosen])
        st.rerun()


def watch(run: Run) -> None:
    """One run: live while it trains, cycle by cycle afterwards."""
    active = run.status() in live_run.ACTIVE
    head, middle, cut, threshold, resume, more = st.columns(
        [2.3, 1.7, 0.9, 1.1, 1.3, 1.1], vertical_alignment="center"
    )
    settings = None
    with feedback.show_user_errors(stop=False):
        settings = run.settings()
    about = f" · preset {settings.preset}" if settings else ""
    head.markdown(
        f"## {feedback.plain(run.name + about)}",
        help=feedback.plain(settings.description) if settings else None,
    )
    name, ready = short_name(run.path), (run.path / MODEL).is_file()
    if cut.button("Cuts", icon=":material/content_cut:", disabled=not ready, width="stretch"):
        state.open_page("pages/cuts.py", run=name)
    if threshold.button(
        "Threshold", icon=":material/equalizer:", disabled=not ready, width="stretch"
    ):
        state.open_page("pages/threshold.py", run=name)
    if not active and (run.path / TRAINING).is_file():
        if run.status() != "finished":
            if resume.button(
                "Go on",
                icon=":material/play_arrow:",
                width="stretch",
                help="Resumes from the last checkpoint; the same as if it had never stopped.",
            ):
                form.start(["--resume", name], name, schedule_box.processes_as_before(run))
        elif settings:
            with resume:
                before = schedule_box.processes_as_before(run)
                continue_run.extend_popover(name, settings, before)
    with more:
        manage.show_manage(run)
    parent = read_parent(run.path)
    if parent:
        sentence = feedback.plain(parent.sentence)
        st.caption(f":material/fork_right: {sentence[:1].upper()}{sentence[1:]}.")
    chosen = None
    snapshots = run.snapshots()
    if not active and len(snapshots) > 1:
        index = middle.select_slider(
            "Snapshot",
            options=range(len(snapshots)),
            value=len(snapshots) - 1,
            format_func=lambda i: snapshots[i].label,
            key=f"snapshot of {run.name}",
            label_visibility="collapsed",
        )
        chosen = snapshots[index]
    live_run.show_run(run, chosen)
    stopping.show_termination(run)
    with st.expander("Command, settings, log"):
        st.caption("Command")
        st.code(run.command() or "not recorded", language="bash", wrap_lines=True)
        if settings:
            st.caption("Settings")
            st.json(dataclasses.asdict(settings), expanded=1)
        st.caption("Log, last lines")
        st.code(run.log(30) or "empty", language=None)


def follow(run: Run, runs: list[Run]) -> None:
    """Keep the list and the watched run up to date while any run trains."""

    def sizes() -> list[int]:
        files = (one.path / EVENTS for one in runs)
        return [file.stat().st_size if file.is_file() else 0 for file in files]

    def parts(trains: list[bool]) -> dict[str, Part]:
        shown = live_run.parts(run) | stopping.parts(run) if trains[0] else {}
        return {LIST: Part(sizes, 6.0), **shown}

    ticker.follow("training", (run, *runs), parts)


def page() -> None:
    sidebar(run=False, subject=False)
    head, switch = st.columns([1, 1.6], vertical_alignment="bottom")
    head.title(
        "Training",
        help="The discriminator and the cutting network take turns; a cycle is one turn of each "
        "(paper, section 3.3).",
        anchor=False,
    )
    runs = [Run(path) for path in list_runs()]
    wanted = st.session_state.pop(state.TRAINING_VIEW, None)
    if wanted or SWITCH not in st.session_state:
        linked = "Compare" if state.current().compare else None
        st.session_state[SWITCH] = wanted or linked or ("Runs" if runs else "New run")
    with switch.container(horizontal=True, horizontal_alignment="right"):
        shown = st.segmented_control(
            "View",
            ["Runs", "New run", "Compare", "Reference lab"],
            key=SWITCH,
            label_visibility="collapsed",
        )
    if shown != "New run":
        form.keep()
    if shown != "Compare" and state.current().compare:
        state.update(compare=())
    forked = state.FORK in st.session_state
    views = {
        "New run": continue_run.fork_form if forked else form.new_run,
        "Compare": runs_compared.show_compare,
        "Reference lab": reference_lab.show_lab,
    }
    if shown in views:
        with feedback.show_user_errors():
            views[shown]()
        return
    if not runs:
        st.info("There is no run yet. Choose New run above, then Start training, or import one.")
        manage.show_import()
        return
    name = state.current().run
    named = find_run(name) if access.may_open_run(name) else None
    run = Run(named) if named else runs[0]
    follow(run, runs)
    st.fragment(runs_table, key=LIST)(runs)
    manage.show_import()
    with feedback.show_user_errors(stop=False):
        watch(run)


page()
