"""Note, rename, export, delete and import on the Training page."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.runs.export import export_run, read_contents
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from ascnet_core.runs.manage import read_note, write_note
from ascnet_core.runs.tags import read_tags, write_tags
from pages.parts.shared import state, tables
from pages.parts.watch import live_run, manage, run_list
from tests.made_up import write_run

PAGE = Path(__file__).resolve().parents[3] / "pages" / "training.py"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs, `b` in the middle."""
    folder = tmp_path / "runs"
    for name in ("a", "b", "c"):
        write_run(folder / name, "ms")
    monkeypatch.setattr(places, "RUNS", folder)
    return folder


@pytest.fixture
def page(own_cache, runs: Path, small_cohort: Path) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(small_cohort)
    at.query_params["run"] = "b"
    return at


def names(runs: Path) -> list[str]:
    return sorted(path.name for path in runs.iterdir())


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception


def test_a_note_is_saved_on_leaving_and_its_first_line_is_in_the_list(page, runs) -> None:
    page.session_state[run_list.OPEN] = True
    page.run()
    page.text_area[0].set_value("Clean peaks\nmore of it").run()
    assert not page.exception
    assert read_note(runs / "b") == "Clean peaks\nmore of it"
    rows = page.dataframe[0].value
    assert rows.set_index("run")["note"].to_dict() == {"a": "", "b": "Clean peaks", "c": ""}
    write_note(runs / "b", "by someone else")
    page.run()
    assert page.text_area[0].value == "by someone else"
    page.text_area[0].set_value("").run()
    assert not (runs / "b" / "note.md").exists()


def test_a_note_that_is_left_by_a_click_is_saved_and_the_click_heard(page, runs) -> None:
    page.run()
    field = page.text_area[0].key
    page.text_area[0].set_value("Away with it")
    press(page, "Delete this run")
    assert read_note(runs / "b") == "Away with it"
    assert any("for good" in markdown.value for markdown in page.markdown)
    assert page.text_area[0].key == field  # one's own text stays in its field


def test_a_note_is_not_written_over_one_that_was_never_on_the_page(page, runs) -> None:
    write_note(runs / "b", "old")
    page.run()
    write_note(runs / "b", "theirs")
    page.text_area[0].set_value("mine").run()
    assert not page.exception
    assert read_note(runs / "b") == "theirs"
    assert "changed elsewhere meanwhile; it reads: “theirs”" in page.error[0].value
    page.run()
    assert page.error  # until it is settled
    assert page.text_area[0].value == "mine"
    page.text_area[0].set_value("mine and theirs").run()
    assert read_note(runs / "b") == "mine and theirs"
    assert not page.error


def test_a_changed_tag_leaves_those_that_others_gave_meanwhile(page, runs) -> None:
    write_tags(runs / "b", ["one", "two"])
    page.run()
    write_tags(runs / "b", ["one", "two", "theirs"])
    page.multiselect(key=f"tags one/two of {runs / 'b'}").set_value(["two", "mine"]).run()
    assert not page.exception
    assert read_tags(runs / "b") == ("mine", "theirs", "two")


def test_a_note_of_a_run_that_is_gone_makes_no_folder(page, runs, tmp_path) -> None:
    page.run()
    (runs / "b").rename(tmp_path / "elsewhere")
    page.text_area[0].set_value("late").run()
    assert not page.exception
    assert names(runs) == ["a", "c"]


def test_a_renamed_run_stays_on_the_screen_with_its_view(page, runs) -> None:
    page.query_params["map"] = "wild"
    page.run()
    page.text_input(key=f"new name of {runs / 'b'}").set_value("z").run()
    press(page, "Rename")
    assert names(runs) == ["a", "c", "z"]
    assert page.session_state["view"].run == "z"
    assert page.session_state["view"].map == "wild"
    assert any("z · preset" in markdown.value for markdown in page.markdown)


def test_a_name_that_is_taken_is_the_cores_sentence(page, runs) -> None:
    page.run()
    page.text_input(key=f"new name of {runs / 'b'}").set_value("c").run()
    press(page, "Rename")
    assert [error.value for error in page.error] == [
        f"{runs / 'c'} is there already; choose another name."
    ]
    assert names(runs) == ["a", "b", "c"]


def test_deleting_asks_first_naming_run_and_size(page, runs) -> None:
    write_note(runs / "b", "worth keeping?")
    page.run()
    press(page, "Delete this run")
    (question,) = [m.value for m in page.markdown if "for good" in m.value]
    assert question.startswith("**b**, ")
    assert "kB in 9 files" in question
    assert any(text.value == "worth keeping?" for text in page.text)
    assert names(runs) == ["a", "b", "c"]
    press(page, "Keep it")
    assert names(runs) == ["a", "b", "c"]
    assert not any("for good" in markdown.value for markdown in page.markdown)


