"""Decisions of the Threshold page: kept in a study, seen again by whoever comes to the subject."""

import csv
import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.studies.decisions import Decision, history, holding, record
from ascnet_core.studies.folder import Study, find_study, list_studies, new_study
from pages.parts.shared import cohorts, state
from pages.parts.studies import keeping
from tests.pages.threshold.conftest import accept, acceptance, sent, tell, view_of

OpenPage = Callable[..., AppTest]


def the_study() -> Study:
    (study,) = list_studies()
    return study


def go(app: AppTest, step: int = 1) -> None:
    tell(app, {"step": step})


def test_accept_writes_into_a_study_that_outlives_the_session(
    open_page: OpenPage, studies: Path
) -> None:
    app = open_page()
    assert list_studies() == []
    assert app.get("download_button")[1].proto.disabled
    assert accept(app, t=123, rule="")["accepted"] == "Accepted at 123 · 1 in all"
    (entry,) = holding(the_study())
    decision = entry.decided
    assert (decision.level, decision.rule, decision.map) == (123, "123", "input")
    assert (decision.subject, decision.scan) == (view_of(app).scan, view_of(app).scan)
    assert decision.seconds is not None
    assert (the_study().path / "thresholds.csv").is_file()
    assert the_study().path.parent == studies

    again = sent(open_page())  # a second tab, or the first after a reload
    assert again["live"]["t"] == 123
    assert again["accepted"] == "Accepted at 123 · 1 in all"
    assert again["hintKind"] == "accepted"


def test_nothing_is_accepted_of_files_that_were_not_on_the_screen(
    open_page: OpenPage, studies: Path
) -> None:
    app = open_page()
    view = view_of(app)
    image = cohorts.find_scan(cohorts.load_cohort(view.cohort), view.scan).image
    time = image.stat()
    try:
        os.utime(image, ns=(time.st_atime_ns, time.st_mtime_ns + 10**9))
        accept(app, t=123, rule="")
        assert any("have changed since they were on the screen" in one.value for one in app.error)
        assert list_studies() == []
        accept(app, t=123, rule="")  # what is on the screen now
        assert len(history(the_study())) == 1
    finally:
        os.utime(image, ns=(time.st_atime_ns, time.st_mtime_ns))


def test_a_proposal_that_is_accepted_names_its_rule(open_page: OpenPage) -> None:
    app = open_page(scope="cohort")
    accept(app)
    decision = holding(the_study())[0].decided
    assert (decision.rule, decision.scope) == ("otsu", "cohort")
    go(app)
    go(app, -1)
    assert sent(app)["live"]["rule"] == ""
    accept(app)  # the very same again
    assert [entry.decided.rule for entry in history(the_study())] == ["otsu", "otsu"]


def test_every_subject_comes_back_with_its_own_decision(open_page: OpenPage) -> None:
    app = open_page(scope="cohort")
    first = view_of(app).scan
    proposed = sent(app)["live"]
    accept(app, t=90, rule="")
    go(app)
    assert sent(app)["live"] == proposed  # of the cohort; nothing by hand
    accept(app, t=200, side="dark", rule="")
    go(app, -1)
    assert view_of(app).scan == first
    assert (sent(app)["live"]["t"], sent(app)["live"]["side"]) == (90, "bright")
    accept(app)  # Enter changes nothing that was decided
    assert {entry.decided.level for entry in holding(the_study())} == {90, 200}


def test_what_a_decision_brings_along_goes_with_its_subject(open_page: OpenPage) -> None:
    app = open_page(scope="subject")
    study = new_study("one", Path(view_of(app).cohort), view_of(app).run)
    scan = sorted(study.subjects)[2]
    record(study, Decision(keeping.rater_of(view_of(app)), scan, "wild", "dark", "raw", "7", 7,
                           post=("open:3",)))  # fmt: skip
    app.run()
    app.sidebar.selectbox(key=state.widget("scan")).set_value(scan).run()
    data = sent(app)
    assert (data["map"], data["live"]["t"], data["live"]["side"]) == ("wild", 7, "dark")
    assert data["steps"] == "open:3"
    go(app)
    data = sent(app)
    assert (data["map"], data["live"]["side"], data["steps"]) == ("input", "bright", "")
    assert data["live"]["rule"] == "otsu"


def test_a_rule_that_is_chosen_on_a_decided_subject_is_shown(open_page: OpenPage) -> None:
    app = open_page()
    accept(app, t=33, rule="")
    app.selectbox(key=state.widget("rule")).set_value("multi-otsu:3").run()
    assert sent(app)["live"]["rule"] == "multi-otsu:3"
    assert sent(app)["accepted"] == "Accepted at 33 · 1 in all"
    link = {"rule": "multi-otsu:3"}
    assert sent(open_page(**link))["live"]["rule"] == "multi-otsu:3"


def test_an_act_counts_for_what_was_on_the_screen(open_page: OpenPage) -> None:
    app = open_page()
    first = view_of(app).scan
    late = acceptance(app, t=77, rule="")
    go(app)
    assert view_of(app).scan != first
    tell(app, late)
    (entry,) = holding(the_study())
    assert (entry.subject, entry.decided.level) == (first, 77)
    assert view_of(app).t is None


