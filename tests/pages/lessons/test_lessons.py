"""The lessons: six stops that draw themselves, whose sentences follow their controls."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from pages.parts.lessons.stops import STOPS

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def lessons() -> AppTest:
    return AppTest.from_file(ROOT / "app.py", default_timeout=120)


def open_stop(at: AppTest, number: int) -> AppTest:
    at.query_params["stop"] = str(number)
    at.switch_page("pages/lessons.py").run()
    assert not at.exception
    assert not at.error
    return at


def notice(at: AppTest) -> str:
    return at.info[-1].value


def test_paragraphs_are_short_and_name_the_papers_figure() -> None:
    assert len(STOPS) == 6
    for stop in STOPS:
        assert len(stop.text.split()) <= 90, stop.title
    figures = ("Fig. 3", "Fig. 2", "", "Figs. 9 and 10", "Fig. 12", "Fig. 8")
    assert all(name in stop.text for name, stop in zip(figures, STOPS, strict=True))


def test_each_stop_draws_itself_and_says_what_to_notice(lessons: AppTest) -> None:
    said = set()
    for number, stop in enumerate(STOPS, 1):
        at = open_stop(lessons, number)
        assert at.subheader[0].value == f"{number}. {stop.title}"
        assert any(letter.isdigit() for letter in notice(at))
        said.add(notice(at))
    assert len(said) == len(STOPS)


def test_the_numbers_follow_the_controls(lessons: AppTest) -> None:
    at = open_stop(lessons, 1)
    before = notice(at)
    at.slider(key="lesson level of both").set_value(230).run()
    assert notice(at).startswith("At 230")
    assert notice(at) != before
    at = open_stop(lessons, 4)
    last = notice(at)
    at.select_slider(key="lesson moment demo-flair").set_value(0).run()
    assert "1 separated peak," in notice(at)
    assert notice(at) != last
    at = open_stop(lessons, 5)
    assert "oracle" in notice(at)
    before = notice(at)
    at.slider(key="lesson level for all").set_value(60).run()
    assert "level 60 for all" in notice(at)
    assert notice(at) != before


def test_a_stop_that_does_not_exist_is_the_first(lessons: AppTest) -> None:
    lessons.query_params["stop"] = "9"
    lessons.switch_page("pages/lessons.py").run()
    assert lessons.subheader[0].value.startswith("1. ")


def test_without_the_shipped_runs_the_page_says_what_is_missing(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(places, "RUNS", tmp_path)
    at = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    at.switch_page("pages/lessons.py").run()
    assert not at.exception
    assert "demo-flair-paper" in at.info[0].value