@pytest.mark.parametrize(("run", "then"), [("a", "b"), ("b", "c"), ("c", "b")])
def test_the_next_of_the_list_follows_a_deleted_run(runs, run, then) -> None:
    assert manage.follower_of(Run(runs / run)) == then


def test_without_another_run_the_default_follows(runs, tmp_path) -> None:
    elsewhere = write_run(tmp_path / "elsewhere" / "b", "m")
    assert manage.follower_of(Run(elsewhere)) == "demo-flair"
    for name in "ac":
        (runs / name).rename(tmp_path / name)
    assert manage.follower_of(Run(runs / "b")) == "demo-flair"


def test_after_a_deletion_the_next_run_is_shown_and_nothing_is_kept_of_it(page, runs) -> None:
    page.run()
    assert str(runs / "b" / "events.jsonl") in page.session_state[live_run.READ]
    press(page, "Delete this run")
    press(page, "Delete")
    assert names(runs) == ["a", "c"]
    assert page.session_state["view"].run == "c"
    assert any("c · preset" in markdown.value for markdown in page.markdown)
    assert str(runs / "b" / "events.jsonl") not in page.session_state[live_run.READ]


def test_without_runs_the_page_offers_an_import(page, runs, tmp_path) -> None:
    for name in "abc":
        (runs / name).rename(tmp_path / name)
    page.session_state[state.TRAINING_VIEW] = "Runs"
    page.run()
    assert not page.exception
    assert "import one" in page.info[0].value
    assert len(page.file_uploader) == 1


@pytest.mark.parametrize("why", ["trained", "shipped"])
def test_what_must_stay_says_why_and_offers_nothing(page, runs, why) -> None:
    if why == "shipped":
        (runs / "b").rename(runs / "lgg-flair")
        page.query_params["run"] = "lgg-flair"
        page.run()
    else:
        with hold_lock(runs / "b"):
            page.run()
    assert not page.exception
    disabled = {button.label for button in page.button if button.disabled}
    assert {"Rename", "Delete this run"} <= disabled
    said = "comes with the project" if why == "shipped" else "stop it before you delete it"
    assert any(said in caption.value for caption in page.caption)


def test_an_export_is_made_on_demand_with_what_is_asked_for(page, runs, tmp_path) -> None:
    (runs / "b" / "training.safetensors").write_bytes(b"x" * 5000)
    (runs / "b" / "snapshots" / "001-s1-c1" / "model.safetensors").write_bytes(b"x" * 7000)
    page.run()
    labels = [box.label for box in page.checkbox]
    assert labels == [
        "With what going on needs, 5.0 kB",
        "With the networks of kept cycles, 7.0 kB",
    ]
    (tmp_path / "f.zip").write_bytes(manage.file_of(runs / "b", True, False))
    contents = read_contents(tmp_path / "f.zip")
    assert places.TRAINING in contents.members
    assert not any(name.endswith("c1/model.safetensors") for name in contents.members)


def test_the_list_of_runs_has_the_first_line_of_the_note(runs) -> None:
    write_note(runs / "a", "# Best so far\n\nsecond")
    assert tables.run_row(Run(runs / "a"))["note"] == "Best so far"


def test_an_imported_run_is_shown_under_the_name_that_was_chosen(page, runs, tmp_path) -> None:
    export_run(runs / "b", tmp_path / "b.zip")
    page.session_state[run_list.OPEN] = True
    page.run()
    page.file_uploader[0].set_value(
        ("b.zip", (tmp_path / "b.zip").read_bytes(), "application/zip")
    ).run()
    assert not page.exception
    name = page.text_input(key="name of import 0")
    assert name.value == "b-2"
    name.set_value("a").run()
    press(page, "Import")
    assert [error.value for error in page.error] == [
        f"{runs / 'a'} is there already; choose another name."
    ]
    page.text_input(key="name of import 0").set_value("from-anna").run()
    press(page, "Import")
    assert names(runs) == ["a", "b", "c", "from-anna"]
    assert page.session_state["view"].run == "from-anna"


def test_an_upload_that_is_no_run_is_the_cores_sentence(page) -> None:
    page.session_state[run_list.OPEN] = True
    page.run()
    page.file_uploader[0].set_value(("x.zip", b"nothing", "application/zip")).run()
    assert not page.exception
    assert any("x.zip is no exported run" in error.value for error in page.error)
