"""The head of a run: what its buttons open, and that a live page keeps its places."""

import json
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from ascnet_core.training.checkpoint import load_model, save_model
from pages.parts.shared import state
from pages.parts.watch import board
from tests import made_up

PAGE = Path(__file__).resolve().parents[3] / "pages" / "training.py"
pytestmark = pytest.mark.usefixtures("own_cache")


def keep_network(run: Run, small_run: Path, index: int, as_result: bool = False) -> None:
    """Give a snapshot, or the run itself, a network that was saved at that snapshot."""
    model, settings = load_model(small_run)
    snapshot = run.snapshots()[index]
    folder = run.path if as_result else snapshot.path
    save_model(folder / "model.safetensors", model, settings, {"step": snapshot.step})


def say(run: Run, kind: str) -> None:
    with (run.path / "events.jsonl").open("a") as events:
        events.write(json.dumps({"kind": kind, "step": 1}) + "\n")


@pytest.fixture
def run(runs: Path) -> Run:
    """A finished run of two cycles that has no network yet."""
    return Run(made_up.write_run(runs / "live", "ms"))


@pytest.fixture
def page(run: Run, small_cohort: Path) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(small_cohort)
    at.query_params["run"] = run.name
    return at


def test_the_moment_shown_is_what_opens(run: Run, small_run: Path) -> None:
    start, first, second = run.snapshots()
    assert board.what_opens(run, None)[0] == board.NOTHING
    assert board.what_opens(run, second)[0] == board.NOTHING
    keep_network(run, small_run, 1)
    assert board.what_opens(run, first)[0] == 1
    keep_network(run, small_run, 2, as_result=True)
    assert board.what_opens(run, first)[0] == 1
    assert board.what_opens(run, second)[0] is None
    cycle, about = board.what_opens(run, start)
    assert cycle is None
    assert about == ("Opens the run's result, stage 1, cycle 2; the moment shown keeps no network.")


def test_a_result_that_training_may_replace_is_opened_by_its_cycle(
    run: Run, small_run: Path
) -> None:
    keep_network(run, small_run, 2)
    keep_network(run, small_run, 2, as_result=True)
    newest = run.snapshots()[-1]
    assert board.what_opens(run, newest)[0] is None
    say(run, "stop")
    assert board.what_opens(run, newest)[0] == 2


def test_the_films_menu_follows_the_newest_cycle(page: AppTest, run: Run, small_run: Path) -> None:
    keep_network(run, small_run, 1)
    page.run()
    menu = next(one for one in page.selectbox if one.label.startswith("Open a cycle"))
    assert menu.value == 1
    keep_network(run, small_run, 2)
    page.run()
    menu = next(one for one in page.selectbox if one.label.startswith("Open a cycle"))
    assert menu.value == 2


def test_nothing_moves_when_a_training_ends(page: AppTest, run: Run, small_run: Path) -> None:
    """A fragment is known by its place: a click that is on its way finds it only there."""
    keep_network(run, small_run, 2)

    def places() -> dict[str, list[int]]:
        menu = next(one for one in page.selectbox if one.label.startswith("Open a cycle"))
        return {"Manage": way_to(page.main, page.text_area[0]), "film": way_to(page.main, menu)}

    with hold_lock(run.path):
        page.run()
        trains = places()
        assert all(trains.values())
        say(run, "pause")
        page.run()
        assert places() == trains
    say(run, "stop")
    page.run()
    assert places() == trains


def way_to(block: Any, wanted: object) -> list[int]:
    """Indices of the blocks that lead to the one that holds an element; empty if none does."""
    for index, child in block.children.items():
        if child is wanted:
            return [-1]
        if hasattr(child, "children") and (found := way_to(child, wanted)):
            return [index, *found]
    return []


def test_after_a_start_a_reload_gives_back_the_run_and_not_the_form(page: AppTest) -> None:
    """The browser's tab was told of the view before, and a reload during training showed that."""

    def view_in_the_tab() -> str:
        (tab,) = (one for one in page.get("bidi_component") if one.key.endswith("in the tab"))
        return json.loads(json.loads(tab.proto.json)["kept"])["view"]

    page.session_state[state.TRAINING_VIEW] = "New run"
    page.run()
    page.run()
    assert view_in_the_tab() == "New run"
    page.session_state[state.TRAINING_VIEW] = "Runs"  # as a start does
    page.run()
    assert page.session_state["training view"] == "Runs"
    assert view_in_the_tab() == "Runs"


def test_the_last_line_of_a_died_runs_log_is_quoted(page: AppTest, run: Run) -> None:
    say(run, "step")
    page.run()
    assert "Its log is empty. Go on from" in page.error[0].value
    (run.path / "log.txt").write_text("01:34:29 step 120: paused\n")
    page.run()
    (told,) = [error.value for error in page.error]
    assert "The last line of its log: “01:34:29 step 120: paused”. Go on from its last" in told
