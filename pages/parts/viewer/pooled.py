"""The histogram on the screen: of one subject, or of the whole cohort as far as it is counted."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ascnet_core import names
from ascnet_core.metrics.overlap import ThresholdTable
from ascnet_core.segmentation.histogram import Reading, read_histogram
from pages.parts.shared import cases, cohorts
from pages.parts.shared.state import View


class Pooled(NamedTuple):
    """What the scope's scans say together.

    `shown` is their histogram, `scans` their number; `mean_dice` is over those with a lesion, by
    side, `mean_of` their number. `pending` says how far the cohort is counted, until it is; all is
    of this subject alone as long.
    """

    shown: Reading
    scans: int
    input_counts: NDArray[np.int64]
    mean_dice: dict[names.Side, NDArray[np.float64]]
    mean_of: int
    pending: str = ""


def _pool(tables: Sequence[ThresholdTable], plain: Sequence[ThresholdTable], mean: bool) -> Pooled:
    lesions = [one for one in tables if one.true and mean]
    return Pooled(
        shown=read_histogram(cases.pooled_counts(tables)),
        scans=len(tables),
        input_counts=cases.pooled_counts(plain),
        mean_dice={
            side: np.mean([one.dice(side) for one in lesions], axis=0)
            for side in names.SIDES
            if lesions
        },
        mean_of=len(lesions),
    )


class _NotYet(Exception):
    """The cohort is not counted yet; Streamlit keeps no result of what raises."""


@st.cache_resource(show_spinner=False, max_entries=24)
def _of_cohort(key: str, _view: View) -> Pooled:
    so_far = [cases.tables_so_far(one) for one in (_view, replace(_view, map="input"))]
    behind = min(so_far, key=lambda one: len(one.tables))
    if not behind.complete:
        raise _NotYet(cohort_progress(behind))
    return _pool(so_far[0].tables, so_far[1].tables, mean=True)


def cohort_progress(so_far: cases.SoFar) -> str:
    """The sentence on how far the cohort's histogram is."""
    if so_far.problem:
        return f"The cohort's histogram cannot be counted: {so_far.problem}"
    return f"{len(so_far.tables)} of {so_far.total} scans of the cohort are counted."


@st.cache_resource(show_spinner=False, max_entries=24)
def _of_subject(key: str, subject: str, _view: View) -> Pooled:
    tables, plain = (
        cases.cohort_tables(one, subject=subject) for one in (_view, replace(_view, map="input"))
    )
    return _pool(tables, plain, mean=False)


def pooled_of(key: str, view: View, wait: bool) -> Pooled:
    """What the view's scope says; of a cohort that is not counted yet the subject's own part.

    To `wait` is to cut the rest of the cohort now.
    """
    subject = cohorts.find_scan(cohorts.load_cohort(view.cohort), view.scan).subject
    if view.scope != "cohort":
        return _of_subject(key, subject, view)
    try:
        if wait:
            for one in (view, replace(view, map="input")):
                cases.cohort_tables(one)
        return _of_cohort(key, view)
    except _NotYet as so_far:
        return _of_subject(key, subject, view)._replace(pending=str(so_far))
