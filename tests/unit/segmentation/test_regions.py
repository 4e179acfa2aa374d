"""A region drawn by hand, careful or not, proposes the level that tells it from the rest."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from ascnet_core.errors import UserError
from ascnet_core.segmentation.regions import propose_from_region
from ascnet_core.segmentation.threshold import apply


@pytest.fixture
def plane() -> np.ndarray:
    """Normal tissue about 90, a lesion about 180."""
    rng = np.random.default_rng(1)
    values = rng.normal(90, 12, (80, 80))
    values[30:45, 20:40] = rng.normal(180, 12, (15, 20))
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def box(rows: slice, columns: slice) -> np.ndarray:
    drawn = np.zeros((80, 80), bool)
    drawn[rows, columns] = True
    return drawn


def test_a_careful_line_finds_the_lesion(plane: np.ndarray) -> None:
    drawn = box(slice(30, 45), slice(20, 40))
    found = propose_from_region(plane, drawn)
    mask = apply(plane, None, found)
    assert 2 * (mask & drawn).sum() / (mask.sum() + drawn.sum()) > 0.97
    assert (found.kind, found.rule) == ("manual", str(found.level))
    assert "300 voxels" in found.sentence


@pytest.mark.parametrize(
    "drawn",
    [
        box(slice(22, 55), slice(10, 50)),  # three quarters of it are normal tissue
        box(slice(34, 42), slice(24, 34)),  # a quarter of the lesion
        box(slice(40, 60), slice(30, 60)),  # a corner of it
    ],
)
def test_a_loose_line_finds_it_too(plane: np.ndarray, drawn: np.ndarray) -> None:
    lesion = box(slice(30, 45), slice(20, 40))
    mask = apply(plane, None, propose_from_region(plane, drawn))
    assert 2 * (mask & lesion).sum() / (mask.sum() + lesion.sum()) > 0.9


def test_dark_side(plane: np.ndarray) -> None:
    dark = 255 - plane
    drawn = box(slice(30, 45), slice(20, 40))
    bright = propose_from_region(plane, drawn)
    assert abs(propose_from_region(dark, drawn, None, "dark").level - (255 - bright.level)) <= 1
    with pytest.raises(UserError, match="switch the side"):
        propose_from_region(np.where(drawn, 10, 200).astype(np.uint8), drawn)


def test_same_index_as_the_roc_curve(plane: np.ndarray) -> None:
    drawn = box(slice(25, 40), slice(10, 30))
    false_rate, true_rate, _ = roc_curve(drawn.ravel(), plane.ravel(), drop_intermediate=False)
    mask = apply(plane, None, propose_from_region(plane, drawn))
    reached = mask[drawn].mean() - mask[~drawn].mean()
    assert reached == pytest.approx((true_rate - false_rate).max())


def test_the_middle_of_a_gap() -> None:
    plane = np.full((10, 10), 50, np.uint8)
    plane[:3] = 151
    drawn = np.zeros((10, 10), bool)
    drawn[:3] = True
    assert propose_from_region(plane, drawn).level == 101


def test_outside_the_region_of_interest_nothing_counts(plane: np.ndarray) -> None:
    region = np.ones((80, 80), bool)
    region[:, 60:] = False
    spoilt = plane.copy()
    spoilt[:, 60:] = 255
    drawn = box(slice(30, 45), slice(20, 40))
    expected = propose_from_region(plane, drawn, region)
    assert propose_from_region(spoilt, drawn, region) == expected


def test_too_little_to_go_by(plane: np.ndarray) -> None:
    with pytest.raises(UserError, match="larger"):
        propose_from_region(plane, box(slice(0, 1), slice(0, 3)))
    with pytest.raises(UserError, match="smaller"):
        propose_from_region(plane, np.ones((80, 80), bool))
