"""What is odd about a scan stands beside its results, and nothing where nothing is."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.imaging.signs import signs_of
from ascnet_core.runs.fingerprint import write_fingerprint
from tests.pages.threshold.conftest import sent

PAGES = Path(__file__).resolve().parents[2] / "pages"
THICK = "- Slices lie"


def _learnt(run: Path, small_run: Path, cohort: Path, **other: object) -> Path:
    """The small run as one that learnt from the cohort, or from other scans than that."""
    shutil.copytree(small_run, run)
    scans = read_manifest(cohort).scans
    signs = [signs_of(prepare_scan(scan, Preparation(size=32))) for scan in scans]
    write_fingerprint(
        run, [(scan, one._replace(**other)) for scan, one in zip(scans, signs, strict=True)]
    )
    return run


@pytest.fixture
def same_run(tmp_path: Path, small_cohort: Path, small_run: Path) -> Path:
    """A run that learnt from this cohort."""
    return _learnt(tmp_path / "same", small_run, small_cohort)


@pytest.fixture
def thin_run(tmp_path: Path, small_cohort: Path, small_run: Path) -> Path:
    """A run that learnt from slices 1 mm apart, much thinner than the cohort's."""
    return _learnt(tmp_path / "thin", small_run, small_cohort, spacing=(1.0, 1.0, 1.0))


def _open(page: str, cohort: Path, run: Path) -> AppTest:
    at = AppTest.from_file(PAGES / page, default_timeout=120)
    at.query_params["cohort"], at.query_params["run"] = str(cohort), str(run)
    at.run()
    assert not at.exception
    assert not at.error
    return at


def _remarks(at: AppTest) -> list[str]:
    labels = [one.proto.popover.label for one in at.get("popover")]
    return [label for label in labels if not label.startswith("Kept in")]


def test_remarks_on_a_scan_stand_beside_its_results(
    own_cache: Path, small_cohort: Path, thin_run: Path, same_run: Path
) -> None:
    at = _open("threshold.py", small_cohort, thin_run)
    assert sum(one.value.startswith(THICK) for one in at.markdown) == 1
    assert _remarks(at) == ["1 remark on this scan"]
    at = _open("threshold.py", small_cohort, same_run)
    assert _remarks(at) == []
    at = _open("cuts.py", small_cohort, thin_run)
    assert sum(one.value.startswith(THICK) for one in at.markdown) == 1
    assert _remarks(at) == ["2 remarks on this scan"]
    at = _open("cuts.py", small_cohort, same_run)
    assert _remarks(at) == ["1 remark on this scan"]
    assert any("says nothing about new patients" in one.value for one in at.markdown)


def test_threshold_says_below_the_scores_that_the_run_was_trained_on_the_scan(
    own_cache: Path, small_cohort: Path, small_run: Path, same_run: Path, tmp_path: Path
) -> None:
    short, why = sent(_open("threshold.py", small_cohort, same_run))["trained"]
    assert short == "Trained on these scans"
    assert "its result says nothing about new patients" in why
    others = _learnt(tmp_path / "others", small_run, small_cohort, voxels="others")
    short, why = sent(_open("threshold.py", small_cohort, others))["trained"]
    assert short == "Trained on a subject of this name"
    assert "if it is the same patient, leave it out of scores" in why


def test_the_data_page_tells_what_is_odd_about_a_cohort_once(
    own_cache: Path, small_cohort: Path, thin_run: Path
) -> None:
    at = _open("data.py", small_cohort, thin_run)
    assert at.dataframe[0].value["remarks"].str.startswith("Slices lie").all()
    said = [one.value for one in at.markdown if "Slices lie" in one.value]
    assert len(said) == 1
    assert said[0].startswith("- 4 scans (")
    assert any("thin matters for its masks, not for a new training" in c.value for c in at.caption)


def test_the_evaluation_page_names_scans_of_the_training_first(
    own_cache: Path, small_cohort: Path, small_run: Path
) -> None:
    folder = own_cache / "evaluations" / "done"
    folder.mkdir(parents=True)
    row = {"method": "asc-net", "run": "r", "map": "wild", "rule": "otsu", "kind": "mask-free"}
    columns = [*row, "subject", "scan", "side", "scope", "dice", "truth_ml"]
    values = [*row.values(), "a", "", "bright", "subject", "0.8", "1"]
    (folder / "subjects.csv").write_text(f"{','.join(columns)}\n{','.join(values)}\n")
    trained = {"sentence": "r was trained on this image.", "training": True, "scans": ["a"]}
    odd = {"sentence": "It is odd.", "training": False, "scans": ["a", "b"]}
    settings = {"cohort": "c", "side": "bright", "scope": "subject", "post": []}
    summary = {"rows": [row | {"mean_dice": 0.8}], "settings": settings, "remarks": [trained, odd]}
    (folder / "summary.json").write_text(json.dumps(summary))
    at = _open("evaluation.py", small_cohort, small_run)
    choice = next(one for one in at.selectbox if one.label.startswith("Earlier"))
    choice.set_value(folder).run()
    assert not at.exception
    assert [one.value for one in at.info] == ["a: r was trained on this image."]
    assert any(one.value == "- a, b: It is odd." for one in at.markdown)
