"""The one way from levels to a mask, and the numbers beside it."""

import numpy as np
import pytest

from ascnet_core.metrics.overlap import threshold_table
from ascnet_core.segmentation.masks import numbers_at, numbers_of, on_levels, segment
from ascnet_core.segmentation.threshold import NoThreshold, Threshold

NONE = NoThreshold("bright", "peak:9", "There is no such peak.")


@pytest.mark.parametrize(
    ("level", "upper", "side"), [(90, None, "bright"), (90, None, "dark"), (60, 120, "bright")]
)
def test_numbers_of_the_table_are_those_of_the_mask(
    level: int, upper: int | None, side: str
) -> None:
    rng = np.random.default_rng(2)
    map8 = rng.integers(0, 256, (10, 10, 6)).astype(np.uint8)
    region, truth = rng.random(map8.shape) < 0.8, rng.random(map8.shape) < 0.1
    threshold = Threshold(level, upper, side, "", "")
    table = threshold_table(map8, truth, region)
    read = numbers_at(table, threshold, 0.006)
    mask = segment(map8, region, threshold)
    counted = numbers_of(mask, truth, 0.006)
    assert read == pytest.approx(counted)
    hits = (mask & truth).sum()
    assert counted["dice"] == pytest.approx(2 * hits / (mask.sum() + truth.sum()))
    assert counted["volume"] == pytest.approx(mask.sum() * 0.006)


def test_scores_are_unknown_without_a_truth() -> None:
    map8 = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    table = threshold_table(map8, None, None)
    threshold = Threshold(4, None, "bright", "4", "")
    assert numbers_at(table, threshold, 1.0) == {
        "volume": 4.0, "dice": None, "sensitivity": None, "precision": None
    }  # fmt: skip
    assert numbers_of(map8 > 3, None, 1.0)["dice"] is None


def test_without_a_threshold_the_mask_is_empty_whatever_the_steps() -> None:
    map8 = np.full((4, 4, 4), 200, np.uint8)
    region, truth = np.ones(map8.shape, bool), map8 > 0
    assert not segment(map8, region, NONE, ["components:largest", "gate:t2:50"]).any()
    read = numbers_at(threshold_table(map8, truth, region), NONE, 1.0)
    assert read == {"volume": 0.0, "dice": 0.0, "sensitivity": 0.0, "precision": None}
    assert read == numbers_of(np.zeros_like(truth), truth, 1.0)


def test_steps_follow_and_a_further_modality_is_read_once() -> None:
    map8 = np.full((4, 4, 4), 200, np.uint8)
    read: list[str] = []

    def further(name: str) -> np.ndarray:
        read.append(name)
        return np.linspace(0, 1, map8.size, dtype=np.float32).reshape(map8.shape)

    threshold = Threshold(100, None, "bright", "100", "")
    steps = ["gate:t2:50", "gate:t2:100"]
    mask = segment(map8, map8 > 0, threshold, steps, on_levels(further))
    assert np.array_equal(mask, further("") * 255 > 100)
    assert read == ["t2", ""]
