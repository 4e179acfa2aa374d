"""The views Agreement and Report, and the masks in one file: what they show, make and hide."""

import json
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.cli import main
from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import Study, new_study
from pages.parts.shared import jobs
from tests.small import make_small_cohort, make_small_run

PAGE = Path(__file__).resolve().parents[3] / "pages" / "tuning.py"


@pytest.fixture
def study(tmp_path, own_cache, monkeypatch) -> Study:
    """Four subjects; jobs are done in this process, at once."""
    monkeypatch.setattr(places, "RUNS", tmp_path / "runs")
    cohort = make_small_cohort(tmp_path / "cohort")
    run = make_small_run(tmp_path / "runs" / "small", cohort)

    def start(verb: str, arguments: list[str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        main(jobs.words(verb, arguments, folder))

    monkeypatch.setattr(jobs, "start", start)
    return new_study(tmp_path / "ms", cohort, run)


def decide(study: Study, rater: str, *levels: int | None, **more: object) -> None:
    for subject, level in zip(study.subjects, levels, strict=False):
        flag = "exclude" if level is None else "fine"
        how = (subject, "reconstruction", "bright", "raw", "", level)
        record(study, Decision(rater, *how, flag=flag, **more))


def show(study: Study, view: str, **query: str) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=60)
    for name, value in {"study": str(study.path), "view": view, **query}.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def press(page: AppTest, label: str) -> AppTest:
    (button,) = [one for one in page.button if one.label == label]
    button.click().run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    return "\n".join(one.value for kind in (page.markdown, page.info, page.error) for one in kind)


def test_agreement_needs_two_raters(study):
    decide(study, "anna", 100)
    assert "needs the decisions of two raters" in said(show(study, "agreement", rater="anna"))
    decide(study, "ben", None, 100)
    page = show(study, "agreement", rater="anna")
    assert "No two levels can be compared" in said(page)


def test_raters_whose_names_look_like_options_are_compared(study):
    decide(study, "-o", 100, 100)
    decide(study, "--help", 101, 103)
    page = press(show(study, "agreement", rater="-o"), "Compare their masks")
    assert "| volumes | 2 |" in said(page)
    press(show(study, "report", rater="--help"), "Make masks (ZIP)")


def test_levels_are_compared_at_once_and_masks_on_request(study):
    decide(study, "anna", 100, 100, 100)
    decide(study, "ben", 102, 110, 106)
    page = show(study, "agreement", rater="anna")
    assert "| levels | 3 | +6.00 ± 9.94 |" in said(page)
    assert list(page.dataframe[0].value["subject"]) == [study.subjects[n] for n in (1, 2, 0)]
    assert "Dice between them" not in page.dataframe[0].value
    page = press(page, "Compare their masks")
    assert "| volumes | 3 |" in said(page)
    table = page.dataframe[0].value
    assert table["Dice between them"].between(0, 1).all()
    assert list(table["Dice between them"]) == sorted(table["Dice between them"])
    # another decision: what the masks said before is not shown
    decide(study, "ben", 100)
    page.run()
    assert "| volumes |" not in said(page)


def test_agreement_leaves_out_what_a_blind_rater_has_not_decided(study):
    decide(study, "anna", 100, 100, 100)
    decide(study, "ben", 102, 110, 106)
    decide(study, "carl", 99)
    query = {"rater": "carl", "first": "anna", "second": "ben"}
    assert len(show(study, "agreement", **query).dataframe[0].value) == 3
    page = show(study, "agreement", **query, blind="yes")
    assert list(page.dataframe[0].value["subject"]) == [study.subjects[0]]
    assert "2 subjects that you have not decided yet are left out" in said(page)
    nobody = show(study, "agreement", **query | {"rater": ""}, blind="yes")
    assert not nobody.dataframe


def test_the_report_is_made_and_offered(study):
    assert "Nothing is decided yet" in said(show(study, "report"))
    decide(study, "anna", 100, None)
    page = show(study, "report", rater="anna")
    assert "| anna | 2 of 4 | 2 | 0 | 1 | 0 |" in said(page)
    page = press(page, "Make the report")
    (made,) = (places.cache_folder() / "studies").glob("*/report/*/report.html")
    assert "data:image/png" in made.read_text()
    assert any(one.label.startswith("Download the report") for one in page.get("download_button"))


def test_a_blind_rater_gets_a_report_without_the_others(study):
    decide(study, "anna", 100, 100)
    decide(study, "ben", 102)
    page = press(show(study, "report", rater="ben", blind="yes"), "Make the report")
    assert "others' levels are left out" in said(page)
    (made,) = (places.cache_folder() / "studies").glob("*/report/*/report.html")
    assert "anna" not in made.read_text()
    page = show(study, "report", rater="carl", blind="yes")
    assert "Make the report" not in [one.label for one in page.button]


def test_masks_come_as_one_file_of_the_decisions_that_hold_now(study):
    page = show(study, "report", rater="anna")
    decide(study, "ben", 100)
    page = show(study, "report", rater="anna")
    assert press(page, "Make masks (ZIP)").toast[0].value == "Nothing is decided yet by this rater."
    decide(study, "anna", 100, 90)
    page = press(page, "Make masks (ZIP)")  # drawn before there was a decision
    folder = places.cache_folder() / "studies"
    (first,) = folder.glob("*/masks/*/masks.zip")
    with zipfile.ZipFile(first) as packed:
        assert json.loads(packed.read("segmentation.json"))["rater"] == "anna"
    assert any(one.label.startswith("Download masks") for one in page.get("download_button"))
    decide(study, "anna", 80)
    page = press(show(study, "report", rater="anna"), "Make masks (ZIP)")
    (second,) = folder.glob("*/masks/*/masks.zip")
    assert second != first
