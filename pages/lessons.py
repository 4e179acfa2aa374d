"""Lessons: six stops with live views on the shipped runs, and a mode to present them."""

import time
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ascnet_core import places
from ascnet_core.runs.folder import find_run
from pages.parts.lessons import shown
from pages.parts.lessons.stops import STOPS
from pages.parts.shared import components, feedback, state
from pages.parts.shared.question import end_at_unknown_stop
from pages.parts.shared.sidebar import style

FOLDER = Path(shown.__file__).parent
KEYS = components.declare("ascnet_lesson_keys", FOLDER / "keys")
SHOWN = "lesson stop that is drawn"  # session key


def turn(stop: int, by: int) -> int:
    """The stop that is `by` further, from 1 to the last."""
    return min(max(stop + by, 1), len(STOPS))


def _hear() -> None:
    """Act on the keys that were not heard yet, in their order."""
    moves = st.session_state.get(state.LESSON_KEYS, {}).get("moves") or []
    for told in moves:
        if told["number"] <= st.session_state.get(state.LESSON_HEARD, 0):
            continue
        st.session_state[state.LESSON_HEARD] = told["number"]
        if told["move"] == "leave":
            st.session_state[state.PRESENTING] = False
        else:
            by = 1 if told["move"] == "next" else -1
            state.show_stop(turn(state.lesson_stop(len(STOPS)), by))


def _bar(stop: int) -> None:
    """Back, the stops, next, and the switch to presenter mode."""
    back, middle, following, _, switch = st.columns(
        [0.7, 1.7, 0.7, 2, 0.8], vertical_alignment="center"
    )
    for column, label, icon, by in ((back, "Back", "left", -1), (following, "Next", "right", 1)):
        column.button(
            label,
            icon=f":material/chevron_{icon}:",
            disabled=turn(stop, by) == stop,
            on_click=state.show_stop,
            args=(turn(stop, by),),
            width="stretch",
        )
    st.session_state[state.widget("stop")] = stop
    middle.segmented_control(
        "Stop",
        list(range(1, len(STOPS) + 1)),
        key=state.widget("stop"),
        on_change=lambda: state.show_stop(st.session_state[state.widget("stop")]),
        label_visibility="collapsed",
        required=True,
    )
    switch.toggle(
        "Present",
        key=state.PRESENTING,
        help="Large type, one thing on the screen. Arrow or Page keys turn, Escape leaves.",
    )


def page() -> None:
    style()
    st.html(FOLDER / "page.css")
    _hear()
    end_at_unknown_stop(len(STOPS))
    stop = state.lesson_stop(len(STOPS))
    presenting = bool(st.session_state.get(state.PRESENTING))
    if presenting:
        st.html(FOLDER / "presenting.css")
    with st.container(key="lesson_keys"):
        data = {"on": presenting, "heard": st.session_state.get(state.LESSON_HEARD, 0)}
        KEYS(key=state.LESSON_KEYS, data=data, on_moves_change=_hear)
    wanted = (shown.RUN, shown.PAPER, shown.SLOW)
    missing = [name for name in wanted if find_run(name) is None]
    if missing:
        st.info(
            f"The lessons look at the shipped runs, and {' and '.join(missing)} is not under "
            f"{places.RUNS.name}/; fetch it again from the project.",
            icon=":material/school:",
        )
        return
    chosen = STOPS[stop - 1]
    with st.container(key="lesson"):
        _bar(stop)
        st.subheader(f"{stop}. {chosen.title}", anchor=False)
        with st.container(key="lesson_text"):
            st.markdown(chosen.text)
        with _body(stop):
            notice = ""
            with st.container(key="lesson_view"), feedback.show_user_errors(stop=False):
                notice = chosen.view()
            if notice:
                with st.container(key="lesson_notice"):
                    st.info(notice, icon=":material/visibility:")


def _body(stop: int) -> DeltaGenerator:
    """The container of a stop's view; another stop's pictures, which would stay, go first."""
    if st.session_state.get(SHOWN) == stop:
        return st.container()
    st.session_state[SHOWN] = stop
    body = st.empty()
    time.sleep(0.05)  # without a pause both messages go out as one, and nothing is emptied
    return body.container()


page()
