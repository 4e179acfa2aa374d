"""Rules that part a histogram in two, against scikit-image on the voxels themselves."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage import filters

from ascnet_core.errors import UserError
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, attempt, propose
from ascnet_core.segmentation.two_classes import CUTS

LEVELS = np.arange(256)


def bumps(*parts: tuple[float, float, float]) -> np.ndarray:
    """Exact histogram with Gaussian bumps of (height, mean, sd)."""
    curves = [height * np.exp(-0.5 * ((LEVELS - mean) / sd) ** 2) for height, mean, sd in parts]
    return np.rint(np.sum(curves, axis=0)).astype(np.int64)


BRIGHT = bumps((9000, 40, 7), (5000, 110, 12), (800, 200, 7))
ALL = [*CUTS]
drawn = st.lists(
    st.tuples(st.floats(100, 5000), st.floats(0, 255), st.floats(3, 30)), min_size=1, max_size=4
)


def voxels(counts: np.ndarray) -> np.ndarray:
    return np.repeat(LEVELS, counts).astype(np.uint8)


def by_scikit_image(name: str, counts: np.ndarray) -> int:
    """The first level above scikit-image's threshold of the voxels."""
    return int(np.floor(getattr(filters, f"threshold_{name}")(voxels(counts)))) + 1


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=40, deadline=None)
@given(parts=drawn)
def test_as_scikit_image_says(name, parts):
    counts = bumps(*parts)
    assume(np.count_nonzero(counts) > 5)
    try:
        expected = by_scikit_image(name, counts)
    except RuntimeError:
        assert isinstance(attempt(name, counts, "bright"), NoThreshold)
        return
    # scikit-image adds up in single precision: among nearly equal levels it may take the next one
    assert propose(name, counts).level == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("name", ALL)
def test_exactly_scikit_images_level_on_a_plain_histogram(name):
    for counts in (BRIGHT, BRIGHT[::-1], BRIGHT + 1):
        assert propose(name, counts).level == by_scikit_image(name, counts)


@pytest.mark.parametrize("name", ALL)
def test_the_dark_side_is_the_mirror_image(name):
    bright, dark = propose(name, BRIGHT), propose(name, BRIGHT[::-1], "dark")
    assert dark.level == 255 - bright.level
    assert str(dark.level) in dark.sentence
    assert (dark.kind, dark.rule) == ("mask-free", name)


def test_a_histogram_of_a_whole_study_is_cut_where_one_scan_is():
    """Scikit-image's single precision puts Yen's cut at the far end from 1e9 voxels on."""
    rng = np.random.default_rng(0)
    shape = BRIGHT / BRIGHT.sum()
    for name in ALL:
        expected = propose(name, BRIGHT).level
        assert propose(name, rng.poisson(shape * 4e9)).level == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("side", ["bright", "dark"])
@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60, deadline=None)
@given(counts=hnp.arrays(np.int64, 256, elements=st.integers(0, 3), fill=st.just(0)))
def test_any_histogram_gives_a_level_that_parts_it_or_a_sentence(name, side, counts):
    found = attempt(name, counts, side)
    if isinstance(found, Threshold):
        first, last = found.kept
        assert 0 < counts[first : last + 1].sum() < counts.sum()
    else:
        assert name in found.sentence
        assert name == "minimum" or np.count_nonzero(counts) < 2


@pytest.mark.parametrize("name", ALL)
def test_an_empty_and_a_constant_histogram_are_said(name):
    constant = np.zeros(256, np.int64)
    with pytest.raises(UserError, match="empty"):
        propose(name, constant)
    constant[90] = 1000
    with pytest.raises(UserError, match="two grey levels, and the histogram has 1"):
        propose(name, constant)


def test_without_two_maxima_there_is_no_minimum():
    with pytest.raises(UserError, match="no two maxima"):
        propose("minimum", bumps((1000, 90, 10)))
