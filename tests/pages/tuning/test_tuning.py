"""The Tuning page: which study and rater, the form of a new study, what each state says."""

import csv
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import Study, list_studies, new_study
from pages.parts.deciding import decide_package, queue
from pages.parts.shared import access, state
from pages.parts.tuning import chosen_new
from tests.pages.conftest import ALWAYS_OPEN

PAGE = Path(__file__).resolve().parents[3] / "pages" / "tuning.py"


@pytest.fixture
def here(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_cache: Path,
    small_cohort: Path,
    small_run: Path,
) -> Path:
    """A folder with a run and no study."""
    folder = tmp_path / "checkpoints"
    shutil.copytree(small_run, folder / "demo-flair")
    monkeypatch.setattr(places, "RUNS", folder)
    return folder


def opened(**query: object) -> AppTest:
    page = AppTest.from_file(str(PAGE), default_timeout=120)
    for name, value in query.items():
        page.query_params[name] = str(value)
    return page.run()


def text_of(page: AppTest) -> str:
    return " ".join(one.value for one in (*page.markdown, *page.error, *page.header))


def fill(page: AppTest, name: str, manifest: Path) -> AppTest:
    page.session_state[state.OPENED] = [str(manifest)]
    page.run()
    page.text_input(key="new study name").set_value(name)
    page.selectbox(key="new study cohort").set_value(str(manifest))
    page.text_input(key="new study rater").set_value("anna").run()
    return next(one for one in page.button if one.label == "Make the study").click().run()


def test_without_a_study_the_page_says_what_one_is_and_makes_it(
    here: Path, small_cohort: Path, small_run: Path
) -> None:
    page = opened()
    assert not page.exception
    assert "A study is a cohort and a run" in text_of(page)
    fill(page, "first", small_cohort)
    assert not page.exception
    assert not page.error, [e.value for e in page.error]
    (study,) = list_studies()
    assert (study.name, len(study.subjects)) == ("first", 4)
    assert page.selectbox(key="choose study").value == "first"
    assert page.text_input(key="choose rater").value == "anna"


def test_what_is_wrong_is_said_beside_the_button_and_nothing_is_made(
    here: Path, small_cohort: Path, small_run: Path
) -> None:
    for name, said in (("", "no name"), ("..", "cannot name")):
        page = fill(opened(), name, small_cohort)
        assert not page.exception
        assert said in page.error[0].value
    assert list_studies() == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "no name"),
        ({"name": "a b"}, "cannot name"),
        ({"cohort": ""}, "choose both"),
        ({"cohort": "/nowhere/manifest.csv"}, "no such manifest"),
        ({"run": "nothing"}, "nothing"),
        ({"cycle": 7}, "7"),
        ({"rater": "a\nb"}, "cannot name a rater"),
    ],
)
def test_what_cannot_be_a_study_leaves_nothing_behind(
    here: Path, small_cohort: Path, small_run: Path, wrong: dict, said: str
) -> None:
    good = {"name": "new", "cohort": str(small_cohort), "run": "demo-flair", "rater": "anna"}
    with pytest.raises(UserError, match=said):
        chosen_new.make(**({"cycle": None, "flip": False} | good | wrong))
    assert [path.name for path in here.iterdir() if path.name != "demo-flair"] in ([], ["studies"])
    assert list_studies() == []


def test_a_name_that_is_taken_is_said(here: Path, small_cohort: Path, small_run: Path) -> None:
    new_study("first", small_cohort, small_run)
    page = opened()
    fill(page, "first", small_cohort)
    assert any("first" in error.value for error in page.error)
    assert len(list_studies()) == 1


def test_a_study_that_is_not_there_is_said_and_others_can_be_chosen(
    here: Path, small_cohort: Path, small_run: Path
) -> None:
    new_study("first", small_cohort, small_run)
    page = opened(study="gone")
    assert not page.exception
    assert "There is no study 'gone'" in page.error[0].value
    page.selectbox(key="choose study").set_value("first").run()
    assert not page.error, [e.value for e in page.error]


def button(page: AppTest, label: str) -> Button:
    return next(one for one in page.button if one.label == label)


