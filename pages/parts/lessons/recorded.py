"""Recorded trainings for the stops: the course of a shipped run, the masks of its watched slices.

Shipped runs keep the cuts of their watched slices at every cycle, so no network is needed.
"""

import numpy as np
import streamlit as st

from ascnet_core.metrics.overlap import count
from ascnet_core.monitoring.history import History, count_holes, read_history
from ascnet_core.runs.folder import Run, SnapshotData, resolve_run
from pages.parts.lessons.material import Bools, read

LICENCE = (
    "Real patients: LGG Segmentation Dataset (Buda, Saha, Mazurowski, Computers in Biology and "
    "Medicine 2019; Mazurowski et al., Journal of Neuro-Oncology 2017), images of TCGA-LGG from "
    "The Cancer Imaging Archive (Pedano et al., doi 10.7937/K9/TCIA.2016.L4LTD3TK). CC BY-NC-SA "
    "4.0: shown here for non-commercial use, with this attribution, under the same licence. "
    "Changed: FLAIR alone, single slices, rescaled to 96 x 96."
)
"""The words of `lgg-flair`'s licence, wherever its slices are on the page."""


@st.cache_resource(show_spinner=False)
def course(name: str) -> History:
    """The course of a shipped run. Raises UserError."""
    return read_history(Run(resolve_run(name)))


@st.cache_resource(show_spinner=False, max_entries=64)
def moment(name: str, index: int) -> SnapshotData:
    """The watched slices of a moment of a shipped run. Raises UserError."""
    return Run(resolve_run(name)).load_snapshot(index)


def truth_of(name: str) -> Bools:
    """The true masks (W, S, S) of a shipped run's watched slices; training never saw them."""
    truth: Bools = read(f"{name}-truth")["truth"]
    return truth


def dice_of(mask: Bools, truth: Bools) -> float:
    """Dice of a mask with the truth, of slices alone."""
    return count(mask, truth).dice


def holes_of(mask: Bools) -> int:
    """Pixels that the mask of a slice (S, S) encloses without holding them."""
    return count_holes(mask[np.newaxis])


def show_licence() -> None:
    """The licence of the real patients' slices."""
    st.html(f'<div class="licence">{LICENCE}</div>')
