"""Every real scan at hand is read, or refused with a sentence that helps."""

import zipfile

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.imaging.index import index_folder
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.imaging.reference import join, slices_of
from ascnet_core.imaging.slices import from_slices
from ascnet_core.imaging.volume import read_mask, read_volume, write_volume

SETS = {  # manifest -> scans, subjects
    "brats": (10, 10),
    "brats2013_2d": (3, 3),
    "healthy": (1, 1),
    "lgg": (40, 40),
    "lgg_more": (30, 30),
    "liver2d": (13, 3),
    "ms": (6, 4),
    "ms2d": (19, 14),
}


@pytest.mark.parametrize(("name", "count"), SETS.items())
def test_each_scan_of_each_manifest_is_made_ready_and_returns(real_data, tmp_path, name, count):
    cohort = read_manifest(real_data / f"{name}.csv")
    assert (len(cohort.scans), len(cohort.subjects)) == count
    kept = 0
    for scan in cohort.scans:
        made = prepare_scan(scan, Preparation(size=96))
        assert made.scaled.min() == 0
        assert made.scaled.max() == 1
        assert made.truth is not None
        assert made.truth.any() or name in ("healthy", "liver2d")
        for further in scan.further:
            assert made.further(further).max() == 1
        found = slices_of(made)
        assert np.isfinite(found.images).all()
        kept += len(found)
        back = from_slices(made.slices(), made.placement)
        if scan is cohort.scans[0]:
            suffix = ".png" if made.volume.grid.kind == "picture" else ".nii.gz"
            out = tmp_path / f"out{suffix}"
            write_volume(out, made.truth, made.volume.grid, np.uint8)
            assert np.array_equal(read_mask(out, made.volume), made.truth)
            # The way to slices and back changes a scan little where slices are not much coarser.
            if max(made.placement.scale) < 1.5:
                change = np.abs(back - made.scaled)[made.region]
                assert change.mean() < 0.05
    assert kept >= len(cohort.scans)


ODD = {  # file -> shape, lowest and highest value, spacing, stored axes
    "anatomical.nii": ((33, 41, 25), (-610, 30393), (2, 2, 2), "LAS"),
    "reoriented_anat_moved.nii": ((21, 26, 22), None, (4, 4, 4), "RAS"),
    "standard.nii.gz": ((4, 5, 7), None, (1, 3, 2), "RAS"),
    "someones_anatomy.nii.gz": ((57, 67, 56), None, (2.75, 2.75, 2.75), "RAS"),
    "someones_epi.nii.gz": ((53, 61, 33), None, (3, 3, 3), "RAS"),
}


@pytest.mark.parametrize(("name", "what"), ODD.items())
def test_odd_files_are_read_and_return_bit_for_bit(real_data, tmp_path, name, what):
    shape, values, spacing, axcodes = what
    path = real_data / "odd" / name
    volume = read_volume(path)
    stored = nib.load(path)
    assert volume.data.shape == shape
    assert values is None or (volume.data.min(), volume.data.max()) == values
    assert np.allclose(volume.spacing, spacing, atol=1e-4)
    assert "".join(nib.aff2axcodes(stored.affine)) == axcodes
    oracle = nib.as_closest_canonical(stored).get_fdata(dtype=np.float32)
    assert np.array_equal(volume.data, oracle)
    write_volume(tmp_path / "out.nii.gz", volume.data > volume.data.mean(), volume.grid, np.uint8)
    written = nib.load(tmp_path / "out.nii.gz")
    assert np.array_equal(written.affine, stored.affine)
    assert np.array_equal(written.header["pixdim"][:4], stored.header["pixdim"][:4])
    for form in ("qform_code", "sform_code"):
        assert written.header[form] == stored.header[form]


@pytest.mark.parametrize(
    ("name", "choice", "says"),
    [
        ("functional.nii", {"frame": 19}, "20 frames; choose one from 0 to 19"),
        ("example4d.nii.gz", {"frame": 1}, "2 frames; choose one"),
        ("example_nifti2.nii.gz", {"frame": 0}, "2 frames; choose one"),
        ("resampled_anat_moved.nii", {"nan": 0}, r"NaN or infinite values \(14"),
    ],
)
def test_odd_files_that_want_a_choice(real_data, tmp_path, name, choice, says):
    path = real_data / "odd" / name
    with pytest.raises(UserError, match=says):
        read_volume(path)
    volume = read_volume(path, **choice)
    stored = nib.load(path)
    oracle = stored.get_fdata(dtype=np.float32)
    if "frame" in choice:
        oracle = oracle[..., choice["frame"]]
    write_volume(tmp_path / "out.nii.gz", volume.data, volume.grid)
    written = nib.load(tmp_path / "out.nii.gz")
    assert written.shape == stored.shape[:3]
    assert np.array_equal(written.get_fdata(dtype=np.float32), np.nan_to_num(oracle, nan=0.0))
    assert np.array_equal(written.affine, stored.affine)


def test_a_header_without_its_image_is_refused(real_data):
    with pytest.raises(UserError, match=r"lacks its image data: put nifti1\.img beside it"):
        read_volume(real_data / "odd" / "nifti1.hdr")


def test_the_published_scan_and_its_mask_agree(real_data):
    folder = real_data / "originals"
    volume = read_volume(folder / "mslesseg_P18_T1_FLAIR.nii.gz")
    mask = read_mask(folder / "mslesseg_P18_T1_MASK.nii.gz", volume)
    assert volume.shape == (182, 218, 182)
    assert 0.2 < mask.sum() * volume.voxel_ml < 2
    rows = index_folder(folder).rows
    assert [(row["subject"], row["mask"] is not None) for row in rows] == [("mslesseg_P18", True)]


def test_the_whole_folder_is_indexed(real_data, tmp_path):
    found = index_folder(real_data)
    write_manifest(tmp_path / "all.csv", found.rows)
    cohort = read_manifest(tmp_path / "all.csv")
    by_image = {scan.image.resolve(): scan for scan in cohort.scans}
    for name in SETS:
        for scan in read_manifest(real_data / f"{name}.csv").scans:
            same = by_image[scan.image.resolve()]
            assert same.mask is not None
            assert same.mask.resolve() == scan.mask.resolve()
            assert (same.region is None) == (scan.region is None)
            assert set(same.further) == set(scan.further)
            assert same.subject == scan.subject or name in ("liver2d", "ms2d")
    said = " ".join(reason for path, reason in found.left_out if path.parent.name == "odd")
    assert "20 frames" in said
    assert "lacks its image data" in said


def test_the_tif_layout_as_published(real_data, tmp_path):
    with zipfile.ZipFile(real_data / "lgg_tif.zip") as archive:
        archive.extractall(tmp_path)
    found = index_folder(tmp_path / "kaggle_3m")
    assert not found.left_out
    write_manifest(tmp_path / "manifest.csv", found.rows)
    cohort = read_manifest(tmp_path)
    assert len(cohort.subjects) == 3
    files = list((tmp_path / "kaggle_3m").rglob("*.tif"))
    assert 2 * len(cohort.scans) == len(files)
    prepared = [prepare_scan(scan, Preparation(size=96)) for scan in cohort.scans]
    set_of_slices = join([slices_of(one) for one in prepared])
    assert set_of_slices.lesion.any()
    assert not set_of_slices.lesion.all()
    for subject in cohort.subjects:
        positions = set_of_slices.positions[set_of_slices.subjects == subject]
        assert (positions[0], positions[-1]) == (0, 1)
        assert (np.diff(positions) > 0).all()
