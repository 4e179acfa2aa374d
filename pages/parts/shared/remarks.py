"""What is unsure or odd about a scan, shown calmly beside its results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.places import FINGERPRINT
from ascnet_core.runs.fingerprint import Fingerprint, read_fingerprint
from ascnet_core.runs.folder import resolve_run
from pages.parts.shared.cohorts import changed_at

if TYPE_CHECKING:
    from ascnet_core.imaging.prepare import Prepared


@st.cache_resource(show_spinner=False, max_entries=16)
def _fingerprint(run: Path, changed: float) -> Fingerprint:
    return read_fingerprint(run)


def changed(run: str | Path) -> float:
    """When what is known of a run's training changed; part of a cache's key."""
    try:
        return changed_at(resolve_run(run) / FINGERPRINT)
    except UserError:
        return 0.0


def remarks_on(prepared: Prepared, run: str | Path) -> tuple[str, ...]:
    """What was unsure in reading a scan, and what is odd about it for a run."""
    from ascnet_core.runs.suspicion import suspicions

    try:
        path = resolve_run(run)
    except UserError:  # no run is there yet: what was unsure in reading remains
        return prepared.remarks
    known = _fingerprint(path, changed_at(path / FINGERPRINT))
    return (*prepared.remarks, *suspicions(prepared, known))


def show(
    sentences: Sequence[str],
    about: str = "this scan",
    width: Literal["content", "stretch"] = "content",
) -> None:
    """A button that opens the sentences; nothing where there are none."""
    if not sentences:
        return
    count = "1 remark" if len(sentences) == 1 else f"{len(sentences)} remarks"
    with st.popover(f"{count} on {about}", icon=":material/info:", width=width):
        for sentence in sentences:
            st.markdown(f"- {sentence}")
