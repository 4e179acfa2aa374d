"""Why a raw histogram fails: one threshold on the input and on I_ro."""

import streamlit as st

from ascnet_core.figures import basics as figures
from ascnet_core.figures.basics import COLOURS
from ascnet_core.metrics.overlap import oracle_threshold, threshold_table
from ascnet_core.segmentation.histogram import count_levels, find_peaks
from pages.parts.lessons.shown import PLAIN, level_of, tile, two_columns
from pages.parts.lessons.stop import Stop
from pages.parts.shared import pictures


def show() -> str:
    """The same threshold on the input and on I_ro."""
    case, right = two_columns("histograms")
    level = right.slider("One threshold for both", 0, 255, 150, key="lesson level of both")
    z, region = level_of(case), case.prepared.region
    scores, best = {}, {}
    for column, name in zip(st.columns(2, gap="large"), ("input", "reconstruction"), strict=True):
        counts = count_levels(case.maps[name], region)
        peaks = [peak.position for peak in find_peaks(counts)]
        table = threshold_table(case.maps[name], case.prepared.truth, region)
        scores[name] = float(table.dice("bright")[level])
        best[name] = oracle_threshold(table, "bright")
        figure = figures.histogram({name: counts}, peaks)
        figure.add_vline(x=level, line={"color": COLOURS["mask"], "width": 2})
        mask = (case.maps[name] >= level) & region
        both = [tile(case, name, z), tile(case, name, z, mask)]
        column.plotly_chart(figure, config=PLAIN, key=f"lesson histogram {name}")
        column.image(pictures.side_by_side(both), width=440)
    return (
        f"At {level} the mask of I_in has Dice {scores['input']:.2f}, that of I_ro "
        f"{scores['reconstruction']:.2f} (both need the true mask to be known). The best that any "
        f"threshold could do, an *oracle*: {best['input'][1]:.2f} on I_in at {best['input'][0]}, "
        f"{best['reconstruction'][1]:.2f} on I_ro at {best['reconstruction'][0]}."
    )


STOP = Stop(
    "No level fits two patients",
    "A threshold needs a gap. In a scan's own histogram there is none: bright cortex, fat, "
    "noise and coil shading fill every level between tissue and lesion (paper, Fig. 3). "
    "ASC-Net makes another image of the same slice, the reduced reconstruction I_ro, whose "
    "histogram falls apart into a few peaks. **Move the one threshold** and compare both "
    "masks with the blue outline, the true lesion.",
    show,
)
