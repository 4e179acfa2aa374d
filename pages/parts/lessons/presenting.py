"""Presenting the lessons: what the link says, and what the keys ask for."""

from pathlib import Path

import streamlit as st

from pages.parts.lessons import place
from pages.parts.shared import components, state

FOLDER = Path(__file__).parent
KEYS = components.declare("ascnet_lesson_keys", FOLDER / "keys")
YES = "1"


def chosen(key: str) -> bool:
    """Whether the link asks for presenting, the notes or the sheet (`state.PRESENT` and others)."""
    return place.said(key) == YES


def present(on: bool) -> None:
    """Begin or end presenting; it stands in the link, so that a reload keeps it."""
    place.write(state.PRESENT, YES if on else "")


def turn(stop: int, by: int, stops: int) -> int:
    """The stop that is `by` further, from 1 to the last."""
    return min(max(stop + by, 1), stops)


def _hear(stops: int) -> None:
    """Act on the keys that were not heard yet, in their order."""
    moves = st.session_state.get(state.LESSON_KEYS, {}).get("moves") or []
    for told in moves:
        if told["number"] <= st.session_state.get(state.LESSON_HEARD, 0):
            continue
        st.session_state[state.LESSON_HEARD] = told["number"]
        if told["move"] == "leave":
            present(False)
        else:
            by = 1 if told["move"] == "next" else -1
            # a page key pressed in a row may arrive with the link of some keys ago
            place.show(turn(place.on_screen(stops), by, stops))


def hear_keys(stops: int) -> None:
    """Listen to the keys, and tell the speaker's window which stop is shown. Call it first."""
    _hear(stops)
    heard = st.session_state.get(state.LESSON_HEARD, 0)
    data = {"on": chosen(state.PRESENT), "heard": heard, "stop": place.number(stops)}
    with st.container(key="lesson_keys"):
        KEYS(key=state.LESSON_KEYS, data=data, on_moves_change=lambda: _hear(stops))
