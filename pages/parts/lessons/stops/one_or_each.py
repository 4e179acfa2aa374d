"""Fig. 12: one threshold for the cohort against one a subject, two masks and their Dice."""

import numpy as np
import streamlit as st

from ascnet_core.figures import basics as figures
from ascnet_core.metrics.overlap import oracle_threshold
from ascnet_core.segmentation.masks import numbers_at
from ascnet_core.segmentation.threshold import apply, attempt, propose
from pages.parts.lessons.material import Bools, Patient, patients
from pages.parts.lessons.shown import RUN, SLOW, Tile, choose, show_chart, show_tiles, slice_of
from pages.parts.lessons.stop import Stop

RULE = "rightmost-valley"
CASES = {"FLAIR": (RUN, "flair", "demo1-010"), "T2": (SLOW, "t2", "demo1-006")}
"""By contrast: the run, and the patient whom a level of its own fails, or suits better."""


def show() -> str:
    """The mask of one level for all patients beside that of a patient's own level."""
    one, two, three = st.columns([0.8, 1, 1.6], vertical_alignment="bottom")
    with one:
        contrast = choose("Scans", list(CASES), "contrast")
    run, kind, first = CASES[contrast]
    known = patients(run, kind, apart=True)
    names = list(known)
    who = two.selectbox("Patient", names, index=names.index(first), key=f"lesson of {contrast}")
    tables = {name: patient.tables["reconstruction"] for name, patient in known.items()}
    pooled = np.sum([table.levels for table in tables.values()], axis=0)
    common = propose(RULE, pooled, "bright").level
    key = f"lesson level for all {contrast}"
    level = three.slider("One level for all", 0, 255, common, key=key)
    own = {name: attempt(RULE, table.levels, "bright") for name, table in tables.items()}
    for_all = [float(table.dice("bright")[level]) for table in tables.values()]
    each = [numbers_at(tables[name], found, 1.0)["dice"] or 0.0 for name, found in own.items()]
    best = [oracle_threshold(table, "bright")[1] for table in tables.values()]
    patient, at = known[who], names.index(who)
    levels, found = patient.maps["reconstruction"], own[who]
    tiles = [_tile(patient, "I_ro, the lesion outlined", None)]
    tiles += [
        _tile(patient, f"{level}, for all: Dice {for_all[at]:.2f}", levels >= level),
        _tile(patient, f"{found.level}, its own: Dice {each[at]:.2f}", apply(levels, None, found)),
    ]
    show_tiles(tiles, 0.56)
    figure = figures.dice_by_subject(
        [name.removeprefix("demo1-") for name in names],
        {f"level {level} for all": for_all, "each its own level": each},
        {"each its best level": best},
    )
    figure.update_xaxes(title_text="patient, demo1-", type="category")
    figure.update_layout(legend={"x": 1, "xanchor": "right"})
    show_chart(figure, f"Dice of {len(names)} patients, {contrast}", "subjects", 220)
    return (
        f"{who}: Dice {for_all[at]:.2f} with {level} for all, {each[at]:.2f} with the level that "
        f"`{RULE}` reads in its own histogram. Mean of {len(names)} patients: "
        f"{np.mean(for_all):.2f} with {level} for all (the rule, without a mask, proposes {common}"
        f"), {np.mean(each):.2f} with each its own. *Oracle*, not to be claimed by a method: "
        f"{np.mean(best):.2f} with the best level of each."
    )


def _tile(patient: Patient, title: str, mask: Bools | None) -> Tile:
    alt = f"{patient.name}, a slice of I_ro: {title}"
    return Tile(title, alt, slice_of(patient, "reconstruction", mask))


STOP = Stop(
    "One threshold for all, or one for each",
    "The paper takes one level for a whole test set, and shows a patient whom another suits "
    "better (Fig. 12). **On FLAIR**, shown first, nobody is: seven patients do about as well with "
    "either, and one has a faint lesion that makes no peak, so the rule takes the wrong valley. "
    "**On T2** the first patient is such a one: less tissue is marked at its own level. Open "
    "diamonds need the true masks: no method may claim them.",
    show,
    "On FLAIR a level of its own helps no patient by more than .02, and fails one, whose lesion "
    "makes no peak. **On T2** it helps, by up to .09.",
)
