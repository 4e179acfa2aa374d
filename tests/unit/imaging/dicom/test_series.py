"""DICOM series against SimpleITK's own series reader, and what is mended or refused."""

import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom import dcmread

from ascnet_core.imaging.formats import check_file, files_of, load_head, load_stored
from ascnet_core.imaging.volume import read_volume
from tests.dicoms import (
    PERSON,
    enhanced,
    header,
    make_series,
    save,
    volume,
    zipped,
)
from tests.unit.imaging.dicom.readers import by_simpleitk, of_image, refused


def turned(degrees):
    """Directions of rows and columns of an oblique series."""
    a, b = np.deg2rad([degrees, 2 * degrees])
    turn = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]]) @ np.array(
        [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    )
    return tuple(turn[:, :2].T.ravel()), tuple(3.5 * turn[:, 2])


CASES = {
    "plain": {},
    "named .dcm": {"name": "{}.dcm"},
    "rescaled": {"RescaleSlope": "2.5", "RescaleIntercept": "-1024"},
    "MONOCHROME1": {"PhotometricInterpretation": "MONOCHROME1"},
    "oblique": dict(zip(("orientation", "step"), turned(20), strict=True)),
    "coronal": {"orientation": (1, 0, 0, 0, 0, -1), "step": (0, 2, 0)},
    "downwards": {"step": (0, 0, -5)},
    "all 16 bits": {"BitsStored": 16, "HighBit": 15},
    "padded": {"PixelPaddingValue": 0},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("packed", [False, True])
def test_as_simpleitk_reads_it(tmp_path, case, packed):
    make_series(tmp_path / "series", volume(), **CASES[case])
    voxels, affine = by_simpleitk(tmp_path / "series")
    where = zipped(tmp_path / "series", tmp_path / "s.zip") if packed else tmp_path / "series"
    stored, grid = load_stored(where)
    assert np.array_equal(stored, voxels)
    assert np.allclose(grid.affine, affine, atol=1e-6)
    head = load_head(where)
    assert (head.shape, head.full_shape, head.kind) == (grid.shape, grid.shape, "dicom")
    assert np.array_equal(head.affine, grid.affine)
    assert not grid.remarks


def test_gantry_tilt_is_kept_as_a_sheared_grid(tmp_path):
    step = (0.0, 1.5, 5.0)
    make_series(tmp_path, volume(), step=step)
    loaded = read_volume(tmp_path)
    # The point of column 2, row 3, slice 4, by the standard's formula, and from LPS to RAS.
    point = np.array([-10, -20, 30.0]) + [2 * 0.6, 3 * 0.8, 0] + 4 * np.array(step)
    index = np.linalg.solve(loaded.affine, [-point[0], -point[1], point[2], 1])[:3]
    assert np.allclose(index, np.rint(index), atol=1e-6)
    assert loaded.data[tuple(np.rint(index).astype(int))] == volume()[4, 3, 2]
    assert np.isclose(loaded.voxel_ml, 0.8 * 0.6 * 5 / 1000)


def test_a_missing_slice_is_refused(tmp_path):
    paths = make_series(tmp_path, volume(8))
    paths[3].unlink()
    refused(tmp_path, match="lacks slices: 10 mm lie between slices 3 and 4, where 5 mm are usual")


def test_uneven_slices_are_refused_and_rounded_ones_are_not(tmp_path):
    def moved(by):
        def each(data, index):
            x, y, z = data.ImagePositionPatient
            data.ImagePositionPatient = [x, y, z + by * (index == 2)]

        return each

    make_series(tmp_path / "rounded", volume(), each=moved(0.1))
    assert "off an even row" in load_head(tmp_path / "rounded").remarks[0]
    make_series(tmp_path / "exact", volume(), each=moved(0.01))
    assert not load_head(tmp_path / "exact").remarks
    make_series(tmp_path / "uneven", volume(), each=moved(1.0))
    refused(tmp_path / "uneven", match="uneven distances")


def test_copies_of_slices_are_left_out_and_said(tmp_path):
    paths = make_series(tmp_path, volume())
    expected, grid = load_stored(tmp_path)
    shutil.copy(paths[1], tmp_path / "copy of it")
    other = dcmread(paths[3])
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    other.save_as(tmp_path / "IM9999")
    stored, again = load_stored(tmp_path)
    assert np.array_equal(stored, expected)
    assert np.array_equal(again.affine, grid.affine)
    assert again.remarks == ("2 copies of slices left out.",)
    shutil.copytree(tmp_path, tmp_path / "all again")
    assert np.array_equal(load_stored(tmp_path)[0], expected)


def test_two_different_slices_at_one_place(tmp_path):
    make_series(tmp_path / "a", volume())
    make_series(tmp_path / "b", volume(seed=1)[:1])
    refused(tmp_path, match="2 slices that differ at one place and 1 at another")


def test_slices_beside_each_other_are_no_frames(tmp_path):
    make_series(tmp_path / "a", volume())
    make_series(tmp_path / "b", volume(seed=1), origin=(90, -20, 30))
    refused(tmp_path, match="beside each other at one depth")


def test_one_of_three_gaps_is_enough_to_miss_a_slice(tmp_path):
    paths = make_series(tmp_path, volume(4))
    paths[2].unlink()
    refused(tmp_path, match="lacks slices: 10 mm lie between slices 2 and 3")


def test_missing_slices_that_leave_even_gaps_are_said(tmp_path):
    paths = make_series(tmp_path, volume(7))
    assert not load_head(tmp_path).remarks
    for path in paths[1::2]:
        path.unlink()
    (remark,) = load_head(tmp_path).remarks
    assert "lie 10 mm apart, where the DICOM header says 5 mm" in remark
    assert np.isclose(read_volume(tmp_path).voxel_ml, 0.8 * 0.6 * 10 / 1000)


def test_one_slice_without_a_place_does_not_cost_the_others_theirs(tmp_path):
    def each(data, index):
        if index == 2:
            del data.ImagePositionPatient

    make_series(tmp_path, volume(), each=each)
    refused(tmp_path, match="slices that say where they lie, and 1 that do not")


def test_time_points_are_frames(tmp_path):
    for time in (1, 2, 3):
        more = {"TemporalPositionIdentifier": time, "name": f"{9 - time}-{{}}"}
        make_series(tmp_path, volume(seed=time), **more)
    refused(tmp_path, match="holds 3 frames; choose one from 0 to 2")
    assert load_head(tmp_path).full_shape == (7, 6, 5, 3)
    for time in (1, 2, 3):
        stored, grid = load_stored(tmp_path, frame=time - 1)
        assert np.array_equal(stored, volume(seed=time).transpose(2, 1, 0))
        assert grid.full_shape == (7, 6, 5)


def test_series_are_told_apart_listed_and_chosen(tmp_path):
    make_series(tmp_path / "x", volume(), SeriesInstanceUID="1.2.1", SeriesNumber=1)
    more = {"SeriesInstanceUID": "1.2.2", "SeriesNumber": 2, "SeriesDescription": "FLAIR"}
    make_series(tmp_path / "y", volume(4, seed=1), **more)
    sentence = refused(tmp_path, match="2 series: #1 CT Head 5mm, 5 slices; #2 CT FLAIR, 4 slices")
    assert f"{tmp_path}#1" in sentence
    second = tmp_path.with_name(f"{tmp_path.name}#2")
    assert np.array_equal(load_stored(second)[0], volume(4, seed=1).transpose(2, 1, 0))
    assert check_file(second).name == "dicom"
    assert len(files_of(second)) == 9
    refused(tmp_path.with_name(f"{tmp_path.name}#3"), match="no series 3: #1 CT Head")
    refused(tmp_path.with_name("nothing#1"), match="is not there")
    packed = zipped(tmp_path, tmp_path / "z.zip")
    assert np.array_equal(load_stored(packed.with_name("z.zip#1"))[0], volume().transpose(2, 1, 0))


@pytest.mark.parametrize("said", [{"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, {}])
def test_a_scout_is_left_out_and_said(tmp_path, said):
    make_series(tmp_path / "a", volume(9))
    scout = {"orientation": (0, 1, 0, 0, 0, -1), "spacing": (1, 1), **said}
    make_series(tmp_path / "b", volume(1, 20, 20), **scout)
    stored, grid = load_stored(tmp_path)
    assert np.array_equal(stored, volume(9).transpose(2, 1, 0))
    assert "localizer, 1 slice" in grid.remarks[0]


def test_other_files_are_passed_over(tmp_path):
    make_series(tmp_path / "DICOM" / "ST000", volume())
    (tmp_path / "README.txt").write_text("an export")
    (tmp_path / "Thumbs.db").write_bytes(b"\0" * 200)
    (tmp_path / ".DS_Store").write_bytes(b"\0")
    index = header(volume()[0], "1.2.840.10008.1.3.10")
    del index.Rows
    del index.Columns
    save(index, tmp_path / "DICOMDIR")
    report = header(volume()[0], "1.2.840.10008.5.1.4.1.1.88.11", Modality="SR")
    del report.Rows
    del report.Columns
    save(report, tmp_path / "report.dcm")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    stored, grid = load_stored(tmp_path)
    assert np.array_equal(stored, volume().transpose(2, 1, 0))
    assert not grid.remarks


def test_nothing_but_other_files(tmp_path):
    (tmp_path / "x.txt").write_text("x")
    refused(tmp_path, match="is a folder without DICOM files")
    index = header(volume()[0], "1.2.840.10008.1.3.10")
    del index.Rows
    del index.Columns
    save(index, tmp_path / "DICOMDIR")
    refused(tmp_path, match="holds no DICOM images")


def test_a_single_slice(tmp_path):
    (path,) = make_series(tmp_path, volume(1))
    voxels, affine = of_image(sitk.ReadImage(str(path)))
    for where in (tmp_path, path):
        stored, grid = load_stored(where)
        assert np.array_equal(stored, voxels)
        assert np.allclose(np.abs(grid.affine[:3, 2]), [0, 0, 5])
        assert np.allclose(grid.affine[:3, [0, 1, 3]], affine[:3, [0, 1, 3]])
        assert "single slice" in grid.remarks[0]


def test_an_enhanced_file(tmp_path):
    path = enhanced(tmp_path / "x.dcm", volume())
    stored, grid = load_stored(path)
    factor = np.arange(1, 6)[:, None, None]
    expected = volume() * factor - (factor - 1.0)
    assert np.array_equal(stored, expected.transpose(2, 1, 0))
    # Columns run to posterior, rows to inferior, slices to the patient's right.
    expected = [[0, 0, 4, -66], [-0.7, 0, 0, 3], [0, -0.5, 0, 8], [0, 0, 0, 1]]
    assert np.allclose(grid.affine, expected)
    assert np.array_equal(load_stored(tmp_path)[0], stored)


def test_descriptions_are_shown_without_persons_and_dates(tmp_path):
    for number in (1, 2):
        more = {"SeriesInstanceUID": f"1.2.{number}", "SeriesNumber": number}
        text = f"T{number} {PERSON.replace('^', ' ')} 4711 1964-08-12 axial"
        make_series(tmp_path / str(number), volume(), SeriesDescription=text, **more)
    refused(tmp_path, match="#1 CT T1 axial, 5 slices; #2 CT T2 axial, 5 slices")
