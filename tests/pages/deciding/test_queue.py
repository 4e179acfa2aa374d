"""The queue's rows: order, standing, what other raters said."""

from ascnet_core.studies.decisions import Decision, record, undo
from ascnet_core.studies.folder import Study
from pages.parts.deciding import queue


def decide(study: Study, subject: str, rater: str, level: int | None = 100, **more) -> int:
    return record(
        study,
        Decision(rater, subject, "reconstruction", "bright", "raw", "otsu", level, **more),
    )


def test_a_shuffled_order_stays_and_is_another_for_each_rater(study: Study) -> None:
    subjects = [f"S{number}" for number in range(200)]
    study.__dict__["subjects"] = tuple(subjects)
    anna, ben = (queue.in_order(study, rater, True) for rater in ("anna", "ben"))
    assert queue.in_order(study, "anna", False) == subjects
    assert anna == queue.in_order(study, "anna", True)
    assert sorted(anna) == sorted(ben) == sorted(subjects)
    assert anna != ben != subjects


def test_rows_tell_how_each_subject_stands(study: Study) -> None:
    _, second, third, _ = study.subjects
    number = decide(study, second, "anna", 142, flag="doubtful", rating=4)
    decide(study, third, "anna", None, flag="exclude")
    rows, mine = queue.rows(study, "anna", study.subjects, blind=False)
    assert [row["subject"] for row in rows] == list(study.subjects)
    assert [row["number"] for row in rows] == [None, number, number + 1, None]
    assert [row["level"] for row in rows] == ["", "≥ 142", "no mask", ""]
    assert (rows[1]["flag"], rows[1]["rating"]) == ("doubtful", 4)
    assert set(mine) == {second, third}
    undo(study, "anna", second)
    assert queue.rows(study, "anna", study.subjects, False)[0][1]["number"] is None


def test_blind_others_are_told_only_where_ones_own_decision_stands(study: Study) -> None:
    first, second, *_ = study.subjects
    decide(study, first, "ben", 90)
    decide(study, second, "ben", 95)
    decide(study, second, "anna", 120)
    for blind, others in ((False, ["ben ≥ 90", "ben ≥ 95"]), (True, ["", "ben ≥ 95"])):
        rows, _ = queue.rows(study, "anna", study.subjects, blind)
        assert [row["others"] for row in rows[:2]] == others
