"""Fig. 9: re-runs of one recipe beside each other: another look, the same anomaly."""

import numpy as np
import streamlit as st

from ascnet_core.monitoring.history import dice
from ascnet_core.segmentation.threshold import propose
from pages.parts.lessons import recorded
from pages.parts.lessons.material import read
from pages.parts.lessons.shown import (
    RUN,
    SHORT,
    Tile,
    choose,
    histogram,
    picture,
    show_chart,
    show_tiles,
)
from pages.parts.lessons.stop import Stop

RULE = "rightmost-valley"
PATCHED = 1  # the watched slice in which a healthy patch draws the eye, but on the wild cut
PATCH = "Pale patch of Seed 2: healthy. On I_ro it is below the level, so it is not in the mask."


def show() -> str:
    """The same slice through trainings that differ by their seed alone."""
    held, truth = read("reruns"), recorded.truth_of(RUN)
    one, two = st.columns([1, 2], vertical_alignment="bottom")
    with one:
        which = choose("Slice", list(range(1, len(truth) + 1)), "rerun slice", default=2) - 1
    with two:
        name = choose("Image", list(SHORT), "rerun map", SHORT)
    given = held["input"][which]
    inside, masks = given > 0, []
    for seed, column in enumerate(st.columns(len(held["counts"]), gap="small")):
        counts = held["counts"][seed].astype(np.int64)
        level = propose(RULE, counts, "bright").level
        masks.append((held["reconstruction"][seed] >= level) & (held["input"] > 0))
        score = recorded.dice_of(masks[-1][which], truth[which])
        with column:
            show_chart(
                histogram(counts, "reconstruction", level, narrow=True),
                f"Seed {seed}: I_ro, level {level}",
                f"histogram seed {seed}",
                200,
            )
            show_tiles(
                [
                    Tile(f"Seed {seed}: {SHORT[name]}",
                         f"Seed {seed}, watched slice {which + 1}, {SHORT[name]}",
                         picture(held[name][seed][which], inside, None, truth[which])),
                    Tile(f"mask: Dice {score:.2f}",
                         f"Seed {seed}, mask of level {level} over I_in, Dice {score:.2f}",
                         picture(given, inside, masks[-1][which], truth[which])),
                ],
                0.5,
            )  # fmt: skip
    if which == PATCHED and name != "wild":
        st.caption(PATCH)
    pairs = [dice(a, b) or 0.0 for n, a in enumerate(masks) for b in masks[n + 1 :]]
    scores = [recorded.dice_of(mask, truth) for mask in masks]
    found = np.mean([(mask & truth).sum() / truth.sum() for mask in masks])
    return (
        f"Masks of the four watched slices have Dice {_span(pairs)} with each other, and "
        f"{_listed([f'{score:.2f}' for score in scores])} with the true masks (*oracle*). That is "
        f"low because the lesions are small here, and a mask holds {found:.0%} of them. Whole "
        "volumes of unseen patients hold larger ones: there three seeds of the recipe have .78, "
        ".77 and .76."
    )


def _span(values: list[float]) -> str:
    low, high = (f"{value:.2f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


STOP = Stop(
    "The same recipe, trained again",
    "The same recipe and the same data, but another seed: other first weights, other blobs. Cuts "
    "and levels look different, yet the masks lie in the same places (paper, Fig. 9), though each "
    "holds another part of these small lesions. **Choose a slice and an image**: compare. Seed 2 "
    "lifts a healthy patch of slice 2 to grey; its level leaves that out. The level of one run is "
    "not that of another. One training is no evidence: compare three seeds.",
    show,
    "Another seed gives other cuts and levels. The masks lie in the same places, but hold other "
    "parts of small lesions. One training is no evidence.",
)
