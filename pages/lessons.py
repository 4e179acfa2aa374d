"""Lessons: stops with live views on the shipped runs, and a mode to present them."""

import time
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ascnet_core import places
from ascnet_core.runs.folder import find_run
from pages.parts.lessons import aids, place, presenting, second_window, sheet, shown
from pages.parts.lessons.course import COURSE
from pages.parts.lessons.glossary import marked
from pages.parts.lessons.presenting import turn
from pages.parts.lessons.stop import Stop
from pages.parts.shared import feedback, state
from pages.parts.shared.sidebar import style

FOLDER = Path(shown.__file__).parent
SHOWN = "lesson stop that is drawn"  # session key: its number, and whether it is presented
STOPS = len(COURSE)
OUTLINE = "Blue outline: the true lesion."


def _bar(stop: int, on: bool) -> None:
    """Back, the stops, next, and the switch to presenting."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        with st.container(
            horizontal=True, vertical_alignment="center", width="content", gap="small"
        ):
            _turner("Back", "left", stop, -1)
            if on:
                _turner("Next", "right", stop, 1)
                st.markdown(f"{stop} of {STOPS}", width="content")
            else:
                st.session_state[state.widget("stop")] = stop
                st.segmented_control(
                    "Stop",
                    list(range(1, STOPS + 1)),
                    key=state.widget("stop"),
                    on_change=lambda: place.show(st.session_state[state.widget("stop")]),
                    label_visibility="collapsed",
                    required=True,
                )
                _turner("Next", "right", stop, 1)
        st.session_state[state.widget("present")] = on
        st.toggle(
            "Present",
            key=state.widget("present"),
            on_change=lambda: presenting.present(st.session_state[state.widget("present")]),
            help="Large type, one thing on the screen. Page keys turn the page; arrows do where "
            "the focus is not in the view. Escape leaves.",
        )


def _turner(label: str, icon: str, stop: int, by: int) -> None:
    st.button(
        label,
        icon=f":material/chevron_{icon}:",
        disabled=turn(stop, by, STOPS) == stop,
        on_click=place.show,
        args=(turn(stop, by, STOPS),),
    )


def _missing() -> list[str]:
    """The shipped runs that the lessons look at and that are not there."""
    wanted = (shown.RUN, shown.PAPER, shown.SLOW)
    return [name for name in wanted if find_run(name) is None]


def _show_read(number: int, stop: Stop) -> None:
    """A stop as one reads it: the text above the view, what to notice below."""
    st.title(f"{number}. {stop.title}", anchor=False)
    with st.container(key="lesson_text"):
        st.markdown(marked(stop.text, "text"), unsafe_allow_html=True)
    working = aids.row(number, stop, False)
    with _body(number, False):
        if working and stop.exercise:
            aids.task(number, stop.exercise)
        notice = _view(stop)
        if notice and not working:
            with st.container(key="lesson_notice"):
                st.info(notice, icon=":material/visibility:")
        if stop.outlined:
            st.caption(OUTLINE)


def _show_presented(number: int, stop: Stop) -> None:
    """A stop on a projector: the view takes the screen, a few sentences stand beside it."""
    with _body(number, True), st.container(key="lesson_stage"):
        said, seen = st.columns([1, 3], gap="medium")
        with said:
            with st.container(key="lesson_title"):
                st.title(f"{number}. {stop.title}", anchor=False)
            with st.container(key="lesson_text"):
                short = stop.short or stop.text.split(". ")[0] + "."
                st.markdown(marked(short, "text"), unsafe_allow_html=True)
            working = aids.row(number, stop, True)
            if working and stop.exercise:
                aids.task(number, stop.exercise)
            below = st.container(key="lesson_notice")
            if stop.outlined:
                st.caption(OUTLINE)
        with seen:
            notice = _view(stop)
        if notice and not working:
            below.info(notice, icon=":material/visibility:")


def _view(stop: Stop) -> str:
    notice = ""
    with st.container(key="lesson_view"), feedback.show_user_errors(stop=False):
        notice = stop.view()
    return notice


def _body(stop: int, on: bool) -> DeltaGenerator:
    """The container of a stop's view; another stop's pictures, which would stay, go first."""
    if st.session_state.get(SHOWN) == (stop, on):
        return st.container()
    st.session_state[SHOWN] = (stop, on)
    body = st.empty()
    time.sleep(0.05)  # without a pause both messages go out as one, and nothing is emptied
    return body.container()


def page() -> None:
    style()
    st.html(FOLDER / "glossary.css")
    if presenting.chosen(state.NOTES):
        second_window.show(COURSE)
        return
    if presenting.chosen(state.SHEET):
        sheet.show(COURSE)
        return
    st.html(FOLDER / "page.css")
    on = presenting.chosen(state.PRESENT)
    if on:
        st.html(FOLDER / "presenting.css")
    presenting.hear_keys(STOPS)
    place.end_at_unknown(STOPS)
    if missing := _missing():
        st.info(
            f"The lessons look at the shipped runs, and {' and '.join(missing)} is not under "
            f"{places.RUNS.name}/; fetch it again from the project.",
            icon=":material/school:",
        )
        return
    number = place.number(STOPS)
    with st.container(key="lesson"):
        _bar(number, on)
        show = _show_presented if on else _show_read
        show(number, COURSE[number - 1])


page()
