"""Clicking the peak: the viewer of the Threshold page."""

import streamlit as st

from pages.parts.lessons.shown import COHORT, RUN, choose_subject
from pages.parts.lessons.stop import Stop
from pages.parts.shared import runs
from pages.parts.shared.state import View
from pages.parts.shared.tables import counted
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
        f"Histogram and rule look at the whole cohort: its {counted(len(data['peaks']), 'peak')} "
        "need not be those of one patient, as in lesson 3. "
        f"The rule `{shown.proposed.rule}`, which saw no mask, proposes level "
        f"{shown.proposed.level} of 255, the lowest place left of the brightest peak. The line "
        "moves where you click, and mask and numbers with it."
    )


STOP = Stop(
    "Clicking the peak",
    "The method's last step is a person's: which peak is the anomaly? **Click a peak** of the "
    "histogram, or anywhere between two, or drag the line; the mask follows in three "
    "planes. The paper keeps what is at or above the rightmost peak, which loses about half of "
    "it; **drag the line left into the valley**, and the whole peak is kept. Dice beside it "
    "compares with the true mask, knowledge that a user does not have.",
    show,
    "The last step is a person's: click the brightest peak, then drag the line left into the "
    "valley, to keep the whole peak. Dice needs the true mask.",
    outlined=False,
)
