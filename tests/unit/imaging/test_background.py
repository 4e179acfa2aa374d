"""Padding is not tissue: the automatic region of scans that were padded or standardised."""

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from ascnet_core.imaging.background import find_background
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.intensity import automatic_level
from ascnet_core.imaging.prepare import NO_BACKGROUND, Preparation, prepare_scan

X, Y = np.indices((64, 64)) - 31.5
BODY = np.broadcast_to((np.hypot(X / 24, Y / 18) < 1)[..., None], (64, 64, 6))
ROUND = np.broadcast_to((np.hypot(X, Y) < 32)[..., None], (64, 64, 6))


def overlap(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def ct(fill=None):
    """Hounsfield units: a noisy body of fat and organs in noisy air, padded outside a circle."""
    rng = np.random.default_rng(0)
    organs = ndimage.binary_erosion(BODY, iterations=3)
    data = np.where(organs, 50.0, np.where(BODY, -100.0, -1000.0)) + rng.normal(0, 3, BODY.shape)
    data[30:33, 30:33] = 900
    return np.where(ROUND, data, data if fill is None else fill).astype(np.float32)


@pytest.mark.parametrize(
    "fill", [None, -3024, -2048, -2000, -1024, -1000, 0, 3071, -32768, 32767, -9999, 1e6, -1e9]
)
def test_padding_around_a_field_of_view_is_no_tissue(fill):
    data = ct(fill)
    found = find_background([data])
    assert overlap(found.region(data), BODY) > 0.99
    assert bool(found.remark) == (fill not in (None, -1024, -1000))


def test_padding_that_was_blended_with_air_by_resampling():
    data = ndimage.zoom(ct(-3024), (1.3, 1.3, 1), order=1)
    body = ndimage.zoom(BODY.astype(float), (1.3, 1.3, 1), order=1) > 0.5
    assert overlap(find_background([data]).region(data), body) > 0.97


def test_whole_slices_of_padding():
    data = np.full((64, 64, 12), -3024, np.float32)
    data[:, :, 3:9] = ct()
    body = np.zeros(data.shape, bool)
    body[:, :, 3:9] = BODY
    assert overlap(find_background([data]).region(data), body) > 0.99


def test_padding_without_air_is_kept_out_as_ever():
    data = np.where(BODY, ct(), -3024).astype(np.float32)
    found = find_background([data])
    assert np.array_equal(found.region(data), BODY)
    assert not found.remark


@pytest.mark.parametrize("spread", ["normal", "uniform"])
@pytest.mark.parametrize("background", [0, 0.25])
def test_a_standardised_brain_on_a_background(spread, background):
    rng = np.random.default_rng(1)
    values = rng.normal(0, 1, BODY.shape) if spread == "normal" else rng.uniform(-2, 2, BODY.shape)
    data = np.where(BODY, values, background).astype(np.float32)
    found = find_background([data])
    assert np.array_equal(found.region(data), BODY)
    assert f"{background:g}, which fills the corners and 67% of the image" in found.remark


@pytest.mark.parametrize("background", [0, -5])
def test_a_brain_of_ct_on_a_background(background):
    """Few voxels lie below the background, some of tissue hold its very value."""
    rng = np.random.default_rng(1)
    data = np.where(BODY, rng.normal(30, 15, BODY.shape).round(), background).astype(np.float32)
    data[32, 32, 3] = background
    assert 0 < np.mean(data[BODY] < background) < 0.05
    found = find_background([data])
    assert overlap(found.region(data), BODY) > 0.995
    assert found.region(data)[32, 32, 3]
    assert f"{background}, which fills the corners and 67% of the image" in found.remark


@pytest.mark.parametrize("background", [3, 20, 40])
def test_a_background_above_the_automatic_level(background):
    tissue = np.random.default_rng(1).normal(50, 5, BODY.shape).round()
    data = np.where(BODY, tissue, background).astype(np.float32)
    found = find_background([data])
    assert overlap(found.region(data), BODY) > 0.99
    assert f"{background}, which fills the corners and 67% of the image" in found.remark


def test_corners_of_tissue_are_no_background():
    data = np.random.default_rng(1).normal(50, 5, BODY.shape).astype(np.float32)
    data[:: data.shape[0] - 1, :: data.shape[1] - 1] = 30
    assert find_background([data]).padding is None


def test_a_standardised_head_in_its_own_air_is_as_before():
    rng = np.random.default_rng(1)
    data = np.where(BODY, rng.normal(500, 80, BODY.shape), np.abs(rng.normal(0, 5, BODY.shape)))
    data = ((data - data.mean()) / data.std()).astype(np.float32)
    data[BODY & (data < 0)] = 0.5
    found = find_background([data])
    assert (found.level, found.padding, found.remark) == (automatic_level(data), None, "")


@pytest.mark.parametrize("lowest", [0, -3])
def test_a_few_values_below_the_background_are_no_tissue(lowest):
    """Ringing of a registration around a brain on 0."""
    rng = np.random.default_rng(2)
    data = np.where(BODY, rng.normal(300, 40, BODY.shape), 0).astype(np.float32)
    data[20, 20, :3] = lowest
    found = find_background([data])
    assert (found.level, found.padding) == (automatic_level(data), None)


def test_a_white_background_and_what_is_constant():
    """What is bright without a gap may be tissue that is shown at the end of the scale."""
    data = np.where(BODY, np.random.default_rng(0).uniform(20, 180, BODY.shape), 255)
    assert find_background([data]).padding is None
    for value in (0.0, 7.0, -5.0):
        assert find_background([np.full((4, 4, 4), value)]).padding is None


def test_a_prepared_scan_says_so_and_is_scaled_without_it(tmp_path):
    nib.save(nib.Nifti1Image(ct(-3024), np.eye(4)), tmp_path / "ct.nii")
    how = Preparation(size=64, scaling="min-max")
    made = prepare_scan(Scan("a", "a", tmp_path / "ct.nii"), how)
    assert overlap(made.region, BODY) > 0.99
    assert made.scaled_info.low > -900
    assert "-3024, which fills the corners and 21% of the image" in made.remarks[-1]


def test_a_region_of_nearly_everything_is_said(tmp_path):
    rng = np.random.default_rng(0)
    data = np.where(BODY, rng.normal(100, 10, BODY.shape), rng.normal(20, 1, BODY.shape))
    nib.save(nib.Nifti1Image(data.astype(np.float32), np.eye(4)), tmp_path / "x.nii")
    scan = Scan("a", "a", tmp_path / "x.nii")
    assert NO_BACKGROUND in prepare_scan(scan, Preparation(size=64)).remarks
    assert NO_BACKGROUND not in prepare_scan(scan, Preparation(size=64, region="none")).remarks
    nib.save(nib.Nifti1Image(ct(), np.eye(4)), tmp_path / "x.nii")
    assert NO_BACKGROUND not in prepare_scan(scan, Preparation(size=64)).remarks


def test_slices_of_a_series_share_their_padding(tmp_path):
    shown = np.random.default_rng(0).integers(20, 180, BODY.shape)
    data = np.where(BODY, shown, 65535).astype(np.uint16)
    files = []
    for z in range(3):
        files.append((tmp_path / f"{z}.png", None))
        Image.fromarray(data[:, :, z]).save(files[-1][0])
    scan = Scan("a", "a_0", files[0][0], series=tuple(files))
    made = prepare_scan(scan, Preparation(size=64))
    assert np.array_equal(made.region[::-1, ::-1, 0].T, BODY[:, :, 0])
    assert "65535, which fills the corners" in made.remarks[-1]


def test_of_an_image_of_two_values_neither_is_left_out():
    data = np.full((12, 12, 4), 100.0, np.float32)
    data[4:8, 4:8] = 150
    assert find_background([data]).region(data).all()
