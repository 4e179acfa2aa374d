"""Reading to RAS and writing back, against nibabel's own reorientation."""

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ascnet_core.errors import UserError
from ascnet_core.imaging.volume import (
    grid_difference,
    read_mask,
    read_volume,
    to_stored,
    write_volume,
)
from tests.helpers import ORIENTATIONS, make_nifti

awkward = {
    "axcodes": st.sampled_from(ORIENTATIONS),
    "shape": st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6)),
    "spacing": st.tuples(*[st.sampled_from([0.5, 1.0, 2.2, 5.0])] * 3),
    "oblique": st.sampled_from([0.0, 9.3, 25.0]),
    "codes": st.sampled_from([(1, 1), (0, 2), (3, 0), (4, 1)]),
    "dtype": st.sampled_from([np.float32, np.int16, np.uint8, ">i2", ">f4", np.float64]),
    "suffix": st.sampled_from([".nii", ".nii.gz", ".img"]),
    "nifti2": st.booleans(),
}
same_folder = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def header_places(path):
    """Everything in a header that says where voxels lie."""
    header = nib.load(path).header
    qform, qcode = header.get_qform(coded=True)
    sform, scode = header.get_sform(coded=True)
    return qform, int(qcode), sform, int(scode), header["pixdim"][1:4], header["xyzt_units"]


def same_places(one, other):
    return all(
        np.array_equal(a, b) for a, b in zip(header_places(one), header_places(other), strict=True)
    )


@same_folder
@given(**awkward)
def test_reads_like_closest_canonical_and_returns_bit_for_bit(
    tmp_path, axcodes, shape, spacing, oblique, codes, dtype, suffix, nifti2
):
    path = tmp_path / f"scan{suffix}"
    make_nifti(
        path, shape=shape, axcodes=axcodes, spacing=spacing, oblique=oblique, dtype=dtype,
        codes=codes, nifti2=nifti2,
    )  # fmt: skip
    volume = read_volume(path)
    stored = nib.load(path)
    oracle = nib.as_closest_canonical(stored)
    assert np.array_equal(volume.data, oracle.get_fdata())
    assert np.allclose(volume.affine, oracle.affine, atol=1e-9)
    assert np.allclose(volume.spacing, oracle.header.get_zooms()[:3], rtol=1e-5)
    assert volume.data.dtype == np.float32
    assert not volume.data.flags.writeable
    assert np.array_equal(to_stored(volume.data, volume.grid), stored.get_fdata())

    out = tmp_path / "out.nii.gz"
    write_volume(out, volume.data > 50, volume.grid, bool)
    written = nib.load(out)
    assert written.shape == stored.shape
    assert np.array_equal(written.affine, stored.affine)
    assert same_places(out, path)
    assert written.get_data_dtype() == np.uint8
    assert isinstance(written, nib.Nifti2Image) == nifti2
    assert np.array_equal(written.get_fdata(), stored.get_fdata() > 50)


@pytest.mark.parametrize("axcodes", ORIENTATIONS)
def test_every_orientation_puts_the_same_voxel_at_the_same_place(tmp_path, axcodes):
    data, affine = make_nifti(tmp_path / "x.nii", axcodes=axcodes, spacing=(1, 2, 3), oblique=12)
    volume = read_volume(tmp_path / "x.nii")
    assert np.array_equal(volume.data, data)
    assert np.allclose(volume.affine, affine, atol=1e-5)


def test_scale_factors_and_negative_values_give_real_units(tmp_path):
    hounsfield = np.linspace(-1000, 2000, 60).reshape(3, 4, 5)
    make_nifti(tmp_path / "ct.nii.gz", hounsfield, dtype=np.int16, slope=(0.5, -200))
    assert np.allclose(read_volume(tmp_path / "ct.nii.gz").data, hounsfield, atol=0.51)
    volume = read_volume(tmp_path / "ct.nii.gz")
    write_volume(tmp_path / "map.nii.gz", volume.data / 3000, volume.grid)
    written = nib.load(tmp_path / "map.nii.gz")
    assert np.array_equal(written.get_fdata(dtype=np.float32), volume.data / np.float32(3000))


