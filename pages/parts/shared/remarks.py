"""What is unsure or odd about a scan, shown calmly beside its results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.places import FINGERPRINT
from ascnet_core.runs.fingerprint import Fingerprint, read_fingerprint
from pages.parts.shared import disk
from pages.parts.shared.cases import Source, sources_of
from pages.parts.shared.cohorts import find_scan, load_cohort
from pages.parts.shared.feedback import plain
from pages.parts.shared.runs import run_folder
from pages.parts.shared.state import View

if TYPE_CHECKING:
    from ascnet_core.imaging.prepare import Prepared


@st.cache_resource(show_spinner=False, max_entries=16)
def _fingerprint(run: Path, changed: str) -> Fingerprint:
    return read_fingerprint(run)


def changed(run: str) -> str:
    """Another text once what is known of a run's training changes; part of a cache's key."""
    try:
        return disk.stamp([run_folder(run) / FINGERPRINT])
    except UserError:
        return ""


def remarks_on(prepared: Prepared, run: str, scored: bool = False) -> tuple[str, ...]:
    """What was unsure in reading a scan, and what is odd about it for a run.

    That the run was trained on it is odd where it is `scored`.
    """
    from ascnet_core.runs.suspicion import suspicions

    try:
        path = run_folder(run)
    except UserError:  # no run is there yet: what was unsure in reading remains
        return prepared.remarks
    return (*prepared.remarks, *suspicions(prepared, _fingerprint(path, changed(run)), scored))


def misfit_of(prepared: Prepared, run: str) -> str:
    """Why no result of a run on a scan can be trusted: the weightiest remark, or nothing."""
    from ascnet_core.runs.suspicion import misfits

    return next(iter(misfits(prepared, _fingerprint(run_folder(run), changed(run)))), "")


def trained_on(prepared: Prepared, subjects: Iterable[str], run: str) -> tuple[str, str]:
    """That a run was trained on a scan of a cohort with such subjects: in short, and what follows.

    Both are empty where it was not.
    """
    from ascnet_core.imaging.signs import signs_of
    from ascnet_core.runs.suspicion import is_of_training, trained_on

    known = _fingerprint(run_folder(run), changed(run))
    signs, scan = signs_of(prepared), prepared.scan
    why = trained_on(scan, signs, known)
    if not why:
        return "", ""
    if not is_of_training(scan, signs, known):
        return "Trained on a subject of this name", why
    these = "these scans" if set(subjects) <= known.subjects else "this scan"
    return f"Trained on {these}", why


@st.cache_resource(show_spinner=False, max_entries=512)
def _remarks(source: Source, stamp: str, scored: bool) -> tuple[str, ...]:
    prepared = source.prepared()
    return remarks_on(prepared, str(source.run), scored and prepared.truth is not None)


@st.cache_resource(show_spinner=False, max_entries=512)
def _trained_on(source: Source, subjects: tuple[str, ...], stamp: str) -> tuple[str, str]:
    return trained_on(source.prepared(), subjects, str(source.run))


@st.cache_resource(show_spinner=False, max_entries=512)
def _misfit(source: Source, stamp: str) -> str:
    return misfit_of(source.prepared(), str(source.run))


def load_remarks(view: View, scored: bool = False) -> tuple[str, ...]:
    """What is unsure or odd about a view's scan for its run, in sentences. Raises UserError.

    `scored`: also that the run was trained on it, where there is a mask to score with.
    """
    (source,) = sources_of(view, [find_scan(load_cohort(view.cohort), view.scan)])
    return _remarks(source, changed(view.run), scored)


def load_trained_on(view: View) -> tuple[str, str]:
    """That the view's run was trained on its scan; see `trained_on`. Raises UserError."""
    cohort = load_cohort(view.cohort)
    (source,) = sources_of(view, [find_scan(cohort, view.scan)])
    return _trained_on(source, tuple(cohort.subjects), changed(view.run))


def load_misfit(view: View) -> str:
    """The remark that says that scan and run do not fit, or nothing. Raises UserError."""
    (source,) = sources_of(view, [find_scan(load_cohort(view.cohort), view.scan)])
    return _misfit(source, changed(view.run))


def show(
    sentences: Sequence[str],
    about: str = "this scan",
    width: Literal["content", "stretch"] = "content",
    note: str = "",
) -> None:
    """A button that opens the sentences and a note below; nothing where there are none."""
    if not sentences:
        return
    count = "1 remark" if len(sentences) == 1 else f"{len(sentences)} remarks"
    with st.popover(f"{count} on {about}", icon=":material/info:", width=width):
        for sentence in sentences:
            st.markdown(f"- {plain(sentence)}")
        if note:
            st.caption(plain(note))
