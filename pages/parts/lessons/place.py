"""What the link says of the lessons: which stop, and how it is shown."""

import streamlit as st

from pages.parts.shared import late, state
from pages.parts.shared.feedback import plain
from pages.parts.shared.question import offer

WRITTEN = "what the lessons wrote into the url"  # session key: by the URL's key
LAST = "lesson on the screen"  # session key: its number
PASSED = "lessons: "  # before the URL's key, as a key of `late.leave`


def said(key: str) -> str:
    """What the link says under a key of the lessons; empty where it has none.

    A message of the page that was on its way when this key was written carries the link of before:
    what was written then stands.
    """
    text = st.query_params.get(key, "")
    written = st.session_state.setdefault(WRITTEN, {})
    if state.went_back():
        written[key] = text
    elif text != written.get(key, text) and late.just_left(PASSED + key, text):
        text = written[key]
        _put(key, text)
    return text


def write(key: str, text: str) -> None:
    """Write a key of the lessons into the link; nothing takes it out."""
    late.leave(PASSED + key, st.query_params.get(key, ""))
    st.session_state.setdefault(WRITTEN, {})[key] = text
    _put(key, text)


def _put(key: str, text: str) -> None:
    if text:
        st.query_params[key] = text
    else:
        st.query_params.pop(key, None)


def number(stops: int) -> int:
    """The lesson that the URL names, 1 to `stops`; the first where it names none."""
    text = said(state.STOP)
    found = int(text) if text.isdigit() and 1 <= int(text) <= stops else 1
    st.session_state[LAST] = found
    return found


def on_screen(stops: int) -> int:
    """The lesson that was shown or asked for last, whatever the link of a late message says."""
    return st.session_state[LAST] if LAST in st.session_state else number(stops)


def unknown(stops: int) -> str:
    """The lesson that the URL names and that is none of `stops`; empty where all is well."""
    text = st.query_params.get(state.STOP, "1")
    return "" if text.isdigit() and 1 <= int(text) <= stops else text


def show(stop: int) -> None:
    """Write the lesson into the URL."""
    st.session_state[LAST] = stop
    write(state.STOP, str(stop))


def end_at_unknown(stops: int) -> None:
    """End the page where its link names a lesson that there is not."""
    if text := unknown(stops):
        st.error(
            plain(f"There is no lesson {text}; they are numbered from 1 to {stops}."),
            icon=":material/error:",
        )
        offer([("Lesson 1", ":material/school:", lambda: show(1))])
        st.stop()
