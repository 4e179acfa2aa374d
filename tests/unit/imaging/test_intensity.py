"""Scaling to [0, 1] inside a region."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import exposure

from ascnet_core.errors import UserError
from ascnet_core.imaging.intensity import automatic_level, equalise, scale_volume


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 99), st.sampled_from([-1000.0, 0.0, 3.0]), st.sampled_from([1e-3, 1.0, 4e3]))
def test_min_max_is_the_papers(seed, offset, unit):
    data = (np.random.default_rng(seed).random((5, 6, 7)) * unit + offset).astype(np.float32)
    scaled, how = scale_volume(data, None, "min-max")
    oracle = exposure.rescale_intensity(data.astype(float), out_range=(0.0, 1.0))
    assert np.allclose(scaled, oracle, atol=1e-3 if offset == -1000 and unit < 1 else 1e-4)
    assert scaled.dtype == np.float32
    assert (how.low, how.high) == (data.min(), data.max())
    assert how.clipped == 0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 99))
def test_percentiles_of_the_region_become_0_and_1(seed):
    rng = np.random.default_rng(seed)
    data = rng.normal(50, 20, (9, 9, 9)).astype(np.float32)
    region = rng.random(data.shape) > 0.4
    scaled, how = scale_volume(data, region, "percentile", 1, 98)
    low, high = np.percentile(data[region], [1, 98])
    assert np.allclose([how.low, how.high], [low, high])
    assert np.allclose(
        scaled[region], np.clip((data[region] - low) / (high - low), 0, 1), atol=1e-5
    )
    assert not scaled[~region].any()
    assert np.isclose(how.clipped, np.mean((data[region] < low) | (data[region] > high)))


def test_the_input_is_left_alone():
    data = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    data.flags.writeable = False
    scale_volume(data, data > 3)
    equalise(data / 23, data > 3)
    assert np.array_equal(data.ravel(), np.arange(24))


def test_constant_empty_and_unknown_are_refused():
    ones = np.ones((3, 3, 3), np.float32)
    with pytest.raises(UserError, match=r"^scan\.nii is constant \(1 everywhere"):
        scale_volume(ones, what="scan.nii")
    varied = ones.copy()
    varied[0] = 5
    with pytest.raises(UserError, match="constant"):
        scale_volume(varied, varied > 2)
    with pytest.raises(UserError, match="empty region"):
        scale_volume(varied, varied > 9)
    with pytest.raises(UserError, match="unknown; choose percentile or min-max"):
        scale_volume(varied, method="z-score")
    for low, high in ((5, 5), (-1, 99), (0, 101), (99, 1)):
        with pytest.raises(UserError, match="percentiles"):
            scale_volume(varied, low=low, high=high)


def test_nearly_constant_falls_back_to_the_whole_range():
    data = np.zeros((20, 20, 20), np.float32)
    data[0, 0, 0] = 4
    scaled, how = scale_volume(data)
    assert (how.low, how.high) == (0, 4)
    assert scaled.max() == 1


def test_automatic_region():
    data = np.zeros((10, 10, 10), np.float32)
    data[2:8, 2:8, 2:8] = np.random.default_rng(0).uniform(50, 100, (6, 6, 6))
    data[0] = 2  # noise in air
    assert np.array_equal(data > automatic_level(data), data > 40)


def test_automatic_region_of_hounsfield_units_starts_at_air():
    data = np.full((10, 10, 10), -1000, np.float32)
    data[2:8, 2:8, 2:8] = 40
    data[2, 2:8, 2:8] = -100  # fat belongs to the body
    assert np.array_equal(data > automatic_level(data), data > -900)


def test_equalised_levels_are_shares():
    rng = np.random.default_rng(0)
    scaled = rng.random((12, 12, 12)).astype(np.float32) ** 3
    region = rng.random(scaled.shape) > 0.3
    even = equalise(scaled, region)
    assert not even[~region].any()
    assert even.max() == 1
    for value in (0.25, 0.5, 0.9):
        assert np.isclose((even[region] <= value).mean(), value, atol=0.03)
    order = np.argsort(scaled[region], kind="stable")
    assert (np.diff(even[region][order]) >= 0).all()
    oracle = exposure.equalize_hist(np.rint(scaled * 255).astype(np.uint8), mask=region)
    assert np.allclose(even[region], oracle[region], atol=0.02)
    assert not equalise(scaled, np.zeros_like(region)).any()


def test_ranges_too_narrow_for_32_bits_are_no_ranges(recwarn):
    data = np.zeros((20, 20, 20), np.float32)
    data[::2] = 1e-40
    with pytest.raises(UserError, match="constant"):
        scale_volume(data)
    data[0, 0, 0] = 127
    scaled, how = scale_volume(data)
    assert (how.low, how.high, scaled.max()) == (0, 127, 1)
    data[::2, 1:] = 1e-37
    assert np.isfinite(scale_volume(data)[0]).all()
    assert not recwarn.list
