"""Scans made ready: scaled inside their region and placed into slices."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan, read_manifest, write_manifest
from ascnet_core.imaging.index import index_folder
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from tests.helpers import make_nifti


@pytest.fixture
def scan(tmp_path):
    """A head: air 0, brain 100 to 200, a lesion of 400, stored in an awkward order."""
    rng = np.random.default_rng(0)
    data = np.zeros((20, 24, 6), np.float32)
    data[4:16, 4:20] = rng.uniform(100, 200, (12, 16, 6))
    data[6:9, 6:9, 2] = 400
    brain = data > 0
    store = {"axcodes": "PSR", "spacing": (1.2, 1.0, 3.0), "oblique": 8.0}
    make_nifti(tmp_path / "image.nii.gz", data, **store)
    make_nifti(tmp_path / "mask.nii.gz", data == 400, dtype=np.uint8, **store)
    brain[:, :, 5] = False
    make_nifti(tmp_path / "brain.nii.gz", brain, dtype=np.uint8, **store)
    make_nifti(tmp_path / "t2.nii.gz", data[::-1] * 3, **store)
    return Scan(
        "A", "A1", tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz", tmp_path / "brain.nii.gz",
        further={"t2": tmp_path / "t2.nii.gz"},
    )  # fmt: skip


def test_region_of_the_file(scan):
    made = prepare_scan(scan, Preparation(size=32, scaling="min-max"))
    assert made.scaled.dtype == np.float32
    assert made.region.sum() == 12 * 16 * 5
    assert not made.scaled[~made.region].any()
    assert made.scaled.max() == 1
    assert made.scaled[6, 6, 2] == 1
    assert np.isclose(made.scaled_info.low, 100, atol=1)
    assert made.scaled_info.high == 400
    assert made.truth is not None
    assert np.array_equal(np.argwhere(made.truth)[0], [6, 6, 2])
    assert np.allclose(made.spacing, (1.2, 1.0, 3.0), atol=1e-5)
    for array in (made.scaled, made.region, made.truth):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0, 0] = 1


def test_automatic_region_and_none(scan):
    automatic = prepare_scan(scan, Preparation(size=32, region="auto"))
    assert automatic.region.sum() == 12 * 16 * 6
    everything = prepare_scan(scan, Preparation(size=32, region="none", scaling="min-max"))
    assert everything.region.all()
    assert np.allclose(everything.scaled, everything.volume.data / 400)
    without = prepare_scan(replace(scan, region=None), Preparation(size=32))
    assert np.array_equal(without.region, automatic.region)


def test_slices(scan):
    made = prepare_scan(scan, Preparation(size=48))
    assert made.slices().shape == (6, 48, 48)
    assert made.slices().dtype == np.float32
    assert made.region_slices().dtype == np.bool_
    truth = made.truth_slices()
    assert truth is not None
    assert truth.any(axis=(1, 2)).tolist() == [False, False, True, False, False, False]
    # 24 voxels of 1 mm and 20 of 1.2 mm fill the square alike: a lesion of 3 x 3 voxels.
    rows, columns = np.nonzero(truth[2])
    assert np.ptp(rows) + 1 == 6
    assert np.ptp(columns) + 1 in (7, 8)  # 7.2
    assert prepare_scan(replace(scan, mask=None), Preparation(size=48)).truth_slices() is None


def test_further_image_is_scaled_the_same_way(scan, tmp_path):
    made = prepare_scan(scan, Preparation(size=32, scaling="min-max", region="auto"))
    t2 = made.further("T2")
    inside = made.region
    assert not t2[~inside].any()
    expected = made.volume.data[::-1] * 3
    low, high = expected[inside].min(), expected[inside].max()
    assert np.allclose(t2[inside], (expected[inside] - low) / (high - low), atol=1e-5)
    with pytest.raises(UserError, match=r"no further image 'PD'.*it has: t2"):
        made.further("PD")
    make_nifti(tmp_path / "t2.nii.gz", shape=(20, 24, 5))
    with pytest.raises(UserError, match="another grid"):
        made.further("t2")


def test_bad_input_is_one_sentence(scan, tmp_path):
    with pytest.raises(UserError, match="multiple of 16"):
        prepare_scan(scan, Preparation(size=100))
    with pytest.raises(UserError, match="Region 'head' is unknown"):
        prepare_scan(scan, Preparation(region="head"))
    make_nifti(tmp_path / "flat.nii", np.full((5, 5, 5), 7.0))
    with pytest.raises(UserError, match=r"flat\.nii is constant"):
        prepare_scan(Scan("B", "B", tmp_path / "flat.nii"), Preparation(region="none"))
    with pytest.raises(UserError, match=r"flat\.nii is on another grid"):
        prepare_scan(replace(scan, mask=tmp_path / "flat.nii"))
    with pytest.raises(UserError, match=r"flat\.nii is on another grid"):
        prepare_scan(replace(scan, region=tmp_path / "flat.nii"))


def test_slices_of_a_series_are_scaled_together(tmp_path):
    """A dim slice stays dim and a black one is no error: the volume's range counts."""
    folder = tmp_path / "CASE"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for n, top in ((1, 0), (2, 50), (10, 200)):
        colour = np.zeros((16, 12, 3), np.uint8)
        colour[4:12, 2:10, 1] = rng.integers(top // 2, top + 1, (8, 8))
        colour[4, 2, 1] = top
        colour[..., 0] = 255 - colour[..., 1]
        Image.fromarray(colour).save(folder / f"CASE_{n}.tif")
        Image.fromarray(np.zeros((16, 12), np.uint8)).save(folder / f"CASE_{n}_mask.tif")
    write_manifest(tmp_path / "manifest.csv", index_folder(tmp_path).rows)
    cohort = read_manifest(tmp_path)
    made = [prepare_scan(scan, Preparation(size=16, scaling="min-max")) for scan in cohort.scans]
    assert [scan.scan for scan in cohort.scans] == ["CASE_1", "CASE_2", "CASE_10"]
    black, dim, bright = (one.scaled.max() for one in made)
    assert black == 0
    assert bright == 1
    assert 0.05 < dim < 0.3
    assert len({(one.scaled_info.low, one.scaled_info.high) for one in made}) == 1
    assert made[2].series_place == (2, (0, *(int(one.region.sum()) for one in made[1:])))
    alone = prepare_scan(replace(cohort.scans[1], series=()), Preparation(size=16))
    assert alone.scaled.max() == 1
    everything = Preparation(size=16, region="none", scaling="min-max")
    assert [prepare_scan(scan, everything).scaled.max() for scan in cohort.scans] == [0, 0.25, 1]
    first_channel = Preparation(size=16, channel=0, scaling="min-max")
    assert prepare_scan(cohort.scans[0], first_channel).scaled.max() == 1


def test_a_frame_that_is_chosen_in_vain_is_said(scan):
    made = prepare_scan(scan, Preparation(size=32, frame=7))
    assert "The image has one frame; that frame 7 was chosen changes nothing." in made.remarks
    for frame in (None, 0):
        assert not any(
            "frame" in one for one in prepare_scan(scan, Preparation(32, frame=frame)).remarks
        )
