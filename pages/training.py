"""Training: start, watch, continue and compare runs."""

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.runs.folder import Run, find_run, list_runs
from pages.parts.compare import reference_lab, runs_compared
from pages.parts.new_run import continue_run, draft, form
from pages.parts.shared import access, feedback, question, state, ticker
from pages.parts.shared.runs import run_folder
from pages.parts.shared.sidebar import sidebar
from pages.parts.shared.ticker import Part
from pages.parts.watch import board, manage, run_list

SWITCH = "training view"
# A button far down a view may open another one, which begins at its top.
TO_THE_TOP = (
    "<style>.st-key-top { display: none; }</style>"
    "<script>document.querySelector('[data-testid=stMain]')?.scrollTo(0, 0)</script>"
)


def watch(run: Run, runs: list[Run]) -> None:
    """One run: live while it trains, cycle by cycle afterwards."""
    st.html(board.STYLE)
    with st.container(key="screen"):
        head = st.container(key="head", horizontal=True, vertical_alignment="center")
        with head:
            run_list.show_button(runs)
        settings, shown = None, None
        with feedback.show_user_errors(stop=False):
            settings = run.settings()
            shown = board.show_board(run)
        with head:
            board.show_head(run, settings, shown)
    if settings:
        board.show_details(run)


def follow(run: Run, runs: list[Run]) -> None:
    """Keep the list and the watched run up to date while any run trains."""

    def parts(trains: list[bool]) -> dict[str, Part]:
        return run_list.parts(runs) | (board.parts(run) if trains[0] else {})

    ticker.follow("training", (run, *runs), parts, lambda: board.offers(run))


def page() -> None:
    sidebar(run=False, subject=False)
    head, switch = st.columns([1, 1.6], vertical_alignment="bottom")
    head.title(
        "Training",
        help="The discriminator and the cutting network take turns; a cycle is one turn of each "
        "(paper, section 3.3).",
        anchor=False,
    )
    # a view that was asked for a moment ago is the one that a reload must give back
    draft.in_tab(st.session_state.get(state.TRAINING_VIEW) or st.session_state.get(SWITCH))
    runs = [Run(path) for path in list_runs()]
    wanted = st.session_state.pop(state.TRAINING_VIEW, None)
    if wanted or SWITCH not in st.session_state:
        linked = "Compare" if state.current().compare else None
        st.session_state[SWITCH] = wanted or linked or ("Runs" if runs else "New run")
    with st.container(key="top"):
        if wanted:
            st.html(TO_THE_TOP, unsafe_allow_javascript=True)
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
    if named is None and name != state.DEFAULT.run:
        run_list.show_button(runs)
        try:
            run_folder(name)
        except UserError as error:
            question.say_missing(state.current(), error, run=True)
    run = Run(named) if named else runs[0]
    follow(run, runs)
    with feedback.show_user_errors(stop=False):
        watch(run, runs)


page()
