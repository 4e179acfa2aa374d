"""What the lessons show, made before and shipped: slices, true masks, counts of whole volumes.

`python -m tests.benchmarks.lessons` makes it from the shipped runs; `checkpoints/README.md` says
how. Nothing here waits for a network or for a cohort.
"""

from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.metrics.overlap import ThresholdTable

FOLDER = places.RUNS / places.LESSONS

Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]


class Patient(NamedTuple):
    """A synthetic patient through a run: one axial slice to look at, counts of the whole volume.

    `maps`, `region` and `truth` are one slice (X, Y) in RAS; maps are 0..255 for
    0 to 1, by the names of `run_maps`, `input` among them. `tables` are of all voxels in the
    region. The true mask serves to say afterwards how good a mask is.
    """

    name: str
    maps: dict[str, Bytes]
    region: Bools
    truth: Bools
    tables: dict[str, ThresholdTable]


@st.cache_resource(show_spinner=False)
def read(name: str) -> dict[str, NDArray[Any]]:
    """The arrays of a file of the material. Raises UserError where it is missing or damaged."""
    path = FOLDER / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"{path} cannot be read ({error}); fetch it again from the project."
        ) from error


def patients(run: str, contrast: str, *, apart: bool = False) -> dict[str, Patient]:
    """The patients with a lesion through a run, on "flair" or "t2", by name. Raises UserError.

    With `apart` the slice is the one in which the mask of the cohort's level differs most from that
    of the patient's own level, else the one with most lesion.
    """
    held = read(f"{run}-{contrast}")
    kinds = [str(name) for name in held["map_names"]]
    found = {}
    for n, name in enumerate(map(str, held["names"])):
        outside, background = int(held["outside"][n]), int(held["background"][n])
        tables = {
            kind: ThresholdTable(
                held["levels"][n, m].astype(np.int64),
                held["lesion"][n, m].astype(np.int64),
                outside,
                background,
            )
            for m, kind in enumerate(kinds)
        }
        z = int(apart)
        maps = dict(zip(kinds, held["maps"][n, z], strict=True))
        found[name] = Patient(name, maps, held["region"][n, z], held["truth"][n, z], tables)
    return found
