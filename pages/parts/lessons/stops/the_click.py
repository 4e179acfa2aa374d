"""Clicking the peak: the viewer of the Threshold page."""

import streamlit as st

from pages.parts.lessons.shown import COHORT, RUN, choose_subject
from pages.parts.lessons.stop import Stop
from pages.parts.shared import runs
from pages.parts.shared.state import View
from pages.parts.viewer import findings, viewer


def show() -> str:
    """The viewer of the Threshold page."""
    with st.columns([1, 3])[0]:
        scan = choose_subject("click")
    view = runs.complete(View(cohort=COHORT, run=RUN, scan=scan))
    shown = findings.load(view)
    viewer.show_volumes(findings.packed(shown))
    left, right = st.columns([5, 1.2])
    with left:
        data = findings.viewer_data(shown, None, 0, "", "")
        viewer.show_viewer(data, "lesson viewer", lambda: None)
    with right:
        viewer.show_numbers()
    return (
        f"The rule `{shown.proposed.rule}`, which saw no mask, proposes level "
        f"{shown.proposed.level} of 255 here; the line moves where you click, and the mask in "
        "three planes and its numbers move with it."
    )


STOP = Stop(
    "Clicking the peak",
    "The method's last step is a person's: which peak is the anomaly? **Click a peak** of the "
    "histogram, or anywhere between two, or drag the line; the mask follows in three "
    "planes. The paper keeps what is at or above the rightmost peak; the valley to its left "
    "keeps the whole peak. Dice beside it compares with the true mask, knowledge that a user "
    "does not have.",
    show,
    "The last step is a person's: click the peak that is the anomaly, then take the valley left "
    "of it. Dice needs the true mask, which no user has.",
)
