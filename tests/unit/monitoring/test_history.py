"""A run's course: what is read from snapshots, against independent computations."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import label

from ascnet_core.monitoring import history
from ascnet_core.monitoring.history import Point, cycle_ends, link, measure, read_history
from ascnet_core.monitoring.peak_tracks import FARTHEST, track_peaks
from ascnet_core.runs.folder import Run
from tests import made_up

ROOT = Path(__file__).resolve().parents[3]


def test_reading_a_history_and_advice_need_no_torch() -> None:
    code = (
        "import sys, ascnet_core.monitoring.advisor, ascnet_core.monitoring.peak_tracks;"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_index_and_number_of_separated_peaks_stay_in_their_bounds(gaps: list[float]) -> None:
    index = history.separation_index(gaps)
    assert 0 <= index <= 1
    assert 1 <= history.separated_peaks(gaps) <= len(gaps) + 1
    assert history.separation_index([*gaps, 0.0]) == index
    if len(gaps) == 1:
        assert index <= 0.5


def test_three_clean_peaks_have_the_full_index_and_two_half_of_it() -> None:
    assert history.separation_index((1.0, 1.0)) == 1
    assert history.separation_index((0.3, 1.0, 1.0)) == 1
    assert history.separation_index((1.0,)) == 0.5
    assert history.separation_index(()) == 0
    assert history.separation_index((0.8,), peaks=2) == 0.8
    assert history.separation_index((0.3, 0.8), peaks=2) == 0.8
    assert history.separation_index((), peaks=2) == 0
    assert history.separation_index((0.9, 0.6), peaks=4) == pytest.approx(0.5)


def test_where_nothing_can_be_ranked_nothing_is_said() -> None:
    point = made_up.merged(1)
    flat = made_up.data_of(made_up.bumps((120,), (1.0,)), positions=(9, 9, 9))
    assert point.rank_correlation is not None
    assert measure(made_up.snapshot(1), flat).rank_correlation is None
    assert measure(made_up.snapshot(1), flat).rank_share is None


def test_holes_are_what_the_background_does_not_reach() -> None:
    mask = np.zeros((2, 12, 12), bool)
    mask[0, 2:10, 2:10] = True
    mask[0, 4:6, 4:7] = False  # a hole of six pixels
    mask[1, 0:5, 0:5] = True
    mask[1, 0:2, 2] = False  # open to the border of the picture: no hole
    expected = 0
    for plane in mask:
        regions = label(~np.pad(plane, 1), connectivity=1)
        expected += int(((regions != regions[0, 0]) & (regions > 0)).sum())
    # a picture's border closes nothing
    assert history.count_holes(mask) == 6
    assert expected == 6


def test_a_point_has_the_mask_of_the_rule_on_its_own_counts() -> None:
    point = made_up.separated(4)
    _, lesion = made_up.tissue()
    assert point.threshold is not None
    assert 130 < point.threshold.level <= 220
    assert point.mask is not None
    np.testing.assert_array_equal(point.mask, lesion)
    assert point.area == pytest.approx(lesion.sum() / (made_up.tissue()[0] > 0).sum())
    assert point.holes == 0
    assert [peak.position for peak in point.peaks] == list(made_up.THREE)
    assert point.separated == 3
    assert point.separation_index > 0.95
    assert point.input_dice is not None
    assert point.input_dice < 0.5


def test_no_mask_says_why() -> None:
    point = made_up.merged(1)
    assert point.mask is None
    assert "valley" in point.no_mask
    assert point.separated == 1
    assert point.separation_index == 0


@pytest.mark.parametrize(
    ("name", "rule", "side"),
    [("wild", "otsu", "bright"), ("residual", "otsu", "bright"), ("fence", "30", "dark")],
)
def test_other_maps_are_thresholded_on_their_own_counts(name: str, rule: str, side: str) -> None:
    data = made_up.data_of(made_up.bumps(made_up.THREE))
    wild = np.where(made_up.tissue()[1], 240, 5).astype(np.uint8)
    fence = np.where(made_up.tissue()[1], 0, data.watched_input).astype(np.uint8)
    data = dataclasses.replace(data, maps=data.maps | {"wild": wild, "fence": fence})
    point = measure(made_up.snapshot(1), data, name, rule, side)  # type: ignore[arg-type]
    inside = data.watched_input > 0
    levels = {
        "wild": wild,
        "fence": fence,
        "residual": np.clip(data.watched_input.astype(int) - fence, 0, 255),
    }[name]
    assert point.threshold is not None
    level = point.threshold.level
    expected = inside & (levels >= level if side == "bright" else levels <= level)
    assert point.mask is not None
    np.testing.assert_array_equal(point.mask, expected)


def test_input_dice_finds_the_threshold_that_a_quantiser_is() -> None:
    assert made_up.separated(1, quantised=True).input_dice == 1
    levels = np.array([1, 2, 3, 200], np.uint8)
    assert history._input_dice(levels, levels <= 2) == 1  # dark ones count too
    assert history._input_dice(levels, np.zeros(4, bool)) is None


def test_stability_is_the_dice_of_masks_one_after_the_other() -> None:
    points = made_up.story("sso")
    assert points[1].stability is None  # no mask before it
    assert points[2].stability == 1
    one, other = points[2].mask, points[3].mask
    assert one is not None
    assert other is not None
    expected = 2 * (one & other).sum() / (one.sum() + other.sum())
    assert points[3].stability == pytest.approx(expected)


def test_a_flipped_picture_is_like_the_mirrored_mask() -> None:
    points = made_up.story("sf")
    assert points[2].mirror_stability == 1
    assert points[2].stability is not None
    assert points[2].stability < 0.1


@pytest.mark.parametrize(
    ("rule", "mirrored"),
    [
        ("rightmost-peak", "leftmost-peak"),
        ("peak:-1", "peak:1"),
        ("valley:2", "valley:-2"),
        ("200", "55"),
        ("band:10:20", "band:235:245"),
        ("otsu", "otsu"),
    ],
)
def test_rules_have_a_counterpart_at_the_other_end(rule: str, mirrored: str) -> None:
    counts = made_up.bumps(made_up.THREE)
    data = made_up.data_of(counts)
    point = measure(made_up.snapshot(1), data, rule=rule)
    other = measure(made_up.snapshot(1), data, rule=mirrored, side="dark")
    assert point.mirror is not None
    assert other.mask is not None
    np.testing.assert_array_equal(point.mirror, other.mask)


def test_only_complete_cycles_count_and_are_compared_with_each_other() -> None:
    points = [
        made_up.start(),
        made_up.separated(1),
        measure(
            made_up.snapshot(2, cycle=2, step=15),
            made_up.data_of(
                made_up.bumps(made_up.THREE), lesion=np.roll(made_up.tissue()[1], 9, 1)
            ),
            rule="rightmost-valley",
        ),
        measure(
            made_up.snapshot(3, cycle=2, step=20),
            made_up.data_of(made_up.bumps(made_up.THREE)),
            rule="rightmost-valley",
        ),
    ]
    linked = link(history._with_events(points, [{"kind": "cycle", "step": s} for s in (10, 20)]))
    assert [point.ends_cycle for point in linked] == [False, True, False, True]
    assert linked[3].stability is not None
    assert linked[3].stability < 1
    ends = cycle_ends(linked)
    assert [point.total_cycle for point in ends] == [1, 2]
    assert ends[1].stability == 1


def test_a_folder_is_read_with_gauges_and_only_once(tmp_path: Path) -> None:
    folder = made_up.write_run(tmp_path / "run", "mss", {"rank_correlation": 0.4, "saturated": 0.1})
    known: dict[Path, Point] = {}
    course = read_history(Run(folder), known)
    assert course.rule == "rightmost-valley"
    assert [point.total_cycle for point in course.points] == [0, 1, 2, 3]
    assert [point.ends_cycle for point in course.points] == [False, True, True, True]
    assert course.points[1].rank_correlation == 0.4
    assert course.points[2].gauges["saturated"] == 0.1
    assert course.points[3].images_seen == 240
    assert not course.points[3].has_model
    assert len(known) == 4
    again = read_history(Run(folder), known)
    assert again.points[3].counts is course.points[3].counts


def test_a_run_without_events_has_its_cycles_ends(tmp_path: Path) -> None:
    folder = made_up.write_run(tmp_path / "run", "ms")
    (folder / "events.jsonl").unlink()
    assert len(cycle_ends(read_history(Run(folder)).points)) == 2


def test_a_damaged_snapshot_is_left_out_and_named(tmp_path: Path) -> None:
    folder = made_up.write_run(tmp_path / "run", "mss")
    (folder / "snapshots" / "002-s1-c2" / "cuts.safetensors").write_bytes(b"no")
    course = read_history(Run(folder))
    assert len(course.points) == 3
    assert "002-s1-c2" in course.left_out[0]


def _points(*rows: tuple[int, ...]) -> list[Point]:
    found = []
    for place, positions in enumerate(rows):
        counts = made_up.bumps(positions, [1.0] * len(positions))
        point = measure(made_up.snapshot(place), made_up.data_of(counts), rule="128")
        found.append(point)
    return found


def test_peaks_keep_their_track_and_new_ones_begin_their_own() -> None:
    tracks = track_peaks(_points((40, 120), (50, 125, 220), (60, 215), (62, 110, 210)))
    courses = [[(p.index, p.position) for p in track.points] for track in tracks]
    assert courses == [
        [(0, 40), (1, 50), (2, 60), (3, 62)],
        [(0, 120), (1, 125)],
        [(1, 220), (2, 215), (3, 210)],
        [(3, 110)],
    ]
    assert [track.lost for track in tracks] == [False, True, False, False]
    assert [track.number for track in tracks] == [1, 2, 3, 4]
    assert tracks[2].points[0].index == 1


def test_a_leap_is_a_loss_and_a_birth() -> None:
    near = track_peaks(_points((100,), (100 + FARTHEST,)))
    far = track_peaks(_points((100,), (101 + FARTHEST,)))
    assert len(near) == 1
    assert len(far) == 2


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sets(st.integers(0, 6), max_size=4).map(sorted), min_size=1, max_size=6))
def test_every_peak_lies_on_exactly_one_track(rows: list[list[int]]) -> None:
    points = [
        measure(
            made_up.snapshot(n),
            made_up.data_of(
                made_up.bumps([20 + 35 * s for s in row], [1.0] * len(row))
                if row
                else np.zeros(256, np.int64)
            ),
            rule="128",
        )
        for n, row in enumerate(rows)
    ]
    tracks = track_peaks(points)
    seen = sorted((p.index, p.position) for track in tracks for p in track.points)
    expected = sorted((n, peak.position) for n, p in enumerate(points) for peak in p.peaks)
    assert seen == expected
    for track in tracks:
        places = [p.index for p in track.points]
        assert places == list(range(places[0], places[0] + len(places)))
        assert track.lost == (places[-1] < len(points) - 1)
        assert all(0 <= p.separation <= 1 for p in track.points)


@pytest.mark.parametrize(("side", "wanted"), [("bright", 0.25), ("dark", 0.76)])
def test_the_reference_s_own_false_positives(side: str, wanted: float) -> None:
    counts = np.zeros(256, np.int64)
    counts[[10, 128, 200]] = 75, 1, 24
    data = made_up.data_of(np.full(256, 10))
    point = measure(made_up.snapshot(1), data, "reconstruction", "128", side, counts)  # type: ignore[arg-type]
    assert point.threshold is not None
    assert point.threshold.level == 128
    assert point.reference_share == wanted
    assert measure(made_up.snapshot(1), data, rule="128").reference_share is None
