"""What was accepted stays, whoever else writes and whatever happens."""

import csv
import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from ascnet_core.errors import UserError
from ascnet_core.studies.database import DATABASE
from ascnet_core.studies.decisions import Decision, decisions_of, history, holding, record, undo
from ascnet_core.studies.folder import Study
from tests.unit.studies.deciding import decide, decide_often, decision, process


def levels(study: Study, rater: str = "anna") -> dict[str, int | None]:
    return {name: one.decision.level for name, one in decisions_of(study, rater).items()}


def table(study: Study) -> list[dict[str, str]]:
    with (study.path / "thresholds.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_decision_comes_back_as_it_was_made(study):
    made = decision(
        "P1", 90, upper=140, rule="otsu", scope="cohort", post=("components:20", "median:3"),
        flag="flipped", rating=4, note="dark\r\nrim; \"odd\", µ", seconds=7.25, scan="P1",
        truth_shown=True, dice_shown=True, blind=True,
        pieces=[{"scan": "P1", "voxel": [1, 2, 3], "act": "drop"}],
    )  # fmt: skip
    number = record(study, made)
    (entry,) = history(study)
    assert entry.decision == made
    assert made.note == 'dark\nrim; "odd", µ'
    assert (entry.number, entry.undoes) == (number, None)
    assert entry.made.endswith("+00:00")
    assert entry.run_sha256 == study.about["run_sha256"]
    assert {"ascnet", "torch", "numpy"} <= entry.versions.keys()
    (row,) = table(study)
    expected = {"rater": "anna", "subject": "P1", "level": "90", "upper": "140", "blind": "yes"}
    assert expected.items() <= row.items()
    assert row["post"] == "components:20 median:3"
    assert row["note"] == made.note


def test_a_changed_mind_is_a_new_row_and_undo_is_one_too(study):
    decide(study, "P0", 100)
    decide(study, "P0", 110)
    decide(study, "P1", 50)
    assert levels(study) == {"P0": 110, "P1": 50}
    assert undo(study, "anna").subject == "P1"
    assert levels(study) == {"P0": 110}
    assert undo(study, "anna").decision.level == 110
    assert levels(study) == {"P0": 100}
    assert [row["level"] for row in table(study)] == ["100"]
    assert undo(study, "anna", "P0").decision.level == 100
    with pytest.raises(UserError, match="no decision on P0"):
        undo(study, "anna", "P0")
    assert levels(study) == {} == {row["level"]: row for row in table(study)}
    decide(study, "P0", 7)
    assert levels(study) == {"P0": 7}
    entries = history(study)
    assert [entry.undoes for entry in entries] == [None, None, None, 3, 2, 1, None]
    assert [e.decision.level for e in entries if e.decision] == [100, 110, 50, 7]


def test_undo_takes_back_ones_own_only(study):
    decide(study, "P0", 100)
    decide(study, "P0", 120, rater="ben")
    undo(study, "anna")
    assert levels(study, "ben") == {"P0": 120}
    with pytest.raises(UserError, match="no decision in study"):
        undo(study, "anna")


@pytest.mark.parametrize("change", ["UPDATE decisions SET level = 1", "DELETE FROM decisions"])
def test_rows_can_only_be_added(study, change):
    decide(study)
    with (
        closing(sqlite3.connect(study.path / DATABASE)) as base,
        pytest.raises(sqlite3.IntegrityError, match="never"),
    ):
        base.execute(change)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"level": 256}, "level is 256"),
        ({"level": -1}, "level is -1"),
        ({"level": 1.5}, "level is 1.5"),
        ({"level": None}, "no level"),
        ({"level": 100, "upper": 99}, "upper is 99"),
        ({"flag": "good"}, "choose one of fine"),
        ({"rating": 6}, "give 1 to 5"),
        ({"seconds": float("nan")}, "seconds"),
        ({"rater": "  "}, "cannot name a rater"),
        ({"rater": "a\nb"}, "cannot name a rater"),
        ({"rater": "\udcff"}, "cannot name a rater"),
        ({"note": "\udcff"}, "UTF-8"),
        ({"post": ("open:4",)}, "open:4"),
        ({"pieces": [[1, 2, 3]]}, "no edit of pieces"),
    ],
)
def test_what_no_decision_can_be_is_refused(wrong, said):
    with pytest.raises(UserError, match=said):
        decision(**wrong)


