"""Figures of a run's course hold its data, with titles, peaks and the advisor's numbers."""

from dataclasses import replace

import numpy as np
import pytest

from ascnet_core.figures import history as figures
from ascnet_core.monitoring.peak_tracks import track_peaks
from tests.made_up import story


@pytest.fixture(scope="module")
def points():
    return story("mmsss")


def test_complete_cycles_lie_at_their_number_and_moments_between(points):
    assert figures.times(points)[0] == [0, 1, 2, 3, 4, 5]
    halfway = [*points[:3], replace(points[2], ends_cycle=False), points[3]]
    halfway[2], halfway[3] = halfway[3], halfway[2]
    assert figures.times(halfway)[0] == [0, 1, 1.5, 2, 3]
    growing = [*points[:2], replace(points[2], ends_cycle=False)]
    assert figures.times(growing)[0] == [0, 1, 1.5]
    assert figures.times(points, "images")[0] == [0, 80, 160, 240, 320, 400]


def test_the_heat_map_has_a_column_a_moment_and_marks_every_peak(points):
    figure = figures.timeline(points, now=2)
    heat, peaks, threshold = figure.data
    assert np.asarray(heat.z).shape == (256, 6)
    share = 100 * points[3].counts[130] / points[3].counts.sum()
    assert heat.customdata[130][3] == pytest.approx(share)
    assert 10 ** heat.z[130][3] == pytest.approx(share)
    assert len(peaks.x) == sum(len(point.peaks) for point in points)
    assert list(threshold.y)[:3] == [None, None, None]
    assert threshold.y[3] == points[3].threshold.level
    assert figure.layout.shapes[0].x0 == 2
    assert "cycle" in figure.layout.xaxis.title.text
    assert "0–255" in figure.layout.yaxis.title.text


def test_ridges_keep_the_newest_and_at_most_the_number_said(points):
    assert figures.ridge_indices(5) == [0, 1, 2, 3, 4]
    kept = figures.ridge_indices(200)
    assert kept[-1] == 199
    assert len(kept) <= figures.MOST_RIDGES
    assert len(set(np.diff(kept))) == 1
    assert figures.ridge_indices(0) == []
    figure = figures.ridges(points)
    assert len(figure.data) == 2 * len(points)
    newest = figure.data[-2]
    assert min(newest.y) == 0  # in front, at the bottom
    assert list(figure.data[-1].x) == [50, 130, 220]


def test_tracked_peaks_show_position_height_and_separation(points):
    tracks = track_peaks(points)
    figure = figures.tracked_peaks(points, tracks)
    assert len(figure.data) == 3 * len(tracks)
    first = tracks[0].points
    position, height, separation = figure.data[:3]
    assert list(position.y) == [p.position for p in first]
    assert height.y[0] == pytest.approx(100 * first[0].height / points[0].counts.sum())
    assert list(separation.y) == [p.separation for p in first]
    titles = [figure.layout[f"yaxis{n}"].title.text for n in ("", 2, 3)]
    assert [title.split(",")[0] for title in titles] == ["position", "height", "separation"]


def test_the_course_shows_figures_and_the_advisors_numbers(points):
    figure = figures.course(points)
    by_name = {trace.name.split(" (")[0]: trace for trace in figure.data}
    assert by_name["separation index"].y[4] == pytest.approx(points[4].separation_index)
    assert by_name["mask stability"].y[4] == 1
    assert min(v for v in by_name["abs. rank correlation, I_ro and I_in"].y) >= 0
    words = " ".join(note.text for note in figure.layout.annotations)
    assert "quantiser 0.98" in words
    assert "stable 0.75" in words


@pytest.mark.parametrize("number", [0, 1])
def test_short_courses_have_figures_too(points, number):
    few = points[:number]
    for figure in (
        figures.timeline(few),
        figures.ridges(few),
        figures.tracked_peaks(few, track_peaks(few)),
        figures.course(few),
    ):
        assert figure.to_dict()


def test_oracle_dice_is_dashed_and_says_what_it_is(points):
    figure = figures.course(points, oracle=[None, None, None, 0.1, 0.2, 0.3])
    line = next(trace for trace in figure.data if "oracle" in trace.name)
    assert line.line.dash == "dash"
    assert line.name.startswith("<i>")
    assert line.y[5] == 0.3
    assert not any("oracle" in trace.name for trace in figures.course(points).data)


def test_the_low_charts_share_their_time_axis_and_leave_the_height_to_the_page() -> None:
    points = story("mss")
    heat, curve = figures.timeline(points, compact=True), figures.main_course(points)
    assert [trace.name for trace in curve.data] == [
        "separation index (wanted: 0.6)",
        "mask stability (wanted: 0.75)",
    ]
    assert list(curve.data[0].y) == [point.separation_index for point in points]
    for figure in (heat, curve):
        assert figure.layout.height is None
        assert list(figure.layout.xaxis.range) == [-0.5, 3.5]
        assert figure.layout.xaxis.title.text == "cycle"
    assert not heat.data[0].showscale
    assert "separation index 1.00, mask stability 1.00." in figures.course_in_words(points)
    assert "mask stability none yet." in figures.course_in_words(points[:1])
