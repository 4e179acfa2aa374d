"""Ranks and joint histograms of two maps, against numpy and scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from ascnet_core.segmentation.quantiser import (
    joint_counts,
    rank_correlation,
    rank_share,
    warn_quantiser,
)


@pytest.fixture
def maps() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    one = rng.integers(0, 256, (9, 10, 11)).astype(np.uint8)
    noise = rng.integers(-60, 60, one.shape)
    other = np.clip(one.astype(int) // 2 + noise, 0, 255).astype(np.uint8)
    return one, other, rng.random(one.shape) < 0.6


@pytest.mark.parametrize("bins", [256, 64, 2])
def test_joint_counts_are_numpys(
    maps: tuple[np.ndarray, np.ndarray, np.ndarray], bins: int
) -> None:
    one, other, region = maps
    expected, _, _ = np.histogram2d(one[region], other[region], bins, [[0, 256], [0, 256]])
    assert np.array_equal(joint_counts(one, other, region, bins), expected.astype(int))
    assert joint_counts(one, other).sum() == one.size


def test_bins_must_divide(maps: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="divide"):
        joint_counts(maps[0], maps[1], bins=100)


def test_rank_correlation_is_scipys(maps: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    one, other, region = maps
    expected = spearmanr(one[region], other[region]).statistic
    assert rank_correlation(one, other, region) == pytest.approx(expected, abs=1e-12)
    assert rank_correlation(one, 255 - other, region) == pytest.approx(-expected, abs=1e-12)


def test_any_rising_curve_of_the_input_is_a_pure_quantiser() -> None:
    levels = np.arange(256, dtype=np.uint8)
    curve = np.rint(255 / (1 + np.exp(-(levels / 255 - 0.5) * 5))).astype(np.uint8)
    assert rank_correlation(curve, levels) > 0.999


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 256), st.integers(1, 256), st.booleans())
def test_the_share_is_of_the_same_levels_in_order(
    seed: int, first: int, second: int, turned: bool
) -> None:
    rng = np.random.default_rng(seed)
    one = rng.integers(0, first, 300).astype(np.uint8)
    other = (0.5 * rng.integers(0, second, 300) + 0.5 * one).astype(np.uint8)
    other = 255 - other if turned else other
    value, share = rank_correlation(one, other), rank_share(one, other)
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        assert np.isnan(value)
        assert np.isnan(share)
        return
    assert value == pytest.approx(spearmanr(one, other).statistic, abs=1e-9)
    ordered = np.sort(other) if value >= 0 else np.sort(other)[::-1]
    largest = spearmanr(np.sort(one), ordered).statistic
    assert share == pytest.approx(value / abs(largest), abs=1e-9)
    assert abs(value) - 1e-12 <= abs(share) <= 1 + 1e-9


def test_a_quantiser_to_three_levels_has_the_whole_of_its_possible_rank_correlation() -> None:
    brightness = np.arange(240).astype(np.uint8)
    levels = np.repeat([10, 100, 200], 80).astype(np.uint8)
    assert rank_correlation(levels, brightness) == pytest.approx(np.sqrt(1 - 1 / 9), abs=1e-3)
    assert rank_share(levels, brightness) == pytest.approx(1)
    assert rank_share(255 - levels, brightness) == pytest.approx(-1)


def test_nothing_to_rank() -> None:
    flat, rising = np.full(9, 7, np.uint8), np.arange(9, dtype=np.uint8)
    assert np.isnan(rank_share(flat, rising))
    assert np.isnan(rank_correlation(flat, rising))
    assert np.isnan(rank_correlation(rising, rising, np.zeros(9, bool)))


def test_rank_correlation_of_a_small_map_is_scipys() -> None:
    rng = np.random.default_rng(1)
    first = rng.integers(0, 40, (12, 11, 5)).astype(np.uint8)
    second = (first // 3 + rng.integers(0, 9, first.shape)).astype(np.uint8)
    region = rng.random(first.shape) < 0.6
    expected = spearmanr(first[region], second[region]).statistic
    assert rank_correlation(first, second, region) == pytest.approx(expected, abs=1e-12)
    assert np.isnan(rank_correlation(np.zeros_like(first), second, region))


def test_only_a_near_perfect_follower_is_called_a_quantiser() -> None:
    assert "quantiser" in warn_quantiser("reconstruction", -0.97)
    assert warn_quantiser("reconstruction", 0.8) == ""
    assert warn_quantiser("reconstruction", float("nan")) == ""
    assert warn_quantiser("input", 1.0) == ""
