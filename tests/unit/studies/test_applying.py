"""Decisions become ways to make masks; what cannot be repeated is said."""

from ascnet_core.settings.tables import Segmentation
from ascnet_core.studies.applying import apply_decisions
from tests.helpers import make_nifti
from tests.unit.studies.deciding import decide


def test_subjects_are_grouped_by_how_their_masks_are_made(study):
    decide(study, "P0", 100)
    decide(study, "P1", 120, flag="doubtful")
    decide(study, "P2", 100, post=("median:3",))
    decide(study, "P3", 90, flag="exclude")
    applied = apply_decisions(study, study.cohort())
    first, second = applied.ways
    assert {name: one.level for name, one in first.given.items()} == {"P0": 100, "P1": 120}
    assert (first.range, first.segmentation.post) == ("raw", ())
    assert second.segmentation.post == ("median:3",)
    assert set(applied.excluded) == {"P3"}
    assert set(applied.missing) == {"P4"}
    assert not first.reads("P2")


def test_the_undecided_get_the_cohorts_rule_which_reads_all(study):
    decide(study, "P0", 100)
    applied = apply_decisions(study, study.cohort(), "anna", Segmentation(rule="otsu"), "raw")
    assert applied.missing == {}
    way = applied.ways[1]
    assert way.subjects == {"P1", "P2", "P3", "P4"}
    assert way.segmentation.scope == "cohort"
    assert way.reads("P0")
    assert not way.holds_for("P0")


def test_edits_of_pieces_go_along_by_scan(study):
    edits = [{"scan": "P0", "voxel": [1, 2, 3], "act": act} for act in ("drop", "keep")]
    decide(study, "P0", pieces=edits)
    decide(study, "P1")
    (way,) = apply_decisions(study, study.cohort()).ways
    assert set(way.pieces) == {"P0"}
    assert [edit.act for edit in way.pieces["P0"]] == ["drop", "keep"]


def test_what_cannot_be_repeated_is_missing(study, files):
    decide(study, "P1")
    decide(study, "P2")
    make_nifti(files / "P1.nii", seed=99)
    applied = apply_decisions(study, study.cohort())
    assert "Its files are not those on which anna decided" in applied.missing["P1"]
    assert set(applied.ways[0].given) == {"P2"}
