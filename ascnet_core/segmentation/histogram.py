"""Histograms of a map on 256 levels: counts, peaks, how well peaks are separated, a verdict.

How peaks are found
-------------------
1. *Piles* at levels 0 and 255 are set aside, and counts are *smoothed*: see `smoothing`.
2. *Candidates* are the local maxima of the smoothed counts. One is a peak if it passes all of
   - relative: it stands at least `MIN_DIP` (10 %) of its own height above the saddle to a higher
     peak. Relative to itself, so that a lesion of 0.3 % of the voxels counts beside white matter;
   - noise: sqrt(height) - sqrt(saddle) is at least `MIN_RISE` (8.5) standard deviations of
     Poisson noise. The square root of a smoothed Poisson count has the same standard deviation
     at every height, half the norm of the kernel (0.19 at 2 levels);
   - size: between its two valleys lie at least `MIN_SHARE` (0.02 %) of the voxels.
3. *Height and separation.* The smoothing flattens a narrow peak, which would then seem less
   separated than it is. So where counts are full (`FULL`, 200 a level) and even, a peak's height
   is read under a Gaussian of 1 level. The separation of two neighbours is 1 - valley / lower
   height, with the valley read from the smoothed counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks as scipy_find_peaks
from scipy.signal import peak_widths

from ascnet_core.errors import UserError
from ascnet_core.names import RangeKind, Side
from ascnet_core.segmentation.smoothing import (
    LEVELS,
    base_width,
    sharp,
    smooth,
    smooth_with_noise,
    valley_between,
)
from ascnet_core.segmentation.smoothing import Counts as Counts

MIN_DIP = 0.10
MIN_RISE = 8.5
MIN_SHARE = 0.0002
SEPARATED = 0.5
"""The separation from which two neighbouring peaks count as separated."""

Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class Range:
    """The map's values at levels 0 (`low`) and 255 (`high`).

    `kind` is `raw` ([0, 1] as the network gives it), `subject` (smallest and largest value inside
    the region of a subject's scans) or `cohort` (of all scans; the paper's choice).
    """

    low: float = 0.0
    high: float = 1.0
    kind: RangeKind = "raw"

    def describe(self) -> str:
        """A short text for axes and reports: `raw 0 to 1`."""
        return f"{self.kind} {self.low:.4g} to {self.high:.4g}"


RAW = Range()


@dataclass(frozen=True)
class Peak:
    """One peak of a histogram.

    `height` is the smoothed count at the level `position` (point 3 of the module's text),
    `prominence` the share of it by which the peak stands above the saddle to a higher one, `width`
    the full width at half prominence, in levels. Between the levels `left` and `right` (valleys, or
    ends of the scale) lies the `share` of all voxels.
    """

    position: int
    height: float
    prominence: float
    width: float
    left: int
    right: int
    share: float


def extremes(inside: NDArray[Any]) -> tuple[float, float] | None:
    """Smallest and largest of the values inside a region; None where it is empty."""
    return (float(inside.min()), float(inside.max())) if inside.size else None


def measure_range(ends: Iterable[tuple[float, float] | None], kind: RangeKind) -> Range:
    """The range of scans from their `extremes`; [0, 1] for `raw`.

    Raises a UserError if no scan has a voxel in its region.
    """
    if kind == "raw":
        return RAW
    known = [pair for pair in ends if pair is not None]
    if not known:
        raise UserError(
            f"The {kind} range needs at least one voxel inside a region, and there is none: "
            "check the region files or choose the raw range."
        )
    return Range(min(low for low, _ in known), max(high for _, high in known), kind)


def quantise(values: NDArray[Any], low: float = 0.0, high: float = 1.0) -> Levels:
    """Put values on 256 levels, uint8: `low` is 0, `high` is 255, rounded, clipped outside.

    If `high` is not above `low` (a constant map) all levels are 0.
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
    """How many voxels lie at each level, (256,) int64: inside the region, or everywhere (None)."""
    inside = levels.ravel() if region is None else levels[region]
    return np.bincount(inside, minlength=LEVELS).astype(np.int64)


def _position(counts: NDArray[np.float64], top: int) -> int:
    """The level of a peak: the fullest near the smoothed maximum, if that is more than noise."""
    reach = round(1.5 * base_width(counts))
    low = max(0, top - reach)
    best = low + int(counts[low : top + reach + 1].argmax())
    clear = counts[best] > 1.1 * counts[top] + 4 * np.sqrt(counts[top])
    return best if clear else top


def find_peaks(counts: Counts) -> tuple[Peak, ...]:
    """The peaks of a histogram (256,) from dark to bright, by the rule in the module's text."""
    smoothed, noise = smooth_with_noise(counts)
    total = float(counts.sum())
    if total == 0:
        return ()
    plain = counts.astype(np.float64)
    padded = np.pad(smoothed, 1)
    tops, found = scipy_find_peaks(padded, prominence=0, plateau_size=0)
    heights = padded[tops]
    saddles = heights - found["prominences"]
    rise = np.sqrt(heights) - np.sqrt(np.maximum(saddles, 0))
    strong = (found["prominences"] >= MIN_DIP * heights) & (rise >= MIN_RISE * noise)
    highest = int(heights.argmax())
    strong[highest] = True
    kept = np.flatnonzero(strong).tolist()
    while True:
        edges = _edges(smoothed, [int(tops[index]) - 1 for index in kept])
        shares = [plain[low : high + 1].sum() / total for low, high in edges]
        small = [n for n, index in enumerate(kept) if shares[n] < MIN_SHARE and index != highest]
        if not small:
            break
        del kept[min(small, key=lambda n: shares[n])]
    widths = peak_widths(padded, tops[kept], rel_height=0.5)[0]
    lightly = sharp(plain)
    peaks = []
    for n, index in enumerate(kept):
        position = _position(plain, int(tops[index]) - 1)
        near = lightly[max(0, position - 2) : position + 3]
        height = max(float(heights[index]), float(near.max()))
        prominence = float(found["prominences"][index] / heights[index])
        peaks.append(
            Peak(position, height, prominence, float(widths[n]), *edges[n], float(shares[n]))
        )
    return tuple(peaks)


def _edges(smoothed: NDArray[np.float64], tops: Sequence[int]) -> list[tuple[int, int]]:
    """First and last level of each peak: the valleys between them, the ends of the scale."""
    valleys = [valley_between(smoothed, left, right) for left, right in pairwise(tops)]
    starts = [0, *(valley + 1 for valley in valleys)]
    ends = [*valleys, LEVELS - 1]
    return list(zip(starts, ends, strict=True))


def separations(counts: Counts, peaks: Sequence[Peak]) -> tuple[float, ...]:
    """How well neighbouring peaks are separated: 1 - valley / lower peak (the module's point 3).

    One number fewer than peaks: 1 = empty between them, 0 = no valley.
    """
    smoothed = smooth(counts)
    result = []
    for left, right in pairwise(peaks):
        valley = float(smoothed[left.position : right.position + 1].min())
        result.append(min(1.0, max(0.0, 1.0 - valley / min(left.height, right.height))))
    return tuple(result)


def verdict(peaks: Sequence[Peak], separation: Sequence[float]) -> str:
    """A plain sentence: `3 separated peaks`, or how many there are and which overlap."""
    if not peaks:
        return "no peak: the histogram is empty"
    if len(peaks) == 1:
        return "1 peak: nothing to choose"
    overlaps = []
    numbered = list(enumerate(peaks, start=1))
    for pair, value in zip(pairwise(numbered), separation, strict=True):
        if value < SEPARATED:
            # of equals the right one is named first
            higher, lower = sorted(pair, key=lambda one: -one[1].height)
            overlaps.append(f"peak {lower[0]} overlaps peak {higher[0]} ({value:.2f})")
    apart = len(peaks) - len(overlaps)
    if not overlaps:
        head = f"{apart} separated peaks"
    else:
        head = f"{len(peaks)} peaks, {f'{apart} of them' if apart > 1 else 'not'} separated"
    return "; ".join([head, *overlaps])


def outer_separation(separation: Sequence[float], side: Side) -> float:
    """How clear the peak that the side begins with stands of its neighbour; 0 for a lone peak."""
    if not separation:
        return 0.0
    return separation[-1] if side == "bright" else separation[0]


def describe_peaks(
    peaks: Sequence[Peak], separation: Sequence[float], verdict: str, side: Side
) -> str:
    """The verdict's box: the plain sentence, and how well the outer peak is separated."""
    text = f"{verdict[:1].upper()}{verdict[1:].removesuffix('.')}."
    if len(peaks) < 2:
        return text
    which = "Rightmost" if side == "bright" else "Leftmost"
    return f"{text} {which} peak: separation {outer_separation(separation, side):.2f} (0 to 1)."


@dataclass(frozen=True)
class Reading:
    """Counts and all that a page or a snapshot shows of them."""

    counts: Counts
    peaks: tuple[Peak, ...]
    separations: tuple[float, ...]
    verdict: str

    @property
    def valleys(self) -> tuple[int, ...]:
        """The lowest level between each two neighbouring peaks, as the rule `valley:K` takes it."""
        smoothed, places = smooth(self.counts), [peak.position for peak in self.peaks]
        return tuple(valley_between(smoothed, *pair) for pair in pairwise(places))


def read_histogram(counts: Counts) -> Reading:
    """Read peaks, separations and verdict of a histogram in one call."""
    peaks = find_peaks(counts)
    separation = separations(counts, peaks)
    return Reading(counts, peaks, separation, verdict(peaks, separation))
