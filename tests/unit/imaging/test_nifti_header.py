"""Sizes and places are what a NIfTI header means, and what it leaves unsure is remarked."""

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.imaging.volume import read_mask, read_volume, write_volume
from tests.helpers import make_nifti


def change(path, **fields):
    """Rewrite fields of a NIfTI file's header as they are, without nibabel's own mending."""
    image = nib.load(path)
    data, header = np.array(image.get_fdata(), image.get_data_dtype()), image.header.copy()
    for name, value in fields.items():
        header[name] = value
    with path.open("wb") as file:
        header["vox_offset"], header["magic"] = 352, b"n+1"
        header.set_data_dtype(data.dtype)
        header.write_to(file)
        file.write(b"\0" * 4 + data.tobytes("F"))


def one_of(path, *, unit, spacing, **options):
    make_nifti(path, shape=(10, 12, 6), spacing=spacing, **options)
    image = nib.load(path)
    image.header.set_xyzt_units(unit)
    nib.save(image, path)
    return read_volume(path)


@pytest.mark.parametrize(
    ("unit", "spacing", "says"),
    [
        ("micron", (500, 500, 2000), "counts in micrometres: a voxel is 0.5 x 0.5 x 2 mm"),
        ("meter", (0.0005, 0.0005, 0.002), "counts in metres: a voxel is 0.5 x 0.5 x 2 mm"),
        ("mm", (0.5, 0.5, 2), ""),
        ("unknown", (0.5, 0.5, 2), "names no unit of length; millimetres are taken"),
    ],
)
@pytest.mark.parametrize("nifti2", [False, True])
def test_units_become_millimetres(tmp_path, unit, spacing, says, nifti2):
    volume = one_of(tmp_path / "a.nii", unit=unit, spacing=spacing, axcodes="LPS", nifti2=nifti2)
    assert np.allclose(volume.spacing, (0.5, 0.5, 2), rtol=1e-6)
    assert volume.voxel_ml == pytest.approx(0.0005)
    assert len(volume.grid.remarks) == bool(says)
    assert says in "".join(volume.grid.remarks)


def test_written_masks_keep_the_units_and_a_mask_in_other_units_fits(tmp_path):
    volume = one_of(tmp_path / "a.nii", unit="micron", spacing=(500, 500, 2000), oblique=10)
    write_volume(tmp_path / "m.nii.gz", volume.data > 50, volume.grid, bool)
    image, mask = nib.load(tmp_path / "a.nii"), nib.load(tmp_path / "m.nii.gz")
    assert np.array_equal(mask.affine, image.affine)
    assert mask.header["xyzt_units"] == image.header["xyzt_units"]
    moved = np.diag([1e-3, 1e-3, 1e-3, 1]) @ image.affine
    header = nib.Nifti1Header()
    header.set_xyzt_units("mm")
    nib.save(nib.Nifti1Image(mask.get_fdata(), moved, header), tmp_path / "mm.nii")
    assert np.array_equal(read_mask(tmp_path / "mm.nii", volume), volume.data > 50)


def test_a_stack_written_as_nifti_is_in_millimetres(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((3, 4, 5), np.float32))
    volume = read_volume(tmp_path / "x.npy")
    write_volume(tmp_path / "x.nii", volume.data, volume.grid)
    assert nib.load(tmp_path / "x.nii").header.get_xyzt_units()[0] == "mm"


