"""Number types, scale factors and values of NIfTI files."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import load_stored
from ascnet_core.imaging.volume import read_volume


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize(
    "dtype",
    ["u1", "i1", "u2", ">i2", "<i4", ">u4", "i8", "u8", ">f4", "f8"],
)
def test_volumes_of_any_number_type(tmp_path, kind, dtype):
    data = np.arange(24).reshape(2, 3, 4).astype(dtype)
    nib.save(kind(data, np.eye(4), dtype=data.dtype), tmp_path / "x.nii")
    assert np.array_equal(load_stored(tmp_path / "x.nii")[0], np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("slope", "shift", "factor"), [(0, 0, 1), (0, 7, 1), (np.nan, 0, 1), (np.inf, 0, 1), (2, 0, 2)]
)
def test_scale_factors_that_say_nothing_are_none(tmp_path, slope, shift, factor):
    nib.save(nib.Nifti1Image(np.full((2, 3, 4), 5, np.int16), np.eye(4)), tmp_path / "x.nii")
    content = bytearray((tmp_path / "x.nii").read_bytes())
    content[112:120] = np.array([slope, shift], "<f4").tobytes()
    (tmp_path / "x.nii").write_bytes(content)
    assert (load_stored(tmp_path / "x.nii")[0] == 5 * factor).all()


def test_a_shift_that_is_no_number_is_refused(tmp_path):
    nib.save(nib.Nifti1Image(np.full((2, 3, 4), 5, np.int16), np.eye(4)), tmp_path / "x.nii")
    content = bytearray((tmp_path / "x.nii").read_bytes())
    content[112:120] = np.array([1, np.nan], "<f4").tobytes()
    (tmp_path / "x.nii").write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        load_stored(tmp_path / "x.nii")


@pytest.mark.parametrize("name", ["x.nii", "x.npy"])
def test_values_beyond_float32_are_said(tmp_path, name, recwarn):
    data = np.full((2, 3, 4), 1.0)
    data[0, 0, 0] = 1e39
    if name.endswith("npy"):
        np.save(tmp_path / name, data)
    else:
        nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / name)
    assert "Values beyond 3.4e38" in load_stored(tmp_path / name)[1].remarks[-1]
    with pytest.raises(UserError, match=r"4\.2% of its voxels; those beyond 3\.4e38 are taken"):
        read_volume(tmp_path / name)
    assert read_volume(tmp_path / name, nan=3).data.max() == 3
    assert not recwarn.list


def test_extensions_that_unfold_to_gigabytes_are_not_read(tmp_path):
    nib.save(nib.Nifti1Image(np.ones((2, 3, 4), np.int16), np.eye(4)), tmp_path / "x.nii")
    content = bytearray((tmp_path / "x.nii").read_bytes())
    content[108:112] = np.array(2e9, "<f4").tobytes()  # vox_offset
    content[348:360] = np.array([1, 1_999_999_984, 6], "<i4").tobytes()  # an extension as long
    with gzip.open(tmp_path / "x.nii.gz", "wb", 1) as file:
        file.write(content + bytes(20_000_000))
    with pytest.raises(UserError, match=r"its data begin at byte 2e\+09"):
        load_stored(tmp_path / "x.nii.gz")


def test_faults_of_a_header_are_said_once(tmp_path, caplog, capfd):
    nib.save(nib.Nifti1Image(np.ones((2, 3, 4), np.int16), np.eye(4)), tmp_path / "x.nii")
    content = bytearray((tmp_path / "x.nii").read_bytes())
    content[70:72] = b"\xb4\0"  # the code of no number type
    (tmp_path / "x.nii").write_bytes(content)
    with pytest.raises(UserError, match="data code 180 not recognized"):
        load_stored(tmp_path / "x.nii")
    assert not caplog.records
    assert not capfd.readouterr().err


def test_numbers_that_overflow_and_odd_extensions_pass_without_a_warning(tmp_path, recwarn):
    nib.save(nib.Nifti1Image(np.full((2, 3, 4), 3e38, "f4"), np.eye(4)), tmp_path / "x.nii")
    content = bytearray((tmp_path / "x.nii").read_bytes())
    content[112:120] = np.array([9, 0], "<f4").tobytes()  # slope and intercept
    content[108:112] = np.array(368, "<f4").tobytes()  # vox_offset
    content[348:352] = b"\1\0\0\0"
    content[352:352] = np.array([9, 6, 0, 0], "<i4").tobytes()  # an extension of 9 bytes
    (tmp_path / "x.nii").write_bytes(content)
    assert np.isinf(load_stored(tmp_path / "x.nii")[0]).all()
    assert not recwarn.list
