"""Smoothing of histograms, so that peaks can be read from counts that are noisy or combed.

1. *Piles.* Where level 0 or 255 alone holds more than `PILE_RATIO` (3) times the fullest of the
   next four levels, its excess over them is clipped or saturated values: it is set aside so that
   it does not smear over its neighbours. A pile of at most `PILE_SHARE` (0.2 %) of the voxels
   (what percentile scaling clips) is dropped, a larger one is a peak.
2. *Smoothing.* Each level's voxels are spread by a Gaussian of `SMOOTHING` (2) levels. Where
   99.8 % of the voxels lie within fewer than 50 levels (a map on the raw scale early in training)
   it is narrower, a 25th of that span, down to 0.8. Where counts are combed (few grey values
   stretched over many levels) it is as wide as the comb's gap, from `COMBED` (4, for gaps that
   are uneven) to `WIDEST` (16), and differs between neighbouring levels by at most a quarter of a
   level.
3. *Narrow peaks.* This smoothing flattens them. `sharp` keeps their height where counts are full
   (`FULL`, 200 a level) and even enough for a Gaussian of `FINE` (1) level.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, percentile_filter, uniform_filter1d

LEVELS = 256
SMOOTHING = 2.0
NARROWEST = 0.8
FINE = 1.0
FULL = 200
COMBED = 4.0
WIDEST = 16
TOOTH = 0.02
STEEPEST = 0.25
PILE_RATIO = 3.0
PILE_SHARE = 0.002

Counts = NDArray[np.int64]


def base_width(rest: NDArray[np.float64]) -> float:
    """Width of the Gaussian in levels before combs are looked for."""
    total = rest.sum()
    first, last = np.searchsorted(np.cumsum(rest), (0.001 * total, 0.999 * total))
    return float(np.clip((last - first) / 25, NARROWEST, SMOOTHING))


def _widths(rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Width of the Gaussian for the voxels of each level, in levels: wider where counts are combed.

    Fewer than 20 occupied levels are no comb: each of the few values is a peak.
    """
    widths = np.full(LEVELS, base_width(rest))
    around = maximum_filter1d(rest, 17, mode="constant")
    teeth = np.flatnonzero(rest > np.maximum(TOOTH * around, 1e-5 * rest.sum()))
    if teeth.size < 20:
        return widths
    gaps = np.diff(teeth)
    # a single gap is an empty valley; several in a row, or every few teeth, are a comb
    usual = percentile_filter(gaps, 70, 7, mode="nearest")
    open_gaps = ((gaps > 1) & (gaps <= WIDEST)).astype(np.float64)
    uneven = uniform_filter1d(open_gaps, 15, mode="nearest") > 0.1
    # where voxels are few, a level is empty by chance
    dense = uniform_filter1d(rest, 2 * WIDEST + 1, mode="constant")[teeth[:-1]] >= 4
    combs = dense & ((usual > 1) | uneven)
    for tooth, gap, comb in zip(teeth[:-1], np.minimum(usual, WIDEST), combs, strict=True):
        if comb:
            reached = slice(tooth, tooth + gap + 1)
            widths[reached] = np.maximum(widths[reached], max(gap, COMBED))
    # neighbours may differ by little, or the step would show as a bump
    levels = np.arange(LEVELS)
    away = np.abs(levels - levels[:, None])
    return np.asarray((widths - STEEPEST * away).max(axis=1))


def _set_piles_aside(counts: NDArray[np.float64]) -> tuple[NDArray[np.float64], dict[int, float]]:
    """Counts without the piles at 0 and 255, and the piles' excess by level."""
    rest = counts.copy()
    piles: dict[int, float] = {}
    for level, neighbours in ((0, slice(1, 5)), (LEVELS - 1, slice(LEVELS - 5, LEVELS - 1))):
        fullest = float(counts[neighbours].max())
        if counts[level] > PILE_RATIO * fullest:
            piles[level] = float(counts[level]) - fullest
            rest[level] = fullest
    return rest, piles


def smooth_with_noise(counts: Counts) -> tuple[NDArray[np.float64], float]:
    """The smoothed counts, and the standard deviation of their square root in Poisson noise."""
    if counts.shape != (LEVELS,):
        raise ValueError(f"counts must have shape (256,), got {counts.shape}")
    plain = counts.astype(np.float64)
    total = plain.sum()
    if total == 0:
        return plain, 0.0
    rest, piles = _set_piles_aside(plain)
    widths = _widths(rest)
    levels = np.arange(LEVELS)
    # column k says how the voxels of level k are spread over all levels
    away = (levels[:, None] - levels) / widths
    weights = np.exp(-0.5 * away**2) / (np.sqrt(2 * np.pi) * widths)
    smoothed = weights @ rest
    for level, excess in piles.items():
        if plain[level] > PILE_SHARE * total:
            # as high as smoothing would make it, without its flanks
            smoothed[level] += excess * weights.max()
    return smoothed, 0.5 * float(np.sqrt((weights**2).sum(axis=1).max()))


def smooth(counts: Counts) -> NDArray[np.float64]:
    """The smoothed counts (256,) float64, voxels per level, that peaks are read from."""
    return smooth_with_noise(counts)[0]


def sharp(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts under a Gaussian of `FINE` (1) level, 0 where they are too few or too uneven for it.

    Uneven: a quarter of the levels around differ from the mean of their two neighbours by more
    than noise explains.
    """
    rest, _ = _set_piles_aside(counts)
    near = uniform_filter1d(rest, 9, mode="constant")
    off = np.abs(rest - 0.5 * (np.roll(rest, 1) + np.roll(rest, -1)))
    uneven = (off > 0.15 * near + 3 * np.sqrt(1.5 * near)).astype(np.float64)
    even = uniform_filter1d(uneven, 25, mode="nearest") < 0.25
    full = uniform_filter1d(rest, 17, mode="constant") >= FULL
    return np.where(even & full, gaussian_filter1d(rest, FINE, mode="constant"), 0.0)


def valley_between(smoothed: NDArray[np.float64], left: int, right: int) -> int:
    """The lowest level between two peaks; the middle one where several are equally low."""
    between = smoothed[left : right + 1]
    lowest = np.flatnonzero(between <= between.min() * (1 + 1e-9) + 1e-12)
    return left + int(lowest[(lowest.size - 1) // 2])
