"""Several runs beside one another: common slices, alignment, curves, settings."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from ascnet_core import places
from ascnet_core.monitoring import comparison
from ascnet_core.monitoring.comparison import aligned, common_slices, cycle_of, event_curves, shared
from ascnet_core.runs.folder import Run
from tests import made_up


def slices(*seeds: int) -> np.ndarray:
    return np.concatenate([made_up.tissue(seed)[0][:1] for seed in seeds])


def test_the_same_slices_are_found_in_another_order() -> None:
    found = common_slices([slices(1, 2, 3), slices(3, 9, 1)])
    assert found.indices == ((0, 2), (2, 0))
    assert found.scaled_alike
    assert len(found) == 2


def test_the_shipped_demo_runs_watch_the_same_slices_and_lgg_others() -> None:
    names = ("demo-flair", "demo-flair-paper", "lgg-flair")
    teaching, paper, lgg = (
        Run(places.RUNS / name).load_snapshot(0).watched_input for name in names
    )
    found = common_slices([teaching, paper])
    assert found.indices == ((0, 1, 2, 3),) * 2
    assert not found.scaled_alike  # by percentile, and by the least and largest value
    assert len(common_slices([teaching, lgg])) == 0


def test_a_level_of_rounding_is_no_difference() -> None:
    one = slices(1)
    other = np.where(one > 0, one + 1, 0).astype(np.uint8)
    assert common_slices([one, other]).scaled_alike


def test_slices_scaled_differently_are_the_same_and_said_to_differ() -> None:
    one = slices(1, 2)
    brighter = np.where(one > 0, np.minimum(255, one * 1.2 + 10), 0).astype(np.uint8)
    found = common_slices([one, brighter])
    assert found.indices == ((0, 1), (0, 1))
    assert not found.scaled_alike


def test_other_scans_other_sizes_and_other_outlines_are_not_the_same() -> None:
    one = slices(1)
    assert len(common_slices([one, slices(2)])) == 0
    assert len(common_slices([one, one[:, :16, :16]])) == 0
    smaller = one.copy()
    smaller[:, :8] = 0
    assert len(common_slices([one, smaller])) == 0


def test_slices_must_be_in_every_run() -> None:
    found = common_slices([slices(1, 2), slices(2, 1), slices(2)])
    assert found.indices == ((1,), (0,), (0,))
    assert len(common_slices([])) == 0
    assert common_slices([slices(4, 5)]).indices == ((0, 1),)


def test_neither_an_even_nor_an_empty_slice_is_taken_for_another() -> None:
    even = np.full((1, 8, 8), 90, np.uint8)
    assert comparison.same_slice(even[0], even[0]) == (True, True)
    assert comparison.same_slice(even[0], even[0] + 60) == (False, False)
    assert comparison.same_slice(even[0], np.zeros((8, 8), np.uint8)) == (False, False)


def test_runs_are_aligned_by_the_snapshot_at_or_before() -> None:
    moments, places = aligned([[0, 1200, 2400], [0, 2144]])
    assert moments == [0, 1200, 2144, 2400]
    assert places == [(0, 0), (1, 0), (1, 1), (2, 1)]
    # a run that kept its first snapshot late shows that one
    assert aligned([[0, 10], [50]])[1] == [(0, 0), (1, 0), (1, 0)]


rising = some.lists(some.integers(0, 500), min_size=1, max_size=30).map(sorted)


@given(some.lists(rising, min_size=1, max_size=4))
def test_every_snapshot_is_reached_and_none_is_later_than_asked(images: list[list[int]]) -> None:
    moments, places = aligned(images)
    for run, seen in enumerate(images):
        taken = [row[run] for row in places]
        assert taken == sorted(taken)
        assert {seen[place] for place in taken} == set(seen)
        for moment, place in zip(moments, taken, strict=True):
            assert seen[place] <= moment or place == 0
            assert place == len(seen) - 1 or seen[place + 1] > moment


def test_the_wild_cut_is_split_by_the_mask() -> None:
    data = made_up.data_of(made_up.bumps(made_up.THREE))
    point = made_up.separated(1)
    wild = np.where(point.mask, 204, 51).astype(np.uint8)
    inside, outside = comparison.wild_split(point, replace(data, maps={"wild": wild}))
    assert inside == pytest.approx(0.8)
    assert outside == pytest.approx(0.2)
    assert comparison.wild_split(made_up.merged(1), data) == (None, None)
    everything = replace(point, mask=data.watched_input > 0)
    assert comparison.wild_split(everything, data)[1] is None
    assert comparison.wild_split(point, replace(data, maps={})) == (None, None)


def test_steps_lie_evenly_in_their_cycle_and_go_on_after_it() -> None:
    points = made_up.story("mm")  # cycles end at steps 10 and 20
    assert cycle_of([0, 5, 10, 15, 20, 30], points) == pytest.approx((0, 0.5, 1, 1.5, 2, 3))
    assert cycle_of([4], []) == (4,)


def test_losses_become_curves_thinned_with_the_newest_kept() -> None:
    points = made_up.story("m")
    events = [
        {"kind": "step", "step": n, "losses": {"tie": n / 2, "total": None}} for n in range(1, 1001)
    ]
    events.append({"kind": "epoch", "step": 1000, "gauges": {"wild_input": 0.5}})
    (name,) = losses = event_curves(events, points)
    curve = losses[name]
    assert name == "tie"
    assert len(curve.values) <= comparison.MOST_VALUES
    assert curve.values[-1] == 500
    assert len(set(np.diff(curve.values))) == 1
    assert curve.images[-1] == pytest.approx(8 * 1000)  # 80 slices in 10 steps, and so on
    assert event_curves(events, points, "epoch", "gauges")["wild_input"].values == (0.5,)
    assert event_curves([], points) == {}


def test_the_course_has_a_value_for_each_snapshot() -> None:
    curves = comparison.course_curves(made_up.story("ms"))
    assert curves["separation_index"].values == pytest.approx((0, 0, 1), abs=0.01)
    assert curves["separated"].values == (1, 1, 3)
    assert curves["stability"].values[:2] == (None, None)
    assert curves["area"].cycles == (0, 1, 2)
    assert curves["area"].images == (0, 80, 160)


def test_terms_are_shared_by_two_runs_or_are_a_lone_runs_own() -> None:
    assert shared([["a", "b"], ["b", "c"], ["c", "d"]]) == ("b", "c")
    assert shared([["a", "b"]]) == ("a", "b")
    assert shared([]) == ()
