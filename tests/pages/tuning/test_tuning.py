"""The Tuning page: which study and rater, the form of a new study, what each state says."""

import csv
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import Study, list_studies, new_study
from pages.parts.deciding import decide_package, queue
from pages.parts.shared import state
from pages.parts.tuning import chosen_new

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
    return " ".join(one.value for one in (*page.markdown, *page.error, *page.subheader))


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
