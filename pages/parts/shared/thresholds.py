"""The threshold of a view: what its rule proposes, and which one is in force on the pages."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.names import Side
from ascnet_core.segmentation.rules import needs_reference
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, attempt
from pages.parts.shared import cases, cohorts, state
from pages.parts.shared.state import View

STAYS = "The last threshold stays."


def subject_of(view: View) -> str | None:
    """The subject whose scans the rule reads, None for the whole cohort."""
    if view.scope == "cohort":
        return None
    return cohorts.find_scan(cohorts.load_cohort(view.cohort), view.scan).subject


def propose(view: View, counts: NDArray[np.int64] | None = None) -> Threshold | NoThreshold:
    """What a complete view's rule gives for the histogram of its scope. Raises UserError."""
    if counts is None:
        counts = cases.pooled_counts(cases.cohort_tables(view, subject=subject_of(view)))
    try:
        asks = needs_reference([view.rule])
    except UserError as error:  # The rule that was typed does not exist.
        return NoThreshold(view.side, view.rule, str(error))
    reference = cases.reference_counts(view) if asks else None
    return attempt(view.rule, counts, view.side, reference)


def choose(
    view: View, proposed: Threshold | NoThreshold, last: Threshold | None
) -> Threshold | NoThreshold:
    """The threshold in force: set by hand, else the rule's, else the `last` one there was."""
    if view.t is not None:
        return _by_hand(view.t, view.upper, view.side, "Set by hand.")
    if isinstance(proposed, Threshold) or last is None:
        return proposed
    return _by_hand(last.level, last.upper, last.side, f"{proposed.sentence} {STAYS}")


def _by_hand(level: int, upper: int | None, side: Side, sentence: str) -> Threshold:
    rule = str(level) if upper is None else f"band:{level}:{upper}"
    return Threshold(level, upper, side, rule, sentence, "manual")


def in_force(view: View, proposed: Threshold | NoThreshold) -> Threshold | NoThreshold:
    """`choose`, where `last` is this session's last threshold here: on scan, scale and side."""
    scale = (
        view.cohort, view.scan, view.run, view.cycle, view.map, view.range, view.flip, view.side,
    )  # fmt: skip
    known, last = st.session_state.get(state.LAST, (None, None))
    threshold = choose(view, proposed, last if known == scale else None)
    if isinstance(threshold, Threshold):
        st.session_state[state.LAST] = (scale, threshold)
    return threshold
