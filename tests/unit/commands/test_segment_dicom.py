"""`segment` with DICOM series: masks on their grid, no identity in what is written."""

import nibabel as nib
import numpy as np
import pytest
from pydicom import dcmread

from ascnet_core.imaging.formats import load_stored
from tests.dicoms import IDENTITY, make_series, zipped
from tests.unit.commands.command_line import cli, complaint, rows_of


@pytest.fixture
def head():
    """A bright ball with a brighter spot, in stored values (slices, rows, columns)."""
    z, y, x = np.indices((10, 24, 24)) - np.array([5, 12, 12])[:, None, None, None]
    values = 900 * ((2 * z) ** 2 + y**2 + x**2 < 100)
    values[4:6, 8:12, 10:14] = 2500
    return values.astype(np.uint16)


def segment(run, *arguments):
    return cli("segment", run, *arguments, "--threshold", 60, "--map", "residual")


def test_a_folder_a_zip_and_a_manifest(run, tmp_path, head, capsys):
    make_series(tmp_path / "p.1", head, SeriesInstanceUID="1.2.1", SeriesNumber=1)
    more = {"SeriesInstanceUID": "1.2.2", "SeriesNumber": 2}
    make_series(tmp_path / "p.1", head[:, ::-1], name="B{}", **more)
    assert segment(run, tmp_path / "p.1", "-o", tmp_path / "no") == 2
    assert "p.1#1" in complaint(capsys)
    zipped(tmp_path / "p.1", tmp_path / "z.zip")
    (tmp_path / "manifest.csv").write_text("subject,scan,image\nM,M,p.1#2\n")
    given = (tmp_path / "p.1#1", tmp_path / "z.zip#1", tmp_path / "manifest.csv")
    assert segment(run, *given, "-o", tmp_path / "out") == 0
    _, grid = load_stored(tmp_path / "p.1#1")
    first, second, third = (
        nib.load(tmp_path / "out" / f"{name}_mask.nii.gz") for name in ("p.1_1", "z_1", "M")
    )
    for mask in (first, second, third):
        assert np.allclose(mask.affine, grid.affine, atol=1e-6)
        assert mask.shape == grid.shape
    assert np.array_equal(first.get_fdata(), second.get_fdata())
    rows = rows_of(tmp_path / "out" / "segmentation.csv")
    assert [row["scan"] for row in rows] == ["p.1_1", "z_1", "M"]
    assert rows[0]["volume_ml"] == rows[1]["volume_ml"]
    for path in (tmp_path / "out").iterdir():
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = nib.load(path).to_bytes()
        assert not [word for word in IDENTITY if word.lower().encode() in content.lower()], path


def test_a_seg_is_written_on_request_alone(run, tmp_path, head, capsys):
    make_series(tmp_path / "p", head)
    assert segment(run, tmp_path / "p", "-o", tmp_path / "plain") == 0
    assert not list((tmp_path / "plain").glob("*.dcm"))
    assert segment(run, tmp_path / "p", "-o", tmp_path / "both", "--dicom-seg") == 0
    mask = nib.load(tmp_path / "both" / "p_mask.nii.gz").get_fdata()
    seg = dcmread(tmp_path / "both" / "p_mask.dcm")
    assert seg.Modality == "SEG"
    assert seg.pixel_array.sum() == mask.sum()
    nib.save(nib.Nifti1Image(mask, np.eye(4)), tmp_path / "x.nii")
    assert segment(run, tmp_path / "x.nii", "-o", tmp_path / "no", "--dicom-seg") == 2
    assert "is no DICOM" in complaint(capsys)
    assert not (tmp_path / "no").exists()


def test_what_is_written_into_the_series_is_no_part_of_it(run, tmp_path, head):
    folder = tmp_path / "p"
    make_series(folder, head)
    before, _ = load_stored(folder)
    assert segment(run, folder, "-o", folder, "--dicom-seg") == 0
    assert np.array_equal(load_stored(folder)[0], before)
