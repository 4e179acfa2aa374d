"""Every bad or odd image, through the core and the command line: a result or one sentence."""

import csv
import re

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from ascnet_core.cli import main
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, Prepared, prepare_scan
from tests.corpus.case import EVERYTHING, MARK, Case, everything_in
from tests.corpus.flat import FLAT
from tests.corpus.volumes import VOLUMES

CASES = VOLUMES | FLAT
every_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def prepared(case: Case, path) -> Prepared | UserError:
    how = Preparation(size=32, region="auto", **case.how)
    try:
        return prepare_scan(Scan("x", "x", path), how)
    except UserError as error:
        return error


def bright_ml(made: Prepared) -> float:
    return float((made.scaled > 0.9).sum()) * made.volume.voxel_ml


def check_sentence(case: Case, text: str) -> None:
    assert text.isprintable(), text
    assert len(text) < 1000
    assert re.search(case.says, text, re.IGNORECASE), text
    assert "Traceback" not in text


@every_case
def test_the_core_gives_the_number_or_the_sentence(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = case.make(tmp_path)
    before = everything_in(tmp_path)
    made = prepared(case, path)
    assert everything_in(tmp_path) == before
    if isinstance(made, UserError):
        assert case.ml is None, str(made)
        check_sentence(case, str(made))
        return
    assert not case.says, "this should have been refused"
    assert np.isfinite(made.scaled).all()
    assert np.isfinite(made.volume.voxel_ml)
    assert made.volume.voxel_ml > 0
    if case.ml is not None:
        assert bright_ml(made) == pytest.approx(case.ml, rel=1e-5)
    if case.region_ml is not None:
        found = float(made.region.sum()) * made.volume.voxel_ml
        assert found == pytest.approx(case.region_ml, rel=0.03)


def written_voxels(path) -> int:
    if path.suffix == ".png":
        return int(np.count_nonzero(np.asarray(Image.open(path))))
    if path.suffix == ".npy":
        return int(np.count_nonzero(np.load(path)))
    return int(np.count_nonzero(np.asanyarray(nib.load(path).dataobj)))


@every_case
def test_segment_gives_a_mask_or_ends_with_2_and_one_line(
    case, small_run, tmp_path, monkeypatch, capfd
):
    monkeypatch.chdir(tmp_path)
    given = tmp_path / "given"
    given.mkdir()
    path, out = case.make(given), tmp_path / "out"
    before = everything_in(given)
    capfd.readouterr()
    choices = [*EVERYTHING, "--region", "auto", *case.options]
    status = main(["segment", str(small_run), str(path), "-o", str(out), *choices])
    complaints = capfd.readouterr().err.splitlines()
    assert everything_in(given) == before
    assert not (tmp_path / MARK).exists()
    left = [p.name for p in out.iterdir()] if out.is_dir() else []
    assert not [name for name in left if ".tmp" in name]
    masks = [out / name for name in left if "_mask." in name]
    if status == 2:
        assert case.ml is None, complaints
        assert not masks
        (line,) = (one for one in complaints if one.startswith("error: "))
        check_sentence(case, line)
        return
    assert status == 0, complaints
    assert not case.says, "this should have been refused"
    assert len(masks) == 1
    made = prepared(case, path)
    with (out / "segmentation.csv").open(newline="", encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    region = int(made.region.sum())
    assert int(row["voxels"]) == region
    assert written_voxels(masks[0]) == region
    assert float(row["volume_ml"]) == pytest.approx(region * made.volume.voxel_ml, abs=1e-4)


def test_nothing_of_a_patients_name_reaches_a_mask(small_run, tmp_path):
    """Text fields of the image's header are not copied."""
    import gzip

    path = CASES["a patient's name in the header"].make(tmp_path)
    out = tmp_path / "out"
    assert main(["segment", str(small_run), str(path), "-o", str(out), "--save-maps",
                 "--threshold", "band:0:255"]) == 0  # fmt: skip
    files = [p for p in out.iterdir() if p.name.endswith(".nii.gz")]
    assert len(files) > 1
    for file in files:
        assert b"DOE" not in gzip.decompress(file.read_bytes()), file.name
