"""The Start page: a picture without torch, links to real views, and what to do without a run."""

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.runs import folder as run_folder
from pages.parts.shared import state
from pages.parts.start import tour

ROOT = Path(__file__).resolve().parents[2]


def test_the_tour_has_five_stops_that_open_what_they_say() -> None:
    assert len(tour.STOPS) == 5
    for stop in tour.STOPS:
        assert (ROOT / stop.page).is_file()
        query = tour.query_of(stop.changes, "demo-flair")
        view, problems = state.from_query(query)
        assert not problems
        assert view.cohort == "demo"
        assert view.run == "demo-flair"
        for name, value in stop.changes.items():
            assert getattr(view, name) == value


def test_a_stop_is_never_an_empty_query() -> None:
    assert tour.query_of({}, "demo-flair") == {"cohort": "demo", "run": "demo-flair"}


def test_the_bar_of_the_tour_says_where_one_is_and_lets_go(own_cache) -> None:
    at = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    for key, value in tour.query_of({}, "demo-flair", 4).items():
        at.query_params[key] = value
    at.switch_page("pages/training.py").run()
    assert not at.exception
    assert any(one.value.startswith("**Tour, 4 of 5") for one in at.markdown)
    at.button(key="tour leave").click().run()
    assert not any(one.value.startswith("**Tour") for one in at.markdown)


def test_the_bar_stands_on_the_pages_of_the_tour_alone(own_cache) -> None:
    at = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    at.query_params["tour"] = "4"
    at.switch_page("pages/data.py").run()
    assert not any(one.value.startswith("**Tour") for one in at.markdown)


@pytest.mark.parametrize("text", [None, "", "0", "6", "-1", "two"])
def test_a_stop_that_does_not_exist_is_none(text: str | None) -> None:
    assert tour.number_of(text) is None


def test_the_tours_last_stop_shows_a_table_at_once(own_cache) -> None:
    at = AppTest.from_file(ROOT / "app.py", default_timeout=120)
    stop = tour.STOPS[-1]
    for key, value in tour.query_of(stop.changes, "demo-flair", 5).items():
        at.query_params[key] = value
    at.switch_page(stop.page).run()
    assert not at.exception
    assert len(at.dataframe) >= 1
    assert any("was made before" in one.value for one in at.caption)


def test_without_a_run_the_page_says_what_to_do(own_cache, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(places, "RUNS", tmp_path)
    monkeypatch.setattr(run_folder.list_runs, "__defaults__", (tmp_path,))
    at = AppTest.from_file(ROOT / "app.py", default_timeout=60).run()
    assert not at.exception
    assert any("teaching preset" in info.value for info in at.info)


def test_the_page_opens_and_is_honest(own_cache) -> None:
    at = AppTest.from_file(ROOT / "app.py", default_timeout=60).run()
    assert not at.exception
    assert not at.error
    texts = " ".join(markdown.value for markdown in at.markdown)
    for word in ("strong baseline", "quantiser", "oracle is no result", "no medical device"):
        assert word.lower() in texts.lower()


@pytest.mark.parametrize("module", ["pages.parts.watch.live_run", "pages.parts.start.tour"])
def test_the_first_picture_needs_no_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit(bool({{'torch', 'scipy'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
