"""The verb `index`."""

import os
import shutil

import nibabel as nib
import numpy as np
import pytest

from tests.unit.commands.command_line import cli, rows_of


def test_index_writes_a_manifest_and_says_what_it_left_out(tmp_path, capsys):
    image = nib.Nifti1Image(np.arange(60.0).reshape(3, 4, 5), np.eye(4))
    for name in ("p1_flair", "p1_mask", "p2_flair"):
        nib.save(image, tmp_path / f"{name}.nii.gz")
    (tmp_path / "notes.txt").write_text("hello")
    assert cli("index", tmp_path) == 0
    said = capsys.readouterr().out
    rows = rows_of(tmp_path / "manifest.csv")
    assert [row["subject"] for row in rows] == ["p1", "p2"]
    assert rows[0]["mask"] == "p1_mask.nii.gz"
    assert "2 scans of 2 subjects, 1 with a mask" in said


def test_index_says_what_it_was_unsure_of_in_a_line_each(tmp_path, capsys):
    image = nib.Nifti1Image(np.arange(60.0).reshape(3, 4, 5), np.eye(4))
    for name in ("P1/a7/FLAIR", "P1/b9/FLAIR", "P2/c1/FLAIR", "out/P1_pred"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        nib.save(image, tmp_path / f"{name}.nii.gz")
    mask = nib.Nifti1Image(np.eye(4, dtype=np.uint8)[:3, :, None].repeat(5, 2), np.eye(4))
    nib.save(mask, tmp_path / "out/P1_pred.nii.gz")
    assert cli("index", tmp_path) == 0
    said = capsys.readouterr().out.splitlines()
    assert "3 scans of 2 subjects, 0 with a mask" in said[1]
    assert said[2].startswith(f"unsure: {tmp_path}: folders such as P1 are each taken as one")
    assert said[3].startswith(f"left out: {tmp_path}/out/P1_pred.nii.gz: a prediction by its name")
    assert len(said) == 4


def test_names_that_no_line_can_hold_are_escaped(tmp_path, capsys):
    image = nib.Nifti1Image(np.arange(60.0).reshape(3, 4, 5), np.eye(4))
    nib.save(image, tmp_path / "p1_flair.nii.gz")
    for name in (b"odd\xe9_flair.nii.gz", b"two\nlines.txt", b"\x1b[2Jred.txt"):
        try:
            (tmp_path / os.fsdecode(name)).touch()
        except OSError:
            pytest.skip("this file system takes UTF-8 alone")
    assert cli("index", tmp_path) == 0
    said = capsys.readouterr().out
    assert "odd\\udce9_flair.nii.gz: its name is not in UTF-8; rename it" in said
    assert "two\\nlines.txt: of no image format" in said
    assert "\\x1b[2Jred.txt" in said
    assert [row["subject"] for row in rows_of(tmp_path / "manifest.csv")] == ["p1"]


def test_what_segment_wrote_is_not_the_truth_of_the_next_manifest(tmp_path, capsys):
    scan = tmp_path / "p1_flair.nii.gz"
    values = np.random.default_rng(0).random((24, 24, 3)).astype(np.float32)
    nib.save(nib.Nifti1Image(values, np.eye(4)), scan)
    run = ["--device=cpu", "--region=none", "--save-maps", "--threshold=otsu"]
    assert cli("segment", "demo-flair", scan, "-o", tmp_path / "out", *run) == 0
    shutil.copy(tmp_path / "out/p1_flair_mask.nii.gz", tmp_path / "p1_mask.nii.gz")
    assert cli("index", tmp_path) == 0
    rows = rows_of(tmp_path / "manifest.csv")
    assert [(row["image"], row.get("mask", "")) for row in rows] == [("p1_flair.nii.gz", "")]
    said = capsys.readouterr().out
    assert "p1_mask.nii.gz: a prediction: a copy of a mask" in said
    assert "out/p1_flair_mask.nii.gz: a prediction: `ascnet segment` wrote it" in said


def test_many_lines_are_summed_up(tmp_path, capsys):
    image = nib.Nifti1Image(np.arange(60.0).reshape(3, 4, 5), np.eye(4))
    nib.save(image, tmp_path / "p1_flair.nii.gz")
    for number in range(50):
        (tmp_path / f"{number}.txt").touch()
    assert cli("index", tmp_path) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "left out: 30 more, of these 30: of no image format that is read here"
