"""Answers of a blind comparison: kept for good, counted by hand, tested as scipy does."""

import json
import sqlite3
from contextlib import closing

import pytest
from scipy.stats import binomtest

from ascnet_core.errors import UserError
from ascnet_core.studies.database import DATABASE
from ascnet_core.studies.folder import scans_sha256
from ascnet_core.studies.preferences import (
    COLUMNS,
    Contender,
    Pair,
    every_preference,
    holding,
    left_of,
    pair_of,
    prefer,
    result_of,
    rows_of,
)


@pytest.fixture
def two(study) -> tuple[Contender, Contender]:
    run = study.about["run"]
    return (
        Contender(run, "reconstruction", "rightmost-valley", "bright", ("components:20",)),
        Contender(run, "reconstruction", "otsu", "bright"),
    )


@pytest.fixture
def pair(study, two) -> Pair:
    return pair_of(*two)


def say(study, pair, subject, winner, rater="anna", **more) -> int:
    """Answer as one who knows: `a`, `b` or neither is better."""
    left = left_of(study, pair, rater, subject)
    better = "neither" if winner == "neither" else "left" if winner == left else "right"
    return prefer(study, pair, rater, subject, better, **more)


def test_an_answer_comes_back_as_it_was_given(study, pair):
    number = say(study, pair, "P1", "b", seconds=2.5)
    (one,) = every_preference(study)
    assert (one.number, one.rater, one.subject, one.better) == (number, "anna", "P1", "b")
    assert (one.pair, one.left, one.seconds) == (pair, left_of(study, pair, "anna", "P1"), 2.5)
    assert "numpy" in json.loads(one.versions)
    assert one.a_run_sha256 == one.b_run_sha256 == study.about["run_sha256"]
    assert one.scan_sha256 == scans_sha256(study.cohort().scans_of("P1"))
    (row,) = rows_of([one])
    assert list(row) == list(COLUMNS)
    assert "rightmost-valley" in row["a"] + row["b"]
    assert row["counts"] == "yes"


def test_counts_and_sign_test_by_hand(study, pair):
    for subject, winner in zip(study.subjects, ["a", "a", "neither", "b", "a"], strict=True):
        say(study, pair, subject, winner)
    ((_, answers),) = holding(every_preference(study)).items()
    result = result_of(answers)
    assert (result.a, result.b, result.neither) == (3, 1, 1)
    # of four coins: three or more alike, either way
    assert result.p == pytest.approx(2 * (4 + 1) / 16)
    assert result.p == binomtest(3, 4).pvalue
    assert result_of([]).p == 1


def test_the_last_answer_counts_and_the_earlier_one_stays(study, pair):
    say(study, pair, "P0", "a")
    say(study, pair, "P1", "a")
    say(study, pair, "P0", "b")
    say(study, pair, "P0", "a", rater="ben")
    every = every_preference(study)
    assert [one["counts"] for one in rows_of(every)] == ["no", "yes", "yes", "yes"]
    groups = holding(every)
    assert {rater: result_of(a).b for (_, rater), a in groups.items()} == {"anna": 1, "ben": 0}


def test_what_is_sent_twice_is_kept_once(study, pair):
    first = say(study, pair, "P0", "a", token="t1")
    assert say(study, pair, "P0", "b", token="t1") == first
    assert [one.better for one in every_preference(study)] == ["a"]


def test_the_pair_is_the_same_whoever_is_named_first(study, two):
    assert pair_of(*two) == pair_of(*reversed(two))
    with pytest.raises(UserError, match="the same"):
        pair_of(two[0], two[0])


def test_sides_are_drawn_for_each_rater_and_subject_once(study, pair):
    drawn = [left_of(study, pair, "anna", f"P{n}") for n in range(400)]
    assert drawn == [left_of(study, pair, "anna", f"P{n}") for n in range(400)]
    assert 150 < drawn.count("a") < 250
    assert drawn != [left_of(study, pair, "ben", f"P{n}") for n in range(400)]


@pytest.mark.parametrize(
    "change", ["UPDATE preferences SET rater = 'x'", "DELETE FROM preferences"]
)
def test_rows_can_only_be_added(study, pair, change):
    say(study, pair, "P0", "a")
    with (
        closing(sqlite3.connect(study.path / DATABASE)) as base,
        pytest.raises(sqlite3.IntegrityError, match="never"),
    ):
        base.execute(change)


def test_what_cannot_be_is_refused(study, pair, two):
    for wrong, said in (
        ({"subject": "P9"}, "no subject 'P9'"),
        ({"better": "both"}, "better is 'both'"),
        ({"rater": " "}, "cannot name a rater"),
        ({"seconds": -1.0}, "seconds"),
    ):
        good = {"rater": "anna", "subject": "P0", "better": "left"}
        with pytest.raises(UserError, match=said):
            prefer(study, pair, **{**good, **wrong})
    run = study.about["run"]
    for odd in (
        Contender(run, "nothing", "otsu", "bright"),
        Contender(run, "reconstruction", "best", "bright"),
        Contender(run, "reconstruction", "otsu", "bright", ("polish:3",)),
        Contender("no-such-run", "reconstruction", "otsu", "bright"),
    ):
        with pytest.raises(UserError):
            pair_of(odd, two[0])
    assert every_preference(study) == []
