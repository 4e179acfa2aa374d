"""Where a link leads to nothing, or may not: a question or a sentence, and the way on."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import NoReturn

import streamlit as st

from ascnet_core.errors import UserError
from pages.parts.shared import access, cohorts, feedback, runs, state
from pages.parts.shared.feedback import plain
from pages.parts.shared.state import View

Way = tuple[str, str, Callable[[], None]]
"""A button that leaves the question: its label, its icon, what it does."""


def ask_about(view: View, instead: Way | None = None) -> None:
    """Stop the page at a question, or a refusal, if the view names paths that may not be opened.

    `instead` leads to what may be opened; by default to the demo, in the view of the address.
    """
    closed = [] if cohorts.may_open(view.cohort) else [view.cohort]
    closed += [name for name in (view.run, *view.compare) if not access.may_open_run(name)]
    if not closed:
        return
    try:
        paths = [str(access.real(path)) for path in dict.fromkeys(closed)]
        refusal = access.refusal(closed[0]) if access.only_named() else ""
    except UserError as error:
        refusal = str(error)
    label, icon, leave = instead or ("Show the demo instead", ":material/home:", _leave)
    if refusal:
        st.error(plain(refusal), icon=":material/lock:")
        st.button(label, icon=icon, on_click=leave)
    else:
        _ask(paths, view, (label, icon, leave))
    st.stop()


MOST_WAYS = 6  # buttons beside a sentence


def say_missing(view: View, error: Exception, *, run: bool) -> NoReturn:
    """Say what the view names and is not there, with buttons to what is; the page ends.

    `run` says whether the page asks for a run at all.
    """
    with feedback.show_user_errors(stop=False):
        raise error
    offer(ways_on(view, run=run))
    st.stop()


def ways_on(view: View, *, run: bool) -> list[Way]:
    """The ways from a view whose run, cycle, cohort or scan is not there."""

    def show(label: str, icon: str, **changes: object) -> Way:
        return label, f":material/{icon}:", lambda: _show(changes)

    if run:
        try:
            cycles = runs.run_cycles(view.run)
        except UserError:
            return [show(f"Run {name}", "model_training", run=name) for name in runs.known_runs()]
        if view.cycle is not None and view.cycle not in cycles:
            return [show("Finished model", "flag", cycle=None)]
    try:
        cohort = cohorts.load_cohort(view.cohort)
    except (UserError, OSError):
        return [show("Show the demo", "home", cohort=state.DEFAULT.cohort)]
    if not cohort.scans:
        return [show("Show the demo", "home", cohort=state.DEFAULT.cohort)]
    names = [scan.scan for scan in cohort.scans]
    near = get_close_matches(view.scan, names, n=MOST_WAYS - 1, cutoff=0.8)
    first = cohorts.find_scan(cohort, "").scan
    return [show(name, "person", scan=name) for name in dict.fromkeys([first, *near])]


def offer(ways: Sequence[Way]) -> None:
    """Buttons in a row, each with what it does."""
    with st.container(horizontal=True):
        for label, icon, act in ways[:MOST_WAYS]:
            st.button(plain(label), icon=icon, on_click=act, key=f"way on {label}")


def _show(changes: dict[str, object]) -> None:
    state.update(**changes)


def _ask(paths: list[str], view: View, instead: Way) -> None:
    label, other, leave = instead
    with st.container(border=True, key="link_question", width=720):
        what = "a path" if len(paths) == 1 else "paths"
        st.markdown(f"**This link opens {what} on this machine**")
        for path in paths:  # as code: nothing in a link may become Markdown
            st.code(access.shown(path), language=None, wrap_lines=True)
        st.caption(
            "Links can come from anybody: open it if you know what it is. It stays open until this "
            "page is closed or loaded anew."
        )
        with st.container(horizontal=True):
            icon = ":material/folder_open:"
            st.button("Open it", type="primary", icon=icon, on_click=_open, args=(view,))
            st.button(label, icon=other, on_click=leave)


def _open(view: View) -> None:
    if not cohorts.may_open(view.cohort):
        access.agree(view.cohort)
        st.session_state.setdefault(state.OPENED, []).append(view.cohort)
    for name in (view.run, *view.compare):
        access.agree_to_run(name)


def _leave() -> None:
    """Take out of the view what may not be opened; all else in it stays."""
    view, changes = state.current(), {}
    if not cohorts.may_open(view.cohort):
        changes["cohort"] = state.DEFAULT.cohort
    if not access.may_open_run(view.run):
        changes["run"] = state.DEFAULT.run
    compared = tuple(name for name in view.compare if access.may_open_run(name))
    state.update(**changes, compare=compared)
