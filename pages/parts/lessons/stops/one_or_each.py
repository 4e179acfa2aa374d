"""One threshold for the cohort against one a subject."""

import numpy as np
import streamlit as st

from ascnet_core.figures import basics as figures
from ascnet_core.metrics.overlap import oracle_threshold
from ascnet_core.segmentation.masks import numbers_at
from ascnet_core.segmentation.threshold import attempt, propose
from pages.parts.lessons.shown import COHORT, PLAIN, RUN, view_of
from pages.parts.lessons.stop import Stop
from pages.parts.shared import cases, cohorts, runs


def show() -> str:
    """One threshold for the cohort against one a subject."""
    scans = cohorts.load_cohort(COHORT).scans
    tables = cases.cohort_tables(view_of(RUN, map="reconstruction"))
    sick = {scan.scan: table for scan, table in zip(scans, tables, strict=True) if table.true}
    rule = runs.run_settings(RUN).segmentation.rule
    common = propose(rule, cases.pooled_counts(tables), "bright").level
    level = st.slider("One level for all subjects", 0, 255, common, key="lesson level for all")
    for_all = [float(table.dice("bright")[level]) for table in sick.values()]
    own = {name: attempt(rule, table.levels, "bright") for name, table in sick.items()}
    each = [numbers_at(sick[name], found, 1.0)["dice"] or 0.0 for name, found in own.items()]
    best = [oracle_threshold(table, "bright")[1] for table in sick.values()]
    figure = figures.dice_by_subject(
        list(sick),
        {f"level {level} for all": for_all, f"{rule} of each subject": each},
        {"each subject's best level": best},
    )
    st.plotly_chart(figure, config=PLAIN, key="lesson subjects")
    return (
        f"Mean Dice of {len(sick)} subjects with a lesion: {np.mean(for_all):.2f} with level "
        f"{level} for all (the rule, without a mask, proposes {common}), {np.mean(each):.2f} with "
        f"the rule read anew for each subject, {np.mean(best):.2f} if the best level of each were "
        "known (*oracle*)."
    )


STOP = Stop(
    "One threshold for all, or one for each",
    "The paper takes one level for a whole test set and notes that another suits some "
    "subjects better (Fig. 12). **Move the level for all**: some subjects gain, others lose. "
    "A rule that reads each subject's own histogram adapts, but may fail where a lesion is "
    "small and its peak hidden. The open diamonds need the true masks: no method may claim "
    "them.",
    show,
)
