"""Counts first, ratios after: Dice, sensitivity, precision, volumes and average precision.

Rules for empty masks, the same everywhere: empty truth and empty prediction is a Dice of 1, empty
truth and any prediction a Dice of 0. Sensitivity without truth, precision without a prediction
and average precision without truth are not defined: NaN.

A map of 8 bits needs no pass over its voxels for each threshold: the histogram of the lesion's
voxels and that of all voxels hold the counts of all 256 thresholds (`ThresholdTable`).
Functions named `oracle_*` choose with the truth: what they return is never mask-free.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ascnet_core.names import Side

LEVELS = 256


def _ratio(part: ArrayLike, whole: ArrayLike, empty: float) -> NDArray[np.float64]:
    """Return `part / whole` elementwise, `empty` where `whole` is 0."""
    part_, whole_ = np.broadcast_arrays(
        np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    )
    result = np.full(whole_.shape, empty)
    np.divide(part_, whole_, out=result, where=whole_ != 0)
    return result


def dice(tp: ArrayLike, fp: ArrayLike, fn: ArrayLike) -> NDArray[np.float64]:
    """Return 2 TP / (2 TP + FP + FN), elementwise; 1 where truth and prediction are both empty."""
    tp, fp, fn = np.asarray(tp), np.asarray(fp), np.asarray(fn)
    return _ratio(2 * tp, 2 * tp + fp + fn, empty=1.0)


def sensitivity(tp: ArrayLike, fn: ArrayLike) -> NDArray[np.float64]:
    """Return TP / (TP + FN), elementwise; NaN where the truth is empty."""
    return _ratio(tp, np.asarray(tp) + np.asarray(fn), empty=np.nan)


def precision(tp: ArrayLike, fp: ArrayLike) -> NDArray[np.float64]:
    """Return TP / (TP + FP), elementwise; NaN where the prediction is empty."""
    return _ratio(tp, np.asarray(tp) + np.asarray(fp), empty=np.nan)


def voxel_ml(spacing: Sequence[float]) -> float:
    """Return the volume of one voxel in ml for a `spacing` (3,) in mm."""
    return float(np.prod(np.asarray(spacing, dtype=np.float64))) / 1000.0


@dataclass(frozen=True)
class Counts:
    """Voxels counted against the truth. Counts of several scans are added, ratios come last."""

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn
        )

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
        return float(sensitivity(self.tp, self.fn))

    @property
    def precision(self) -> float:
        """Share of the prediction that is true; NaN without prediction."""
        return float(precision(self.tp, self.fp))


ZERO = Counts(0, 0, 0, 0)


def count(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Counts:
    """Count a boolean prediction against a boolean truth of the same shape.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction {prediction.shape} and truth {truth.shape} differ in shape")
    tp = int(np.count_nonzero(prediction & truth))
    predicted = int(np.count_nonzero(prediction))
    true = int(np.count_nonzero(truth))
    return Counts(tp, predicted - tp, true - tp, truth.size - predicted - true + tp)


def dice_per_slice(
    prediction: NDArray[np.bool_], truth: NDArray[np.bool_], axis: int = 2
) -> NDArray[np.float64]:
    """Return the Dice of each slice along `axis` (default: axial in (X, Y, Z)), shape (slices,).

    Slices that are empty in both have a Dice of 1 and easily dominate a mean over slices.
    """
    others = tuple(i for i in range(truth.ndim) if i != axis % truth.ndim)
    tp = np.count_nonzero(prediction & truth, axis=others)
    predicted = np.count_nonzero(prediction, axis=others)
    true = np.count_nonzero(truth, axis=others)
    return dice(tp, predicted - tp, true - tp)


