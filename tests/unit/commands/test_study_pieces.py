"""Pieces that a rater dropped or kept alone, repeated by every verb that makes masks."""

import csv

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from ascnet_core import places
from ascnet_core.imaging.volume import read_volume
from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import find_study
from tests.unit.commands.command_line import cli, rows_of

LEVEL = 60


@pytest.fixture
def own(demo, run, tmp_path, monkeypatch):
    """A study `own`: a subject of two scans, one of them stored otherwise, and one of a picture."""
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    folder = tmp_path / "data"
    folder.mkdir()
    first, second = sorted(demo.glob("*_t2.nii.gz"))[:2]
    nib.save(nib.load(first), folder / "one.nii.gz")
    turned = nib.load(second)
    codes = nib.orientations.axcodes2ornt("PSL")
    own = nib.orientations.ornt_transform(nib.io_orientation(turned.affine), codes)
    nib.save(turned.as_reoriented(own), folder / "two.nii.gz")
    middle = np.asanyarray(turned.dataobj)[:, :, 6]
    Image.fromarray((middle / middle.max() * 255).astype(np.uint8).T).save(folder / "flat.png")
    rows = [
        ("P0", "one", "one.nii.gz"), ("P0", "two", "two.nii.gz"), ("P1", "flat", "flat.png"),
    ]  # fmt: skip
    with (folder / "manifest.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("subject", "scan", "image"), *rows])
    assert cli("study", "new", "own", folder / "manifest.csv", "--run", run) == 0
    return find_study("own")


def decide(study, subject: str, pieces=(), rater: str = "anna") -> None:
    record(
        study,
        Decision(rater, subject, "residual", "bright", "subject", "", LEVEL, pieces=pieces),
    )


def masks_of(folder) -> dict[str, np.ndarray]:
    """The masks of a folder in RAS order, by scan."""
    rows = rows_of(folder / "segmentation.csv")
    return {row["scan"]: read_volume(row["mask"]).data > 0 for row in rows if row["mask"]}


def pieces_of(mask: np.ndarray) -> list[np.ndarray]:
    """The pieces of a mask by scipy, largest first."""
    labels, number = ndimage.label(mask, np.ones((3, 3, 3)))
    return sorted((labels == n + 1 for n in range(number)), key=lambda one: -one.sum())


def edit(scan: str, piece: np.ndarray, act: str) -> dict[str, object]:
    return {"scan": scan, "voxel": np.argwhere(piece)[-1].tolist(), "act": act}


def test_segment_repeats_them_bit_for_bit(own, tmp_path, capsys):
    for subject in ("P0", "P1"):
        decide(own, subject)
    assert cli("segment", "--study", "own", "-o", tmp_path / "plain") == 0
    plain = masks_of(tmp_path / "plain")
    assert set(plain) == {"one", "two", "flat"}
    parts = {scan: pieces_of(mask) for scan, mask in plain.items()}
    assert min(map(len, parts.values())) > 1, "the level gives too few pieces to try with"
    edits = [edit("one", parts["one"][0], "drop"), edit("two", parts["two"][1], "keep")]
    decide(own, "P0", edits)
    decide(own, "P1", [edit("flat", parts["flat"][0], "drop")])
    capsys.readouterr()
    assert cli("segment", "--study", "own", "-o", tmp_path / "edited") == 0
    found = masks_of(tmp_path / "edited")
    assert np.array_equal(found["one"], plain["one"] & ~parts["one"][0])
    assert np.array_equal(found["two"], parts["two"][1])
    assert np.array_equal(found["flat"], plain["flat"] & ~parts["flat"][0])
    rows = {row["scan"]: row for row in rows_of(tmp_path / "edited" / "segmentation.csv")}
    assert rows["one"]["pieces"] == "1 piece dropped"
    assert rows["two"]["pieces"] == "1 piece kept alone"
    assert int(rows["two"]["voxels"]) == parts["two"][1].sum()

    decide(own, "P0", rater="ben")
    assert cli("study", "agree", "own", "anna", "ben", "-o", tmp_path / "g") == 0
    (row,) = rows_of(tmp_path / "g" / "agreement.csv")
    one, other = (
        np.concatenate([masks[scan].ravel() for scan in ("one", "two")]) for masks in (found, plain)
    )
    assert float(row["dice"]) == pytest.approx(2 * (one & other).sum() / (one.sum() + other.sum()))

    assert cli("study", "export", "own", "-o", tmp_path / "t") == 0
    (kept,) = [
        row for row in rows_of(tmp_path / "t" / "thresholds.csv")
        if (row["subject"], row["rater"]) == ("P0", "anna")
    ]  # fmt: skip
    assert '"act": "keep"' in kept["pieces"]


def test_an_edit_that_lies_on_nothing_is_said_and_the_others_get_their_masks(own, tmp_path, capsys):
    decide(own, "P0", [{"scan": "two", "voxel": [0, 0, 0], "act": "drop"}])
    decide(own, "P1")
    capsys.readouterr()
    assert cli("segment", "--study", "own", "-o", tmp_path / "m") == 2
    said = capsys.readouterr().err
    assert "error: two gets no mask. Edit 1 of the pieces of two (drop (0, 0, 0))" in said
    assert set(masks_of(tmp_path / "m")) == {"one", "flat"}


def test_evaluate_scores_what_is_left(demo, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    assert cli("study", "new", "ms", demo / "manifest.csv", "--run", run) == 0
    study = find_study("ms")
    subjects = study.subjects
    for subject in subjects:
        decide(study, subject)
    assert cli("segment", "--study", "ms", "-o", tmp_path / "plain") == 0
    for subject, (scan, mask) in zip(subjects, masks_of(tmp_path / "plain").items(), strict=True):
        decide(study, subject, [edit(scan, pieces_of(mask)[0], "keep")])
    assert cli("segment", "--study", "ms", "-o", tmp_path / "m") == 0
    call = ["--study", "ms", "-o", tmp_path / "s", "--fast", "--no-baselines"]
    assert cli("evaluate", *call) == 0
    masks = masks_of(tmp_path / "m")
    rows = [
        row for row in rows_of(tmp_path / "s" / "subjects.csv") if row["rule"] == "study ms, anna"
    ]
    for scan, row in zip(study.cohort().scans, rows, strict=True):
        found, truth = masks[scan.scan], read_volume(scan.mask).data > 0
        expected = 2 * (found & truth).sum() / (found.sum() + truth.sum())
        assert float(row["dice"]) == pytest.approx(expected, abs=1e-5)
    decide(study, subjects[0], [edit(study.cohort().scans[0].scan, ~mask, "drop")])
    capsys.readouterr()
    assert cli("evaluate", *call, "--overwrite") == 2
    said = capsys.readouterr().err
    assert f"error: {subjects[0]} has no row of the study. Edit 1 of the pieces" in said
    left = [
        row for row in rows_of(tmp_path / "s" / "subjects.csv") if row["rule"] == rows[0]["rule"]
    ]
    assert [row["subject"] for row in left] == list(subjects[1:])
    decide(study, subjects[1], [edit(study.cohort().scans[1].scan, ~mask, "drop")])
