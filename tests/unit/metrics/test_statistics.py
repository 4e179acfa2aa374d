"""Means over subjects and how sure they are."""

import math

import numpy as np
import pytest
from scipy.stats import bootstrap

from ascnet_core.metrics.statistics import bootstrap_interval, spread


def test_interval_is_near_scipys():
    values = np.random.default_rng(0).beta(4, 2, size=25)
    ours = bootstrap_interval(values)
    theirs = bootstrap((values,), np.mean, method="percentile", n_resamples=9999, rng=1)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.005)
    assert ours == bootstrap_interval(values), "seeded"
    assert ours != bootstrap_interval(values, seed=1)


def test_many_subjects_are_drawn_in_pieces():
    low, high = bootstrap_interval(np.linspace(0, 1, 5000), draws=2000)
    assert low < 0.5 < high
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(1 / 12 / 5000), rel=0.1)


def test_undefined_values_are_left_out():
    result = spread([0.2, float("nan"), 0.6])
    assert (result.n, result.mean, result.median) == (2, 0.4, 0.4)
    assert result.sd == pytest.approx(0.2)
    nothing = spread([float("nan")])
    assert nothing.n == 0
    assert all(math.isnan(value) for value in (nothing.mean, nothing.sd, *nothing.ci95))
