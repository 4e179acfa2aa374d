"""What the lessons show again and again: an axial slice of a case with a mask over it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ascnet_core.figures import COLOURS
from ascnet_core.imaging.cohort import Scan
from pages.parts import cases, pictures

COHORT = "demo"
RUN, PAPER, SLOW = "demo-flair", "demo-flair-paper", "demo-t2"
ENLARGED = 3

Mask = NDArray[np.bool_]


def lesion_scans() -> list[Scan]:
    """The demo subjects that have a lesion."""
    return [scan for scan in cases.load_cohort(COHORT).scans if scan.group == "anomalous"]


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
    grey = pictures.display((case.maps[name][:, :, z] * region).T)
    marked = np.zeros(grey.shape, bool) if mask is None else pictures.display(mask[:, :, z].T)
    picture = pictures.enlarge(pictures.over(grey, marked, colour), ENLARGED)
    truth = case.prepared.truth
    if truth is not None and truth[:, :, z].any():
        held = pictures.enlarge(pictures.display(truth[:, :, z].T), ENLARGED)
        rim = held & ~ndimage.binary_erosion(held)
        picture[rim] = [int(COLOURS["truth"][i : i + 2], 16) for i in (1, 3, 5)]
    return picture


def row(tiles: Sequence[pictures.Picture]) -> pictures.Picture:
    """Tiles beside each other."""
    return pictures.side_by_side(tiles)
