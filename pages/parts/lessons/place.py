"""Which stop of the lessons the link names."""

import streamlit as st

from pages.parts.shared import state
from pages.parts.shared.feedback import plain
from pages.parts.shared.question import offer

TURNED = "lesson turned to"  # session key: its number as text
PASSED_STOPS = "lessons the url named a moment ago"


def number(stops: int) -> int:
    """The lesson that the URL names, 1 to `stops`; the first where it names none."""
    text = st.query_params.get(state.STOP, "1")
    turned = st.session_state.get(TURNED, text)
    if state.went_back():
        st.session_state[TURNED] = text
    elif text != turned and state.just_left(PASSED_STOPS, text):
        # a message of the viewer that was on its way carries the URL of before
        text = st.query_params[state.STOP] = turned
    return int(text) if text.isdigit() and 1 <= int(text) <= stops else 1


def unknown(stops: int) -> str:
    """The lesson that the URL names and that is none of `stops`; empty where all is well."""
    text = st.query_params.get(state.STOP, "1")
    return "" if text.isdigit() and 1 <= int(text) <= stops else text


def show(stop: int) -> None:
    """Write the lesson into the URL."""
    state.leave(PASSED_STOPS, st.query_params.get(state.STOP, "1"))
    st.session_state[TURNED] = st.query_params[state.STOP] = str(stop)


def end_at_unknown(stops: int) -> None:
    """End the page where its link names a lesson that there is not."""
    if text := unknown(stops):
        st.error(
            plain(f"There is no lesson {text}; they are numbered from 1 to {stops}."),
            icon=":material/error:",
        )
        offer([("Lesson 1", ":material/school:", lambda: show(1))])
        st.stop()
