"""The Cuts page: what the charts show, what a choice holds, what goes to the browser."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.segmentation.histogram import Peak
from pages.parts.cuts import slice_panel
from pages.parts.cuts.slice_panel import Pick

PAGE = Path(__file__).resolve().parents[2] / "pages" / "cuts.py"


def _maps(shape=(4, 3, 2), seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, 256, shape, dtype=np.uint8) for name in slice_panel.MAPS}


def _peak(position: int, left: int, right: int) -> Peak:
    return Peak(position, 1.0, 1.0, 1.0, left, right, 0.5)


def test_a_constant_reconstruction_is_said_to_be_so() -> None:
    assert "constant" in slice_panel.correlation_sentence(math.nan)
    assert "quantiser" in slice_panel.correlation_sentence(0.99)


def test_joint_counts_has_rows_upwards_and_only_the_region() -> None:
    rows = np.array([0, 255, 255], np.uint8).reshape(3, 1, 1)
    columns = np.array([255, 0, 4], np.uint8).reshape(3, 1, 1)
    region = np.array([True, True, False]).reshape(3, 1, 1)
    joint = slice_panel.joint_counts(rows, columns, region, bins=64)
    assert joint.sum() == 2
    assert joint[0, 63] == 1
    assert joint[63, 0] == 1


def test_facts_count_what_lies_in_the_region() -> None:
    maps = _maps()
    region = maps["input"] > 100
    facts = slice_panel.facts_of(maps, region, (1.0, 2.0, 3.0))
    assert all(counts.sum() == region.sum() for counts in facts.counts.values())
    assert facts.joint.sum() == region.sum()
    assert facts.weights == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("peak", None),
        (
            {"kind": "levels", "map": "fence", "from": 3, "to": 9, "name": "peak 1"},
            Pick((("fence", 3, 9),), "peak 1"),
        ),
        (
            {"kind": "pairs", "fence": [0, 5], "wild": [6, 255]},
            Pick((("fence", 0, 5), ("wild", 6, 255))),
        ),
        ({"kind": "levels", "map": "fence", "from": 9, "to": 3}, None),
        ({"kind": "levels", "map": "nothing", "from": 3, "to": 9}, None),
        ({"kind": "pairs", "fence": [0, 5]}, None),
        ({"kind": "pairs", "fence": [0, 256], "wild": [0, 1]}, None),
        ({"kind": "else"}, None),
    ],
)
def test_only_a_sensible_report_is_a_choice(value: object, expected: Pick | None) -> None:
    assert slice_panel.parse_pick(value) == expected


def test_a_choice_holds_the_pixels_that_meet_all_its_ranges() -> None:
    maps = _maps()
    region = maps["input"] > 50
    pick = Pick((("fence", 0, 120), ("wild", 60, 255)))
    mask = slice_panel.chosen(pick, maps, region)
    expected = region & (maps["fence"] <= 120) & (maps["wild"] >= 60)
    assert np.array_equal(mask, expected)


def test_a_choice_is_told_in_millilitres_and_shares() -> None:
    maps = {name: np.zeros((10, 10, 10), np.uint8) for name in slice_panel.MAPS}
    maps["wild"][:5] = 200
    truth = np.zeros((10, 10, 10), bool)
    truth[:4] = True
    pick = Pick((("wild", 150, 255),), "peak 2")
    region = np.ones_like(truth)
    text = slice_panel.describe_pick(pick, maps, region, truth, 0.002)
    assert "peak 2 of wild" in text
    assert "1.0 ml" in text
    assert "50.0 % of the region" in text
    assert "100 % of the true lesion" in text
    assert f"Dice {2 * 400 / 900:.3f}" in text
    assert "not a result" in text
    assert "ml" in slice_panel.describe_pick(pick, maps, region, None, 0.002)
    assert "empty" in slice_panel.describe_pick(pick, maps, region, truth & False, 0.002)
    assert slice_panel.describe_pick(None, maps, region, truth, 0.002).startswith("Click")


def test_large_volumes_are_sent_in_pieces_around_the_slice() -> None:
    assert slice_panel.held_slices((10, 10, 30), 3) == (0, 30)
    budget = 10 * 10 * 6 * 8
    assert slice_panel.held_slices((10, 10, 30), 0, budget) == (0, 8)
    assert slice_panel.held_slices((10, 10, 30), 29, budget) == (22, 8)
    first, held = slice_panel.held_slices((10, 10, 30), 15, budget)
    assert first <= 15 < first + held
    assert slice_panel.held_slices((10, 10, 30), 15, 1) == (15, 1)


def test_the_block_of_bytes_holds_header_and_volumes_x_fastest() -> None:
    volume = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
    block = slice_panel.pack({"a": 1}, [volume, volume], first=1, held=1)
    length = int.from_bytes(block[:4], "little")
    assert length % 4 == 0
    assert json.loads(block[4 : 4 + length]) == {"a": 1}
    plane = np.frombuffer(block[4 + length :], np.uint8).reshape(2, 3, 4)
    assert np.array_equal(plane[0], volume[:, :, 1].T)


def test_header_is_json_with_named_peaks_and_lines() -> None:
    maps = _maps((8, 8, 4))
    facts = slice_panel.facts_of(maps, np.ones((8, 8, 4), bool), (4.0, 6.0, -3.0))
    header = slice_panel.header_of(
        facts,
        np.ones((8, 8, 4), bool),
        (1, 1, 3),
        2,
        identity="x",
        truth=False,
        threshold=170,
        pick=None,
        answer="",
    )
    again = json.loads(json.dumps(header))
    assert again["held"] == 4
    assert len(again["joint"]) == 64 * 64
    kinds = {line["kind"] for line in again["lines"]}
    assert {"grid", "threshold"} <= kinds


def test_peaks_are_named_from_dark_to_bright() -> None:
    entries = slice_panel.peak_entries([_peak(20, 0, 60), _peak(200, 61, 255)])
    assert [entry["name"] for entry in entries] == ["peak 1", "peak 2"]
    assert entries[1]["left"] == 61


def test_the_box_is_the_regions_in_the_plane() -> None:
    region = np.zeros((9, 8, 3), bool)
    region[2, 5, 0] = region[6, 3, 2] = True
    assert slice_panel.box_of(region) == (2, 6, 3, 5)
    assert slice_panel.box_of(region & False) == (0, 8, 0, 7)


def test_flags_pack_region_truth_and_mask_in_bits() -> None:
    region = np.array([1, 1, 0], bool)
    truth = np.array([0, 1, 0], bool)
    mask = np.array([1, 1, 0], bool)
    assert slice_panel.flags(region, truth, mask).tolist() == [5, 7, 0]
    assert slice_panel.flags(region, None, None).tolist() == [1, 1, 0]


def test_the_page_shows_a_case(own_cache, small_cohort, small_run) -> None:
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(small_cohort)
    at.query_params["run"] = str(small_run)
    at.run()
    assert not at.exception
    assert not at.error
    assert at.title[0].value.startswith("Cuts of")
    assert "otsu" in at.caption[-1].value.lower()
    assert at.slider[0].max == 12


def test_the_slider_moves_the_slice_of_the_view(own_cache, small_cohort, small_run) -> None:
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(small_cohort)
    at.query_params["run"] = str(small_run)
    at.run()
    at.slider[0].set_value(3).run()
    assert at.session_state["view"].slice == 2


def test_a_run_that_is_not_there_is_said_in_one_sentence(own_cache, small_cohort) -> None:
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(small_cohort)
    at.query_params["run"] = "no-such-run"
    at.run()
    assert not at.exception
    assert any("no-such-run" in error.value for error in at.error)
