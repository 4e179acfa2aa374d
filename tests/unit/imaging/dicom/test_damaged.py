"""DICOM files that are damaged, locked or lie: one sentence that quotes no header."""

import tracemalloc
import zipfile
from pathlib import Path

import pytest
from pydicom import dcmread

from ascnet_core.imaging.dicom import source
from ascnet_core.imaging.formats import load_head
from tests.dicoms import (
    make_series,
    save,
    volume,
    zipped,
)
from tests.unit.imaging.dicom.readers import refused


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


def test_what_is_no_dicom_in_a_zip_is_not_unfolded(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(64 << 20))
    tracemalloc.start()
    refused(tmp_path / "x.zip", match="no DICOM")
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


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


def test_a_mosaic_is_a_sentence(tmp_path):
    make_series(tmp_path, volume(), ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    refused(tmp_path, match="mosaic of slices; convert it")


def test_a_search_for_dicom_ends_on_a_whole_disk(tmp_path, monkeypatch):
    looked_at = []
    monkeypatch.setattr(source, "is_dicom", lambda path: looked_at.append(path))
    monkeypatch.setattr(source, "_MOST_LOOKED_AT", 3)
    for number in range(5):
        (tmp_path / str(number)).touch()
    assert not source.holds_dicom(tmp_path)
    assert len(looked_at) == 3
    assert not source.holds_dicom(Path("/proc"))
    assert len(looked_at) == 3


def test_a_zip_with_a_file_without_a_name_is_read_without_it(tmp_path):
    make_series(tmp_path / "s", volume(3))
    whole = zipped(tmp_path / "s", tmp_path / "x.zip")
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr("QQQQ", b"no DICOM")
    # zipfile cuts a name at a null byte
    whole.write_bytes(whole.read_bytes().replace(b"QQQQ", b"\0QQQ"))
    assert load_head(whole).shape == (7, 6, 3)


def test_a_zip_whose_lzma_is_damaged(tmp_path):
    (path,) = make_series(tmp_path / "s", volume(1, 40, 40))
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.write(path, "a.dcm")
    content = bytearray((tmp_path / "x.zip").read_bytes())
    content[200:260] = b"\xff" * 60
    (tmp_path / "x.zip").write_bytes(content)
    refused(tmp_path / "x.zip", match="damaged zip")
