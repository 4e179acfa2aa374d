"""A link to what is not there: a sentence and the way on, never another view under that name."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import state
from tests.pages.drawn import components

PAGES = Path(__file__).resolve().parents[3] / "pages"
pytestmark = pytest.mark.usefixtures("own_cache")


def open_page(page: str, **query: str) -> AppTest:
    at = AppTest.from_file(PAGES / page, default_timeout=120)
    for key, value in query.items():
        at.query_params[key] = value
    at.run()
    assert not at.exception
    return at


def click(at: AppTest, label: str) -> None:
    next(one for one in at.button if one.label == label).click()
    at.run()
    assert not at.exception
    assert not at.error


@pytest.mark.parametrize("page", ["threshold.py", "cuts.py", "evaluation.py", "training.py"])
def test_a_run_that_is_not_there(page: str, small_cohort: Path) -> None:
    at = open_page(page, run="nope", cohort=str(small_cohort))
    assert [one.value[:24] for one in at.error] == ["There is no run 'nope'; "]
    assert not components(at)
    assert not at.get("plotly_chart")
    click(at, "Run demo-flair")
    assert at.session_state[state.VIEW].run == "demo-flair"


def test_a_subject_that_is_not_there_offers_the_first_and_those_of_like_names(
    small_cohort: Path, small_run: Path
) -> None:
    at = open_page("cuts.py", cohort=str(small_cohort), run=str(small_run), subject="demo0-0003")
    assert at.error[0].value.startswith("demo0-0003: no such subject")
    assert not components(at)
    offered = [one.label for one in at.button]
    assert offered[0] == "demo0-002"
    assert "demo0-003" in offered
    click(at, "demo0-003")
    assert at.session_state[state.VIEW].scan == "demo0-003"


def test_a_cycle_that_was_not_kept(small_cohort: Path, small_run: Path) -> None:
    at = open_page("cuts.py", cohort=str(small_cohort), run=str(small_run), cycle="99")
    assert "kept no network of cycle 99" in at.error[0].value
    click(at, "Finished model")


def test_a_lesson_that_is_not_there() -> None:
    at = open_page("lessons.py", stop="99")
    assert at.error[0].value.startswith("There is no lesson 99; they are numbered from 1 to ")
    assert not at.title
    click(at, "Lesson 1")
    assert at.title[0].value.startswith("1. ")


def test_a_study_that_is_not_there() -> None:
    at = open_page("tuning.py", study="nope")
    assert len(at.error) == 1
    assert at.error[0].value.startswith("There is no study 'nope'")


def test_a_subject_that_is_not_in_the_study(study) -> None:
    at = open_page("tuning.py", study=str(study.path), rater="anna", subject="nobody")
    assert at.error[0].value.startswith("nobody: no such subject in study study")
    assert [one.label for one in at.button if one.label.startswith("demo0")]
