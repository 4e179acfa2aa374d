"""The verb `study`, and `--study` of the verbs that make masks."""

import csv
import json

import nibabel as nib
import numpy as np
import pytest

from ascnet_core import places
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import prepare_scan
from ascnet_core.runs.folder import Run
from ascnet_core.segmentation.histogram import quantise
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.studies.decisions import Decision, decisions_of, record
from ascnet_core.studies.folder import find_study
from tests.unit.commands.command_line import cli, complaint, decide, masks_of, rows_of


def test_all_is_usable_without_a_page(names, tmp_path, capsys):
    assert cli("study", "list") == 0
    assert "nothing decided of 4" in capsys.readouterr().out
    decide(names[0], "--threshold", 90)
    decide(names[0], "--threshold", 100, "--flag", "doubtful", "--note", "torn", "--rating", 2)
    decide(names[1], "--flag", "exclude")
    decide(names[1], "--threshold", "band:90:140", rater="ben")
    capsys.readouterr()
    assert cli("study", "show", "ms") == 0
    said = capsys.readouterr().out
    assert "decided: anna 2 of 4, ben 1 of 4" in said
    assert f"{names[0]}: anna ≥ 100 (doubtful)\n" in said
    assert f"{names[1]}: anna - (exclude), ben 90 to 140 (fine)\n" in said
    assert f"{names[2]}: open\n" in said
    assert cli("study", "undo", "ms", "--rater", "anna", "--subject", names[0]) == 0
    assert cli("study", "export", "ms", "-o", tmp_path / "t") == 0
    rows = rows_of(tmp_path / "t" / "thresholds.csv")
    assert [(row["rater"], row["level"]) for row in rows] == [
        ("anna", "90"), ("anna", ""), ("ben", "90"),
    ]  # fmt: skip
    history = rows_of(tmp_path / "t" / "history.csv")
    assert [row["undoes"] for row in history] == ["", "", "", "", "2"]
    assert history[1]["note"] == "torn"
    assert "--study" in (tmp_path / "t" / "README.txt").read_text()
    assert cli("study", "export", "ms", "-o", tmp_path / "t") == 2  # replaces nothing unasked


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["decide", "ms", "nobody", "--rater", "anna", "--threshold", 3], "no subject 'nobody'"),
        (["decide", "ms", "SUBJECT", "--rater", "anna"], "has no level"),
        (
            ["decide", "ms", "SUBJECT", "--rater", "anna", "--threshold", "peak:99"],
            "finds no such peak",
        ),
        (["decide", "ms", "SUBJECT", "--rater", "anna", "--threshold", 300], "300"),
        (["decide", "ms", "SUBJECT", "--rater", "anna", "--threshold", 3, "--map", "x"], "x"),
        (["show", "other"], "no study 'other'"),
        (["apply", "ms", "-o", "OUT"], "Nothing is decided"),
        (["undo", "ms", "--rater", "anna"], "no decision"),
    ],
)
def test_study_says_what_is_wrong(names, tmp_path, capsys, arguments, said):
    capsys.readouterr()
    meant = {"SUBJECT": names[0], "OUT": tmp_path / "out"}
    assert cli("study", *(meant.get(one, one) for one in arguments)) == 2
    assert said in complaint(capsys)
    assert not (tmp_path / "out").exists()


