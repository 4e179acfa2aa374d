"""What stands beside a stop's view: the text, questions that are asked, an exercise, the notes."""

import streamlit as st

from pages.parts.lessons.glossary import marked
from pages.parts.lessons.stop import Exercise, Stop
from pages.parts.shared import state

CHECKED = "exercise just checked"  # session key: (its stop, whether it is done, why)


def show_question(asked: str, answer: str, place: str) -> None:
    """A question and its answer, terms explained."""
    st.markdown(f"**{asked}**")
    st.markdown(marked(answer, place), unsafe_allow_html=True)


def row(number: int, stop: Stop, presenting: bool) -> bool:
    """Buttons for what a stop has besides its view; whether the exercise is open."""
    working = False
    with st.container(key="lesson_aids", horizontal=True, vertical_alignment="center"):
        if presenting:
            with (
                st.container(key="lesson_more", width="content"),
                st.popover("Text", icon=":material/notes:", help="The whole text (I)"),
            ):
                st.markdown(marked(stop.text, "more"), unsafe_allow_html=True)
        if stop.questions:
            label = "Questions" if presenting else "Questions students ask"
            with (
                st.container(key="lesson_questions", width="content"),
                st.popover(label, icon=":material/help:", help="Questions students ask (Q)"),
            ):
                for i, question in enumerate(stop.questions):
                    show_question(question.asked, question.answer, f"question-{i}")
        if stop.exercise:
            with st.container(key="lesson_exercise", width="content"):
                working = st.toggle(
                    "Exercise",
                    key=f"lesson exercise {number}",
                    help="A task on this stop's controls, with a check (E)",
                    on_change=_begin,
                    args=(number, stop.exercise),
                )
        with st.container(key="lesson_notes", width="content"):
            st.link_button(
                "Notes" if presenting else "Speaker's notes",
                f"?{state.STOP}={number}&{state.NOTES}=1",
                icon=":material/speaker_notes:",
                help="In a window of its own, which follows this one (S)",
            )
        if not presenting:
            st.link_button(
                "Printed sheet",
                f"?{state.SHEET}=1",
                icon=":material/print:",
                help="All stops with notes, questions, exercises and terms",
            )
    return working


def _begin(number: int, exercise: Exercise) -> None:
    """Set the controls to what the exercise is about, once, when it is opened."""
    if st.session_state.get(f"lesson exercise {number}"):
        for key, value in exercise.opens.items():
            st.session_state[key] = value


def task(number: int, exercise: Exercise) -> None:
    """An exercise and its check, which looks at the view's controls when it is asked to."""
    with st.container(key="lesson_task", border=True):
        st.markdown(f"**Exercise.** {exercise.task}")
        st.button(
            "Check",
            icon=":material/task_alt:",
            key=f"lesson check {number}",
            on_click=lambda: _check(number, exercise),
        )
        # said once: the controls may be moved afterwards
        of, done, why = st.session_state.pop(CHECKED, (None, False, ""))
        if of == number:
            box, icon = (st.success, "check_circle") if done else (st.warning, "replay")
            box(why, icon=f":material/{icon}:")


def _check(number: int, exercise: Exercise) -> None:
    st.session_state[CHECKED] = (number, *exercise.check())
