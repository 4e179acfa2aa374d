"""What a click does to the view, and the figures that stand beside the line."""

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.segmentation.histogram import find_peaks
from ascnet_core.segmentation.threshold import attempt, propose
from pages.parts.shared import thresholds
from pages.parts.shared.state import View
from pages.parts.viewer import view_rules


def two_peaks() -> np.ndarray:
    levels = np.arange(256)
    bright = 300 * np.exp(-0.5 * ((levels - 190) / 6) ** 2)
    return (5000 * np.exp(-0.5 * ((levels - 60) / 8) ** 2) + bright).astype(np.int64)


TOLD = {"seq": 3, "t": 176, "upper": None, "side": "bright", "rule": "", "cursor": [3, 4, 5]}


def test_a_drag_sets_the_level_by_hand_and_keeps_the_chosen_rule() -> None:
    view = view_rules.apply_told(View(rule="otsu", side="bright"), TOLD)
    assert (view.t, view.upper, view.rule) == (176, None, "otsu")
    assert (view.at, view.slice) == ((3, 4), 5)


def test_a_clicked_peak_is_a_rule_not_a_number() -> None:
    view = view_rules.apply_told(View(rule="otsu", t=9), TOLD | {"rule": "peak:2"})
    assert (view.rule, view.t) == ("peak:2", None)
    counts = two_peaks()
    proposed = attempt(view.rule, counts, "bright")
    assert thresholds.choose(view, proposed, None).level == find_peaks(counts)[1].position
    assert proposed.kind == "mask-free"


def test_moving_the_cursor_leaves_the_rules_threshold_alone() -> None:
    view = View(rule="otsu", side="bright")
    assert view_rules.apply_told(view, TOLD | {"rule": "otsu"}).t is None


def test_bright_and_dark_keep_the_number() -> None:
    view = view_rules.apply_told(View(t=176, side="bright"), TOLD | {"side": "dark"})
    assert (view.t, view.side) == (176, "dark")


def test_a_band_has_its_ends_in_order() -> None:
    view = view_rules.apply_told(View(), TOLD | {"t": 100, "upper": 140})
    threshold = thresholds.choose(view, propose("otsu", two_peaks(), "bright"), None)
    assert (threshold.level, threshold.upper, threshold.kind) == (100, 140, "manual")
    assert view_rules.apply_told(View(), TOLD | {"t": 150, "upper": 140}).upper == 150


@pytest.mark.parametrize("t", [-5, 999])
def test_a_level_told_from_afar_stays_on_the_scale(t: int) -> None:
    assert view_rules.apply_told(View(), TOLD | {"t": t}).t in (0, 255)


def test_an_act_is_done_once_however_often_it_is_told() -> None:
    acts = [{"seq": 3, "accept": True}, {"seq": 4, "step": 1}]
    assert view_rules.new_acts({"acts": acts}, 2) == acts
    assert view_rules.new_acts({"acts": acts}, 3) == acts[1:]
    assert view_rules.new_acts({"acts": acts}, 4) == []
    assert view_rules.new_acts({}, 0) == []


def test_a_rectangle_covers_its_corners_in_every_plane() -> None:
    told = {"plane": "coronal", "kind": "rectangle", "from": [5, 3, 6], "to": [2, 3, 4]}
    index, drawn = view_rules.drawn_region(told, (8, 7, 9))
    expected = np.zeros((8, 7, 9), bool)
    expected[2:6, 3, 4:7] = True
    assert np.array_equal(expected[index], drawn)
    assert index[1] == 3


def test_an_ellipse_leaves_the_corners_out() -> None:
    told = {"plane": "axial", "kind": "ellipse", "from": [1, 1, 2], "to": [7, 5, 2]}
    _, drawn = view_rules.drawn_region(told, (9, 7, 4))
    assert drawn[4, 3]
    assert drawn[1, 3]
    assert not drawn[1, 1]
    assert drawn.sum() < 7 * 5


def test_a_drawn_region_proposes_the_level_that_tells_it_apart() -> None:
    rng = np.random.default_rng(0)
    map8 = rng.integers(20, 90, (20, 20, 3)).astype(np.uint8)
    map8[5:10, 5:10, 1] = rng.integers(150, 200, (5, 5))
    told = {"plane": "axial", "kind": "rectangle", "from": [4, 4, 1], "to": [10, 10, 1]}
    found = view_rules.propose_drawn(told, map8, np.ones(map8.shape, bool), "bright")
    assert 89 < found.level <= 150
    with pytest.raises(UserError, match="draw a larger one"):
        view_rules.propose_drawn(
            told | {"to": [4, 4, 1]}, map8, np.ones(map8.shape, bool), "bright"
        )


def test_one_looks_first_where_most_of_the_mask_is() -> None:
    mask, region = np.zeros((9, 9, 5), bool), np.ones((9, 9, 5), bool)
    mask[1:4, 6:8, 3] = True
    mask[0, 0, 1] = True
    assert view_rules.first_cursor(mask, region) in {(2, 6, 3), (2, 7, 3)}
    x, y, z = view_rules.first_cursor(np.zeros_like(mask), region)
    assert (x, y, z) == (4, 4, 2)
    assert view_rules.first_cursor(np.zeros_like(mask), np.zeros_like(mask)) == (4, 4, 2)
