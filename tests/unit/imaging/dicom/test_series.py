"""DICOM series against SimpleITK's own series reader, and what is mended or refused."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import check_file, files_of, load_head, load_stored
from ascnet_core.imaging.volume import read_volume
from tests.dicoms import (
    IDENTITY,
    PERSON,
    encapsulated,
    enhanced,
    header,
    make_series,
    save,
    volume,
    zipped,
)


def by_simpleitk(folder):
    """Voxels (column, row, slice) and affine to RAS, as SimpleITK reads a series."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return of_image(reader.Execute())


def of_image(image):
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image).transpose(2, 1, 0), np.diag([-1, -1, 1, 1]) @ affine


def refused(path, *, match, **choices):
    with pytest.raises(UserError, match=match) as caught:
        load_stored(path, **choices)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert not [word for word in IDENTITY if word.lower() in sentence.lower()]
    return sentence


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


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
@pytest.mark.parametrize("signed", [0, 1])
def test_compressions_that_lose_nothing(tmp_path, syntax, signed):
    more = {"BitsStored": 16, "HighBit": 15, "PixelRepresentation": signed}
    values = volume(5, 20, 30).astype(np.int16) - 2000 * signed
    make_series(tmp_path, values, syntax=syntax, RescaleSlope=2, RescaleIntercept=-7, **more)
    assert np.array_equal(load_stored(tmp_path)[0], 2.0 * values.transpose(2, 1, 0) - 7)


def test_twelve_bits_by_run_lengths(tmp_path):
    make_series(tmp_path, volume(), syntax=RLELossless)
    assert np.array_equal(load_stored(tmp_path)[0], volume().transpose(2, 1, 0))


def test_signed_values_of_12_bits_with_an_overlay_above(tmp_path):
    values = volume().astype(np.int32) - 2048
    held = (values & 0xFFF).astype(np.uint16)
    make_series(tmp_path, held | 0xA000, PixelRepresentation=1)
    stored, _ = load_stored(tmp_path)
    assert np.array_equal(stored, values.transpose(2, 1, 0))


def test_each_slice_has_a_rescale_of_its_own(tmp_path):
    def each(data, index):
        data.RescaleSlope, data.RescaleIntercept = 1 + index, -10 * index

    make_series(tmp_path, volume(), each=each)
    factor = np.arange(1, 6)[:, None, None]
    expected = volume() * factor - 10.0 * (factor - 1)
    assert np.array_equal(load_stored(tmp_path)[0], expected.transpose(2, 1, 0))


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


def jpeg_lossless(folder, values):
    """A slice as GDCM compresses it, under the geometry of the tests."""
    file = folder.parent / "gdcm.dcm"
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(file))
    writer.SetImageIO("GDCMImageIO")
    writer.SetUseCompression(True)
    writer.SetCompressor("JPEG")
    writer.Execute(sitk.GetImageFromArray(values[None]))
    made = dcmread(file)
    return made.file_meta.TransferSyntaxUID, made["PixelData"], made


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_jpeg_lossless(tmp_path, photometric):
    values = volume(3, 16, 16)
    for index, path in enumerate(
        make_series(
            tmp_path / "s",
            values,
            PhotometricInterpretation=photometric,
            RescaleSlope=2,
            RescaleIntercept=-7,
        )
    ):
        syntax, pixels, made = jpeg_lossless(tmp_path / "s", values[index])
        data = dcmread(path)
        data["PixelData"] = pixels
        data.file_meta.TransferSyntaxUID = syntax
        for name in ("BitsAllocated", "BitsStored", "HighBit"):
            setattr(data, name, made[name].value)
        data.save_as(path)
    voxels, _ = by_simpleitk(tmp_path / "s")
    stored, _ = load_stored(tmp_path / "s")
    top = 65535 if photometric == "MONOCHROME1" else 0
    raw = np.abs(top - values.astype(np.int64)).transpose(2, 1, 0)
    assert np.array_equal(stored, 2 * raw - 7)
    assert np.array_equal(stored, voxels)


