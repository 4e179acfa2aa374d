"""The printed sheet: every stop with its notes, questions and exercise, and the field's terms."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.parts.lessons.glossary import TERMS
from pages.parts.lessons.stop import Stop

FOLDER = Path(__file__).parent


def show(course: Sequence[Stop]) -> None:
    """All of the lecture on one page, made to be printed by the browser."""
    st.html(FOLDER / "sheet.css")
    with st.container(key="sheet_head", horizontal=True, vertical_alignment="center"):
        st.link_button("Back to the lessons", "?", icon=":material/arrow_back:")
        st.markdown("Print this page with the browser (Ctrl+P); only the sheet is printed.")
    with st.container(key="sheet"):
        st.title("ASC-Net: lecture notes", anchor=False)
        for number, stop in enumerate(course, 1):
            with st.container(key=f"sheet_stop_{number}"):
                _show_stop(number, stop)
        st.header("Terms", anchor=False)
        st.markdown("\n".join(f"- **{term.name}**: {term.meaning}" for term in TERMS))


def _show_stop(number: int, stop: Stop) -> None:
    st.header(f"{number}. {stop.title}", anchor=False)
    st.markdown(stop.text)
    if stop.notes:
        st.markdown(f"**Notes**\n\n{stop.notes}")
    for question in stop.questions:
        st.markdown(f"**{question.asked}** {question.answer}")
    if stop.exercise:
        st.markdown(f"**Exercise.** {stop.exercise.task}")
