"""The values of DICOM slices: rescaled, signed, compressed, in colour."""

import io

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from ascnet_core.imaging.formats import load_stored
from tests.dicoms import (
    encapsulated,
    header,
    make_series,
    save,
    volume,
)
from tests.unit.imaging.dicom.readers import by_simpleitk, refused


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


def test_colour_needs_a_channel(tmp_path):
    colour = np.random.default_rng(0).integers(0, 255, (8, 9, 3), np.uint8)
    more = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    data = header(colour, BitsAllocated=8, BitsStored=8, HighBit=7, **more)
    save(data, tmp_path / "x.dcm", colour)
    refused(tmp_path / "x.dcm", match="3 channels")
    assert np.array_equal(load_stored(tmp_path / "x.dcm", channel=1)[0][..., 0].T, colour[..., 1])
