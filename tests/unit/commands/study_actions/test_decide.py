"""`study decide` by a rule, and that there is no lesion; through every verb that uses decisions."""

import json

import numpy as np
import pytest

from ascnet_core.studies.decisions import holding
from ascnet_core.studies.folder import find_study
from ascnet_core.studies.report.contents import make_report
from tests.unit.commands.command_line import cli, complaint, decide, masks_of, rows_of


@pytest.mark.parametrize(
    "how",
    [
        ["--map", "fence"],
        ["--map", "residual", "--range", "subject"],
        ["--map", "fence", "--side", "dark"],
        ["--map", "residual", "--range", "cohort"],
    ],
)
def test_a_rule_gives_the_level_that_segment_finds(names, run, demo, tmp_path, how):
    decide(names[1], "--threshold", "multi-otsu:4", *how)
    (entry,) = holding(find_study("ms"))
    more = ["--threshold", "multi-otsu:4", "--scope", "subject", *how, "-o", tmp_path / "m"]
    assert cli("segment", run, demo / "manifest.csv", *more) == 0
    row = next(r for r in rows_of(tmp_path / "m" / "segmentation.csv") if r["subject"] == names[1])
    assert (entry.decided.level, entry.decided.rule) == (int(row["level"]), "multi-otsu:4")
    assert entry.decided.threshold.sentence.endswith("proposed by multi-otsu:4.")


def test_a_rule_without_its_reference_or_subject_is_refused(names, capsys):
    capsys.readouterr()
    quantile = ["--threshold", "reference-quantile:0.99", "--rater", "anna"]
    assert cli("study", "decide", "ms", names[0], *quantile, "--range", "subject") == 2
    assert "raw range" in complaint(capsys)
    assert cli("study", "decide", "ms", "nobody", "--threshold", "otsu", "--rater", "anna") == 2
    assert "no subject 'nobody'" in complaint(capsys)
    assert not holding(find_study("ms"))


def test_no_lesion_is_an_answer_with_an_empty_mask(names, tmp_path, capsys):
    decide(names[0], "--threshold", "nothing", "--post", "components:2", "close:3")
    decide(names[1], "--threshold", "nothing", "--side", "dark", "--flag", "doubtful")
    decide(names[2], "--threshold", 0)
    decide(names[3], "--flag", "exclude")
    for name in names[:2]:
        decide(name, "--threshold", 0, rater="ben")
    decide(names[2], "--threshold", "nothing", rater="ben")
    capsys.readouterr()
    assert cli("study", "show", "ms") == 0
    assert f"{names[0]}: anna no lesion (fine), ben" in capsys.readouterr().out
    assert cli("segment", "--study", "ms", "--rater", "anna", "-o", tmp_path / "m") == 0
    masks = masks_of(tmp_path / "m")
    assert [masks[f"{name}_mask.nii.gz"].any() for name in names[:3]] == [False, False, True]
    rows = rows_of(tmp_path / "m" / "segmentation.csv")
    assert [row["kept"] for row in rows] == ["nothing", "nothing", "≥ 0", ""]
    assert cli("study", "export", "ms", "-o", tmp_path / "t") == 0
    kept = [(r["level"], r["rule"], r["flag"]) for r in rows_of(tmp_path / "t" / "thresholds.csv")]
    assert kept[:2] == [("", "nothing", "fine"), ("", "nothing", "doubtful")]
    evaluated = ["evaluate", "--study", "ms", "--rater", "anna", "-o", tmp_path / "s"]
    assert cli(*evaluated, "--fast", "--no-baselines") == 0
    mine = [r for r in rows_of(tmp_path / "s" / "subjects.csv") if r["rule"] == "study ms, anna"]
    assert [float(row["volume_ml"]) == 0 for row in mine] == [True, True, False]
    assert {row["failed"] for row in mine} == {"False"}
    assert cli("study", "agree", "ms", "anna", "ben", "-o", tmp_path / "g") == 0
    found = json.loads((tmp_path / "g" / "agreement.json").read_text())
    assert {row["apart"] for row in found["rows"]} == {"one sees no lesion"}
    assert {row["dice"] for row in found["rows"]} == {0}
    report = make_report(find_study("ms"), (), False, "cpu", lambda done, total: None)
    assert [one.volume_ml for one in report.of("anna")[:2]] == [0, 0]
    assert all(one.picture for one in report.of("anna"))
    assert np.isfinite([one.counts.dice for one in report.of("anna")[:3]]).all()