def test_one_frame_needs_no_choice_and_its_shape_returns(tmp_path):
    make_nifti(tmp_path / "x.nii", shape=(3, 4, 5, 1), axcodes="PSR")
    volume = read_volume(tmp_path / "x.nii", frame=3)  # a cohort's choice, of no effect here
    write_volume(tmp_path / "out.nii", volume.data, volume.grid)
    assert (
        nib.load(tmp_path / "out.nii").shape == nib.load(tmp_path / "x.nii").shape == (4, 5, 3, 1)
    )


def test_several_frames_want_a_choice(tmp_path):
    data, _ = make_nifti(tmp_path / "x.nii", shape=(3, 4, 5, 2), axcodes="LAS")
    with pytest.raises(UserError, match=r"2 frames; choose one from 0 to 1"):
        read_volume(tmp_path / "x.nii")
    with pytest.raises(UserError, match="no frame 2"):
        read_volume(tmp_path / "x.nii", frame=2)
    volume = read_volume(tmp_path / "x.nii", frame=1)
    assert np.array_equal(volume.data, data[..., 1])
    write_volume(tmp_path / "out.nii", volume.data, volume.grid)
    assert nib.load(tmp_path / "out.nii").shape == (3, 4, 5)


def test_nan_wants_a_value(tmp_path):
    data = np.ones((3, 4, 5), np.float32)
    data[0, 0, 0], data[1, 1, 1] = np.nan, np.inf
    make_nifti(tmp_path / "x.nii", data)
    with pytest.raises(UserError, match=r"NaN or infinite values \(3.3%"):
        read_volume(tmp_path / "x.nii")
    volume = read_volume(tmp_path / "x.nii", nan=-7)
    assert volume.data[0, 0, 0] == volume.data[1, 1, 1] == -7


def test_flat_slice_without_thickness_is_given_one(tmp_path):
    image = nib.Nifti1Image(np.ones((6, 5), np.int16), None)
    image.header.set_sform(np.diag([-2.0, 2, 0, 1]), 1)
    nib.save(image, tmp_path / "x.nii")
    volume = read_volume(tmp_path / "x.nii")
    assert volume.data.shape == (6, 5, 1)
    assert volume.spacing == (2, 2, 1)
    write_volume(tmp_path / "out.nii", volume.data, volume.grid)
    assert nib.load(tmp_path / "out.nii").shape == (6, 5)
    assert same_places(tmp_path / "out.nii", tmp_path / "x.nii")


def test_affine_that_places_nothing_is_refused(tmp_path):
    image = nib.Nifti1Image(np.ones((3, 3, 3), np.int16), None)
    image.header.set_sform(np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), 1)
    nib.save(image, tmp_path / "x.nii")
    with pytest.raises(UserError, match="affine"):
        read_volume(tmp_path / "x.nii")


def test_mask_may_be_stored_in_another_axis_order(tmp_path):
    data, _ = make_nifti(tmp_path / "image.nii", axcodes="LPS", spacing=(1, 2, 3), oblique=10)
    make_nifti(
        tmp_path / "mask.nii", (data > 60).astype(float), axcodes="SAR", spacing=(1, 2, 3),
        oblique=10, dtype=np.uint8,
    )  # fmt: skip
    volume = read_volume(tmp_path / "image.nii")
    mask = read_mask(tmp_path / "mask.nii", volume)
    assert mask.dtype == np.bool_
    assert np.array_equal(mask, data > 60)
    assert not grid_difference(volume.grid, read_volume(tmp_path / "mask.nii").grid)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shape": (5, 7, 5)}, "5 x 7 x 5 against 5 x 7 x 4 voxels"),
        ({"spacing": (1.01, 1, 1)}, r"corners 0.04 mm apart"),
        ({"oblique": 1.0}, "mm apart"),
    ],
)
def test_mask_on_another_grid_is_refused(tmp_path, change, says):
    make_nifti(tmp_path / "image.nii", axcodes="LPS")
    make_nifti(tmp_path / "mask.nii", **change)
    with pytest.raises(UserError, match=says):
        read_mask(tmp_path / "mask.nii", read_volume(tmp_path / "image.nii"))


