"""Counts first, ratios after: Dice, sensitivity, precision, volumes and average precision.

Empty masks, the same everywhere: with empty truth the Dice is 1 for an empty prediction and else
0. Sensitivity and average precision without truth, and precision without a prediction, are NaN.

The histogram of the lesion's voxels and that of all voxels hold the counts of all 256 thresholds
of an 8-bit map (`ThresholdTable`), so the voxels are read once and not once per threshold.
Functions named `oracle_*` choose with the truth: what they return is never mask-free.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from operator import add
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ascnet_core.names import Side

LEVELS = 256


def dice(tp: ArrayLike, fp: ArrayLike, fn: ArrayLike) -> NDArray[np.float64]:
    """Return 2 TP / (2 TP + FP + FN), elementwise; 1 where truth and prediction are both empty."""
    twice = 2 * np.asarray(tp, np.float64)
    whole = twice + np.asarray(fp) + np.asarray(fn)
    return np.asarray(np.divide(twice, whole, out=np.ones_like(whole), where=whole != 0))


@dataclass(frozen=True)
class Counts:
    """Voxels counted against the truth. Counts of several scans are added, ratios come last."""

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*map(add, astuple(self), astuple(other)))

    @property
    def predicted(self) -> int:
        """Voxels of the prediction."""
        return self.tp + self.fp

    @property
    def true(self) -> int:
        """Voxels of the truth."""
        return self.tp + self.fn

    @property
    def dice(self) -> float:
        """Dice in [0, 1]; 1 when truth and prediction are both empty."""
        return float(dice(self.tp, self.fp, self.fn))

    @property
    def sensitivity(self) -> float:
        """Share of the truth that was found; NaN without truth."""
        return self.tp / self.true if self.true else math.nan

    @property
    def precision(self) -> float:
        """Share of the prediction that is true; NaN without prediction."""
        return self.tp / self.predicted if self.predicted else math.nan


def count(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Counts:
    """Count a boolean prediction against a boolean truth of the same shape."""
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    tp = int(np.count_nonzero(prediction & truth))
    predicted = int(np.count_nonzero(prediction))
    true = int(np.count_nonzero(truth))
    return Counts(tp, predicted - tp, true - tp, truth.size - predicted - true + tp)


def dice_per_slice(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the Dice of each axial slice of two masks (X, Y, Z), shape (Z,).

    Slices that are empty in both have a Dice of 1 and easily dominate a mean over slices.
    """
    tp = np.count_nonzero(prediction & truth, axis=(0, 1))
    predicted = np.count_nonzero(prediction, axis=(0, 1))
    true = np.count_nonzero(truth, axis=(0, 1))
    return dice(tp, predicted - tp, true - tp)