@dataclass(frozen=True)
class ThresholdTable:
    """What each of the 256 thresholds of an 8-bit map would score, from two histograms.

    Threshold t of the side "bright" keeps levels >= t, of the side "dark" levels <= t; a band
    keeps its two ends too. Tables of several scans are added to pool them.

    Attributes
    ----------
    levels : (256,) int64
        Voxels of the region at each level.
    lesion : (256,) int64 or None
        Those of them that the truth marks; None where there is no truth.
    outside : int
        Voxels of the truth outside the region: no threshold reaches them, all of them count as
        missed (but not in the average precision, which is taken inside the region).
    background : int
        Voxels outside both region and truth: true negatives at every threshold.
    """

    levels: NDArray[np.int64]
    lesion: NDArray[np.int64] | None
    outside: int = 0
    background: int = 0

    def __add__(self, other: "ThresholdTable") -> "ThresholdTable":
        if (self.lesion is None) != (other.lesion is None):
            raise ValueError("a table with truth and one without cannot be pooled")
        both = self.lesion is not None and other.lesion is not None
        return ThresholdTable(
            self.levels + other.levels,
            self.lesion + other.lesion if both else None,  # type: ignore[operator]
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
            return float("nan")
        return int(self.lesion.sum()) / region

    def predicted(self, side: Side = "bright") -> NDArray[np.int64]:
        """Return the voxels that each threshold keeps, (256,) int64."""
        return _kept(self.levels, side)

    def _hits(self, side: Side) -> NDArray[np.float64]:
        if self.lesion is None:
            return np.full(LEVELS, np.nan)
        return _kept(self.lesion, side).astype(np.float64)

    def dice(self, side: Side = "bright") -> NDArray[np.float64]:
        """Return the Dice of each threshold, (256,); NaN without a truth."""
        tp = self._hits(side)
        return dice(tp, self.predicted(side) - tp, self.true - tp)

    def sensitivity(self, side: Side = "bright") -> NDArray[np.float64]:
        """Return the sensitivity of each threshold, (256,); NaN without a truth."""
        tp = self._hits(side)
        return sensitivity(tp, self.true - tp)

    def precision(self, side: Side = "bright") -> NDArray[np.float64]:
        """Return the precision of each threshold, (256,); NaN where it keeps nothing."""
        tp = self._hits(side)
        return precision(tp, self.predicted(side) - tp)

    def volume_ml(self, voxel_ml: float, side: Side = "bright") -> NDArray[np.float64]:
        """Return the volume that each threshold keeps in ml, (256,), for voxels of `voxel_ml`."""
        return self.predicted(side).astype(np.float64) * np.float64(voxel_ml)

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
        """Return the average precision inside the region, the step sum over all 256 levels.

        The sum over thresholds of (recall gained) x (precision), as scikit-learn defines it. NaN
        without lesion voxels in the region. Compare it with `prevalence`.
        """
        if self.lesion is None or not self.lesion.any():
            return float("nan")
        # Cumulated from the most suspicious level on, whichever end that is.
        order = slice(None, None, -1) if side == "bright" else slice(None)
        gained = self.lesion[order].astype(np.float64)
        hits = np.cumsum(gained)
        kept = np.cumsum(self.levels[order])
        return float(np.sum(gained * _ratio(hits, kept, empty=0.0)) / hits[-1])


def _kept(counts: NDArray[np.int64], side: Side) -> NDArray[np.int64]:
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
    """Build the table of all 256 thresholds of a map in one pass over its voxels.

    Parameters
    ----------
    map8 : uint8, any shape
        The map on its 8-bit scale.
    truth : bool, same shape, or None
        The lesion mask; None where there is none.
    region : bool, same shape, or None
        Where a mask may lie; None: everywhere.
    """
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
    """Return the threshold of the best Dice and that Dice. ORACLE: it is chosen with the truth.

    The lowest of equals is taken. Needs a truth.
    """
    return oracle_cohort_threshold([table], side)


def oracle_cohort_threshold(
    tables: Sequence[ThresholdTable], side: Side = "bright"
) -> tuple[int, float]:
    """Return the one threshold of the best mean Dice over `tables`, and that mean.

    ORACLE: it is chosen with the truth. The lowest of equals is taken.

    Raises
    ------
    ValueError
        If there is no table, or one of them has no truth.
    """
    if not tables or not all(table.has_truth for table in tables):
        raise ValueError("an oracle needs the truth of every subject")
    mean = np.mean([table.dice(side) for table in tables], axis=0)
    level = int(np.argmax(mean))
    return level, float(mean[level])
