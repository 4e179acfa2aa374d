"""Where run and scan do not fit, it is said above the picture, with the way on."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.imaging.signs import signs_of
from ascnet_core.runs.fingerprint import write_fingerprint
from pages.parts.links import of_run

PAGES = Path(__file__).resolve().parents[3] / "pages"


def open_page(page: str, cohort: Path, run: Path) -> AppTest:
    at = AppTest.from_file(PAGES / page, default_timeout=120)
    at.query_params["cohort"], at.query_params["run"] = str(cohort), str(run)
    return at


@pytest.fixture
def ct_run(tmp_path: Path, small_run: Path, small_cohort: Path) -> Path:
    """The small run as one that learnt from CT."""
    run = tmp_path / "ct"
    shutil.copytree(small_run, run)
    scan = read_manifest(small_cohort).scans[0]
    signs = signs_of(prepare_scan(scan, Preparation(size=32)))
    write_fingerprint(run, [(type(scan)(**(vars(scan) | {"modality": "ct"})), signs)])
    return run


@pytest.mark.parametrize("page", ["threshold.py", "cuts.py"])
def test_another_modality_is_said_once(
    page: str, own_cache: Path, small_cohort: Path, small_run: Path, ct_run: Path
) -> None:
    at = open_page(page, small_cohort, ct_run).run()
    assert not at.exception
    assert [one.value.split(",")[0] for one in at.warning] == ["The manifest says flair"]
    assert not any(one.value.startswith("- The manifest") for one in at.markdown)
    assert any(one.label.startswith("Show demo") for one in at.button)
    at = open_page(page, small_cohort, small_run).run()
    assert not at.warning


def test_a_run_without_its_data_says_what_is_shown_instead(
    own_cache: Path, small_cohort: Path, small_run: Path, tmp_path: Path
) -> None:
    run = tmp_path / "far"
    shutil.copytree(small_run, run)
    (run / "manifest.csv").write_text("subject,image\npatient,elsewhere/patient.nii.gz\n")
    at = open_page("cuts.py", small_cohort, run)
    at.session_state[of_run.NOT_HERE] = (str(run), str(small_cohort))
    at.run()
    assert not at.exception
    assert "is shown, not what far was trained on. The scans of its" in at.warning[0].value
    assert any(one.label == "Open Data" for one in at.button)
