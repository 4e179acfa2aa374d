"""BIDS names: roles by label and description, masks paired across trees by entities."""

import numpy as np
import pytest

from ascnet_core.imaging.index import index_folder
from tests.helpers import make_nifti
from tests.unit.imaging.indexing import (
    by_scan,
    doubts,
    patients,
    reasons,
    touch_masks,
    touch_volumes,
)

RAW = "sub-01/anat/sub-01_FLAIR"


@pytest.mark.parametrize(
    "name",
    [
        "sub-01/anat/sub-01_FLAIR_label-lesion_roi",
        "derivatives/manual_masks/sub-01/anat/sub-01_label-lesion_mask",
        "derivatives/lesions/sub-01/anat/sub-01_space-orig_desc-tumor_dseg",
        "derivatives/lesion_masks/sub-01/anat/sub-01_mask",
        "derivatives/x/sub-01/anat/sub-01_space-MNI152_label-L_desc-T1lesion_mask",
        "derivatives/x/sub-01/anat/sub-01_label-WMH_mask",
        "derivatives/x/sub-01_FLAIR_lesion",
        "sub-01/anat/sub-01_lesion_roi",
        "derivatives/x/sub-01/anat/sub-01_label-braintumor_mask",
        "derivatives/labels/sub-01/anat/sub-01_FLAIR_lesion-manual",
        "derivatives/labels/sub-01/anat/sub-01_FLAIR_seg-lesion",
    ],
)
def test_lesion_masks(tmp_path, name):
    touch_volumes(tmp_path, RAW)
    touch_masks(tmp_path, name)
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows == {
        "sub-01": {
            "subject": "sub-01", "image": f"{RAW}.nii.gz", "mask": f"{name}.nii.gz",
            "modality": "FLAIR",
        }
    }  # fmt: skip
    assert not found.left_out


@pytest.mark.parametrize(
    "name",
    [
        "derivatives/x/sub-01/anat/sub-01_desc-brain_mask",
        "derivatives/x/sub-01/anat/sub-01_space-orig_label-brain_mask",
        "sub-01/anat/sub-01_brain_mask",
        "derivatives/lesion_study/sub-01/anat/sub-01_label-brain_roi",
    ],
)
def test_regions(tmp_path, name):
    touch_volumes(tmp_path, RAW)
    touch_masks(tmp_path, name)
    row = by_scan(index_folder(tmp_path), tmp_path)["sub-01"]
    assert row["region"] == f"{name}.nii.gz"
    assert "mask" not in row


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("sub-01_dseg", "a dseg that does not say of what"),
        ("sub-01_desc-aseg_dseg", "marks 'aseg'"),
        ("sub-01_label-GM_mask", "marks 'GM'"),
        ("sub-01_label-lesion_probseg", "a map of probabilities"),
    ],
)
def test_tissues_and_probabilities_are_neither(tmp_path, name, says):
    touch_volumes(tmp_path, RAW)
    touch_masks(tmp_path, f"derivatives/fmriprep/sub-01/anat/{name}")
    found = index_folder(tmp_path)
    row = by_scan(found, tmp_path)["sub-01"]
    assert "mask" not in row
    assert "region" not in row
    assert says in found.left_out[0][1]


def test_a_mask_that_does_not_say_of_what_is_doubted(tmp_path):
    touch_volumes(tmp_path, RAW)
    touch_masks(tmp_path, "sub-01/anat/sub-01_mask")
    found = index_folder(tmp_path)
    assert found.rows[0]["mask"]
    assert "does not say of what it is a mask" in doubts(found)
    assert "does not say" in found.rows[0]["notes"]


def test_a_brains_image_is_an_image(tmp_path):
    touch_volumes(tmp_path, "sub-01/anat/sub-01_T1w_brain")
    touch_masks(tmp_path, "sub-01/anat/sub-01_T1w_brain_mask")
    row = by_scan(index_folder(tmp_path), tmp_path)["sub-01"]
    assert (row["modality"], row["image"][-22:]) == ("T1", "sub-01_T1w_brain.nii.gz"[-22:])


def test_a_bare_roi_is_told_by_its_size(tmp_path):
    touch_volumes(tmp_path, RAW, "sub-02/anat/sub-02_FLAIR", shape=(10, 10, 10))
    small, large = np.zeros((10, 10, 10)), np.zeros((10, 10, 10))
    small[4:6, 4, 4], large[2:8, 2:8, 2:8] = 1, 1
    make_nifti(tmp_path / "sub-01/anat/sub-01_FLAIR_roi.nii.gz", small, dtype=np.uint8)
    make_nifti(tmp_path / "sub-02/anat/sub-02_FLAIR_roi.nii.gz", large, dtype=np.uint8)
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    assert rows["sub-01"]["mask"].endswith("sub-01_FLAIR_roi.nii.gz")
    assert rows["sub-02"]["region"].endswith("sub-02_FLAIR_roi.nii.gz")
    assert len(found.unsure) == 2