@pytest.mark.parametrize(
    ("codes", "fields", "says"),
    [
        ((0, 0), {}, "neither qform nor sform"),
        ((1, 0), {"pixdim": [1, 0, 1, 1, 0, 0, 0, 0]}, "pixdim) of 0, 1, 1; 1 x 1 x 1 mm is taken"),
        ((1, 0), {"pixdim": [1, -2, 1, 1, 0, 0, 0, 0]}, "of -2, 1, 1; 2 x 1 x 1 mm is taken"),
        ((0, 1), {"pixdim": [1, 3, 1, 1, 0, 0, 0, 0]}, "pixdim, 3, 1, 1) are not those of its sf"),
        ((1, 1), {"qoffset_x": 40}, "qform and sform place voxels up to 51.5 mm apart; the sform"),
        ((1, 1), {"qoffset_x": -11.4}, ""),
        ((1, 1), {}, ""),
    ],
)
def test_contradictions_are_remarked(tmp_path, codes, fields, says):
    make_nifti(tmp_path / "x.nii", codes=codes)
    change(tmp_path / "x.nii", xyzt_units=2, **fields)
    remarks = read_volume(tmp_path / "x.nii").grid.remarks
    assert len(remarks) == bool(says), remarks
    assert says in "".join(remarks)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"srow_x": 0, "srow_y": 0, "srow_z": 0}, "sform places voxels nowhere; the qform is"),
        ({"srow_x": np.nan}, "sform places voxels nowhere; the qform is"),
        ({"srow_y": np.inf, "srow_z": np.inf}, "sform places voxels nowhere; the qform is"),
        ({"quatern_b": 3}, "qform cannot be read; the sform is"),
        ({"quatern_b": np.nan}, "qform cannot be read; the sform is"),
    ],
)
def test_of_two_forms_the_one_that_places_voxels_is_taken_and_written(tmp_path, fields, says):
    _, affine = make_nifti(tmp_path / "x.nii", spacing=(1, 2, 3), oblique=10)
    change(tmp_path / "x.nii", xyzt_units=2, **fields)
    volume = read_volume(tmp_path / "x.nii")
    assert np.allclose(volume.affine, affine, atol=1e-5)
    assert volume.grid.remarks == (f"The header's {says} taken.",)
    write_volume(tmp_path / "m.nii", volume.data > 50, volume.grid, bool)
    mask = nib.load(tmp_path / "m.nii")
    assert np.allclose(mask.affine, affine, atol=1e-5)
    assert sorted([int(mask.header["qform_code"]) > 0, int(mask.header["sform_code"]) > 0]) == [
        0,
        1,
    ]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_spacing_of_infinity_is_a_sentence_alone(tmp_path):
    make_nifti(tmp_path / "x.nii", codes=(1, 0))
    change(tmp_path / "x.nii", pixdim=[1, 1, 1, np.inf, 0, 0, 0, 0])
    with pytest.raises(UserError, match="places voxels nowhere"):
        read_volume(tmp_path / "x.nii")


def test_forms_of_enormous_numbers_are_said_to_be_apart(tmp_path, recwarn):
    make_nifti(tmp_path / "a.nii", nifti2=True)
    image = nib.load(tmp_path / "a.nii")
    image.header.set_xyzt_units("mm")
    image.header["qoffset_x"] = 1e300
    nib.save(image, tmp_path / "x.nii")
    assert "inf mm apart" in "".join(read_volume(tmp_path / "x.nii").grid.remarks)
    image.header["srow_x"] = 1e300
    nib.save(nib.Nifti2Image(image.dataobj, None, image.header), tmp_path / "y.nii")
    with pytest.raises(UserError, match="places voxels nowhere"):
        read_volume(tmp_path / "y.nii")
    assert not recwarn.list


def test_unlikely_sizes_are_remarked(tmp_path):
    volume = one_of(tmp_path / "x.nii", unit="mm", spacing=(500, 500, 2000))
    assert "a voxel is 500 x 500 x 2000 mm, which is unlikely" in volume.grid.remarks[0]
    volume = one_of(tmp_path / "x.nii", unit="micron", spacing=(1, 1, 2))
    (remark,) = volume.grid.remarks
    assert "counts in micrometres: a voxel is 0.001 x 0.001 x 0.002 mm, which is unlikely" in remark


def test_a_prepared_scan_carries_the_remarks_of_its_image(tmp_path):
    make_nifti(tmp_path / "x.nii", shape=(20, 20, 4))
    made = prepare_scan(Scan("a", "a", tmp_path / "x.nii"), Preparation(size=32, region="none"))
    assert made.remarks == ("The header names no unit of length; millimetres are taken.",)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_text_fields_are_not_copied_into_what_is_written(tmp_path, kind):
    image = kind(np.ones((4, 5, 6), np.int16), np.diag([-1.5, 2, 3, 1]))
    secret = {"descrip": b"DOE^JOHN", "aux_file": b"doe.dcm", "intent_name": b"DOE"}
    if kind is nib.Nifti1Image:
        secret |= {"db_name": b"DOE", "data_type": b"DOE"}
    for name, value in secret.items():
        image.header[name] = value
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"DOE^JOHN"))
    nib.save(image, tmp_path / "x.nii")
    volume = read_volume(tmp_path / "x.nii")
    write_volume(tmp_path / "m.nii", volume.data > 0, volume.grid, bool)
    assert b"DOE" not in (tmp_path / "m.nii").read_bytes().upper()
    written, before = nib.load(tmp_path / "m.nii").header, nib.load(tmp_path / "x.nii").header
    changed = {"datatype", "bitpix", "scl_slope", "scl_inter", "vox_offset", *secret}
    for name in set(before) - changed:
        assert written[name].tobytes() == before[name].tobytes(), name