def test_mask_with_labels_counts_them_all_and_nan_is_refused(tmp_path):
    labels = np.zeros((3, 3, 3), np.float32)
    labels[0], labels[1, 0, 0] = 4, 1
    make_nifti(tmp_path / "image.nii", shape=(3, 3, 3))
    make_nifti(tmp_path / "mask.nii", labels)
    like = read_volume(tmp_path / "image.nii")
    assert read_mask(tmp_path / "mask.nii", like).sum() == 10
    labels[2, 2, 2] = np.nan
    make_nifti(tmp_path / "mask.nii", labels)
    with pytest.raises(UserError, match="NaN"):
        read_mask(tmp_path / "mask.nii", like)


def test_stack_and_picture_show_as_they_are_stored(tmp_path):
    """Radiological display (rows from anterior, columns from the right) is the picture itself."""
    from pages.parts.shared.pictures import display

    stack = np.random.default_rng(0).random((3, 4, 5, 1)).astype(np.float32)
    np.save(tmp_path / "x.npy", stack)
    volume = read_volume(tmp_path / "x.npy")
    assert volume.data.shape == (5, 4, 3)
    for n in range(3):
        assert np.array_equal(display(volume.data[:, :, n].T), stack[n, :, :, 0])
    write_volume(tmp_path / "out.npy", volume.data, volume.grid)
    assert np.array_equal(np.load(tmp_path / "out.npy"), stack)
    write_volume(tmp_path / "out.nii.gz", volume.data, volume.grid)
    again = read_volume(tmp_path / "out.nii.gz")
    assert np.array_equal(again.data, volume.data)
    assert np.array_equal(again.affine, volume.affine)

    picture = np.random.default_rng(1).integers(0, 255, (6, 4), np.uint8)
    Image.fromarray(picture).save(tmp_path / "x.png")
    volume = read_volume(tmp_path / "x.png")
    assert volume.data.shape == (4, 6, 1)
    assert volume.spacing == (1, 1, 1)
    assert np.array_equal(display(volume.data[:, :, 0].T), picture)


def test_picture_masks_return_to_the_picture(tmp_path):
    Image.fromarray(np.arange(24, dtype=np.uint8).reshape(6, 4)).save(tmp_path / "x.png")
    volume = read_volume(tmp_path / "x.png")
    mask = volume.data > 11
    write_volume(tmp_path / "mask.png", mask, volume.grid)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "mask.png"))[2], [0, 0, 0, 0])
    assert np.array_equal(np.asarray(Image.open(tmp_path / "mask.png"))[3], [255] * 4)
    assert np.array_equal(read_mask(tmp_path / "mask.png", volume), mask)
    write_volume(tmp_path / "map.tif", volume.data / 23, volume.grid)
    assert np.asarray(Image.open(tmp_path / "map.tif"))[5, 3] == 255
    with pytest.raises(UserError, match="blur"):
        write_volume(tmp_path / "mask.jpg", mask, volume.grid)
    make_nifti(tmp_path / "y.nii")
    solid = read_volume(tmp_path / "y.nii")
    with pytest.raises(UserError, match="one slice"):
        write_volume(tmp_path / "y.png", solid.data > 1, solid.grid)


@pytest.mark.parametrize(
    ("values", "suffix", "count"),
    [
        ([0, 1, 1, 0], ".png", 2),
        ([0, 255, 128, 127], ".png", 2),
        ([0, 2, 1, 0], ".tif", 2),
        ([9, 9, 9, 9], ".jpg", 0),  # an empty mask with the dirt of compression
    ],
)
def test_picture_masks_are_cut_at_the_middle_of_their_scale(tmp_path, values, suffix, count):
    square = np.kron(np.array(values, np.uint8).reshape(2, 2), np.ones((8, 8), np.uint8))
    Image.fromarray(square).save(tmp_path / f"mask{suffix}")
    like = read_volume(tmp_path / f"mask{suffix}")
    assert read_mask(tmp_path / f"mask{suffix}", like).sum() == 64 * count


def test_a_failed_write_leaves_the_old_file(tmp_path):
    make_nifti(tmp_path / "x.nii")
    volume = read_volume(tmp_path / "x.nii")
    before = (tmp_path / "x.nii").read_bytes()
    with pytest.raises(ValueError, match="not the grid's"):
        write_volume(tmp_path / "x.nii", volume.data[1:], volume.grid)
    assert (tmp_path / "x.nii").read_bytes() == before
    with pytest.raises(UserError, match="cannot be written"):
        write_volume(tmp_path / "x.mha", volume.data, volume.grid)
    assert [p.name for p in tmp_path.iterdir()] == ["x.nii"]
