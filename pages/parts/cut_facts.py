"""What the Cuts page says of a case: histograms, peaks, the joint histogram, the mask of the view.

Pure functions of 8-bit maps, so that they are tested without a page.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ascnet_core.segmentation.histogram import count_levels, find_peaks
from ascnet_core.segmentation.quantiser import joint_counts, rank_correlation
from pages.parts.slice_panel import MAPS, Facts

JOINT_BINS = 64


def facts_of(
    maps: Mapping[str, NDArray[np.uint8]],
    region: NDArray[np.bool_],
    weights: tuple[float, float, float],
) -> Facts:
    """All that the charts show, from the raw 8-bit maps of a case.

    Parameters
    ----------
    maps
        Map name to (X, Y, Z) uint8 on the raw scale (255 is 1.0).
    weights
        R's weight of the fence, of the wild cut, and its bias.
    """
    counts = {name: count_levels(maps[name], region) for name in MAPS}
    return Facts(
        counts=counts,
        peaks={name: find_peaks(counts[name]) for name in MAPS},
        joint=joint_counts(maps["wild"], maps["fence"], region, JOINT_BINS),
        weights=weights,
        correlation=rank_correlation(maps["reconstruction"], maps["input"], region),
    )
