"""Pieces dropped or kept alone: against labels made by scipy, in any order, and what is refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from ascnet_core.errors import UserError
from ascnet_core.segmentation.masks import segment
from ascnet_core.segmentation.pieces import (
    Edit,
    by_scan,
    describe_edits,
    edit_pieces,
    parse_edits,
    to_json,
)
from ascnet_core.segmentation.threshold import NoThreshold, Threshold

masks = hnp.arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 5)))


def labels_of(mask: np.ndarray) -> np.ndarray:
    return ndimage.label(mask, np.ones((3, 3, 3)))[0]


def edit(voxel, act: str = "drop", scan: str = "a") -> Edit:
    return parse_edits([{"scan": scan, "voxel": [int(v) for v in voxel], "act": act}])[0]


@pytest.fixture
def three() -> np.ndarray:
    """A bar along x, a diagonal that only corners hold together, and one voxel at the far end."""
    mask = np.zeros((9, 8, 7), bool)
    mask[1:4, 1, 1] = True
    mask[[5, 6, 7], [3, 4, 5], [2, 3, 4]] = True
    mask[8, 7, 6] = True
    return mask


def test_a_piece_goes_or_stays_alone(three) -> None:
    before = three.copy()
    dropped = edit_pieces(three, [edit((6, 4, 3))])
    assert np.array_equal(three, before)
    assert not dropped[[5, 6, 7], [3, 4, 5], [2, 3, 4]].any()
    assert dropped.sum() == 4
    kept = edit_pieces(three, [edit((7, 5, 4), "keep")])
    assert kept.sum() == 3
    assert kept[5, 3, 2]
    assert not edit_pieces(three, [edit((7, 5, 4), "keep"), edit((5, 3, 2))]).any()


def test_in_one_slice_eight_neighbours_connect() -> None:
    flat = np.eye(6, dtype=bool)[:, :, None]
    flat[0, 5, 0] = True
    assert edit_pieces(flat, [edit((0, 0, 0))]).sum() == 1


@settings(max_examples=80, deadline=None)
@given(masks, st.data())
def test_like_scipy_in_any_order(mask: np.ndarray, data: st.DataObject) -> None:
    """Pieces dropped go in any order to the same; keeping one is dropping all others."""
    labels = labels_of(mask)
    number = labels.max()
    if not number:
        return
    some = data.draw(st.lists(st.integers(1, number), max_size=4, unique=True))
    edits = [edit(data.draw(st.sampled_from(np.argwhere(labels == one).tolist()))) for one in some]
    expected = mask & ~np.isin(labels, some)
    assert np.array_equal(edit_pieces(mask, edits), expected)
    assert np.array_equal(edit_pieces(mask, data.draw(st.permutations(edits))), expected)
    for one in set(range(1, number + 1)) - set(some):
        last = edit(np.argwhere(labels == one)[0], "keep")
        assert np.array_equal(edit_pieces(mask, [*edits, last]), labels == one)
        assert np.array_equal(edit_pieces(mask, [last]), labels == one)


@pytest.mark.parametrize(
    "edits",
    [
        [edit((0, 0, 0))],
        [edit((100, 1, 1))],
        [edit((1, 1, 1)), edit((2, 1, 1))],
        [edit((8, 7, 6), "keep"), edit((1, 1, 1), "keep")],
    ],
)
def test_an_edit_on_no_piece_is_said(three, edits) -> None:
    with pytest.raises(UserError, match=rf"Edit {len(edits)} of the pieces of a .* on no piece"):
        edit_pieces(three, edits)


def test_edits_follow_threshold_and_steps(three) -> None:
    levels = np.where(three, 200, 0).astype(np.uint8)
    region = np.ones(three.shape, bool)
    threshold = Threshold(100, None, "bright", "100", "")
    drop = [edit((1, 1, 1))]
    assert segment(levels, region, threshold, (), edits=drop).sum() == 4
    assert segment(levels, region, threshold, ["components:2"], edits=drop).sum() == 3
    with pytest.raises(UserError, match="no piece"):
        segment(levels, region, threshold, ["components:2"], edits=[edit((8, 7, 6))])
    none = NoThreshold("bright", "peak:9", "There is no such peak.")
    assert not segment(levels, region, none, (), edits=drop).any()


def test_edits_come_back_from_json() -> None:
    edits = (edit((1, 2, 3)), edit((4, 5, 6), "keep", "b"), edit((7, 8, 9)))
    assert parse_edits(json.loads(json.dumps(to_json(edits)))) == edits
    assert parse_edits(edits) == edits
    assert parse_edits(None) == ()
    assert by_scan(edits) == {"a": (edits[0], edits[2]), "b": (edits[1],)}
    assert describe_edits(edits) == "2 pieces dropped and 1 piece kept alone"
    assert describe_edits([]) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        "drop", {"scan": "a"}, [{"scan": "a", "voxel": [1, 2], "act": "drop"}],
        [{"scan": "a", "voxel": [1, 2, -3], "act": "drop"}],
        [{"scan": "a", "voxel": [1, 2, 3.5], "act": "drop"}],
        [{"scan": "a", "voxel": "123", "act": "drop"}],
        [{"scan": "", "voxel": [1, 2, 3], "act": "drop"}],
        [{"scan": "a", "voxel": [1, 2, 3], "act": "paint"}],
        [{"scan": "a", "voxel": [1, 2, 3], "act": ["drop"]}],
        [{"scan": "a", "voxel": [1, 2, 3], "act": "drop", "more": 1}],
        [[1, 2, 3]], 7,
    ],
)  # fmt: skip
def test_what_is_no_edit_is_refused(wrong) -> None:
    with pytest.raises(UserError, match=r"pieces"):
        parse_edits(wrong)
