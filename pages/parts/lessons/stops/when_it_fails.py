"""When it fails: a run that only quantises brightness."""

import streamlit as st

from ascnet_core.figures import basics as figures
from ascnet_core.metrics.overlap import oracle_cohort_threshold
from ascnet_core.runs.folder import Run, resolve_run
from ascnet_core.segmentation.quantiser import rank_correlation
from pages.parts.lessons.shown import (
    NAMES,
    PAPER,
    PLAIN,
    RUN,
    lesion_scans,
    level_of,
    tile,
    view_of,
)
from pages.parts.lessons.stop import Stop
from pages.parts.shared import cases, pictures
from pages.parts.watch import stopping


def show() -> str:
    """A run that only quantises brightness, beside a plain threshold."""
    name = st.segmented_control(
        "Run",
        [PAPER, RUN],
        default=PAPER,
        format_func=NAMES.__getitem__,
        key="lesson failing run",
        required=True,
    )
    case = cases.load_maps(view_of(name, scan=lesion_scans()[0].scan))
    z, region = level_of(case), case.prepared.region
    rank = rank_correlation(case.maps["reconstruction"], case.maps["input"], region)
    tables = {
        kind: [table for table in cases.cohort_tables(view_of(name, map=kind)) if table.true]
        for kind in ("reconstruction", "input")
    }
    best = {kind: oracle_cohort_threshold(found, "bright") for kind, found in tables.items()}
    histories = {run: stopping.history_of(Run(resolve_run(run))) for run in (PAPER, RUN)}
    courses = {
        NAMES[run]: [point.rank_correlation for point in history.points]
        for run, history in histories.items()
    }
    left, right = st.columns([1.3, 1], gap="medium")
    tiles = []
    for kind in ("input", "reconstruction"):
        mask = (case.maps[kind] >= best[kind][0]) & region
        tiles += [tile(case, kind, z), tile(case, kind, z, mask)]
    left.markdown("**I_in and its best mask, I_ro and its best mask** (*oracle* levels)")
    left.image(pictures.side_by_side(tiles), width="stretch")
    right.plotly_chart(
        figures.by_cycle(courses, "rank correlation of I_ro with I_in"),
        config=PLAIN,
        key="lesson course",
    )
    return (
        "Mean Dice at the best single level of this cohort, an *oracle*: "
        f"{best['reconstruction'][1]:.2f} on I_ro, {best['input'][1]:.2f} on the plain input. Rank "
        f"correlation of I_ro with the input: {rank:.2f}. It counts all tissue, of which a lesion "
        "is little, so a high one warns but does not condemn: what counts is to beat the input."
    )


STOP = Stop(
    "When it fails",
    "Nothing in the paper's losses asks the wild cut to hold the anomaly. Disjoint cuts may as "
    "well share out brightness, and then I_ro only sorts grey levels anew: bright lesions are "
    "found, others are lost, and peaks may trade places (Fig. 8). The control is the rank "
    "correlation with the input; the rival to beat is a plain threshold. **Compare both "
    "runs.** On real heads it was no loss that mended it, but what M learns from: blobs that "
    "look like lesions (run lgg-flair).",
    show,
)