def test_masks_find_their_session_run_and_modality(tmp_path):
    for ses in ("1", "2"):
        for run in ("1", "2"):
            stem = f"sub-01_ses-{ses}_run-{run}"
            touch_volumes(tmp_path, f"rawdata/sub-01/ses-{ses}/anat/{stem}_FLAIR")
            touch_masks(tmp_path, f"derivatives/m/sub-01/ses-{ses}/anat/{stem}_label-lesion_mask")
    touch_volumes(tmp_path, "rawdata/sub-02/anat/sub-02_T1w")
    touch_volumes(tmp_path, "rawdata/sub-02/anat/sub-02_acq-3d_FLAIR", shape=(6, 7, 4))
    make_nifti(
        tmp_path / "derivatives/m/sub-02/anat/sub-02_acq-3d_label-lesion_mask.nii.gz",
        np.ones((6, 7, 4)),
        dtype=np.uint8,
    )
    touch_masks(tmp_path, "derivatives/m/sub-01/anat/sub-01_label-lesion_mask")
    found = index_folder(tmp_path)
    rows = by_scan(found, tmp_path)
    for ses in ("1", "2"):
        for run in ("1", "2"):
            row = rows[f"sub-01_ses-{ses}_run-{run}"]
            assert f"ses-{ses}_run-{run}_label" in row["mask"]
            assert row["subject"] == "sub-01"
    assert "acq-3d" in rows["sub-02_acq-3d"]["mask"]
    assert "mask" not in rows["sub-02"]
    # of which session it is nothing says
    why = reasons(found, tmp_path)["derivatives/m/sub-01/anat/sub-01_label-lesion_mask.nii.gz"]
    assert why == "no image that it belongs to"


def test_one_of_a_raw_image_and_its_processed_copy_is_listed(tmp_path):
    touch_volumes(tmp_path, RAW, "sub-02/anat/sub-02_FLAIR")
    for sub in ("01", "02"):
        image = f"derivatives/prep/sub-{sub}/anat/sub-{sub}_space-MNI_desc-preproc_FLAIR"
        touch_volumes(tmp_path, image, shape=(6, 6, 6))
    make_nifti(
        tmp_path / "derivatives/prep/sub-02/anat/sub-02_space-MNI_label-lesion_mask.nii.gz",
        np.ones((6, 6, 6)),
        dtype=np.uint8,
    )
    found = index_folder(tmp_path)
    assert {(row["subject"], row["image"].parts[-4]) for row in found.rows} == {
        ("sub-01", tmp_path.name), ("sub-02", "prep")
    }  # fmt: skip
    assert len(found.rows) == 2
    assert all("another version of" in reason for _, reason in found.left_out)


def test_functional_images_and_fieldmaps_are_no_scans(tmp_path):
    touch_volumes(tmp_path, RAW, "sub-01/fmap/sub-01_magnitude1", "sub-01/func/sub-01_sbref")
    found = index_folder(tmp_path)
    assert len(found.rows) == 1
    assert "no anatomical image" in reasons(found, tmp_path)["sub-01/fmap/sub-01_magnitude1.nii.gz"]


def test_equal_names_in_two_data_sets_are_two_patients(tmp_path):
    touch_volumes(tmp_path, "ds1/sub-01/anat/sub-01_FLAIR", "ds2/sub-01/anat/sub-01_FLAIR")
    found = index_folder(tmp_path)
    assert {subject for subject, _ in patients(tmp_path).values()} == {"ds1_sub-01", "ds2_sub-01"}
    assert "sub-01 is in several data sets" in doubts(found)


def test_files_of_other_names_in_a_patients_folder_are_that_patients(tmp_path):
    touch_volumes(tmp_path, "sub-01/ses-1/FLAIR", "sub-01/ses-2/FLAIR", "sub-02/ses-1/FLAIR")
    assert patients(tmp_path) == {
        "sub-01/ses-1/FLAIR": ("sub-01", "sub-01_ses-1"),
        "sub-01/ses-2/FLAIR": ("sub-01", "sub-01_ses-2"),
        "sub-02/ses-1/FLAIR": ("sub-02", "sub-02_ses-1"),
    }
