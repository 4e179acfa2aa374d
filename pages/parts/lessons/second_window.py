"""The speaker's notes, for a second screen: they follow the window that presents."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.parts.lessons import aids, place
from pages.parts.lessons.stop import Stop
from pages.parts.shared import components, state

FOLDER = Path(__file__).parent
CLOCK = components.declare("ascnet_lesson_clock", FOLDER / "clock")


def _follow() -> None:
    told = st.session_state.get(state.LESSON_CLOCK, {}).get("stop")
    if isinstance(told, int):
        place.show(told)


def show(course: Sequence[Stop]) -> None:
    """The notes of the stop that is presented, the clock, and what comes next."""
    st.html(FOLDER / "speaker.css")
    number = place.number(len(course))
    data = {"stop": number, "stops": len(course)}
    CLOCK(key=state.LESSON_CLOCK, data=data, on_stop_change=_follow)
    stop = course[number - 1]
    with st.container(key="speaker"):
        st.title(f"{number} of {len(course)} · {stop.title}", anchor=False)
        following = course[number].title if number < len(course) else "the end"
        st.markdown(f"Next: **{following}**")
        left, right = st.columns([1.2, 1], gap="large")
        with left:
            st.markdown(stop.notes or "There are no notes to this stop.")
            if stop.exercise:
                st.markdown(f"**Exercise.** {stop.exercise.task}")
        with right:
            for i, question in enumerate(stop.questions):
                aids.show_question(question.asked, question.answer, f"question-{i}")
