"""How far two raters (or two passes of one) agree on levels: bias, limits, correlation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

LIMITS = 1.96
"""Standard deviations to either side that hold 95 % of differences, if these are normal."""


@dataclass(frozen=True)
class Agreement:
    """Agreement of two series of n values; NaN where n is too small, or nothing varies.

    `bias` is the mean of second minus first, `sd` the differences' standard deviation (n - 1),
    `low` and `high` the limits of agreement of Bland and Altman (1986). The intraclass correlations
    are those of single ratings of Shrout and Fleiss (1979): `icc_agreement` is ICC(2,1), which
    counts a rater's bias as disagreement, `icc_consistency` is ICC(3,1), which does not.
    `bias_error` and `limit_error` are half the widths of the 95 % confidence intervals of the bias
    and of either limit (Bland and Altman 1999, section 2.1; differences taken as normal).
    """

    n: int
    bias: float
    sd: float
    low: float
    high: float
    icc_agreement: float
    icc_consistency: float
    bias_error: float
    limit_error: float


def agreement(first: Sequence[float], second: Sequence[float]) -> Agreement:
    """Compare two series of values of the same subjects, in the same order."""
    n = len(first)
    if n != len(second):
        raise ValueError(f"{n} and {len(second)} values; both raters need the same subjects")
    differences = np.subtract(second, first, dtype=np.float64)
    bias = float(differences.mean()) if n else np.nan
    sd = float(differences.std(ddof=1)) if n > 1 else np.nan
    icc = intraclass(np.column_stack([first, second])) if n > 1 else (np.nan, np.nan)
    error = float(stdtrit(n - 1, 0.975)) * sd if n > 1 else np.nan
    return Agreement(
        n,
        bias,
        sd,
        bias - LIMITS * sd,
        bias + LIMITS * sd,
        *icc,
        bias_error=error * n**-0.5 if n else np.nan,
        limit_error=error * (1 / n + LIMITS**2 / (2 * (n - 1))) ** 0.5 if n > 1 else np.nan,
    )


def intraclass(ratings: ArrayLike) -> tuple[float, float]:
    """Return ICC(2,1) and ICC(3,1) of ratings (subjects, raters); at least two of each.

    They come from the mean squares of a two-way analysis of variance without replication.
    """
    table = np.asarray(ratings, np.float64)
    n, k = table.shape
    grand = table.mean()
    subjects, raters = table.mean(axis=1), table.mean(axis=0)
    rest = table - subjects[:, None] - raters + grand
    between = k * np.sum((subjects - grand) ** 2) / (n - 1)
    bias = n * np.sum((raters - grand) ** 2) / (k - 1)
    error = np.sum(rest**2) / ((n - 1) * (k - 1))
    above = between - error
    return (
        _ratio(above, between + (k - 1) * error + k * (bias - error) / n),
        _ratio(above, between + (k - 1) * error),
    )


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else float("nan")
