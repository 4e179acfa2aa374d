"""Scores by lesion: how many were found, and how many findings are lesions."""

import math
from dataclasses import astuple, dataclass
from operator import add

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


@dataclass(frozen=True)
class LesionCounts:
    """Connected components of truth and prediction, and those that overlap the other mask.

    The two hits differ: one finding may cover two lesions, two findings may share one.
    """

    true: int = 0
    true_hit: int = 0
    predicted: int = 0
    predicted_hit: int = 0

    def __add__(self, other: "LesionCounts") -> "LesionCounts":
        return LesionCounts(*map(add, astuple(self), astuple(other)))

    @property
    def recall(self) -> float:
        """Share of the true lesions that were hit; NaN without any."""
        return self.true_hit / self.true if self.true else math.nan

    @property
    def precision(self) -> float:
        """Share of the predicted components that hit a lesion; NaN without any."""
        return self.predicted_hit / self.predicted if self.predicted else math.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision; 1 with neither lesions nor findings."""
        if not self.true and not self.predicted:
            return 1.0
        if not self.true_hit or not self.predicted_hit:
            return 0.0
        return 2 * self.recall * self.precision / (self.recall + self.precision)


def count_lesions(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> LesionCounts:
    """Count the lesions of two masks of one shape: 26-connected, a hit is any overlap."""
    overlap = prediction & truth
    numbers = []
    for mask in (truth, prediction):
        box, labels, number = components(mask)
        numbers += [number, int(np.unique(labels[overlap[box]]).size)]
    return LesionCounts(*numbers)


def components(mask: NDArray[np.bool_]) -> tuple[tuple[slice, ...], NDArray[np.int32], int]:
    """Number the connected pieces of a mask; corners connect (26 neighbours in a volume).

    Returns the box around the mask, the pieces' numbers in it (from 1; 0 outside), and how many
    there are. For an empty mask the box is the whole and all labels are 0.
    """
    box = (ndimage.find_objects(mask.astype(np.uint8)) or [tuple(map(slice, mask.shape))])[0]
    labels, number = ndimage.label(mask[box], structure=np.ones((3,) * mask.ndim, dtype=bool))
    return box, labels, int(number)
