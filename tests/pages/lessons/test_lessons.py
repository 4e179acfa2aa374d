"""The lessons: stops that draw themselves, whose sentences follow their controls."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from pages.parts.lessons import place, presenting
from pages.parts.lessons.stops import STOPS
from pages.parts.shared import late, state
from pages.parts.start import tour

ROOT = Path(__file__).resolve().parents[3]
NUMBERS = {stop.view.__module__.rpartition(".")[2]: n for n, stop in enumerate(STOPS, 1)}
FIGURES = {
    "no_common_gap": "Fig. 3",
    "rebuilding": "Fig. 5",
    "two_cuts": "Fig. 2",
    "one_or_each": "Fig. 12",
    "trading_sides": "Fig. 8",
    "another_seed": "Fig. 9",
    "one_cycle_more": "Fig. 10",
}
"""The paper's figure of each stop that has one."""


@pytest.fixture(scope="module")
def lessons() -> AppTest:
    return AppTest.from_file(ROOT / "app.py", default_timeout=120)


def open_stop(at: AppTest, name: str) -> AppTest:
    at.query_params["stop"] = str(NUMBERS[name])
    at.switch_page("pages/lessons.py").run()
    assert not at.exception
    assert not at.error
    return at


def notice(at: AppTest) -> str:
    return at.info[-1].value


def pictures(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def test_paragraphs_are_short_and_name_the_papers_figure() -> None:
    assert 8 <= len(STOPS) <= 10
    for stop in STOPS:
        assert len(stop.text.split()) <= 90, stop.title
        assert 0 < len(stop.short.split()) <= 30, stop.title
    for name, figure in FIGURES.items():
        assert figure in STOPS[NUMBERS[name] - 1].text


def test_each_stop_draws_itself_and_says_what_to_notice(lessons: AppTest) -> None:
    said = set()
    for name, number in NUMBERS.items():
        at = open_stop(lessons, name)
        assert at.title[0].value == f"{number}. {STOPS[number - 1].title}"
        assert any(letter.isdigit() for letter in notice(at))
        said.add(notice(at))
    assert len(said) == len(STOPS)


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "the_click"])
def test_every_picture_has_a_title_and_a_text_for_who_cannot_see_it(
    lessons: AppTest, name: str
) -> None:
    shown = pictures(open_stop(lessons, name))
    assert shown.count("<img ") == shown.count("<figcaption>") > 0
    assert 'alt=""' not in shown


def test_the_numbers_follow_the_controls(lessons: AppTest) -> None:
    at = open_stop(lessons, "no_common_gap")
    before = notice(at)
    at.slider(key="lesson level of both").set_value(230).run()
    assert notice(at).startswith("At 230")
    assert notice(at) != before
    at = open_stop(lessons, "one_cycle_more")
    last = notice(at)
    at.select_slider(key="lesson moment lgg-flair").set_value(9).run()
    assert "to 0" in notice(at)
    assert notice(at) != last
    at = open_stop(lessons, "one_or_each")
    assert "*Oracle*" in notice(at)
    before = notice(at)
    at.slider(key="lesson level for all FLAIR").set_value(60).run()
    assert "with 60 for all" in notice(at)
    assert notice(at) != before


def test_the_blue_outline_is_named_where_it_is_drawn(lessons: AppTest) -> None:
    for name in NUMBERS:
        said = " ".join(one.value for one in open_stop(lessons, name).caption)
        assert ("Blue outline" in said) == (name != "the_click")


def test_the_click_says_whose_peaks_it_shows_and_what_its_rule_does(lessons: AppTest) -> None:
    said = notice(open_stop(lessons, "the_click"))
    assert "the whole cohort: its 4 peaks" in said
    assert "the lowest place left of the brightest peak" in said


def test_the_healthy_patch_is_named_in_the_slice_that_has_it(lessons: AppTest) -> None:
    for which, named in ((2, True), (1, False)):
        at = open_stop(lessons, "another_seed")
        at.segmented_control(key="lesson rerun slice").set_value(which).run()
        assert any("patch of Seed 2" in one.value for one in at.caption) is named
        at.segmented_control(key="lesson rerun map").set_value("wild").run()
        assert not any("patch of Seed 2" in one.value for one in at.caption)


def test_no_lesson_has_the_title_of_a_stop_of_the_tour() -> None:
    assert not {stop.title for stop in STOPS} & {stop.title for stop in tour.STOPS}


def test_who_clicks_the_peak_is_sent_on_into_the_valley() -> None:
    assert "valley" in STOPS[NUMBERS["the_click"] - 1].short
    assert "valley" in next(one for one in tour.STOPS if one.title == "Click the peak").sentence


def test_real_patients_stand_with_the_words_of_their_licence(lessons: AppTest) -> None:
    for name in ("real_patients", "one_cycle_more"):
        shown = pictures(open_stop(lessons, name))
        assert "CC BY-NC-SA 4.0" in shown
        assert "10.7937/K9/TCIA.2016.L4LTD3TK" in shown
    assert "CC BY-NC-SA" not in pictures(open_stop(lessons, "another_seed"))


def test_a_stop_that_does_not_exist_is_said_and_leads_to_the_first(lessons: AppTest) -> None:
    lessons.query_params["stop"] = "99"
    lessons.switch_page("pages/lessons.py").run()
    assert lessons.error[0].value.startswith("There is no lesson 99")
    assert not lessons.title
    next(one for one in lessons.button if one.label == "Lesson 1").click().run()
    assert lessons.title[0].value.startswith("1. ")


def test_without_the_shipped_runs_the_page_says_what_is_missing(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(places, "RUNS", tmp_path)
    at = AppTest.from_file(ROOT / "app.py", default_timeout=60)
    at.switch_page("pages/lessons.py").run()
    assert not at.exception
    assert "demo-flair-paper" in at.info[0].value


def test_a_message_on_its_way_does_not_turn_the_lesson_back(lessons: AppTest) -> None:
    lessons.query_params["stop"] = "1"
    lessons.switch_page("pages/lessons.py").run()
    next(one for one in lessons.button if one.label == "Next").click().run()
    assert lessons.title[0].value.startswith("2. ")
    lessons.query_params["stop"] = "1"  # what the browser still held
    lessons.run()
    assert lessons.title[0].value.startswith("2. ")


def test_a_page_key_counts_from_the_lesson_on_the_screen_not_from_a_late_link(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = SimpleNamespace(session_state={}, query_params={state.STOP: "3"})
    for module in (place, presenting, late):
        monkeypatch.setattr(module, "st", fake)
    press = [{"number": 1, "move": "next"}]
    fake.session_state[state.LESSON_KEYS] = {"moves": press}
    assert place.number(len(STOPS)) == 3
    presenting._hear(len(STOPS))
    assert fake.query_params[state.STOP] == "4"
    later = time.monotonic() + late.STEP_BEHIND + 1
    monkeypatch.setattr(late.time, "monotonic", lambda: later)
    fake.query_params[state.STOP] = "3"  # what the browser still held, on a slow machine
    press.append({"number": 2, "move": "next"})
    presenting._hear(len(STOPS))
    assert fake.query_params[state.STOP] == "5"
    presenting._hear(len(STOPS))  # heard once
    assert fake.query_params[state.STOP] == "5"
