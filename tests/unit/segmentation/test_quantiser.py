"""Ranks and joint histograms of two maps, against numpy and scipy."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from ascnet_core.segmentation.quantiser import joint_counts, rank_correlation


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


def test_nothing_to_rank() -> None:
    flat, rising = np.full(9, 7, np.uint8), np.arange(9, dtype=np.uint8)
    assert np.isnan(rank_correlation(flat, rising))
    assert np.isnan(rank_correlation(rising, rising, np.zeros(9, bool)))