def test_a_decision_on_nothing_leaves_nothing(study):
    with pytest.raises(UserError, match="no subject 'P9'"):
        decide(study, "P9")
    with pytest.raises(UserError, match="no scan 'P1'"):
        decide(study, "P0", scan="P1")
    with pytest.raises(UserError, match="no scan 'P1'"):
        decide(study, "P0", pieces=[{"scan": "P1", "voxel": [1, 2, 3], "act": "drop"}])
    with pytest.raises(UserError, match="nothing"):
        record(study, Decision("anna", "P0", "nothing", "bright", "raw", "3", 3))
    assert history(study) == []


def test_several_processes_lose_nothing(study, tmp_path):
    """Two raters decide 200 times each at once; the table at the end knows all."""
    writers = [
        process(decide_often, study.path, rater, 200, tmp_path / rater) for rater in ("anna", "ben")
    ]
    for one in writers:
        one.start()
    for one in writers:
        one.join(300)
        assert one.exitcode == 0
    entries = history(study)
    assert len(entries) == 400
    for rater in ("anna", "ben"):
        mine = [one.decision.level for one in entries if one.rater == rater]
        assert mine == [count % 256 for count in range(200)]
    last = {f"P{count % 5}": count for count in range(195, 200)}
    assert levels(study) == levels(study, "ben") == last
    assert [int(row["level"]) for row in table(study)] == 2 * list(last.values())


def test_a_kill_loses_nothing_that_was_accepted(study, tmp_path):
    for attempt in range(4):
        accepted = tmp_path / f"accepted-{attempt}"
        one = process(decide_often, study.path, f"r{attempt}", 10**6, accepted)
        one.start()
        ends = time.monotonic() + 60
        while not (accepted.is_file() and accepted.read_text().count("\n") >= 3 + attempt):
            assert time.monotonic() < ends
            time.sleep(0.005)
        time.sleep(0.003 * attempt)
        os.kill(one.pid, signal.SIGKILL)
        one.join(30)
        told = [tuple(map(int, line.split())) for line in accepted.read_text().splitlines()]
        kept = {e.number: e.decision.level for e in history(study) if e.rater == f"r{attempt}"}
        assert len(told) >= 3
        assert {number: count % 256 for number, count in told}.items() <= kept.items()
        assert len(kept) <= len(told) + 1
    decide(study, "P4", 200)  # goes on, and the table knows all again
    assert len(table(study)) == len(holding(study))


def test_a_table_changed_by_hand_stays_and_the_decision_too(study):
    decide(study, "P0", 1)
    (study.path / "thresholds.csv").write_text("mine")
    with pytest.raises(
        UserError, match=r"All decisions are kept in the study; but .*thresholds\.csv"
    ):
        decide(study, "P1", 2)
    assert levels(study) == {"P0": 1, "P1": 2}
    assert (study.path / "thresholds.csv").read_text() == "mine"


def test_raters_that_differ_by_capitals_alone_are_refused(study):
    for name in ("anna", "José"):
        decide(study, rater=name)
    for name, known in (("Anna ", "anna"), ("ANNA", "anna"), ("Jose\u0301", "José")):
        with pytest.raises(UserError, match=f"knows the rater '{known}'"):
            decide(study, rater=name)
    decide(study, rater="anna")


def test_no_cell_of_a_table_is_a_formula(study):
    decide(study, rater="=cmd()", note="@SUM(1)")
    decide(study, rater="-x", note="fine")
    with (study.path / "thresholds.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["rater"], row["note"]) for row in rows] == [
        ("'-x", "fine"), ("'=cmd()", "'@SUM(1)"),
    ]  # fmt: skip
    assert {entry.rater for entry in holding(study)} == {"=cmd()", "-x"}
