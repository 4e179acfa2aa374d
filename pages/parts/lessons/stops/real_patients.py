"""Real patients: the watched slices of lgg-flair through its training."""

import streamlit as st

from pages.parts.lessons import recorded
from pages.parts.lessons.shown import REAL, SHORT, Tile, choose, picture, show_tiles
from pages.parts.lessons.stop import Stop

KINDS = {"mask": "mask over I_in", **SHORT}


def show() -> str:
    """Four patients: the scan, and below it the mask or a map of a moment."""
    left, right = st.columns([1.5, 1], vertical_alignment="bottom")
    with left:
        kind = choose("Below each scan", list(KINDS), "real kind", KINDS)
    points = recorded.course(REAL).points
    labels = {point.index: point.label for point in points}
    index = right.select_slider(
        "Moment of the training",
        list(labels),
        value=points[-1].index,
        format_func=labels.__getitem__,
        key="lesson moment real",
    )
    point = next(point for point in points if point.index == index)
    data, truth = recorded.moment(REAL, index), recorded.truth_of(REAL)
    inside = data.watched_input > 0
    given, below = [], []
    for n, slice_ in enumerate(data.watched_input):
        name = f"Patient {n + 1}"
        given.append(
            Tile(f"{name}: I_in", f"{name}, FLAIR with lower-grade glioma, tumour outlined",
                 picture(slice_, inside[n], None, truth[n]))
        )  # fmt: skip
        if kind != "mask":
            title = KINDS[kind]
            shown = picture(data.levels(kind)[n], inside[n], None, truth[n])
        elif point.mask is None:
            title, shown = "no mask yet", picture(slice_, inside[n], None, truth[n])
        else:
            title = f"mask, Dice {recorded.dice_of(point.mask[n], truth[n]):.2f}"
            shown = picture(slice_, inside[n], point.mask[n], truth[n])
        below.append(Tile(f"{name}: {title}", f"{name} at {point.label}: {title}", shown))
    show_tiles([*given, *below], 0.44, 4)
    recorded.show_licence()
    if point.mask is None or point.threshold is None:
        return f"At {point.label} the histogram of I_ro has no two peaks yet, so there is no mask."
    mean = sum(recorded.dice_of(one, true) for one, true in zip(point.mask, truth, strict=True)) / 4
    return (
        f"At {point.label} the rule `{point.threshold.rule}`, which saw no mask, takes level "
        f"{point.threshold.level}: mean Dice {mean:.2f} in these four slices, which the run "
        "trained on. On held-out patients, whole volumes, the same recipe has .54 (mean of three "
        "seeds), the best rule on the plain input .14."
    )


STOP = Stop(
    "Real patients",
    "Four people with a glioma, scalp and skull in the picture. No preset of the paper's losses "
    "found their tumours here; what mended it is what M learns from: compact blobs laid over "
    "lesion-free slices, then its own finds. There is **no adversary** in this run. **Move through "
    "the training**: in the first cycles the rule finds nothing or marks the whole head, then the "
    "tumours appear. Blue is the true outline, which the training never saw: some tumours are "
    "overfilled, none is exact.",
    show,
    "Four real gliomas, with scalp and skull. What helped was not the adversary, which is off "
    "here, but blobs that look like lesions.",
)
