"""A mask that does not tell what background is, is read as the cohort's other masks are."""

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from tests.helpers import make_nifti

LESION = np.zeros((40, 16, 20), bool)
LESION[35:37, 4:8, 5:12] = True


def red(lesion):
    return np.where(lesion[..., None], [255, 0, 0], [255, 255, 255])


def slices(folder, coded, lesion=LESION, suffix=".png"):
    """Write slices with their masks; return them as they are read, made ready."""
    values = np.random.default_rng(0).integers(50, 200, lesion.shape, np.uint8)
    rows = []
    for number, (image, mask) in enumerate(zip(values, lesion, strict=True)):
        files = folder / f"p_{number}.png", folder / f"p_{number}_mask{suffix}"
        Image.fromarray(image).save(files[0])
        Image.fromarray(np.uint8(coded(mask))).save(files[1])
        rows.append({"subject": "p", "image": files[0], "mask": files[1]})
    write_manifest(folder / "manifest.csv", rows)
    how = Preparation(size=32, region="none")
    return [prepare_scan(scan, how) for scan in read_manifest(folder).scans]


@pytest.mark.parametrize(
    ("coded", "suffix"),
    [
        (lambda lesion: lesion * 1 + 1, ".png"),
        (lambda lesion: 200 - lesion * 100, ".png"),
        (lambda lesion: 255 - lesion * 255, ".png"),
        (lambda lesion: 255 - lesion * 255, ".jpg"),
        (red, ".png"),
        (lambda lesion: lesion * 255, ".png"),
    ],
)
def test_slices_without_a_lesion_are_empty_whatever_their_background(tmp_path, coded, suffix):
    made = slices(tmp_path, coded, suffix=suffix)
    assert [int(one.truth.sum()) for one in made] == LESION.sum(axis=(1, 2)).tolist()


def test_a_slice_that_a_lesion_fills_is_not_turned_among_others_that_are_not(tmp_path):
    lesion = LESION.copy()
    lesion[35] = True
    lesion[36], lesion[36, 7, 7] = True, False
    made = slices(tmp_path, lambda mask: mask * 255, lesion)
    assert [int(one.truth.sum()) for one in made] == lesion.sum(axis=(1, 2)).tolist()
    assert "255 everywhere: every voxel is in it" in made[35].remarks[-1]
    assert "is not turned, as others are not" in made[36].remarks[-1]


def test_an_inverted_mask_among_others_is_turned(tmp_path):
    """Masks of several people, or of volumes, need not be made alike."""
    rows = []
    for name in "abcd":
        make_nifti(tmp_path / f"{name}.nii", shape=LESION.shape)
        lesion = ~LESION if name == "d" else LESION
        mask = nib.Nifti1Image(np.uint8(lesion), nib.load(tmp_path / f"{name}.nii").affine)
        nib.save(mask, tmp_path / f"{name}_mask.nii")
        files = {"image": tmp_path / f"{name}.nii", "mask": tmp_path / f"{name}_mask.nii"}
        rows.append({"subject": "a", "scan": name, **files})
    write_manifest(tmp_path / "manifest.csv", rows)
    made = [prepare_scan(scan, Preparation(size=32)) for scan in read_manifest(tmp_path).scans]
    assert {int(one.truth.sum()) for one in made} == {LESION.sum()}
    assert "is inverted" in made[3].remarks[-1]


def test_an_empty_volume_is_as_those_of_other_subjects(tmp_path):
    rows = []
    for name, lesion in (("a", LESION), ("b", np.zeros_like(LESION))):
        make_nifti(tmp_path / f"{name}.nii", shape=LESION.shape)
        mask = nib.Nifti1Image(np.uint8(lesion + 1), nib.load(tmp_path / f"{name}.nii").affine)
        nib.save(mask, tmp_path / f"{name}_mask.nii")
        files = {"image": tmp_path / f"{name}.nii", "mask": tmp_path / f"{name}_mask.nii"}
        rows.append({"subject": name, **files})
    write_manifest(tmp_path / "manifest.csv", rows)
    made = [prepare_scan(scan, Preparation(size=32)) for scan in read_manifest(tmp_path).scans]
    assert [int(one.truth.sum()) for one in made] == [LESION.sum(), 0]
    assert "1 everywhere, the background of the other masks" in made[1].remarks[-1]
