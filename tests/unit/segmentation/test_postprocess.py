"""Post-processing against scipy and scikit-image, step by step and in any order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage import measure

from ascnet_core.errors import UserError
from ascnet_core.segmentation.postprocess import run_steps
from ascnet_core.segmentation.steps import STEPS, parse_steps

masks = hnp.arrays(bool, st.tuples(st.integers(1, 17), st.integers(1, 19), st.integers(1, 11)))
odd = st.sampled_from([1, 3, 5, 7])


def blobs(seed: int, shape: tuple[int, int, int] = (40, 44, 19)) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=shape)
    return ndimage.gaussian_filter(noise, 1.5) > 0.12


def dilate(mask: np.ndarray, size: int) -> np.ndarray:
    return ndimage.binary_dilation(mask, np.ones((size, size, 1)))


def erode(mask: np.ndarray, size: int) -> np.ndarray:
    return ndimage.binary_erosion(mask, np.ones((size, size, 1)), border_value=1)


class TestSquares:
    @settings(max_examples=60, deadline=None)
    @given(masks, odd)
    def test_like_scipy(self, mask: np.ndarray, size: int) -> None:
        opened = dilate(erode(mask, size), size)
        assert np.array_equal(run_steps(mask, [f"open:{size}"]), opened)
        closed = erode(dilate(mask, size), size)
        assert np.array_equal(run_steps(mask, [f"close:{size}"]), closed)
        both = erode(dilate(opened, size), size)
        assert np.array_equal(run_steps(mask, [f"open-close:{size}"]), both)

    @settings(max_examples=60, deadline=None)
    @given(masks, odd)
    def test_opening_only_removes_and_closing_only_adds(self, mask: np.ndarray, size: int) -> None:
        opened = run_steps(mask, [f"open:{size}"])
        closed = run_steps(mask, [f"close:{size}"])
        assert not (opened & ~mask).any()
        assert not (mask & ~closed).any()
        assert np.array_equal(run_steps(opened, [f"open:{size}"]), opened)
        assert np.array_equal(run_steps(closed, [f"close:{size}"]), closed)

    @pytest.mark.parametrize("size", [3, 5, 9])
    def test_slice_by_slice(self, size: int) -> None:
        mask = blobs(1)
        for step in ("open", "close", "open-close", "median"):
            whole = run_steps(mask, [f"{step}:{size}"])
            for z in range(mask.shape[2]):
                alone = run_steps(mask[:, :, z : z + 1], [f"{step}:{size}"])
                assert np.array_equal(whole[:, :, z], alone[:, :, 0])

    @settings(max_examples=40, deadline=None)
    @given(masks, odd)
    def test_median_like_scipy(self, mask: np.ndarray, size: int) -> None:
        expected = ndimage.median_filter(
            mask.astype(np.uint8), size=(size, size, 1), mode="constant", cval=0
        )
        assert np.array_equal(run_steps(mask, [f"median:{size}"]), expected.astype(bool))

    def test_a_square_of_the_size_survives_and_a_smaller_one_goes(self) -> None:
        mask = np.zeros((30, 30, 1), bool)
        mask[3:8, 3:8] = True
        mask[15:19, 15:20] = True
        opened = run_steps(mask, ["open:5"])
        assert opened.sum() == 25
        assert opened[3:8, 3:8].all()


class TestComponents:
    @settings(max_examples=60, deadline=None)
    @given(masks, st.integers(1, 30))
    def test_like_scikit_image(self, mask: np.ndarray, least: int) -> None:
        pieces = measure.label(mask, connectivity=3)
        expected = np.zeros_like(mask)
        for piece in measure.regionprops(pieces):
            if piece.area >= least:
                expected[pieces == piece.label] = True
        assert np.array_equal(run_steps(mask, [f"components:{least}"]), expected)

    @pytest.mark.parametrize("seed", range(4))
    def test_largest(self, seed: int) -> None:
        mask = blobs(seed)
        pieces = measure.label(mask, connectivity=3)
        areas = np.bincount(pieces.ravel())[1:]
        kept = run_steps(mask, ["components:largest"])
        assert kept.sum() == areas.max()
        assert measure.label(kept, connectivity=3).max() == 1

    def test_corners_connect(self) -> None:
        mask = np.zeros((4, 4, 4), bool)
        mask[[0, 1, 2], [0, 1, 2], [0, 1, 2]] = True
        assert run_steps(mask, ["components:3"]).sum() == 3


class TestGateAndRoi:
    mask = np.ones((2, 2, 1), bool)
    flair = np.array([[[49], [50]], [[51], [255]]], np.uint8)

    def test_gate_keeps_what_exceeds_the_value(self) -> None:
        kept = run_steps(self.mask, ["gate:FLAIR:50"], further={"FLAIR": self.flair}.__getitem__)
        assert kept[..., 0].tolist() == [[False, False], [True, True]]

    def test_gate_without_modality(self) -> None:
        with pytest.raises(UserError, match="image:flair"):
            run_steps(self.mask, ["gate:flair:50"])

    def test_roi(self) -> None:
        region = np.array([[[True], [False]], [[False], [True]]])
        assert np.array_equal(run_steps(self.mask, ["roi"], region=region), region)
        with pytest.raises(UserError, match="region"):
            run_steps(self.mask, ["roi"])


class TestOrder:
    def test_steps_run_in_the_order_given(self) -> None:
        mask = blobs(3)
        one = run_steps(run_steps(mask, ["components:60"]), ["open:3"])
        other = run_steps(run_steps(mask, ["open:3"]), ["components:60"])
        assert np.array_equal(run_steps(mask, ["components:60", "open:3"]), one)
        assert np.array_equal(run_steps(mask, ["open:3", "components:60"]), other)
        assert not np.array_equal(one, other)

    def test_the_mask_given_stays_as_it_was(self) -> None:
        mask = blobs(4)
        before = mask.copy()
        result = run_steps(mask, ["roi", "open-close:3"], region=np.zeros_like(mask))
        assert np.array_equal(mask, before)
        assert not result.any()
        again = run_steps(mask, [])
        again[:] = False
        assert np.array_equal(mask, before)

    def test_an_empty_mask_passes_through(self) -> None:
        empty = np.zeros((5, 6, 7), bool)
        steps = ["open:3", "close:5", "median:3", "components:4", "components:largest"]
        assert not run_steps(empty, steps).any()


class TestParse:
    @pytest.mark.parametrize(
        "text",
        [
            "open:5",
            "close:3",
            "open-close:9",
            "median:3",
            "components:20",
            "components:largest",
            "gate:FLAIR:50",
            "roi",
        ],
    )
    def test_text_comes_back(self, text: str) -> None:
        assert [str(step) for step in parse_steps([text])] == [text]

    def test_nothing_is_no_step(self) -> None:
        assert parse_steps(["", " ", "none"]) == ()

    @pytest.mark.parametrize(
        "text",
        [
            "open",
            "open:4",
            "open:0",
            "open:-3",
            "open:2.5",
            "open:x",
            "open:101",
            "components:0",
            "components:nan",
            "gate:50",
            "gate::50",
            "gate:t2:300",
            "roi:3",
            "shrink:3",
        ],
    )
    def test_nonsense_is_refused_with_the_steps(self, text: str) -> None:
        with pytest.raises(UserError) as caught:
            parse_steps([text])
        assert "open-close:K" in str(caught.value)

    def test_every_step_is_described(self) -> None:
        assert all(entry.sentence for entry in STEPS.values())
