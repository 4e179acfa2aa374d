"""What the stops show it on: the demo cohort, its subjects, slices of a map as pictures."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ascnet_core.figures.basics import COLOURS
from ascnet_core.imaging.cohort import Scan
from pages.parts.shared import cases, cohorts, pictures
from pages.parts.shared.state import View
from pages.parts.viewer.viewer import Mask

COHORT = "demo"
RUN, PAPER, SLOW = "demo-flair", "demo-flair-paper", "demo-t2"
ENLARGED = 3

PLAIN = {"displayModeBar": False}
NAMES = {
    RUN: "the variant (demo-flair)",
    SLOW: "a slow one (demo-t2)",
    PAPER: "the paper's losses (demo-flair-paper)",
}


def view_of(run: str, scan: str = "", map: str = "") -> View:
    """A view of the lessons' cohort on the raw range."""
    return View(cohort=COHORT, run=run, scan=scan, map=map, range="raw")


def lesion_scans() -> list[Scan]:
    """The demo subjects that have a lesion."""
    return [scan for scan in cohorts.load_cohort(COHORT).scans if scan.group == "anomalous"]


def level_of(case: cases.Case) -> int:
    """The axial slice that holds most of the lesion."""
    truth = case.prepared.truth
    held = case.prepared.region if truth is None else truth
    return int(held.sum(axis=(0, 1)).argmax())


def tile(
    case: cases.Case, name: str, z: int, mask: Mask | None = None, colour: str = COLOURS["mask"]
) -> pictures.Picture:
    """An axial slice of a map as RGB, `mask` (X, Y, Z) over it, the true mask outlined in blue."""
    region = case.prepared.region[:, :, z]
    marked = np.zeros_like(region) if mask is None else mask[:, :, z]
    grey = pictures.display((case.maps[name][:, :, z] * region).T)
    picture = pictures.over(grey, pictures.display(marked.T), colour)
    picture = pictures.enlarge(picture, ENLARGED)
    truth = case.prepared.truth
    if truth is not None:
        held = pictures.enlarge(pictures.display(truth[:, :, z].T), ENLARGED)
        picture[pictures.outline(held)] = pictures.rgb(COLOURS["truth"])
    return picture


def choose_subject(key: str) -> str:
    names = [scan.scan for scan in lesion_scans()]
    return str(st.selectbox("Subject", names, key=f"lesson subject {key}"))


def two_columns(key: str) -> tuple[cases.Case, DeltaGenerator]:
    """The menu of subjects, and a column beside it for another control."""
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    with left:
        return cases.load_maps(view_of(RUN, scan=choose_subject(key))), right
