"""The maps of the training-free baselines, and which rules they take."""

from types import SimpleNamespace

import numpy as np
import pytest
from skimage.exposure import equalize_hist
from skimage.filters import threshold_multiotsu

from ascnet_core.errors import UserError
from ascnet_core.methods.baselines import BASELINES, baselines
from ascnet_core.segmentation.histogram import count_levels, quantise
from ascnet_core.segmentation.threshold import propose


@pytest.fixture(scope="module")
def prepared():
    """What the baselines look at of a prepared scan."""
    rng = np.random.default_rng(0)
    region = np.zeros((24, 24, 10), bool)
    region[3:-3, 3:-3] = True
    scaled = np.where(region, rng.beta(2, 5, region.shape), 0).astype(np.float32)
    return SimpleNamespace(scaled=scaled, region=region)


def test_input_is_the_scaled_scan(prepared):
    for name in ("input-threshold", "multi-otsu-input", "input-peaks"):
        assert BASELINES[name].grey(prepared) is prepared.scaled
        assert BASELINES[name].key == BASELINES["input-threshold"].key, "computed once"


def test_equalised_levels_hold_equal_shares(prepared):
    grey = BASELINES["equalised-input"].grey(prepared)
    assert grey.dtype == np.float32
    assert grey.shape == prepared.scaled.shape
    assert (grey[~prepared.region] == 0).all()
    inside = grey[prepared.region]
    assert 0 <= inside.min() <= inside.max() == 1
    counts = count_levels(quantise(grey), prepared.region)
    coarse = counts.reshape(16, 16).sum(axis=1) / counts.sum()
    np.testing.assert_allclose(coarse, 1 / 16, atol=0.015)
    expected = equalize_hist(prepared.scaled[prepared.region], nbins=256)
    np.testing.assert_allclose(inside, expected, atol=0.012)
    order = np.argsort(prepared.scaled[prepared.region])
    assert (np.diff(inside[order]) >= 0).all(), "equalising keeps the order"


def test_multi_otsu_is_skimages(prepared):
    levels = quantise(prepared.scaled)
    (rule,) = BASELINES["multi-otsu-input"].rules("bright", (), False)
    ours = propose(rule, count_levels(levels, prepared.region))
    # skimage's thresholds are the last level of a class, ours the first one kept.
    expected = threshold_multiotsu(levels[prepared.region], classes=3)[-1] + 1
    assert abs(ours.level - expected) <= 1


@pytest.mark.parametrize(
    ("name", "side", "asked", "reference", "expected"),
    [
        ("input-threshold", "bright", (), False, ("otsu",)),
        ("input-threshold", "dark", ("otsu", "120", "peak:2"), False, ("otsu", "120")),
        ("input-threshold", "bright", (), True, ("otsu", "reference-quantile:0.995")),
        ("equalised-input", "bright", ("rightmost-peak",), False, ("otsu",)),
        ("equalised-input", "bright", ("multi-otsu",), False, ("otsu", "multi-otsu:3")),
        ("multi-otsu-input", "bright", ("otsu",), True, ("multi-otsu:3",)),
        ("multi-otsu-input", "bright", ("multi-otsu:4",), False, ("multi-otsu:4",)),
        ("input-peaks", "bright", (), True, ("rightmost-peak",)),
        ("input-peaks", "dark", ("otsu",), False, ("leftmost-peak",)),
        ("input-peaks", "bright", ("peak:2", "valley:-1"), False, ("peak:2", "valley:-1")),
    ],
)
def test_rules(name, side, asked, reference, expected):
    assert BASELINES[name].rules(side, asked, reference) == expected


def test_baselines_by_name():
    assert [method.name for method in baselines()] == list(BASELINES)
    assert [method.name for method in baselines(["input-peaks"])] == ["input-peaks"]
    assert baselines([]) == ()
    with pytest.raises(UserError, match="input-threshold"):
        baselines(["magic"])
