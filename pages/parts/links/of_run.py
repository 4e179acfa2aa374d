"""The data that a run was trained on, and pages that open a run with it."""

import csv
from collections.abc import Mapping, Sequence
from contextlib import suppress

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.files import read_text
from ascnet_core.places import MANIFEST
from pages.parts.shared import access, cohorts, runs, state

NOT_HERE = "run whose data is not here"  # session key: (run, cohort shown instead)
SHIPPED = "demo-"  # how names of runs begin that were trained on demo cohorts and shipped


def cohort_of(run: str) -> str | None:
    """The key of the cohort that a run was trained on; None where it is not on this machine.

    It is one that is open already and holds all images of the training, else the run's own
    manifest. For a shipped run, or one that learnt from a demo cohort which is gone, it is the demo
    of that modality: other subjects, made alike.
    """
    try:
        manifest = runs.run_folder(run) / MANIFEST
        # not by `read_manifest`, which asks for files that may not be on this machine
        rows = list(csv.DictReader(read_text(manifest).splitlines()))
        wanted = {access.real(manifest.parent / row["image"]) for row in rows}
    except (UserError, KeyError):
        return None
    if not rows:
        return None
    for key in _open_ones():
        try:
            if wanted <= {access.real(scan.image) for scan in cohorts.load_cohort(key).scans}:
                return key
        except UserError:
            continue
    demo = _demo_like(rows)
    if demo and run.startswith(SHIPPED):
        return demo
    if access.only_named() and not all(map(access.may_open, (manifest, *wanted))):
        return demo
    return str(access.real(manifest)) if all(path.exists() for path in wanted) else demo


def _open_ones() -> list[str]:
    """Cohorts that open without a question or work."""
    named = [state.current().cohort, *st.session_state.get(state.OPENED, ())]
    opened = [key for key in named if key not in cohorts.DEMOS and access.may_open(key)]
    return opened + [key for key in cohorts.DEMOS if cohorts.demo_manifest(key).is_file()]


def _demo_like(rows: Sequence[Mapping[str, str]]) -> str | None:
    from ascnet_core.imaging.phantom.demo import is_demo_subject  # with SciPy

    if not all(is_demo_subject(row.get("subject", "")) for row in rows):
        return None
    modality = rows[0].get("modality", "").lower()
    return next((key for key, kind in cohorts.DEMOS.items() if kind == modality), None)


def open_run(page: str, run: str, cycle: int | None = None) -> None:
    """Go to a page file ("pages/cuts.py") with a run and the data that it was trained on.

    The user asks for it by a button of the page, so nothing is asked about as of a link. Where the
    data does not open here, the cohort stays and `without_its_data` knows it. Does not return.
    """
    cohort = cohort_of(run)
    if cohort and not cohorts.may_open(cohort):
        with suppress(UserError):  # the page that opens says it
            cohorts.open_cohort(cohort)
    shown = cohort or state.current().cohort
    st.session_state[NOT_HERE] = None if cohort else (run, shown)
    state.open_page(page, run=run, cycle=cycle, cohort=shown)


def without_its_data(view: state.View) -> bool:
    """Whether the view's run was opened, and its own data was not to be had."""
    return bool(st.session_state.get(NOT_HERE) == (view.run, view.cohort))
