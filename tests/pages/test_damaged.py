"""Damaged scans and cohorts on every page: sentences, and the good scans stay usable."""

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.imaging.cohort import Scan, read_manifest
from tests.pages.conftest import ROOT

PAGES = ("data", "cuts", "threshold", "evaluation", "training")


def _truncate(scan: Scan) -> None:
    content = scan.image.read_bytes()
    scan.image.write_bytes(content[: len(content) // 2])


def _text(scan: Scan) -> None:
    scan.image.write_text("dear colleague, the secret is out")


def _zipped_text(scan: Scan) -> None:
    scan.image.write_bytes(gzip.compress(b"dear colleague, the secret is out"))


def _empty(scan: Scan) -> None:
    scan.image.write_bytes(b"")


def _constant(scan: Scan) -> None:
    old = nib.load(scan.image)
    nib.save(nib.Nifti1Image(np.full(old.shape, 7, np.float32), old.affine), scan.image)


def _not_numbers(scan: Scan) -> None:
    old = nib.load(scan.image)
    nib.save(nib.Nifti1Image(np.full(old.shape, np.nan, np.float32), old.affine), scan.image)


def _another_grid(scan: Scan) -> None:
    nib.save(nib.Nifti1Image(np.ones((5, 6, 7), np.uint8), np.eye(4)), scan.mask)


def _mask_of_text(scan: Scan) -> None:
    scan.mask.write_text("dear colleague, the secret is out")


def _header_that_lies(scan: Scan) -> None:
    header = nib.load(scan.image).header.copy()
    header["dim"][1:4] = 30000
    scan.image.write_bytes(gzip.compress(header.binaryblock + bytes(4)))


DAMAGES = (_truncate, _text, _zipped_text, _empty, _constant, _not_numbers, _another_grid)
DAMAGES = (*DAMAGES, _mask_of_text, _header_that_lies)


@pytest.fixture
def own_cohort(small_cohort: Path, tmp_path: Path) -> Path:
    """A copy of the small cohort that a test may damage; its manifest."""
    shutil.copytree(small_cohort.parent, tmp_path / "own")
    return tmp_path / "own" / "manifest.csv"


def _open(page: str, cohort: Path, run: Path, **query: str) -> AppTest:
    at = AppTest.from_file(ROOT / "pages" / f"{page}.py", default_timeout=120)
    keys = {"cohort": str(cohort), "run": str(run), **query}
    for key, value in keys.items():
        at.query_params[key] = value
    return at.run()


def _sentences(at: AppTest) -> str:
    parts = (at.error, at.warning, at.info)
    return "\n".join(str(one.value) for part in parts for one in part)


@pytest.mark.parametrize("damage", DAMAGES)
def test_one_bad_scan_is_named_and_the_good_ones_stay_usable(
    own_cache, own_cohort: Path, small_run: Path, damage: Callable[[Scan], None]
) -> None:
    *good, bad = (s for s in read_manifest(own_cohort).scans if s.group == "anomalous")
    damage(bad)
    names = bad.image.name, bad.mask.name
    said = {}
    for page in PAGES:
        at = _open(page, own_cohort, small_run, subject=good[0].scan)
        assert not at.exception, page
        said[page] = _sentences(at)
    assert any(name in said["data"] for name in names)
    assert said["cuts"] == said["threshold"] == ""
    at = _open("data", own_cohort, small_run)
    assert at.dataframe[0].value["grid, voxels"].notna().sum() == 3
    for page in ("cuts", "threshold"):
        at = _open(page, own_cohort, small_run, subject=good[0].scan, scope="cohort")
        assert not at.exception
        assert not at.error
        assert any(name in at.warning[0].value for name in names)
        at = _open(page, own_cohort, small_run, subject=bad.scan)
        assert not at.exception
        assert any(name in at.error[0].value for name in names)
        assert "secret" not in at.error[0].value


def test_a_range_of_the_cohort_leaves_the_bad_one_out_too(
    own_cache, own_cohort: Path, small_run: Path
) -> None:
    good, bad = (s for s in read_manifest(own_cohort).scans if s.group == "anomalous")
    _truncate(bad)
    at = _open("threshold", own_cohort, small_run, subject=good.scan, range="cohort")
    assert not at.exception
    assert not at.error
    assert bad.image.name in at.warning[0].value


def _no_rows(cohort: Path) -> None:
    pd.read_csv(cohort)[:0].to_csv(cohort, index=False)


def _no_image(cohort: Path) -> None:
    read_manifest(cohort).scans[1].image.unlink()


def _nothing(cohort: Path) -> None:
    cohort.write_bytes(b"")


def _bytes(cohort: Path) -> None:
    cohort.write_bytes(bytes(range(256)) * 4)


def _a_folder(cohort: Path) -> None:
    cohort.unlink()
    cohort.mkdir()


def _images_are_folders(cohort: Path) -> None:
    table = pd.read_csv(cohort)
    table["image"] = "."
    table.to_csv(cohort, index=False)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "damage", [_no_rows, _no_image, _nothing, _bytes, _a_folder, _images_are_folders]
)
def test_a_broken_manifest_is_a_sentence_on_every_page(
    own_cache, own_cohort: Path, small_run: Path, page: str, damage: Callable[[Path], None]
) -> None:
    damage(own_cohort)
    at = _open(page, own_cohort, small_run)
    assert not at.exception
    if page != "training":  # it lists runs and needs no cohort for that
        assert at.error or at.warning
