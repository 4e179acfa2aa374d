"""Whether a run and the scan it is shown on fit: said above the picture, before any number."""

from pathlib import Path

import streamlit as st

from pages.parts.links import of_run
from pages.parts.shared import cohorts, remarks, state
from pages.parts.shared.feedback import plain
from pages.parts.shared.state import View


def say(view: View) -> None:
    """Say that the scan is of another kind than those of the training, and offer those.

    Said is also that the run was opened without its own data. Nothing where all is well. Raises
    UserError.
    """
    misfit = remarks.load_misfit(view)
    if not misfit and not of_run.without_its_data(view):
        return
    name, label = Path(view.run).name, cohorts.cohort_label(view.cohort)
    own = of_run.cohort_of(view.run)
    sentence = misfit or f"{label} is shown, not what {name} was trained on."
    if own is None:
        sentence += " The scans of its training are not open here; open some like them on Data."
    with st.container(key="misfit"):
        said, way = st.columns([5.2, 1], vertical_alignment="center")
    said.warning(plain(sentence), icon=":material/warning:")
    if own is None:
        if way.button("Open Data", icon=":material/folder_open:", width="stretch"):
            st.switch_page("pages/data.py")
    elif own != view.cohort:
        way.button(
            f"Show {cohorts.cohort_label(own)}",
            icon=":material/folder_open:",
            on_click=_show,
            args=(own,),
            width="stretch",
            help=plain(f"What {name} was trained on."),
        )


def _show(cohort: str) -> None:
    state.update(cohort=cohort)
