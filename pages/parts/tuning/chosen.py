"""Which study, rater and view the Tuning page shows; the address holds all three."""

from collections.abc import Mapping

import streamlit as st

from ascnet_core.studies.folder import Study, find_study, list_studies
from pages.parts.shared import state

STUDY, RATER, VIEW = "study", "rater", "view"
"""Keys of the address."""


def _set(name: str) -> None:
    st.query_params[name] = st.session_state[state.widget(name)] or ""


def choose() -> tuple[Study | None, str]:
    """Draw the menu of studies and the field of the rater's name; return what they say.

    Raises a UserError where the address names a study that is not there.
    """
    known = {study.name: study for study in list_studies()}
    wanted = st.query_params.get(STUDY) or next(iter(known), "")
    if not wanted:
        return None, ""
    study = known.get(wanted) or find_study(wanted)
    names = list(dict.fromkeys([*known, wanted]))
    st.selectbox("Study", names, **state.bound(STUDY, wanted, _set))
    rater = st.query_params.get(RATER, "")
    st.text_input("Rater", **state.bound(RATER, rater, _set))
    return study, rater


def choose_view(labels: Mapping[str, str]) -> str:
    """Draw the switch of views and return the name of the one to show; "" where there is none."""
    wanted = st.query_params.get(VIEW, "")
    value = wanted if wanted in labels else next(iter(labels), "")
    if value:
        how = state.bound(VIEW, value, _set)
        st.segmented_control("View", list(labels), format_func=labels.__getitem__, required=True,
                             label_visibility="collapsed", **how)  # fmt: skip
    return value
