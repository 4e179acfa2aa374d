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
from pages.parts.shared.feedback import plain
from pages.parts.shared.runs import run_folder

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
    if not is_of_training(scan, signs, known):
        why = trained_on(scan, signs, known)
        return ("Trained on a subject of this name" if why else ""), why
    these = "these scans" if set(subjects) <= known.subjects else "this scan"
    return f"Trained on {these}", trained_on(scan, signs, known)


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
