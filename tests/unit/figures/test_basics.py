"""Figures hold the data they were given, with titles, units and the marks of an oracle."""

import numpy as np
import pandas as pd

from ascnet_core.figures import basics as figures


def _rows() -> pd.DataFrame:
    keys = [
        ("asc-net", "demo", "rightmost-peak", "mask-free", [0.7, 0.6]),
        ("input-threshold", None, "otsu", "mask-free", [0.3, 0.2]),
        ("input-threshold", None, "best", "oracle", [0.9, 0.8]),
    ]
    return pd.DataFrame(
        [
            {
                "method": method,
                "run": run,
                "map": "reconstruction",
                "rule": rule,
                "kind": kind,
                "subject": f"s{i}",
                "dice": dice,
            }
            for method, run, rule, kind, values in keys
            for i, dice in enumerate(values)
        ]
    )


def _titles(figure) -> tuple[str, str]:
    return figure.layout.xaxis.title.text, figure.layout.yaxis.title.text


def test_histogram_shows_the_counts_and_names_the_peaks():
    counts = {"input": np.arange(256), "reconstruction": np.zeros(256)}
    counts["reconstruction"][[10, 200]] = [5, 7]
    figure = figures.histogram(counts, [10, 200], log=False)
    assert np.array_equal(figure.data[0].y, np.arange(256))
    assert figure.data[1].y[200] == 7
    assert [a.text for a in figure.layout.annotations] == ["peak 1 · 10", "peak 2 · 200"]
    assert "0–255" in _titles(figure)[0]
    assert _titles(figure)[1] == "pixels"


def test_log_histogram_leaves_empty_levels_out():
    counts = np.zeros(256)
    counts[3] = 100
    shown = figures.histogram({"wild": counts}).data[0].y
    assert shown[3] == 100
    assert np.isnan(shown[4])


def test_positions_are_shares_of_each_set():
    figure = figures.positions(np.array([0.1, 0.12, 0.9]), np.array([0.1]), bins=10)
    assert max(figure.data[0].y) == 100 * 2 / 3
    assert max(figure.data[1].y) == 100
    assert "3 slices" in figure.data[0].name
    assert all(_titles(figure))


def test_overlap_of_positions_goes_from_0_to_1():
    low, high = np.array([0.1, 0.11]), np.array([0.9])
    assert figures.position_overlap(low, low) == 1
    assert figures.position_overlap(low, high) == 0
    assert figures.position_overlap(low, np.array([0.1, 0.9])) == 0.5


def test_boxes_put_mask_free_first_and_hatch_the_oracle():
    figure = figures.dice_boxes(_rows())
    boxes = [trace for trace in figure.data if trace.type == "box"]
    hatches = [trace for trace in figure.data if trace.type == "bar"]
    assert [list(box.x) for box in boxes] == [[0.7, 0.6], [0.3, 0.2], [0.9, 0.8]]
    assert boxes[0].name == "asc-net (demo) · rightmost-peak"
    assert "oracle" in boxes[2].name
    assert len(hatches) == 1
    assert hatches[0].y == (boxes[2].name,)
    assert hatches[0].marker.pattern.shape == "/"
    assert all(_titles(figure))


def test_boxes_of_nothing_are_an_empty_chart_with_titles():
    figure = figures.dice_boxes(_rows().iloc[:0])
    assert not figure.data
    assert all(_titles(figure))
