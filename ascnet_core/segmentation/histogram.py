"""Histograms of a map on 256 levels: counts, peaks, how well peaks are separated, a verdict.

How peaks are found
-------------------
1. *Piles.* The excess of level 0 or 255 over its neighbours, where that level alone holds more
   than `PILE_RATIO` (3) times the fullest of the next four levels, is clipped or saturated values:
   it is set aside so that it does not smear over its neighbours. A pile of at most `PILE_SHARE`
   (0.2 %) of the voxels (what percentile scaling clips) is dropped, a larger one is a peak.
2. *Smoothing*: each level's voxels are spread by a Gaussian of `SMOOTHING` (2) levels. Where
   99.8 % of the voxels lie within fewer than 50 levels (a map on the raw scale early in training)
   it is narrower, a 25th of that span, down to 0.8. Where counts are combed (few grey values
   stretched over many levels, everywhere or by a steep stretch of the network) it is as wide as
   the comb's gap, from `COMBED` (4, for gaps that are uneven) to `WIDEST` (16), and differs
   between neighbouring levels by at most a quarter of a level.
3. *Candidates* are the local maxima of the smoothed counts. One is a peak if it passes all of
   - relative: it stands at least `MIN_DIP` (10 %) of its own height above the saddle to a higher
     peak. Relative to itself, so that a lesion of 0.3 % of the voxels counts beside white matter;
   - noise: sqrt(height) - sqrt(saddle) is at least `MIN_RISE` (8.5) standard deviations of
     Poisson noise. The square root of a smoothed Poisson count has one and the same standard
     deviation at every height, half the norm of the kernel (0.19 at 2 levels);
   - size: between its two valleys lie at least `MIN_SHARE` (0.02 %) of the voxels.
4. *Height and separation.* A smoothing that is safe for finding flattens a narrow peak, and would
   call it less separated than it is. So where counts are full (`FULL`, 200 a level) and even, a
   peak's height is read under a Gaussian of 1 level. The separation of two neighbours is
   1 - valley / lower height, the valley on the smoothed counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, percentile_filter, uniform_filter1d
from scipy.signal import find_peaks as scipy_find_peaks
from scipy.signal import peak_widths

from ascnet_core.errors import UserError

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
MIN_DIP = 0.10
MIN_RISE = 8.5
MIN_SHARE = 0.0002
SEPARATED = 0.5

RangeKind = Literal["raw", "subject", "cohort"]
Counts = NDArray[np.int64]
Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class Range:
    """What levels 0 and 255 stand for.

    Attributes
    ----------
    low, high : float
        The map's values at level 0 and at level 255.
    kind : str
        `raw` ([0, 1] as the network gives it), `subject` (smallest and largest value inside the
        region of one scan) or `cohort` (over all scans of a cohort; the paper's choice).
    """

    low: float = 0.0
    high: float = 1.0
    kind: RangeKind = "raw"

    def value(self, level: float) -> float:
        """The map's value at a level (0..255)."""
        return self.low + (self.high - self.low) * level / (LEVELS - 1)

    def describe(self) -> str:
        """A short text for axes and reports: `raw 0 to 1`."""
        return f"{self.kind} {self.low:.4g} to {self.high:.4g}"


RAW = Range()


@dataclass(frozen=True)
class Peak:
    """One peak of a histogram.

    Attributes
    ----------
    position : int
        Level (0..255) of the maximum.
    height : float
        Smoothed count there, in voxels per level (point 4 of the module's text).
    prominence : float
        Share (0..1) of the smoothed height by which the peak stands above the saddle to a higher
        peak; 1 for the highest.
    width : float
        Full width at half prominence, in levels.
    left, right : int
        First and last level that belong to the peak (its valleys; the first and the last peak
        reach to 0 and 255).
    share : float
        Share (0..1) of all voxels counted that lie in left..right.
    """

    position: int
    height: float
    prominence: float
    width: float
    left: int
    right: int
    share: float


def measure_range(
    maps: Iterable[tuple[NDArray[Any], NDArray[np.bool_] | None]], kind: RangeKind
) -> Range:
    """The range of one scan (`subject`) or of many (`cohort`), by smallest and largest value.

    Parameters
    ----------
    maps : iterable of (map, region)
        Maps of any shape, each with its region (bool, same shape) or None for all voxels. Gone
        through once, so a generator that loads one scan at a time will do.
    kind : str
        `raw` gives [0, 1] without looking at the maps.

    Raises
    ------
    UserError
        If there is no map, or no voxel in any region.
    """
    if kind == "raw":
        return RAW
    low, high = np.inf, -np.inf
    for values, region in maps:
        inside = values if region is None else values[region]
        if inside.size:
            low, high = min(low, float(inside.min())), max(high, float(inside.max()))
    if low > high:
        raise UserError(
            f"The {kind} range needs at least one voxel inside a region, and there is none: "
            "check the region files or choose the raw range."
        )
    return Range(low, high, kind)


def quantise(values: NDArray[Any], low: float = 0.0, high: float = 1.0) -> Levels:
    """Put values on 256 levels: `low` is 0, `high` is 255, rounded, clipped outside.

    Parameters
    ----------
    values : array of float
        Any shape.
    low, high : float
        If `high` is not above `low` (a constant map) all levels are 0.

    Returns
    -------
    array of uint8, same shape.
    """
    if not high > low:
        return np.zeros(values.shape, np.uint8)
    scaled = np.subtract(values, np.float32(low), dtype=np.float32)
    scaled *= np.float32((LEVELS - 1) / (high - low))
    np.rint(scaled, out=scaled)
    np.clip(scaled, 0, LEVELS - 1, out=scaled)
    levels: Levels = scaled.astype(np.uint8)
    return levels


def count_levels(levels: NDArray[np.uint8], region: NDArray[np.bool_] | None = None) -> Counts:
    """How many voxels lie at each level, inside the region or (None) with the background.

    Returns
    -------
    int64 array of shape (256,).
    """
    inside = levels.ravel() if region is None else levels[region]
    return np.bincount(inside, minlength=LEVELS).astype(np.int64)


def _base_width(rest: NDArray[np.float64]) -> float:
    """Width of the Gaussian in levels before combs are looked for."""
    total = rest.sum()
    first, last = np.searchsorted(np.cumsum(rest), (0.001 * total, 0.999 * total))
    return float(np.clip((last - first) / 25, NARROWEST, SMOOTHING))


def _widths(rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Width of the Gaussian for the voxels of each level, in levels: wider where counts are combed.

    Fewer than 20 occupied levels are not a comb: the few values *are* the peaks.
    """
    widths = np.full(LEVELS, _base_width(rest))
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


def _weights(rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """(256, 256): column k says how the voxels of level k are spread over all levels."""
    widths = _widths(rest)
    levels = np.arange(LEVELS)
    away = (levels[:, None] - levels) / widths
    return np.asarray(np.exp(-0.5 * away**2) / (np.sqrt(2 * np.pi) * widths))


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


def _smooth(counts: Counts) -> tuple[NDArray[np.float64], float]:
    """The smoothed counts, and the standard deviation of their square root in Poisson noise."""
    if counts.shape != (LEVELS,):
        raise ValueError(f"counts must have shape (256,), got {counts.shape}")
    plain = counts.astype(np.float64)
    total = plain.sum()
    if total == 0:
        return plain, 0.0
    rest, piles = _set_piles_aside(plain)
    weights = _weights(rest)
    smoothed = weights @ rest
    for level, excess in piles.items():
        if plain[level] > PILE_SHARE * total:
            # as high as smoothing would make it, without its flanks
            smoothed[level] += excess * weights.max()
    return smoothed, 0.5 * float(np.sqrt((weights**2).sum(axis=1).max()))


def smooth(counts: Counts) -> NDArray[np.float64]:
    """The smoothed counts that peaks, valleys and separations are read from.

    Returns
    -------
    float64 array of shape (256,), voxels per level; piles as the module's text says.
    """
    return _smooth(counts)[0]


def _position(counts: NDArray[np.float64], top: int) -> int:
    """The level of a peak: the fullest near the smoothed maximum, if that is more than noise."""
    reach = round(1.5 * _base_width(counts))
    low = max(0, top - reach)
    best = low + int(counts[low : top + reach + 1].argmax())
    clear = counts[best] > 1.1 * counts[top] + 4 * np.sqrt(counts[top])
    return best if clear else top


def _sharp(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Counts under a Gaussian of `FINE` (1) level, 0 where they are too few or too uneven for it.

    Uneven: a quarter of the levels around differ from the mean of their two neighbours by more
    than noise explains, as where every sixth level gets two grey values.
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


def find_peaks(counts: Counts) -> tuple[Peak, ...]:
    """The peaks of a histogram from dark to bright, by the rule in the module's text.

    Parameters
    ----------
    counts : (256,) int
        Voxels at each level.

    Returns
    -------
    tuple of Peak. Empty for an empty histogram.
    """
    smoothed, noise = _smooth(counts)
    total = float(counts.sum())
    if total == 0:
        return ()
    plain = counts.astype(np.float64)
    padded = np.pad(smoothed, 1)
    tops, found = scipy_find_peaks(padded, prominence=0, plateau_size=0)
    heights = padded[tops]
    saddles = heights - found["prominences"]
    strong = (found["prominences"] >= MIN_DIP * heights) & (
        np.sqrt(heights) - np.sqrt(np.maximum(saddles, 0)) >= MIN_RISE * noise
    )
    highest = int(heights.argmax())
    strong[highest] = True
    kept = [int(index) for index in np.flatnonzero(strong)]
    while True:
        edges = _edges(smoothed, [int(tops[index]) - 1 for index in kept])
        shares = [plain[low : high + 1].sum() / total for low, high in edges]
        small = [n for n, index in enumerate(kept) if shares[n] < MIN_SHARE and index != highest]
        if not small:
            break
        del kept[min(small, key=lambda n: shares[n])]
    widths = peak_widths(padded, tops[kept], rel_height=0.5)[0]
    places = [_position(plain, int(tops[index]) - 1) for index in kept]
    sharp = _sharp(plain)
    return tuple(
        Peak(
            position=places[n],
            height=max(
                float(heights[index]), float(sharp[max(0, places[n] - 2) : places[n] + 3].max())
            ),
            prominence=float(found["prominences"][index] / heights[index]),
            width=float(widths[n]),
            left=edges[n][0],
            right=edges[n][1],
            share=float(shares[n]),
        )
        for n, index in enumerate(kept)
    )


def _edges(smoothed: NDArray[np.float64], tops: Sequence[int]) -> list[tuple[int, int]]:
    """First and last level of each peak: the valleys between them, the ends of the scale."""
    valleys = [valley_between(smoothed, left, right) for left, right in pairwise(tops)]
    starts = [0, *(valley + 1 for valley in valleys)]
    ends = [*valleys, LEVELS - 1]
    return list(zip(starts, ends, strict=True))


def separations(counts: Counts, peaks: Sequence[Peak]) -> tuple[float, ...]:
    """How well neighbouring peaks are separated: 1 - valley / lower peak (the module's point 4).

    Returns
    -------
    tuple of float in 0..1, one fewer than there are peaks; 1 = empty between them, 0 = no valley.
    """
    smoothed = smooth(counts)
    result = []
    for left, right in pairwise(peaks):
        valley = float(smoothed[left.position : right.position + 1].min())
        lower = min(left.height, right.height)
        result.append(min(1.0, max(0.0, 1.0 - valley / lower)))
    return tuple(result)


def verdict(
    peaks: Sequence[Peak], separation: Sequence[float], separated_at: float = SEPARATED
) -> str:
    """A plain sentence: `3 separated peaks`, or which peak leans on which.

    Parameters
    ----------
    peaks, separation
        From `find_peaks` and `separations`.
    separated_at : float
        The separation from which two neighbours count as separated.
    """
    if not peaks:
        return "no peak: the histogram is empty"
    if len(peaks) == 1:
        return "1 peak: nothing to choose"
    leaning = []
    for number, (left, right, value) in enumerate(
        zip(peaks[:-1], peaks[1:], separation, strict=True), start=1
    ):
        if value < separated_at:
            lower, higher = (
                (number + 1, number)
                if right.height <= left.height
                else (
                    number,
                    number + 1,
                )
            )
            leaning.append(f"peak {lower} leans on peak {higher} ({value:.2f})")
    separated = len(peaks) - len(leaning)
    head = f"{separated} separated peaks" if separated > 1 else "no separated peaks"
    return "; ".join([head, *leaning])


@dataclass(frozen=True)
class Look:
    """Counts with all that is read from them: what a page or a snapshot shows of a histogram."""

    counts: Counts
    smoothed: NDArray[np.float64]
    peaks: tuple[Peak, ...]
    separations: tuple[float, ...]
    verdict: str


def look(counts: Counts) -> Look:
    """Peaks, separations and verdict of a histogram in one call."""
    peaks = find_peaks(counts)
    separation = separations(counts, peaks)
    return Look(counts, smooth(counts), peaks, separation, verdict(peaks, separation))
