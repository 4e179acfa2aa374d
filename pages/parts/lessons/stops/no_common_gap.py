"""Fig. 3: two patients' histograms have no common gap; those of I_ro have one."""

import streamlit as st

from ascnet_core.metrics.overlap import oracle_threshold
from pages.parts.lessons.material import patients
from pages.parts.lessons.shown import (
    COHORT,
    RUN,
    Tile,
    choose,
    histogram,
    names_with_lesion,
    show_chart,
    show_tiles,
    slice_of,
)
from pages.parts.lessons.stop import Stop
from pages.parts.shared import cohorts

PATIENTS = ("demo1-002", "demo1-016")
IMAGES = {"input": "the scan itself, I_in", "reconstruction": "ASC-Net's image of it, I_ro"}
START = 214  # the level that suits the first of them on I_in


def show() -> str:
    """One level on two patients, on I_in or on I_ro."""
    cohorts.make_ahead(COHORT)  # for the stop on which one clicks
    left, right = st.columns([1.2, 1], vertical_alignment="bottom")
    with left:
        name = choose("Image", list(IMAGES), "image of both", IMAGES)
    level = right.slider("One level for both patients", 0, 255, START, key="lesson level of both")
    short = "I_in" if name == "input" else "I_ro"
    said, best = [], []
    for column, who in zip(st.columns(2, gap="medium"), PATIENTS, strict=True):
        patient = patients(RUN, "flair")[who]
        table = patient.tables[name]
        dice = float(table.dice("bright")[level])
        best.append(oracle_threshold(table, "bright"))
        said.append(f"{dice:.2f}")
        mask = patient.maps[name] >= level
        with column:
            show_chart(
                histogram(table.levels, name, level, table.lesion),
                f"{who}: histogram of {short}",
                f"histogram {who}",
                210,
                lines=names_with_lesion(name),
            )
            show_tiles(
                [
                    Tile(f"{short}, a slice", f"{who}, slice of {short}", slice_of(patient, name)),
                    Tile(
                        f"kept at {level}: Dice {dice:.2f}",
                        f"{who}, the same slice with the mask of level {level}, Dice {dice:.2f}",
                        slice_of(patient, name, mask),
                    ),
                ],
                0.54,
            )
    return (
        f"At {level} on {short} the two masks have Dice {said[0]} and {said[1]}. The level that "
        f"suits each best (*oracle*, it needs the true mask) is {best[0][0]} for the first and "
        f"{best[1][0]} for the second, with Dice {best[0][1]:.2f} and {best[1][1]:.2f}."
    )


STOP = Stop(
    "No level fits two patients",
    "A threshold needs a gap between tissue and lesion. In the scans themselves there is none "
    "that two patients share (paper, Fig. 3): where the lesion of the second begins, the first "
    "still has bright normal tissue. **Move the level**: what suits one patient fails in the "
    "other. Then **change the image to I_ro**, which ASC-Net makes of the same scans: there one "
    "level serves both. The blue outline is the true lesion.",
    show,
    "A threshold needs a gap, and two patients' scans have none in common. ASC-Net makes another "
    "image, I_ro, in which one level serves both.",
)
