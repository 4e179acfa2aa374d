"""A zip of DICOM series as an upload: each series is a scan."""

import numpy as np
import pytest

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


def test_a_broken_zip_is_kept_and_said_when_it_is_read(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK\x05\x06 broken")
    scans = read_manifest(uploads.write_uploads([Upload(tmp_path / "x.zip")], [])).scans
    assert [scan.scan for scan in scans] == ["x"]
