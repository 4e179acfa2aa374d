"""A zip of DICOM series as an upload: each series is a scan."""

import zipfile

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.formats import ENDINGS
from ascnet_core.imaging.prepare import prepare_scan
from pages.parts.data import uploads
from tests.dicoms import make_series, volume, zipped


class Upload:
    def __init__(self, path):
        self.name, self.content = path.name, path.read_bytes()

    def getvalue(self):
        return self.content


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ASCNET_CACHE", str(tmp_path / "cache"))


def test_each_series_of_a_zip_is_a_scan(tmp_path):
    assert {"zip", "dcm", "nrrd", "mha", "mgz"} <= set(ENDINGS)
    make_series(tmp_path / "a", volume())
    one = zipped(tmp_path / "a", tmp_path / "one.zip")
    more = {"SeriesInstanceUID": "1.2.9", "SeriesNumber": 9}
    make_series(tmp_path / "a", volume(seed=1), name="b{}", **more)
    two = zipped(tmp_path / "a", tmp_path / "two.zip")
    scans = read_manifest(uploads.write_uploads([Upload(one), Upload(two)], [])).scans
    assert [scan.scan for scan in scans] == ["one", "two_1", "two_2"]
    assert {scan.subject for scan in scans} == {"one", "two"}
    first, second, third = (prepare_scan(scan).volume.data for scan in scans)
    assert np.array_equal(first, second)
    assert not np.array_equal(second, third)


def test_files_uploaded_one_by_one_become_their_series(tmp_path):
    pixels = volume()
    paths = make_series(tmp_path / "a", pixels, name="IM{}.dcm", SeriesDescription="t2 flair")
    more = {"SeriesInstanceUID": "1.2.9", "SeriesNumber": 9}
    other = make_series(tmp_path / "b", volume(seed=1), name="IM{}.dcm", **more)
    one = read_manifest(uploads.write_uploads([Upload(path) for path in paths], [])).scans
    assert [(scan.subject, scan.modality) for scan in one] == [("dicom", "FLAIR")]
    assert prepare_scan(one[0]).volume.data.shape[2] == len(pixels)
    both = [Upload(path) for path in (*paths, *other)]  # every name twice
    scans = read_manifest(uploads.write_uploads(both, [])).scans
    assert [scan.scan for scan in scans] == ["dicom_1", "dicom_2"]
    assert {scan.subject for scan in scans} == {"dicom"}
    assert np.array_equal(prepare_scan(scans[0]).volume.data, prepare_scan(one[0]).volume.data)


def test_patients_of_one_zip_are_subjects_of_their_own(tmp_path):
    make_series(tmp_path / "a", volume(), name="a{}")
    more = {"SeriesInstanceUID": "1.2.9", "PatientID": "another", "PatientName": "B^C"}
    make_series(tmp_path / "a", volume(seed=1), name="b{}", **more)
    packed = zipped(tmp_path / "a", tmp_path / "two.zip")
    (tmp_path / "two_1.zip").write_bytes(packed.read_bytes())
    files = [Upload(packed), Upload(tmp_path / "two_1.zip")]
    scans = read_manifest(uploads.write_uploads(files, [])).scans
    assert [scan.subject for scan in scans] == ["two_2", "two_3", "two_1_1", "two_1_2"]


def test_files_that_only_say_dicom_are_refused_in_one_sentence(tmp_path):
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).write_text("hello")
    with pytest.raises(UserError, match="No file of the upload is DICOM"):
        uploads.write_uploads([Upload(tmp_path / "a.dcm"), Upload(tmp_path / "b.dcm")], [])


def test_a_zip_that_unfolds_to_too_much_is_refused(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.dcm", bytes(5 << 20))
    monkeypatch.setattr(uploads.st, "get_option", lambda name: 1)
    with pytest.raises(UserError, match="unfolds to more than 4 MB"):
        uploads.write_uploads([Upload(tmp_path / "x.zip")], [])


def test_a_broken_zip_is_kept_and_said_when_it_is_read(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK\x05\x06 broken")
    scans = read_manifest(uploads.write_uploads([Upload(tmp_path / "x.zip")], [])).scans
    assert [scan.scan for scan in scans] == ["x"]
