"""The fields that say where decisions are kept and who decides, and the switch of blind mode."""

from dataclasses import replace
from typing import Any

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.studies.raters import check_rater
from pages.parts.shared import feedback, state
from pages.parts.shared.state import View
from pages.parts.studies import keeping

BLIND_HELP = (
    "Hides the truth, Dice and all that is made from it, so that they cannot sway who decides. "
    "Each decision says whether they were on the screen."
)


def _set(name: str) -> None:
    state.update(**{name: st.session_state[state.widget(name)] or ""})


def _set_blind(name: str) -> None:
    state.show(replace(state.current(), blind=st.session_state[state.widget(name)]))


def _set_rater(name: str) -> None:
    text = st.session_state[state.widget(name)]
    try:
        state.update(rater=check_rater(text) if text.strip() else "")
    except UserError as error:
        st.toast(feedback.plain(str(error)), icon=":material/error:")


def choose_blind(view: View) -> None:
    """The switch of blind mode."""
    st.toggle("Blind", **state.bound("blind", view.blind, _set_blind), help=BLIND_HELP)


def choose(kept: keeping.Kept, view: View) -> None:
    """Study and rater, behind a button that names the study.

    `view` is complete, `kept` what is kept of it.
    """
    label = keeping.NEW if kept.study is None else kept.study.name
    with st.popover(_label(label), icon=":material/inventory_2:", width="stretch"):
        choose_study(kept, view)
        choose_rater(view)


def _label(name: str) -> str:
    return "Kept in a new study" if name == keeping.NEW else f"Kept in {feedback.plain(name)}"


def choose_study(kept: keeping.Kept, view: View) -> None:
    """The menu of studies that fit, a new one among them, and the new one's name."""
    names = [*map(keeping.name_of, keeping.studies_of(view)), keeping.NEW]
    value = keeping.NEW if kept.study is None else keeping.name_of(kept.study)
    titles: dict[str, Any] = {keeping.NEW: "a new study"}
    st.selectbox(
        "Kept in study",
        names,
        format_func=lambda name: titles.get(name, name),
        **state.bound("study", value, _set),
        help="Studies of this cohort, run, cycle and mirroring. A decision is never overwritten: a "
        "changed mind is a new row.",
    )
    if value == keeping.NEW:
        proposed = keeping.proposed_name(view)
        st.text_input(
            "Name of the new study",
            placeholder=proposed,
            key=state.NEW_STUDY,
            help=f"Made at the first Accept; empty: {feedback.plain(proposed)}.",
        )


def choose_rater(view: View) -> None:
    """The field of the rater's name."""
    how = state.bound("rater", keeping.rater_of(view), _set_rater)
    st.text_input("Rater", **how, help="Who decides. Each rater's decisions are kept apart.")