def test_decided_masks_are_those_of_their_levels_bit_for_bit(names, run, demo, tmp_path, capsys):
    """On other maps, sides, ranges and steps; each as `segment` alone makes it."""
    ways = [
        ["--map", "residual", "--post", "none", "--range", "subject", "--threshold", 3],
        ["--map", "residual", "--post", "components:2", "--range", "cohort", "--threshold", 2],
        ["--map", "reconstruction", "--side", "dark", "--post", "none", "--threshold", 120],
        ["--map", "fence", "--post", "gate:flair:50", "--threshold", "band:20:200"],
    ]
    for number, way in enumerate(ways):
        decide(names[number], *way)
        how = [demo / "manifest.csv", "-o", tmp_path / str(number), *way]
        assert cli("segment", run, *how) == 0
    assert cli("segment", "--study", "ms", "-o", tmp_path / "study") == 0
    assert cli("study", "apply", "ms", "-o", tmp_path / "applied") == 0
    found, again = masks_of(tmp_path / "study"), masks_of(tmp_path / "applied")
    assert len(found) == 4
    rows = rows_of(tmp_path / "study" / "segmentation.csv")
    for number, row in enumerate(rows):
        name = f"{row['scan']}_mask.nii.gz"
        expected = masks_of(tmp_path / str(number))[name]
        assert np.array_equal(found[name], expected)
        assert np.array_equal(again[name], expected)
        assert (row["subject"], row["kind"]) == (names[number], "manual")
        assert row["sentence"].startswith("Decided by anna: fine")
    assert any(mask.any() for mask in found.values())
    kept = json.loads((tmp_path / "study" / "segmentation.json").read_text())
    assert (kept["study"], kept["rater"]) == ("ms", "anna")


def test_undecided_subjects_are_said_or_get_the_cohorts_rule(names, run, demo, tmp_path, capsys):
    decide(names[0], "--threshold", 100)
    decide(names[1], "--flag", "exclude")
    capsys.readouterr()
    assert cli("segment", "--study", "ms", "-o", tmp_path / "a") == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[0] for line in said] == ["note", "error", "error"]
    assert said[0].endswith("anna excluded it in study ms.")
    assert said[1].endswith("anna has not decided on it in study ms.")
    assert len(masks_of(tmp_path / "a")) == 1
    assert len(rows_of(tmp_path / "a" / "segmentation.csv")) == 4
    assert cli("segment", "--study", "ms", "-o", tmp_path / "b", "--undecided", "otsu") == 0
    whole = [
        demo / "manifest.csv",
        "-o",
        tmp_path / "c",
        "--threshold",
        "otsu",
        "--scope",
        "cohort",
    ]
    assert cli("segment", run, *whole) == 0
    found, expected = masks_of(tmp_path / "b"), masks_of(tmp_path / "c")
    rows = rows_of(tmp_path / "b" / "segmentation.csv")
    assert [row["kind"] for row in rows] == ["manual", "", "mask-free", "mask-free"]
    for row in rows[2:]:
        name = f"{row['scan']}_mask.nii.gz"
        assert np.array_equal(found[name], expected[name])


def test_one_says_whose_decisions_are_meant(names, tmp_path, capsys):
    for name in names:
        decide(name, "--threshold", 100)
        decide(name, "--threshold", 120, rater="ben")
    capsys.readouterr()
    assert cli("segment", "--study", "ms", "-o", tmp_path / "o") == 2
    assert "decisions of anna, ben; say whose by --rater" in complaint(capsys)
    assert cli("segment", "--study", "ms", "-o", tmp_path / "o", "--rater", "carl") == 2
    assert "choose anna or ben" in complaint(capsys)
    assert cli("segment", "--study", "ms", "-o", tmp_path / "o", "--rater", "ben") == 0
    assert {row["level"] for row in rows_of(tmp_path / "o" / "segmentation.csv")} == {"120"}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--map", "fence"], "leave --map out"),
        (["--threshold", 3], "leave --threshold out"),
        (["--flip"], "leave --flip out"),
        (["demo-flair", "x.nii"], "leave them out"),
    ],
)
def test_what_goes_against_the_decisions_is_refused(names, tmp_path, capsys, option, said):
    decide(names[0], "--threshold", 100)
    capsys.readouterr()
    assert cli("segment", "--study", "ms", *option, "-o", tmp_path / "o") == 2
    assert said in complaint(capsys)


