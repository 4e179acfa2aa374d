"""Mean, spread and confidence interval of one value a subject."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Spread:
    """A summary of the subjects' values; everything but `n` is NaN where there are none.

    `n` counts the values that are defined (not NaN). `sd` divides by n, so that it obeys the bound
    sd^2 <= m (1 - m) of values in [0, 1]. `ci95` is the bootstrap 95 % interval of the mean.
    """

    n: int
    mean: float
    sd: float
    median: float
    ci95: tuple[float, float]


def spread(values: Sequence[float] | NDArray[np.float64], seed: int = 0) -> Spread:
    """Summarise one value a subject; NaN values are left out and not counted."""
    array = np.asarray(values, dtype=np.float64)
    array = array[~np.isnan(array)]
    if not array.size:
        return Spread(0, np.nan, np.nan, np.nan, (np.nan, np.nan))
    mean, sd, median = (float(of(array)) for of in (np.mean, np.std, np.median))
    return Spread(array.size, mean, sd, median, bootstrap_interval(array, seed=seed))


def bootstrap_interval(
    values: Sequence[float] | NDArray[np.float64],
    draws: int = 10_000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile bootstrap 95 % interval of the mean over subjects (none of them NaN).

    It draws that many cohorts with replacement.
    """
    array = np.asarray(values, dtype=np.float64)
    rng = np.random.default_rng(seed)
    means = np.empty(draws)
    # In pieces, so that a cohort of thousands doesn't ask for gigabytes.
    piece = max(1, 4_000_000 // array.size)
    for start in range(0, draws, piece):
        number = min(piece, draws - start)
        drawn = rng.integers(0, array.size, size=(number, array.size))
        means[start : start + number] = array[drawn].mean(axis=1)
    tail = (1 - 0.95) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
