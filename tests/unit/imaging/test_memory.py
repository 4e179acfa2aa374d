"""No header makes the program read more than there is, or than the memory holds."""

import gzip

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import load_head, load_stored
from tests.dicoms import make_series, volume
from tests.helpers import make_nifti


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_a_head_may_not_promise_more_than_the_file_can_hold(tmp_path, name):
    make_nifti(tmp_path / "x.nii")
    content = bytearray((tmp_path / "x.nii").read_bytes())
    content[42:48] = np.array([2000, 2000, 100], "<i2").tobytes()  # dim[1..3]
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    for read in (load_stored, load_head):
        with pytest.raises(UserError, match="its header promises 1600000352 bytes, the file holds"):
            read(tmp_path / name)


def test_what_unfolds_beyond_the_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("ascnet_core.imaging.memory._memory", lambda: 50_000_000)
    shape = (200, 200, 100)
    nib.save(nib.Nifti1Image(np.zeros(shape, np.uint8), np.eye(4)), tmp_path / "x.nii.gz")
    assert (tmp_path / "x.nii.gz").stat().st_size < 20_000
    np.save(tmp_path / "x.npy", np.zeros(shape, np.uint8))
    says = r"200 x 200 x 100 voxels, which take 0\.064 GB of memory here, and .* 0\.05 GB"
    for name in ("x.nrrd", "x.mha"):
        sitk.WriteImage(sitk.Image(*shape, sitk.sitkUInt8), tmp_path / name, True)
    nib.save(nib.MGHImage(np.zeros(shape, np.uint8), np.eye(4)), tmp_path / "x.mgz")
    for name in ("x.nii.gz", "x.npy", "x.nrrd", "x.mha", "x.mgz"):
        with pytest.raises(UserError, match=says):
            load_stored(tmp_path / name)


def test_a_series_beyond_the_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    make_series(tmp_path, volume())
    monkeypatch.setattr("ascnet_core.imaging.memory._memory", lambda: 100)
    with pytest.raises(UserError, match="voxels, which take"):
        load_stored(tmp_path)


def test_one_frame_of_many_counts_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("ascnet_core.imaging.memory._memory", lambda: 2_000_000)
    make_nifti(tmp_path / "x.nii", shape=(40, 40, 40, 9), dtype=np.uint8)
    assert load_stored(tmp_path / "x.nii", frame=8)[0].shape == (40, 40, 40)
