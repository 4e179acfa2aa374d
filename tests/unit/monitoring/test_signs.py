"""Signs without a true mask, on arrays small enough to count by eye."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ascnet_core.monitoring.history import measure
from ascnet_core.monitoring.signs import fence_kept
from tests import made_up

HELD = np.array([[[10, 200, 200, 200, 90]]], np.uint8)
FENCE = np.array([[[10, 60, 210, 200, 95]]], np.uint8)
MASK = np.array([[[False, True, True, True, False]]])


def test_of_three_bright_pixels_the_fence_darkens_one():
    assert fence_kept(HELD, FENCE, MASK, "bright") == pytest.approx(2 / 3)


def test_on_the_dark_side_a_lighter_fence_clears():
    assert fence_kept(255 - HELD, 255 - FENCE, MASK, "dark") == pytest.approx(2 / 3)
    # of these three the fence lightens one
    assert fence_kept(HELD, FENCE, MASK, "dark") == pytest.approx(2 / 3)


def test_an_empty_mask_says_nothing():
    assert fence_kept(HELD, FENCE, np.zeros_like(MASK), "bright") is None


LEVELS = arrays(np.uint8, (1, 3, 3), elements=st.integers(0, 255))


@given(LEVELS, LEVELS, arrays(bool, (1, 3, 3)))
def test_both_sides_together_count_what_is_equal_twice(held, fence, mask):
    if not mask.any():
        return
    bright, dark = (fence_kept(held, fence, mask, side) for side in ("bright", "dark"))
    equal = float((held == fence)[mask].mean())
    assert bright + dark == pytest.approx(1 + equal)


def test_a_snapshot_is_measured_with_its_fence():
    cleared = measure(made_up.snapshot(1), made_up.data_of(made_up.bumps(made_up.THREE)))
    data = made_up.data_of(made_up.bumps(made_up.THREE))
    data.maps["fence"] = data.watched_input.copy()
    kept = measure(made_up.snapshot(1), data)
    assert (cleared.fence_kept, kept.fence_kept) == (0.0, 1.0)
    del data.maps["fence"]
    assert measure(made_up.snapshot(1), data).fence_kept is None
