"""`study report`: masks that are those of `segment`, what stays out, what cannot be made."""

import csv
import re

import nibabel as nib
import numpy as np
import pytest

from ascnet_core import places
from ascnet_core.studies.decisions import holding
from ascnet_core.studies.folder import find_study
from ascnet_core.studies.masks import make_masks
from ascnet_core.studies.report import contents
from ascnet_core.studies.report.contents import make_report
from ascnet_core.studies.warnings import Odd
from tests.unit.commands.command_line import cli, complaint, decide, masks_of, rows_of

WAYS = (
    ["--map", "residual", "--post", "none", "--range", "subject", "--threshold", 3],
    ["--map", "residual", "--post", "components:2", "--range", "cohort", "--threshold", 2],
    ["--map", "reconstruction", "--side", "dark", "--post", "none", "--threshold", 120],
    ["--map", "fence", "--post", "gate:flair:50", "--threshold", "band:20:200"],
)


def nobody(done: int, total: int) -> None:
    pass


def test_masks_are_those_that_segment_writes_bit_for_bit(names, tmp_path):
    for name, way in zip(names, WAYS, strict=True):
        decide(name, *way)
    assert cli("segment", "--study", "ms", "-o", tmp_path / "m") == 0
    written, study = masks_of(tmp_path / "m"), find_study("ms")
    told = []
    decided = {entry.subject: [entry] for entry in holding(study)}
    made = list(make_masks(study, decided, "cpu", lambda *so_far: told.append(so_far)))
    assert [subject for subject, _ in made] == names
    for subject, scans in made:
        (one,) = scans
        mask = written[f"{subject}_mask.nii.gz"] > 0
        # what is written is on the scan's own grid, here that of the volume
        assert np.array_equal(one.masks[0], mask)
    # the cohort's range needs one pass before
    assert told[-1] == (8, 8)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_volumes_dice_and_pictures_are_of_these_masks(names, demo, tmp_path):
    for number, name in enumerate(names[:3]):
        decide(name, "--threshold", 60 + number, "--post", "none")
        decide(name, "--threshold", 70, "--map", "fence", rater="ben")
    decide(names[3], "--flag", "exclude")
    assert cli("segment", "--study", "ms", "--rater", "anna", "-o", tmp_path / "m") == 0
    report = make_report(find_study("ms"), (), False, "cpu", nobody)
    rows = {row["subject"]: row for row in rows_of(tmp_path / "m" / "segmentation.csv")}
    masks = masks_of(tmp_path / "m")
    assert len(report.of("anna")) == 4
    for one in report.of("anna")[:3]:
        subject = one.entry.subject
        assert one.volume_ml == pytest.approx(float(rows[subject]["volume_ml"]), abs=1e-3)
        mask = masks[f"{subject}_mask.nii.gz"] > 0
        with (demo / "manifest.csv").open(newline="") as stream:
            path = next(row["mask"] for row in csv.DictReader(stream) if row["subject"] == subject)
        truth = np.asanyarray(nib.load(demo / path).dataobj) > 0
        both = mask.sum() + truth.sum()
        dice = 2 * (mask & truth).sum() / both if both else 1
        assert one.counts.dice == pytest.approx(dice)
        assert one.truth_ml == pytest.approx(truth.sum() * one.volume_ml / mask.sum())
        assert one.picture.startswith(b"\x89PNG")
    excluded = report.of("anna")[3]
    assert (excluded.volume_ml, excluded.counts) == (None, None)
    assert excluded.picture
    (pair,) = report.pairs
    # levels on other maps are not compared, masks are
    assert (pair.summary["levels"]["n"], pair.summary["dice"]["n"]) == (0, 3)


def test_the_file_stands_alone_and_is_not_replaced_unasked(names, tmp_path, capsys):
    decide(names[0], "--threshold", 60)
    decide(names[1], "--flag", "exclude", "--note", "moved")
    out = tmp_path / "ms.html"
    assert cli("study", "report", "ms", "-o", out) == 0
    text = out.read_text()
    assert text.count("data:image/png;base64,") == 2
    assert not re.search(r"(?:src|href)=.(?!data:)|url\(|@import|<script", text)
    assert f"study report {find_study('ms').path} -o {out}" in text
    capsys.readouterr()
    assert cli("study", "report", "ms", "-o", out) == 2
    assert "--overwrite" in complaint(capsys)
    folder = tmp_path / "folder"
    folder.mkdir()
    assert cli("study", "report", "ms", "-o", folder, "--levels-only") == 0
    assert "data:image" not in (folder / "report.html").read_text()
    capsys.readouterr()
    assert cli("study", "report", "ms", "-o", tmp_path / "ms.pdf") == 2
    assert ".html" in complaint(capsys)


def test_what_has_changed_since_is_said_and_the_others_have_masks(demo, run, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    own = tmp_path / "own"
    own.mkdir()
    images = sorted(demo.glob("*_t2.nii.gz"))
    for name, image in zip(("a", "b", "c"), images, strict=False):
        nib.save(nib.load(image), own / f"{name}.nii.gz")
    rows = [(name, f"{name}.nii.gz") for name in ("a", "b", "c")]
    with (own / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("subject", "image"), *rows])
    assert cli("study", "new", "ms", own / "manifest.csv", "--run", run) == 0
    for name in ("a", "b", "c"):
        decide(name, "--threshold", 100)
    nib.save(nib.load(images[3]), own / "b.nii.gz")
    report = make_report(find_study("ms"), (), False, "cpu", nobody)
    assert [one.why for one in report.of("anna")] == ["", "Its files have changed since.", ""]
    assert [one.truth_ml for one in report.of("anna")] == [None] * 3
    (own / "c.nii.gz").unlink()
    report = make_report(find_study("ms"), (), False, "cpu", nobody)
    assert "c.nii.gz" in report.problem
    assert not any(one.picture for one in report.of("anna"))


def test_warnings_are_said_and_of_whom_where_not_of_all(names, monkeypatch):
    decide(names[0], "--threshold", 60)
    decide(names[0], "--threshold", 60, rater="ben")

    def found(study, rater):
        mine = [Odd("volume", "Large.")] if rater == "anna" else []
        return {names[0]: [Odd("shifted", "Shifted."), *mine], names[1]: mine, names[2]: []}

    monkeypatch.setattr(contents, "warnings_in", found)
    report = make_report(find_study("ms"), (), True, "cpu", nobody)
    assert report.warnings == {names[0]: ["Shifted.", "Large. (anna)"]}
    assert report.looked_at == 3
    decide(names[1], "--threshold", 0, "--map", "fence")
    noisy = Odd("torn", "Torn.")
    monkeypatch.setattr(contents, "torn", lambda mask, ml: noisy if mask.any() else None)
    report = make_report(find_study("ms"), ("anna",), False, "cpu", nobody)
    assert report.warnings[names[1]] == ["Large.", "Torn."]
