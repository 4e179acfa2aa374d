"""Fig. 8: peaks trade sides; here fluid does. One network on FLAIR and on T2 of the same head."""

import numpy as np
import streamlit as st

from ascnet_core.figures.basics import COLOURS
from ascnet_core.segmentation.histogram import find_peaks
from ascnet_core.segmentation.threshold import attempt
from pages.parts.lessons.material import patients
from pages.parts.lessons.shown import RUN, Tile, choose, histogram, show_chart, show_tiles, slice_of
from pages.parts.lessons.stop import Stop

CONTRASTS = {"flair": "FLAIR", "t2": "T2"}
SHOWN = ("demo1-002", "demo1-006", "demo1-010")  # whose dark pixels go over to the bright side
RULE = "rightmost-valley"
LIT = "lit, in this slice"
LINES = {"all voxels": COLOURS["reconstruction"], LIT: COLOURS["wild"]}


def show() -> str:
    """The pixels of a peak of I_ro on FLAIR, lit there and on T2."""
    known = {contrast: patients(RUN, contrast) for contrast in CONTRASTS}
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    who = left.selectbox("Patient", SHOWN, key="lesson patient trading")
    both = {contrast: held[who] for contrast, held in known.items()}
    peaks = {
        contrast: find_peaks(patient.tables["reconstruction"].levels)
        for contrast, patient in both.items()
    }
    with right:
        labels = {n: f"peak {n} · {one.position}" for n, one in enumerate(peaks["flair"], 1)}
        number = choose("Pixels of, on FLAIR", list(labels), f"peak of {who}", labels)
    peak = peaks["flair"][number - 1]
    levels = both["flair"].maps["reconstruction"]
    lit = (levels >= peak.left) & (levels <= peak.right) & both["flair"].region
    scores = {}
    for column, (contrast, name) in zip(
        st.columns(2, gap="medium"), CONTRASTS.items(), strict=True
    ):
        patient, table = both[contrast], both[contrast].tables["reconstruction"]
        found = attempt(RULE, table.levels, "bright")
        scores[name] = 0.0 if found.level is None else float(table.dice("bright")[found.level])
        chart = histogram(table.levels, "reconstruction")
        chart.add_bar(
            x=np.arange(256),
            y=_lit_counts(patient.maps["reconstruction"][lit]),
            name=LIT,
            marker={"color": COLOURS["wild"], "line": {"width": 0}},
        )
        with column:
            show_chart(
                chart, f"{name}: histogram of I_ro", f"histogram {contrast}", 210, lines=LINES
            )
            show_tiles(
                [
                    Tile(
                        f"{name}: {title}",
                        f"{who}, {name}, {title}, pixels of peak {number} on FLAIR lit",
                        slice_of(patient, image, lit, "wild"),
                    )
                    for image, title in (("input", "I_in"), ("reconstruction", "I_ro"))
                ],
                0.54,
            )
    last = peaks["t2"][-1]
    there = both["t2"].maps["reconstruction"][lit]
    went = float(((there >= last.left) & (there <= last.right)).mean())
    return (
        f"Of the pixels that are peak {number} of {len(peaks['flair'])} on FLAIR, {went:.0%} are "
        f"in peak {len(peaks['t2'])} on T2, the brightest there. The rule `{RULE}` keeps the "
        f"brightest peak: Dice {scores['FLAIR']:.2f} on FLAIR, {scores['T2']:.2f} on T2, where it "
        "is mostly fluid."
    )


def _lit_counts(levels: np.ndarray) -> np.ndarray:
    counts = np.bincount(levels, minlength=256).astype(float)
    return np.where(counts > 0, counts, np.nan)


STOP = Stop(
    "Fluid joins the lesion",
    "What a peak holds is not fixed (paper, Fig. 8). Here are FLAIR and T2 of the same head "
    "through the *same* network, trained on FLAIR. Fluid is dark on FLAIR and makes peak 1; on T2 "
    "it is bright, and most of its pixels lie in the brightest peak, together with the lesion. "
    "**Choose a peak** and see where its pixels go. So look at the side and the peak anew for "
    "each kind of scan: `peak:K` on one is not `peak:K` on the other.",
    show,
    "The same network, the same head: fluid is the darkest peak on FLAIR; on T2 most of it joins "
    "the lesion in the brightest. Look anew for each contrast.",
)
