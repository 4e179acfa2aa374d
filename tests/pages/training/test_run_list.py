"""The list of runs: search, tags, and rows that are made again only where a run changed."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.runs.folder import Run
from ascnet_core.runs.manage import write_note
from ascnet_core.runs.tags import read_tags, write_tags
from pages.parts.shared import tables
from pages.parts.watch import live_charts, run_list
from tests import made_up

PAGE = Path(__file__).resolve().parents[3] / "pages" / "training.py"


@pytest.fixture
def page(runs: Path, own_cache: Path) -> AppTest:
    """The page on three runs; two have tags."""
    for name in ("a", "b", "c"):
        made_up.write_run(runs / name, "ms")
    write_tags(runs / "a", ["skull", "lecture"])
    write_tags(runs / "b", ["skull"])
    write_note(runs / "b", "Clean peaks")
    return AppTest.from_file(PAGE, default_timeout=90)


def listed(page: AppTest) -> list[str]:
    assert not page.exception
    return list(page.dataframe[0].value["run"])


def test_a_closed_list_reads_no_run(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_list, "row_of", lambda run: pytest.fail("a run was read"))
    page.run()
    assert not page.exception
    assert not page.dataframe


def test_words_and_tags_leave_the_runs_that_have_them_all(page: AppTest) -> None:
    page.session_state[run_list.OPEN] = True
    page.run()
    assert listed(page) == ["a", "b", "c"]
    tags = next(group for group in page.button_group if group.label == "Tags")
    assert tags.options == ["lecture", "skull"]
    tags.set_value(["skull"])
    page.run()
    assert listed(page) == ["a", "b"]
    field = next(one for one in page.text_input if one.label == "Search")
    field.set_value("PEAKS teaching").run()
    assert listed(page) == ["b"]
    assert any("1 of 3 runs" in caption.value for caption in page.caption)
    next(one for one in page.text_input if one.label == "Search").set_value("nothing").run()
    assert not page.exception
    assert any("take a word or a tag away" in caption.value for caption in page.caption)


def test_tags_are_typed_in_manage(page: AppTest, runs: Path) -> None:
    page.query_params["run"] = "c"
    page.run()
    field = next(one for one in page.multiselect if one.label == "Tags")
    assert field.options == ["lecture", "skull"]
    field.set_value(["lecture"]).run()
    assert not page.exception
    assert read_tags(runs / "c") == ("lecture",)


def test_a_row_is_made_again_only_where_its_run_changed(
    page: AppTest, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, make = [], tables.run_row
    monkeypatch.setattr(tables, "run_row", lambda run: (made.append(run.name), make(run))[1])
    run = Run(runs / "a")
    first = run_list.row_of(run)
    assert run_list.row_of(run) == first
    assert made == ["a"]
    write_tags(run.path, [])
    assert run_list.row_of(run)["tags"] == []
    write_note(run.path, "by now")
    assert run_list.row_of(run)["note"] == "by now"
    assert made == ["a"] * 3


def test_names_of_close_peaks_do_not_lie_over_one_another() -> None:
    peaks = [{"position": level} for level in (12, 153, 171, 240)]
    table = live_charts.histogram_table({"peaks": peaks})
    where = table.loc[[12, 153, 171, 240], "align"].tolist()
    assert where == ["center", "right", "center", "right"]  # the last would run off the chart
    assert not live_charts.histogram_table({})["peak"].any()