@pytest.mark.parametrize("view", ["decide", "rules", "versus", "agreement", "report"])
def test_a_study_at_a_path_is_asked_about_before_anything_of_it_is_read(
    here: Path, study: Study, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    monkeypatch.setattr(access, "always_open", ALWAYS_OPEN)
    monkeypatch.setattr(access, "listens_to_others", lambda: False)
    new_study("first", *study_files(study))
    (study.path / "study.sqlite").write_bytes(b"would be an error")
    page = opened(study=study.path, view=view)
    assert not page.exception
    assert "This link opens a path" in text_of(page)
    assert not page.error
    button(page, "Choose another study").click().run()
    assert not page.exception
    assert page.selectbox(key="choose study").value == "first"
    page = button(opened(study=study.path, view=view), "Open it").click().run()
    assert "study.sqlite is no study's database" in text_of(page) or "cannot be used" in text_of(
        page
    )


def test_a_plain_name_is_that_of_a_study_of_ours_alone(
    here: Path, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(study.path.parent)
    for name in (study.path.name, "..", "."):
        page = opened(study=name)
        assert not page.exception
        assert f"There is no study {name!r}" in text_of(page)


def test_a_served_app_opens_no_study_elsewhere_and_none_that_names_files_elsewhere(
    here: Path, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "named"
    named.mkdir()
    monkeypatch.setattr(access, "always_open", ALWAYS_OPEN)
    monkeypatch.setenv(places.OPEN_FOLDERS, str(named))
    page = opened(study=study.path)
    assert "is in no folder that this server opens" in text_of(page)
    assert "first" not in text_of(button(page, "Choose another study").click().run())
    inside = new_study(named / "inside", study_files(study)[0], "demo-flair")
    for view in ("decide", "report"):
        page = opened(study=inside.path, view=view)
        assert not page.exception
        assert "names a file outside of the folders" in text_of(page)


def study_files(study: Study) -> tuple[Path, Path]:
    return Path(study.about["manifest"]), Path(study.about["run"])


def test_the_download_holds_the_decisions_of_all_raters_from_the_disk(
    here: Path, study: Study
) -> None:
    for rater in ("anna", "ben"):
        record(study, Decision(rater, study.subjects[0], "reconstruction", "bright", "raw", "", 9))
    page = opened(study=study.path, rater="anna")
    assert not page.exception
    assert [one.proto.label for one in page.get("download_button")] == ["thresholds.csv"]
    with (study.path / "thresholds.csv").open(newline="") as stream:
        assert [row["rater"] for row in csv.DictReader(stream)] == ["anna", "ben"]


def test_blind_and_the_order_are_in_the_address(here: Path, study: Study) -> None:
    page = opened(study=study.path, rater="anna", blind="yes", shuffled="yes")
    assert not page.exception
    assert [page.toggle(key=f"choose {name}").value for name in ("blind", "shuffled")] == [True] * 2


def test_of_many_subjects_few_are_prepared(
    here: Path, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = decide_package.work_of
    monkeypatch.setattr(
        decide_package, "work_of", lambda one: (asked.append(one.subject), real(one))[1]
    )
    many = [*study.subjects, *(f"S{number}" for number in range(500))]
    monkeypatch.setattr(queue, "in_order", lambda *_: many)
    page = opened(study=study.path, rater="anna")
    assert not page.exception
    assert asked == list(study.subjects[:3])


@pytest.mark.parametrize("gone", ["run", "scan", "study"])
def test_what_is_taken_away_while_one_decides_is_said_in_a_sentence(
    here: Path, small_cohort: Path, small_run: Path, tmp_path: Path, gone: str
) -> None:
    cohort = tmp_path / "cohort"
    shutil.copytree(small_cohort.parent, cohort)
    study = new_study("first", cohort / "manifest.csv", "demo-flair")
    page = opened(study="first", rater="anna")
    assert not page.exception
    assert not page.error, [e.value for e in page.error]
    {"run": here / "demo-flair", "scan": cohort, "study": study.path}[gone].rename(
        tmp_path / "moved"
    )
    st.cache_resource.clear()
    page.run()
    assert not page.exception
    said = {"run": "no run 'demo-flair'", "scan": "is not there", "study": "no study 'first'"}
    assert said[gone] in text_of(page)


def test_a_subject_that_cannot_be_read_can_still_be_left_out(here: Path, study: Study) -> None:
    image = study.cohort().scans[0].image
    kept = image.read_bytes()
    try:
        image.write_bytes(b"damaged")
        page = opened(study=study.path, rater="anna", subject=study.subjects[0])
        assert not page.exception
        assert not page.error, [e.value for e in page.error]
    finally:
        image.write_bytes(kept)


def test_the_rater_is_the_same_on_threshold_and_here(here: Path, study: Study) -> None:
    page = AppTest.from_file(str(PAGE), default_timeout=120)
    view = state.View(cohort="/scans", run="mine", rater="anna")
    page.session_state[state.VIEW] = view
    page.query_params["study"] = str(study.path)
    page.run()
    assert page.text_input(key="choose rater").value == "anna"
    page.text_input(key="choose rater").set_value("ben").run()
    assert page.query_params["rater"] == "ben"
    page.run()
    kept = page.session_state[state.VIEW]
    assert (kept.cohort, kept.run, kept.scan, kept.rater) == ("/scans", "mine", "", "ben")


def test_whoever_accepted_on_threshold_under_the_login_name_goes_on_here(
    here: Path, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "carla")
    page = AppTest.from_file(str(PAGE), default_timeout=120)
    page.query_params["study"] = str(study.path)
    page.run()
    assert page.text_input(key="choose rater").value == ""
    page.session_state[state.ARRIVED] = None
    page.run()
    assert page.text_input(key="choose rater").value == "carla"
