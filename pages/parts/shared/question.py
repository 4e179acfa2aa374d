"""The question before a link opens a path of this machine, or the sentence why it does not."""

from collections.abc import Callable

import streamlit as st

from ascnet_core.errors import UserError
from pages.parts.shared import access, cohorts, state
from pages.parts.shared.feedback import plain
from pages.parts.shared.state import View

Way = tuple[str, str, Callable[[], None]]
"""A button that leaves the question: its label, its icon, what it does."""


def ask_about(view: View, instead: Way | None = None) -> None:
    """Stop the page at a question, or a refusal, if the view names paths that may not be opened.

    `instead` leads to what may be opened; by default to the demo, in the view of the address.
    """
    closed = [] if _may_open(view.cohort) else [view.cohort]
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


def _may_open(key: str) -> bool:
    return key in cohorts.DEMOS or access.may_open(key)


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
    if not _may_open(view.cohort):
        access.agree(view.cohort)
        st.session_state.setdefault(state.OPENED, []).append(view.cohort)
    for name in (view.run, *view.compare):
        if not access.may_open_run(name):
            access.agree_to_run(name)


def _leave() -> None:
    """Take out of the view what may not be opened; all else in it stays."""
    view, changes = state.current(), {}
    if not _may_open(view.cohort):
        changes["cohort"] = state.DEFAULT.cohort
    if not access.may_open_run(view.run):
        changes["run"] = state.DEFAULT.run
    compared = tuple(name for name in view.compare if access.may_open_run(name))
    state.update(**changes, compare=compared)
