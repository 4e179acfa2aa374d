"""Agreement against published numbers, another program, and sums by hand."""

import numpy as np
import pytest
from scipy import stats

from ascnet_core.studies.agreement import agreement, intraclass

SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]
FIRST = [211, 160, 169, 203, 152, 184, 193, 96, 68, 108, 105, 199]
SECOND = [224, 151, 172, 214, 146, 194, 186, 98, 79, 106, 104, 196]


def test_intraclass_correlations_of_shrout_and_fleiss():
    """Table 2 and 4 of their paper (1979), and pingouin 0.7.0 to more digits."""
    assert intraclass(SHROUT_FLEISS) == pytest.approx((0.289764, 0.714841), abs=1e-6)


def test_two_raters_as_pingouin_has_them():
    found = agreement(FIRST, SECOND)
    assert found.icc_agreement == pytest.approx(0.9876913687, abs=1e-9)
    assert found.icc_consistency == pytest.approx(0.9873461164, abs=1e-9)


def test_limits_of_bland_and_altman():
    """A t interval of the differences, with the normal's 1.96 in the place of t."""
    found = agreement(FIRST, SECOND)
    differences = [b - a for a, b in zip(FIRST, SECOND, strict=True)]
    assert found.n == 12
    assert found.bias == pytest.approx(sum(differences) / 12)
    assert found.sd == pytest.approx(stats.tstd(differences))
    low, high = stats.norm.interval(0.95, found.bias, stats.tstd(differences))
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-3)


def test_confidence_intervals():
    """Peak flow of 17 people (Bland and Altman 1986), in l/min: bias 2.1, SD 38.8, t = 2.12; of a
    limit the variance is that of a mean and that of 1.96 SD (their paper of 1999)."""
    first = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    second = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    found = agreement(first, second)
    assert found.bias == pytest.approx(2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert found.bias_error == pytest.approx(2.12 * 38.8 / 17**0.5, rel=2e-3)
    assert found.limit_error == pytest.approx(2.12 * 38.8 * (1 / 17 + 3.8416 / 32) ** 0.5, rel=2e-3)
    low, high = stats.ttest_rel(second, first).confidence_interval(0.95)
    assert (high - low) / 2 == pytest.approx(found.bias_error)


def test_by_hand():
    """Always 2 higher: consistent, not in agreement. Of 1, 2, 3 the variance is 1."""
    found = agreement([1, 2, 3], [3, 4, 5])
    assert (found.bias, found.sd, found.low, found.high) == (2, 0, 2, 2)
    assert found.icc_consistency == pytest.approx(1)
    # (BMS - EMS) / (BMS + EMS + 2 (JMS - EMS) / 3) with BMS 2, EMS 0, JMS 6
    assert found.icc_agreement == pytest.approx(2 / (2 + 2 * 6 / 3))


def test_too_little_to_say_anything():
    assert np.isnan(agreement([], []).bias)
    one = agreement([5], [7])
    assert (one.n, one.bias) == (1, 2)
    assert np.isnan([one.sd, one.low, one.icc_agreement, one.bias_error, one.limit_error]).all()
    assert np.isnan(agreement([5, 5], [5, 5]).icc_consistency)
    with pytest.raises(ValueError, match="same subjects"):
        agreement([1], [1, 2])