def test_a_scan_that_has_changed_gets_no_mask(demo, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    own = tmp_path / "own"
    own.mkdir()
    for name in ("a", "b"):
        image = nib.load(sorted(demo.glob("*_t2.nii.gz"))[ord(name) - ord("a")])
        nib.save(image, own / f"{name}.nii.gz")
    with (own / "manifest.csv").open("w", newline="") as stream:
        rows = [(name, f"{name}.nii.gz") for name in ("a", "b")]
        csv.writer(stream).writerows([("subject", "image"), *rows])
    assert cli("study", "new", "ms", own / "manifest.csv", "--run", run) == 0
    for name in ("a", "b"):
        decide(name, "--threshold", 100)
    nib.save(nib.load(own / "a.nii.gz"), own / "b.nii.gz")
    capsys.readouterr()
    assert cli("segment", "--study", "ms", "-o", tmp_path / "o") == 2
    assert "b gets no mask. Its files are not those on which anna decided" in complaint(capsys)
    assert list(masks_of(tmp_path / "o")) == ["a_mask.nii.gz"]


def test_two_raters_are_compared_as_their_masks_say(names, tmp_path, capsys):
    """Dice and volumes from the masks that `segment --study` writes, counted anew."""
    how = ["--map", "residual", "--range", "subject", "--post", "none"]
    for number, name in enumerate(names[:3]):
        decide(name, "--threshold", 20 + number, *how)
        decide(name, "--threshold", 25 + 3 * number, *how, rater="ben")
    decide(names[3], "--threshold", 20, *how)
    capsys.readouterr()
    assert cli("study", "agree", "ms", "anna", "ben", "-o", tmp_path / "g") == 0
    said = capsys.readouterr().out
    assert "anna and ben: 3 of 4 subjects decided by both" in said
    assert "ben minus anna is 7.00 on average" in said
    for rater in ("anna", "ben"):
        out = tmp_path / rater
        cli("segment", "--study", "ms", "--rater", rater, "-o", out)
    masks = {rater: masks_of(tmp_path / rater) for rater in ("anna", "ben")}
    volumes = {row["scan"]: row for row in rows_of(tmp_path / "anna" / "segmentation.csv")}
    rows = rows_of(tmp_path / "g" / "agreement.csv")
    assert len(rows) == 3
    for row in rows:
        first, second = (masks[r][f"{row['subject']}_mask.nii.gz"] > 0 for r in ("anna", "ben"))
        assert first.any()
        dice = 2 * (first & second).sum() / (first.sum() + second.sum())
        assert float(row["dice"]) == pytest.approx(dice)
        expected = float(volumes[row["subject"]]["volume_ml"])
        assert float(row["volume_1_ml"]) == pytest.approx(expected, abs=1e-3)
    assert [float(row["dice"]) for row in rows] == sorted(float(row["dice"]) for row in rows)
    kept = json.loads((tmp_path / "g" / "agreement.json").read_text())
    assert kept["levels"]["n"] == kept["dice"]["n"] == 3
    assert cli("study", "agree", "ms", "anna", "anna") == 2


@pytest.mark.parametrize("alike", [True, False])
def test_evaluate_scores_decisions_as_segment_makes_their_masks(
    names, demo, tmp_path, capsys, alike
):
    """One row of the rater, also where maps, sides and steps differ by subject."""
    decide(names[0], "--threshold", 60, "--post", "none")
    more = [] if alike else ["--map", "fence", "--side", "dark", "--range", "raw"]
    decide(names[1], "--threshold", 90, "--post", "none" if alike else "components:2", *more)
    decide(names[2], "--flag", "exclude")
    capsys.readouterr()
    assert cli("evaluate", "--study", "ms", "-o", tmp_path / "s", "--fast", "--no-baselines") == 2
    err = capsys.readouterr().err
    assert f"note: {names[2]} has no row of the study. anna excluded it" in err
    assert f"error: {names[3]} has no row of the study. anna has not decided" in err
    cli("segment", "--study", "ms", "-o", tmp_path / "m")
    rows = rows_of(tmp_path / "s" / "subjects.csv")
    mine = [row for row in rows if row["rule"] == "study ms, anna"]
    assert [(row["subject"], row["kind"]) for row in mine] == [
        (names[0], "manual"), (names[1], "manual"),
    ]  # fmt: skip
    scans = {scan.subject: scan for scan in read_manifest(demo / "manifest.csv").scans}
    masks = masks_of(tmp_path / "m")
    for row in mine:
        scan = scans[row["subject"]]
        found = masks[f"{scan.scan}_mask.nii.gz"] > 0
        truth = np.asanyarray(nib.load(scan.mask).dataobj) > 0
        both = (found.sum(), truth.sum())
        expected = 2 * (found & truth).sum() / sum(both) if any(both) else 1.0
        assert float(row["dice"]) == pytest.approx(expected, abs=1e-5)
    assert len(rows) > len(mine)
    (summed,) = [
        row
        for row in json.loads((tmp_path / "s" / "summary.json").read_text())["rows"]
        if row["rule"] == "study ms, anna"
    ]
    assert (summed["subjects"], summed["kind"]) == (2, "manual")
    assert (summed["map"] == "differs by subject") is not alike


def test_evaluate_gives_the_undecided_the_cohorts_rule(names, tmp_path):
    decide(names[0], "--threshold", 60)
    how = ["--fast", "--no-baselines", "--threshold", "otsu", "--scope", "cohort"]
    arguments = ["evaluate", "--study", "ms", "--undecided", "otsu", "-o", tmp_path / "s", *how]
    assert cli(*arguments) == 0
    rows = rows_of(tmp_path / "s" / "subjects.csv")
    of_rule = {row["subject"]: row["threshold"] for row in rows if row["rule"] == "otsu"}
    mine = {r["subject"]: r["threshold"] for r in rows if r["rule"] == "study ms, anna, else otsu"}
    assert mine == of_rule | {names[0]: "60"}


def test_evaluate_takes_no_other_run_beside_a_study(names, run, tmp_path, capsys):
    decide(names[0], "--threshold", 60)
    capsys.readouterr()
    assert cli("evaluate", "--study", "ms", "--run", run, "-o", tmp_path / "s") == 2
    assert "leave --run out" in complaint(capsys)


def test_decisions_on_several_ranges_are_no_row_of_one_table(names, tmp_path, capsys):
    decide(names[0], "--threshold", 60, "--range", "subject")
    decide(names[1], "--threshold", 60, "--range", "raw")
    capsys.readouterr()
    assert cli("evaluate", "--study", "ms", "-o", tmp_path / "s") == 2
    assert "raw and subject, which one table cannot hold" in complaint(capsys)


def test_a_decision_on_the_input_is_repeated_by_segment_and_evaluate(names, tmp_path):
    """The pages show the input beside the maps, and one may decide on it."""
    study = find_study("ms")
    for subject in names:
        record(study, Decision("anna", subject, "input", "bright", "raw", "150", 150))
    decide(names[0], "--map", "input", "--threshold", "otsu", "--post", "none", rater="ben")
    decide(names[0], "--map", "input", "--threshold", 150, "--post", "none")
    assert decisions_of(study, "ben")[names[0]].decided.level
    how = ["decide", "ms", names[0], "--rater", "carl", "--map", "input", "--threshold", 150]
    assert cli("study", *how, "--range", "subject") == 2
    assert cli("study", "undo", "ms", "--rater", "ben") == 0
    assert cli("segment", "--study", "ms", "-o", tmp_path / "m") == 0
    how = preparation_of(Run(study.run).settings())
    for scan in study.cohort().scans:
        prepared = prepare_scan(scan, how)
        levels = quantise(np.where(prepared.region, prepared.scaled, 0))
        stored = nib.as_closest_canonical(nib.load(tmp_path / "m" / f"{scan.scan}_mask.nii.gz"))
        expected = (levels >= 150) & prepared.region
        assert np.array_equal(np.asanyarray(stored.dataobj) > 0, expected)
    assert cli("evaluate", "--study", "ms", "-o", tmp_path / "e", "--no-baselines") == 0
    rows = rows_of(tmp_path / "e" / "subjects.csv")
    assert "input" in {row["map"] for row in rows}