def test_what_is_told_twice_is_done_once(open_page: OpenPage) -> None:
    app = open_page()
    names = app.sidebar.selectbox(key=state.widget("scan")).options
    at = names.index(view_of(app).scan)
    data, act = sent(app), acceptance(app)
    acts = [{"seq": 1} | act, {"seq": 2, "step": 1}, {"seq": 3, "step": 1}]
    told = {"key": data["key"], "cursor": data["cursor"], **data["live"]}
    for number in (2, 3, 3):
        app.session_state[state.TOLD] = told | {"seq": number, "acts": acts[:number]}
        app.run()
    assert len(history(the_study())) == 1
    assert view_of(app).scan == names[(at + 2) % len(names)]
    assert sent(app)["seq"] == 3
    again = open_page()  # a server that was started anew has heard nothing
    tell(again, act)
    assert len(history(the_study())) == 1


def test_four_steps_in_one_breath_are_four(open_page: OpenPage) -> None:
    app = open_page()
    before = view_of(app).scan
    tell(app, *[{"step": 1}] * 4)
    assert view_of(app).scan == before  # of four subjects
    tell(app, *[{"step": 1}] * 3)
    assert view_of(app).scan != before


def test_the_csv_is_made_from_the_disk(open_page: OpenPage) -> None:
    app = open_page()
    accept(app, t=10, rule="")
    go(app)
    accept(app, t=20, rule="")
    other = open_page(subject=view_of(app).scan)
    kept = keeping.kept(replace(view_of(other), cycle=None))
    assert kept.study is not None
    rows = list(csv.DictReader(io.StringIO(keeping.thresholds_csv(kept.study))))
    assert sorted(row["level"] for row in rows) == ["10", "20"]
    assert not other.get("download_button")[1].proto.disabled


def test_another_rater_sees_and_keeps_their_own(open_page: OpenPage) -> None:
    app = open_page(rater="anna")
    accept(app, t=10, rule="")
    other = open_page(rater="ben")
    assert sent(other)["live"]["rule"] == "otsu"
    assert sent(other)["accepted"] == ""
    accept(other, t=20, rule="")
    assert {(e.rater, e.decided.level) for e in holding(the_study())} == {("anna", 10), ("ben", 20)}
    other.text_input(key=state.widget("rater")).set_value("anna").run()
    assert sent(other)["live"]["t"] == 10


def test_a_further_study_is_made_on_request(open_page: OpenPage) -> None:
    app = open_page()
    accept(app, t=10, rule="")
    first = the_study().name
    app.selectbox(key=state.widget("study")).set_value(keeping.NEW).run()
    assert sent(app)["accepted"] == ""
    app.text_input(key=state.NEW_STUDY).set_value("second-pass").run()
    accept(app, t=20, rule="")
    assert view_of(app).study == "second-pass"
    assert [e.decided.level for e in holding(find_study(first))] == [10]
    assert [e.decided.level for e in holding(find_study("second-pass"))] == [20]
    accept(app, t=30, rule="")
    assert len(list_studies()) == 2


def test_a_study_of_something_else_is_said_and_not_used(
    open_page: OpenPage, studies: Path, small_cohort: Path, small_run: Path
) -> None:
    new_study("mirrored", small_cohort, small_run, flip=True)
    app = open_page(study="mirrored")
    assert view_of(app).study == ""
    assert "mirrored" in app.toast[0].value
    accept(app)
    assert len(holding(find_study("mirrored"))) == 0


def test_what_cannot_be_kept_is_said_and_nothing_goes_on(
    open_page: OpenPage, studies: Path
) -> None:
    app = open_page()
    before = view_of(app).scan
    studies.parent.mkdir()
    studies.write_text("a file where the folder of studies should be")
    tell(app, acceptance(app), {"step": 1})
    assert len(app.error) == 1
    assert "studies" in app.error[0].value
    assert view_of(app).scan == before
    assert sent(app)["accepted"] == ""
    studies.unlink()
    accept(app)
    assert len(app.error) == 0
    assert sent(app)["accepted"].endswith("1 in all")


@pytest.mark.parametrize("shown", [True, False])
def test_a_decision_says_what_was_on_the_screen(open_page: OpenPage, shown: bool) -> None:
    app = open_page(blind="no" if shown else "yes")
    act = acceptance(app) | {"truth_shown": shown, "dice_shown": shown, "blind": not shown}
    tell(app, act)
    decision = holding(the_study())[0].decided
    assert (decision.truth_shown, decision.dice_shown) == (shown, shown)
    assert decision.blind is not shown


def test_flag_and_note_of_a_decision_stay_when_its_level_moves(open_page: OpenPage) -> None:
    app = open_page()
    accept(app, t=10, rule="")
    (entry,) = holding(the_study())
    record(the_study(), replace(entry.decided, flag="doubtful", note="faint", rating=2))
    accept(app, t=10, rule="")
    held = holding(the_study())[0].decided
    assert (held.flag, held.note, held.rating) == ("doubtful", "faint", 2)
    accept(app, t=11, rule="")
    held = holding(the_study())[0].decided
    assert (held.level, held.flag, held.note, held.rating) == (11, "doubtful", "faint", None)