def test_jpeg_2000_and_jpeg(tmp_path):
    values = np.clip(volume(1, 32, 32)[0] // 16, 0, 255).astype(np.uint8)
    values = np.kron(values[::8, ::8], np.ones((8, 8), np.uint8))
    for kind, syntax, close in (
        ("JPEG2000", JPEG2000Lossless, 0),
        ("JPEG", JPEGBaseline8Bit, 12),
    ):
        packed = io.BytesIO()
        more = {"no_jp2": True} if kind == "JPEG2000" else {"quality": 95}
        Image.fromarray(values).save(packed, kind, **more)
        data = header(values, BitsAllocated=8, BitsStored=8, HighBit=7)
        encapsulated(data, [packed.getvalue()], syntax, tmp_path / f"{kind}.dcm")
        stored, grid = load_stored(tmp_path / f"{kind}.dcm")
        assert np.abs(stored[:, :, 0].T - values).max() <= close
        assert any("does not say where slices lie" in one for one in grid.remarks)


def test_an_unknown_compression_is_a_sentence(tmp_path):
    data = header(volume()[0])
    encapsulated(data, [b"film" * 20], "1.2.840.10008.1.2.4.102", tmp_path / "x.dcm")
    refused(tmp_path / "x.dcm", match="its compression is not read")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_file_that_is_cut_short(tmp_path, share):
    paths = make_series(tmp_path, volume(5, 40, 40), name="{}.dcm")
    content = paths[2].read_bytes()
    paths[2].write_bytes(content[: int(len(content) * share)])
    sentence = refused(tmp_path, match="damaged or cut short")
    assert paths[2].name in sentence
    paths[2].write_bytes(b"")
    refused(tmp_path, match="is empty or no DICOM")


def test_headers_that_lie(tmp_path):
    (path,) = make_series(tmp_path, volume(1))
    for name, value in (
        ("Rows", 65535),
        ("NumberOfFrames", 2_000_000_000),
        ("ImageOrientationPatient", [0, 0, 0, 0, 0, 0]),
        ("ImageOrientationPatient", [1, 0, 0]),
        ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0]),
        ("BitsAllocated", 12),
    ):
        data = dcmread(path)
        setattr(data, name, value)
        save(data, tmp_path / "lies" / "x.dcm")
        refused(tmp_path / "lies" / "x.dcm", match="damaged|make no sense")


def test_odd_values_quote_no_header(tmp_path, recwarn, capfd):
    make_series(tmp_path, volume())
    for path in tmp_path.iterdir():
        content = path.read_bytes().replace(b"0.8\\0.6", b"Musterm")
        path.write_bytes(content)
    refused(tmp_path, match="damaged or cut short")
    assert not recwarn.list
    assert not capfd.readouterr().err


def test_zips_that_are_locked_broken_or_too_large(tmp_path, monkeypatch):
    make_series(tmp_path / "s", volume(5, 40, 40))
    packed = zipped(tmp_path / "s", tmp_path / "x.zip")
    content = packed.read_bytes()
    (tmp_path / "half.zip").write_bytes(content[: len(content) // 2])
    refused(tmp_path / "half.zip", match="damaged|no DICOM")
    (tmp_path / "odd.zip").write_bytes(content[:3000] + b"\xff" * 200 + content[3200:])
    refused(tmp_path / "odd.zip", match="damaged")
    locked = bytearray(content)
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        start = -1
        while (start := content.find(mark, start + 1)) >= 0:
            locked[start + at] |= 1
    (tmp_path / "locked.zip").write_bytes(locked)
    refused(tmp_path / "locked.zip", match="locked by a password")
    monkeypatch.setattr("ascnet_core.imaging.dicom.source.MOST_UNFOLDED", 1000)
    refused(packed, match="unfolds to more than")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    paths = make_series(tmp_path, volume())
    original = Path.open

    def denied(self, *arguments, **more):
        if self == paths[2]:
            raise PermissionError(13, "Permission denied", str(self))
        return original(self, *arguments, **more)

    monkeypatch.setattr(Path, "open", denied)
    assert paths[2].name in refused(tmp_path, match="cannot be read")


def test_colour_needs_a_channel(tmp_path):
    colour = np.random.default_rng(0).integers(0, 255, (8, 9, 3), np.uint8)
    more = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    data = header(colour, BitsAllocated=8, BitsStored=8, HighBit=7, **more)
    save(data, tmp_path / "x.dcm", colour)
    refused(tmp_path / "x.dcm", match="3 channels")
    assert np.array_equal(load_stored(tmp_path / "x.dcm", channel=1)[0][..., 0].T, colour[..., 1])


def test_a_mosaic_is_a_sentence(tmp_path):
    make_series(tmp_path, volume(), ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    refused(tmp_path, match="mosaic of slices; convert it")


def test_descriptions_are_shown_without_persons_and_dates(tmp_path):
    for number in (1, 2):
        more = {"SeriesInstanceUID": f"1.2.{number}", "SeriesNumber": number}
        text = f"T{number} {PERSON.replace('^', ' ')} 4711 1964-08-12 axial"
        make_series(tmp_path / str(number), volume(), SeriesDescription=text, **more)
    refused(tmp_path, match="#1 CT T1 axial, 5 slices; #2 CT T2 axial, 5 slices")
