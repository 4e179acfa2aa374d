"""Is a map more than the input's brightness in other steps? Joint histograms and ranks of two maps.

The paper's losses allow M to become a quantiser of brightness. Its rank correlation with the input
is then near 1, and a threshold on it finds nothing that a threshold on the input would not.
"""

import numpy as np
from numpy.typing import NDArray

from ascnet_core.segmentation.smoothing import LEVELS

QUANTISER = 0.95
"""Rank correlation with the input from which a map only follows the input."""


def joint_counts(
    rows: NDArray[np.uint8],
    columns: NDArray[np.uint8],
    region: NDArray[np.bool_] | None = None,
    bins: int = LEVELS,
) -> NDArray[np.int64]:
    """How many voxels of a region have a level of `rows` and a level of `columns`, (bins, bins).

    `bins` divides 256: each bin holds 256 / bins levels.
    """
    if LEVELS % bins:
        raise ValueError(f"bins must divide {LEVELS}, not {bins}")
    first, second = (
        (one.ravel() if region is None else one[region]) // (LEVELS // bins)
        for one in (rows, columns)
    )
    pairs = first.astype(np.int32) * bins + second
    return np.bincount(pairs, minlength=bins * bins).reshape(bins, bins)


def rank_correlation(
    one: NDArray[np.uint8], other: NDArray[np.uint8], region: NDArray[np.bool_] | None = None
) -> float:
    """Spearman's rank correlation of two 8-bit maps inside a region, exact, ties at middle rank.

    NaN where the region is empty or one of the maps is constant there.
    """
    return _correlation(joint_counts(one, other, region))


def rank_share(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """The rank correlation as a share of the largest that the ties of both maps allow, in -1..1.

    The largest is that of the same levels in the same order (in the opposite order where the
    correlation is negative). With few grey levels even a pure quantiser stays below 1: three
    equally full ones reach 0.94, and their share is 1. NaN where `rank_correlation` is.
    """
    joint = joint_counts(one, other)
    value = _correlation(joint)
    below_one, below_other = (np.cumsum(joint.sum(axis=axis)) for axis in (1, 0))
    if value >= 0:
        ordered = np.minimum.outer(below_one, below_other)
    else:
        ordered = np.maximum(np.add.outer(below_one, below_other) - joint.sum(), 0)
    ordered = np.diff(np.diff(ordered, axis=0, prepend=0), axis=1, prepend=0)
    return value / abs(_correlation(ordered))


def _correlation(joint: NDArray[np.int64]) -> float:
    """Spearman's of a joint histogram; NaN where a row or a column holds everything."""
    by_one, by_other = joint.sum(axis=1), joint.sum(axis=0)
    half = 0.5 * joint.sum()
    ranks_one = np.cumsum(by_one) - 0.5 * by_one - half
    ranks_other = np.cumsum(by_other) - 0.5 * by_other - half
    spread = float(by_one @ ranks_one**2) * float(by_other @ ranks_other**2)
    if spread == 0:
        return float("nan")
    return float(ranks_one @ joint @ ranks_other / np.sqrt(spread))


def warn_quantiser(name: str, rank: float) -> str:
    """A warning where a map only follows the input's brightness; "" where it does not."""
    if name == "input" or not abs(rank) >= QUANTISER:
        return ""
    return (
        "Ranks voxels almost as I_in does: largely a quantiser of brightness. Compare with a plain "
        "threshold."
    )
