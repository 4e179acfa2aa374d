"""Which study, rater and view the Tuning page shows; the address holds all three."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.studies.folder import Study, find_study, list_studies, no_study
from ascnet_core.studies.raters import check_rater
from pages.parts.shared import access, cohorts, state
from pages.parts.shared.feedback import plain
from pages.parts.shared.question import Way, ask_about, offer
from pages.parts.studies.keeping import rater_of, study_view
from pages.parts.tuning import chosen_new

STUDY, RATER, VIEW, SUBJECT, BLIND = "study", "rater", "view", "subject", "blind"
"""Keys of the address."""
DECIDE = "decide"
"""The view of one subject after the other."""
YES = "yes"


def _set(name: str) -> None:
    st.query_params[name] = st.session_state[state.widget(name)] or ""
    if name == STUDY:
        st.query_params.pop(SUBJECT, None)  # it means nothing for another study


def is_blind() -> bool:
    """Whether truth and other raters' levels are hidden from the rater."""
    return st.query_params.get(BLIND) == YES


def open_subject(subject: str) -> None:
    """Let the next run show a subject in the view Decide."""
    st.query_params[VIEW] = DECIDE
    st.query_params[SUBJECT] = subject


def choose() -> tuple[Study | None, str]:
    """Draw the menu of studies, the rater's name and the form of a new study.

    Returns what they say; no study where there is none, or where the one that the address names
    is not there, which is said. A path in the address is asked about first.
    """
    if made := st.session_state.pop(chosen_new.MADE, None):
        path, name, who = made
        own = any(study.name == name and str(study.path) == path for study in list_studies())
        st.query_params.from_dict({STUDY: name if own else path, RATER: who})
    known = {study.name: study for study in list_studies()}
    rater = _rater()
    wanted = st.query_params.get(STUDY) or next(iter(known), "")
    study, problem = None, ""
    try:
        study = known.get(wanted) or (_at_path(wanted) if wanted else None)
    except UserError as error:
        problem = str(error)
    with st.sidebar:
        if wanted:
            names = list(dict.fromkeys([*known, wanted]))
            st.selectbox(
                "Study",
                names,
                format_func=lambda name: Path(name).name,
                **state.bound(STUDY, wanted, _set),
            )
            st.text_input(
                "Rater",
                **state.bound(RATER, rater, _set),
                placeholder="your name",
                help="Who decides. A second pass of one person is a rater of its own, such as "
                "anna-2.",
            )
            with st.popover("New study", icon=":material/add:", width="stretch"):
                chosen_new.draw(rater)
    if study is None:
        if problem:
            st.error(plain(problem), icon=":material/error:")
            offer([(f"Study {name}", ":material/tune:", partial(_open, name)) for name in known])
        else:
            _first()
    return study, rater.strip()


def _rater() -> str:
    """Who decides: as the address says, else as on Threshold in this session; told to Threshold."""
    view = state.leave_address()
    rater = st.query_params.get(RATER)
    if rater is None:
        return rater_of(view) if view.rater or state.ARRIVED in st.session_state else ""
    with suppress(UserError):
        known = check_rater(rater) if rater.strip() else view.rater
        st.session_state[state.VIEW] = replace(view, rater=known)
    return rater


def _at_path(wanted: str) -> Study:
    """The study at a path that the address names; it is asked about first."""
    if len(Path(wanted).parts) < 2:  # a name, of a study under `checkpoints/studies/` alone
        raise no_study(wanted)
    ask_about(replace(state.DEFAULT, cohort=wanted), _ANOTHER)
    return find_study(access.real(wanted))  # the very path that was asked about


def _open(study: str) -> None:
    st.query_params[STUDY] = study
    st.query_params.pop(SUBJECT, None)


def _leave() -> None:
    for key in (STUDY, SUBJECT):
        st.query_params.pop(key, None)


_ANOTHER: Way = ("Choose another study", ":material/arrow_back:", _leave)


def ask_for(study: Study) -> None:
    """Stop the page where the study speaks of paths that may not be opened, with a question."""
    view = study_view(study)
    ask_about(view, _ANOTHER)
    if access.only_named():
        cohorts.load_cohort(view.cohort)  # refuses a manifest that names files elsewhere


def _first() -> None:
    """What to do where there is no study yet."""
    with st.container(width=520):
        st.header("A threshold per subject, kept for good")
        st.markdown(
            "A study is a cohort and a run. For each of its subjects you accept a proposed "
            "threshold or set your own; every decision is kept on the disk, and "
            "`ascnet segment --study NAME` makes the masks."
        )
        chosen_new.draw("")


def choose_view(labels: Mapping[str, str]) -> str:
    """Draw the switch of views and return the name of the one to show; "" where there is none."""
    wanted = st.query_params.get(VIEW, "")
    value = wanted if wanted in labels else next(iter(labels), "")
    if value:
        how = state.bound(VIEW, value, _set)
        st.segmented_control("View", list(labels), format_func=labels.__getitem__, required=True,
                             label_visibility="collapsed", **how)  # fmt: skip
    return value
