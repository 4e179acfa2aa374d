"""The form that makes a study of a cohort and a run."""

from pathlib import Path

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.studies.folder import Study, new_study
from pages.parts.shared import access, cohorts, feedback, runs, state
from pages.parts.shared.sidebar import FINISHED

MADE = "study made just now"
"""Session key: name or path of the study, and its rater."""


def draw(rater: str) -> None:
    """Draw the form; what it makes is noted under `MADE`, and the page drawn again."""
    name = st.text_input(
        "Name",
        key="new study name",
        placeholder="flair-2026",
        help="A name under checkpoints/studies/, or the path of a folder that is not there yet.",
    )
    cohort = st.selectbox(
        "Cohort",
        cohorts.known_cohorts(),
        format_func=cohorts.cohort_label,
        accept_new_options=True,
        key="new study cohort",
        help="One that is open on Data, or the path of a manifest. The study keeps a copy of the "
        "manifest; decisions hold for its scans as they are now.",
    )
    names = list(dict.fromkeys([state.current().run, *runs.known_runs()]))
    run = st.selectbox("Run", names, key="new study run", accept_new_options=True)
    cycles: dict[int, str] = {}
    with feedback.show_user_errors(stop=False):
        cycles = runs.run_cycles(run) if run else {}
    cycle = st.selectbox(
        "Cycle",
        [FINISHED, *reversed(cycles)],
        format_func=lambda number: "finished model" if number == FINISHED else cycles[number],
        key=f"new study cycle of {run}",
    )
    flip = st.toggle("Average with mirror image", key="new study flip")
    who = st.text_input("Rater", rater, key="new study rater", help="Who decides. Others may join.")
    made = st.button("Make the study", type="primary", icon=":material/add:", width="stretch")
    if not made:
        return
    with feedback.show_user_errors(stop=False):
        study = make(name, cohort or "", run or "", who, None if cycle == FINISHED else cycle, flip)
        st.session_state[MADE] = str(study.path), study.name, who.strip()
        st.rerun()


def make(name: str, cohort: str, run: str, rater: str, cycle: int | None, flip: bool) -> Study:
    """Make a study from what was filled in, whole or not at all. Raises a UserError."""
    if not name.strip():
        raise UserError("The study has no name; write one into the field Name.")
    if not cohort.strip() or not run.strip():
        raise UserError("A study is of a cohort and a run; choose both.")
    name = name.strip()
    if len(Path(name).parts) > 1:
        access.agree(Path(name).expanduser())
        access.check(Path(name).expanduser())
        name = str(Path(name).expanduser())
    if cohort not in cohorts.known_cohorts():
        cohort = cohorts.open_cohort(cohort)
    manifest = cohorts.load_cohort(cohort).manifest
    raters = [rater] if rater.strip() else []
    return new_study(name, manifest, runs.run_folder(run), raters, cycle, flip)
