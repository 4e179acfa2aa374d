"""Whether a mask lies on its image's grid: rounding fits, another place does not."""

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.volume import read_mask, read_mask_and_remarks, read_volume
from tests.helpers import make_nifti


def saved(path, data, affine):
    nib.save(nib.Nifti1Image(data.astype(np.uint8), affine), path)
    return path


@pytest.mark.parametrize("shift", [0.0005, 0.004, 0.009])
def test_affines_that_differ_by_rounding_fit(tmp_path, shift):
    data, affine = make_nifti(tmp_path / "a.nii", shape=(30, 30, 20), spacing=(0.9, 0.9, 4))
    moved = affine.copy()
    moved[0, 3] += shift
    path = saved(tmp_path / "m.nii", data > 50, moved)
    mask, remarks = read_mask_and_remarks(path, read_volume(tmp_path / "a.nii"))
    assert np.array_equal(mask, data > 50)
    assert len(remarks) == (shift > 0.001)
    assert "as by rounding" in "".join(remarks) or not remarks


def test_rounding_grows_with_the_extent_but_stays_within_a_voxel(tmp_path):
    data, affine = make_nifti(tmp_path / "a.nii", shape=(200, 4, 200), spacing=(0.9375, 0.9375, 1))
    scale = np.diag([1.0003, 1, 1, 1])
    volume = read_volume(tmp_path / "a.nii")
    path = saved(tmp_path / "m.nii", data > 50, affine @ scale)
    assert np.array_equal(read_mask(path, volume), data > 50)
    path = saved(tmp_path / "m.nii", data > 50, affine @ np.diag([1.002, 1, 1, 1]))
    with pytest.raises(UserError, match=r"corners 0\.373 mm apart"):
        read_mask(path, volume)


def test_a_mask_without_a_header_of_its_own_is_refused_with_the_way(tmp_path):
    make_nifti(tmp_path / "a.nii", axcodes="LPS")
    volume = read_volume(tmp_path / "a.nii")
    stored = np.asarray(nib.load(tmp_path / "a.nii").dataobj) > 50
    with pytest.raises(UserError, match=r"does not say where its voxels lie.*the image's affine"):
        read_mask(saved(tmp_path / "m.nii", stored, np.eye(4)), volume)
    np.save(tmp_path / "m.npy", stored)
    with pytest.raises(UserError, match="does not say where its voxels lie"):
        read_mask(tmp_path / "m.npy", volume)


def test_only_stacks_and_pictures_do_not_say_where_they_lie(tmp_path):
    data, _ = make_nifti(tmp_path / "a.nii", axcodes="RAS")
    volume = read_volume(tmp_path / "a.nii")
    elsewhere = nib.MGHImage(np.uint8(data > 50), np.diag([2.0, 2, 2, 1]))
    nib.save(elsewhere, tmp_path / "m.mgz")
    with pytest.raises(UserError, match=r"m\.mgz is on another grid than .*a\.nii"):
        read_mask(tmp_path / "m.mgz", volume)
    np.save(tmp_path / "s.npy", data.astype(np.float32))
    stack = read_volume(tmp_path / "s.npy")
    with pytest.raises(UserError, match=r"s\.npy does not say where its voxels lie, .*m\.mgz does"):
        read_mask(tmp_path / "m.mgz", stack)


def test_the_same_array_with_the_other_hand_is_not_taken_for_the_same(tmp_path):
    """LAS against RAS: the place counts, never the order in the file."""
    data, affine = make_nifti(tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii")
    mirrored = np.diag([-1.0, 1, 1, 1]) @ affine
    with pytest.raises(UserError, match="another grid"):
        read_mask(saved(tmp_path / "m.nii", data > 50, mirrored), volume)
    turn = np.diag([-1.0, 1, 1, 1])
    turn[0, 3] = data.shape[0] - 1
    path = saved(tmp_path / "m.nii", (data > 50)[::-1], affine @ turn)
    assert np.array_equal(read_mask(path, volume), data > 50)
