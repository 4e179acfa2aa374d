"""Two raters subject by subject."""

import pytest

from ascnet_core.metrics.overlap import Counts
from ascnet_core.studies.compare import Masks, compare
from ascnet_core.studies.decisions import decisions_of
from tests.unit.studies.deciding import decide


def test_what_is_to_be_discussed_comes_first_and_only_like_is_compared(study):
    ben = {"rater": "ben"}
    for subject, one, other in (("P0", 100, 104), ("P1", 100, 130), ("P2", 50, 60)):
        decide(study, subject, one)
        decide(study, subject, other, **ben)
    decide(study, "P3", None, flag="exclude")
    decide(study, "P3", 90, **ben)
    decide(study, "P4", 10)
    decide(study, "P4", 10, upper=90, **ben)
    both = [decisions_of(study, rater) for rater in ("anna", "ben")]
    masks = {"P0": Masks(Counts(90, 10, 10), 1.0, 1.5), "P2": Masks(Counts(1, 9, 9), 2.0, 1.0)}
    rows, summary = compare(study.subjects, *both, masks)
    assert [row["subject"] for row in rows] == ["P3", "P2", "P0", "P1", "P4"]
    by_name = {row["subject"]: row for row in rows}
    assert by_name["P3"]["apart"] == "one excludes it"
    assert by_name["P4"]["apart"] == "not the same band"
    assert by_name["P1"]["difference"] == 30
    assert by_name["P0"]["dice"] == pytest.approx(0.9)
    assert by_name["P2"]["volume_difference_ml"] == -1
    assert (summary["subjects"], summary["decided_by_both"]) == (5, 5)
    assert summary["levels"]["n"] == 3
    assert summary["levels"]["bias"] == pytest.approx(44 / 3)
    assert summary["volumes_ml"]["bias"] == pytest.approx(-0.25)
    assert summary["dice"] == pytest.approx({"n": 2, "mean": 0.5, "median": 0.5, "least": 0.1})