@dataclass(frozen=True)
class ThresholdTable:
    """What each of the 256 thresholds of an 8-bit map would score, from two histograms.

    Tables of several scans are added to pool them.

    Attributes
    ----------
    levels, lesion : Voxels of the region at each level, (256,) int64, and those of them that the
        truth marks (None without a truth).
    outside : Voxels of the truth outside the region. No threshold reaches them: they count as
        missed, but not in the average precision, which is taken inside the region.
    background : Voxels outside both region and truth: true negatives at every threshold.
    """

    levels: NDArray[np.int64]
    lesion: NDArray[np.int64] | None
    outside: int = 0
    background: int = 0

    def __add__(self, other: "ThresholdTable") -> "ThresholdTable":
        if (self.lesion is None) != (other.lesion is None):
            raise ValueError("a table with truth and one without cannot be pooled")
        return ThresholdTable(
            self.levels + other.levels,
            None if self.lesion is None or other.lesion is None else self.lesion + other.lesion,
            self.outside + other.outside,
            self.background + other.background,
        )

    @property
    def has_truth(self) -> bool:
        """Whether there is a truth to score against."""
        return self.lesion is not None

    @property
    def true(self) -> int:
        """Voxels of the truth, inside and outside the region; 0 without a truth."""
        return 0 if self.lesion is None else int(self.lesion.sum()) + self.outside

    @property
    def prevalence(self) -> float:
        """Share of the region that is lesion: the average precision of a guess. NaN if unknown."""
        region = int(self.levels.sum())
        if self.lesion is None or region == 0:
            return math.nan
        return int(self.lesion.sum()) / region

    def predicted(self, side: Side = "bright") -> NDArray[np.int64]:
        """Return the voxels that each threshold keeps, (256,) int64."""
        return kept_counts(self.levels, side)

    def dice(self, side: Side = "bright") -> NDArray[np.float64]:
        """Return the Dice of each threshold, (256,); NaN without a truth."""
        if self.lesion is None:
            return np.full(LEVELS, np.nan)
        tp = kept_counts(self.lesion, side)
        return dice(tp, self.predicted(side) - tp, self.true - tp)

    def band(self, low: int, high: int) -> Counts:
        """Count the band of levels `low` to `high`, both kept; a truth is needed.

        `band(t, 255)` is the bright threshold t, `band(0, t)` the dark one.
        """
        if self.lesion is None:
            raise ValueError("without a truth there is nothing to count against")
        keep = slice(max(low, 0), max(high + 1, 0))
        tp = int(self.lesion[keep].sum())
        fp = int(self.levels[keep].sum()) - tp
        fn = self.true - tp
        rest = int(self.levels.sum()) - tp - fp - (fn - self.outside)
        return Counts(tp, fp, fn, rest + self.background)

    def average_precision(self, side: Side = "bright") -> float:
        """Return the average precision inside the region; NaN without lesion voxels there.

        It sums (recall gained) x (precision) over all 256 thresholds, as scikit-learn does.
        """
        if self.lesion is None or not self.lesion.any():
            return math.nan
        # Cumulated from the most suspicious level on, whichever end that is.
        order = slice(None, None, -1) if side == "bright" else slice(None)
        gained = self.lesion[order].astype(np.float64)
        hits = np.cumsum(gained)
        kept = np.cumsum(self.levels[order])
        precision = np.divide(hits, kept, out=np.zeros(LEVELS), where=kept != 0)
        return float(np.sum(gained * precision) / hits[-1])


def kept_counts(counts: NDArray[np.int64], side: Side) -> NDArray[np.int64]:
    """Return for each threshold the voxels on its kept side, (256,) int64."""
    if side == "bright":
        return np.cumsum(counts[::-1])[::-1]
    if side == "dark":
        return np.cumsum(counts)
    raise ValueError(f"side is {side!r}; it must be 'bright' or 'dark'")


def threshold_table(
    map8: NDArray[np.uint8],
    truth: NDArray[np.bool_] | None,
    region: NDArray[np.bool_] | None = None,
) -> ThresholdTable:
    """Build the table of a uint8 map; `truth` and `region` (None: everywhere) have its shape."""
    inside = map8.ravel(order="K") if region is None else map8[region]
    levels = _histogram(inside)
    if truth is None:
        return ThresholdTable(levels, None, 0, int(map8.size - inside.size))
    # The lesion is a small part of a volume: looking up its voxels alone is the cheap way.
    reached = truth if region is None else truth & region
    lesion = _histogram(map8[reached])
    outside = int(np.count_nonzero(truth)) - int(lesion.sum())
    return ThresholdTable(levels, lesion, outside, int(map8.size - inside.size) - outside)


def _histogram(values: NDArray[Any]) -> NDArray[np.int64]:
    if values.dtype != np.uint8:
        raise ValueError(f"a map of 8 bits is needed, not {values.dtype}")
    return np.bincount(values, minlength=LEVELS).astype(np.int64, copy=False)


def oracle_threshold(table: ThresholdTable, side: Side = "bright") -> tuple[int, float]:
    """Return the threshold of the best Dice and that Dice; see `oracle_cohort_threshold`."""
    return oracle_cohort_threshold([table], side)


def oracle_cohort_threshold(
    tables: Sequence[ThresholdTable], side: Side = "bright"
) -> tuple[int, float]:
    """Return the one threshold of the best mean Dice over `tables`, and that mean.

    ORACLE: it is chosen with the truth. The lowest of equals is taken.
    """
    if not tables or not all(table.has_truth for table in tables):
        raise ValueError("an oracle needs the truth of every subject")
    mean = np.mean([table.dice(side) for table in tables], axis=0)
    level = int(np.argmax(mean))
    return level, float(mean[level])
