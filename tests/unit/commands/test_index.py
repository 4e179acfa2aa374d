"""The verb `index`."""

import os
import shutil
import signal
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.outputs import LEDGER
from tests.unit.commands.command_line import cli, complaint, content_of, ended_before, rows_of


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


@pytest.fixture
def folder(tmp_path) -> Path:
    image = nib.Nifti1Image(np.arange(60.0).reshape(3, 4, 5), np.eye(4))
    for name in ("p1_flair", "p1_mask", "p2_flair"):
        nib.save(image, tmp_path / f"{name}.nii.gz")
    return tmp_path


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
def test_a_manifest_that_was_edited_stays(folder, capsys, more):
    assert cli("index", folder) == 0
    first = (folder / "manifest.csv").read_text()
    (folder / "manifest.csv").write_text(f"{first}p3,by hand\n")
    capsys.readouterr()
    assert cli("index", folder, *more) == 2
    assert "manifest.csv is there, and this tool did not write it" in complaint(capsys)
    assert (folder / "manifest.csv").read_text().endswith("p3,by hand\n")


def test_its_own_manifest_is_replaced_on_demand(folder, capsys):
    assert cli("index", folder) == 0
    (folder / "p2_flair.nii.gz").rename(folder / "p3_flair.nii.gz")
    capsys.readouterr()
    assert cli("index", folder) == 2
    assert "give --overwrite" in complaint(capsys)
    assert cli("index", folder, "--overwrite") == 0
    assert [row["subject"] for row in rows_of(folder / "manifest.csv")] == ["p1", "p3"]


@pytest.mark.parametrize("name", ["p1_mask.nii.gz", "notes.txt"])
def test_a_file_of_the_users_is_no_place_for_a_manifest(folder, capsys, name):
    (folder / "notes.txt").write_text("hello")
    before = (folder / name).read_bytes()
    assert cli("index", folder, "-o", folder / name, "--overwrite") == 2
    assert name in complaint(capsys)
    assert (folder / name).read_bytes() == before
    assert not (folder / LEDGER).exists()


def test_paths_are_relative_to_where_the_manifest_is_meant_to_be(folder):
    assert cli("index", folder, "-o", folder / "deep" / "er" / "m.csv") == 0
    rows = rows_of(folder / "deep" / "er" / "m.csv")
    assert rows[0]["image"] == "../../p1_flair.nii.gz"


@pytest.mark.parametrize("moment", [LEDGER, "manifest.csv"])
def test_after_a_kill_the_same_call_gives_the_same_bytes(folder, moment):
    scans = {path.name: path.read_bytes() for path in folder.iterdir()}
    call = ["index", folder, "-o", folder / "m" / "manifest.csv"]
    assert ended_before(f"*/m/{moment}", signal.SIGKILL, *call) == -signal.SIGKILL
    assert cli("index", folder, "-o", folder / "m" / "manifest.csv") == 0
    assert cli("index", folder, "-o", folder / "n" / "manifest.csv") == 0
    assert content_of(folder / "m") == content_of(folder / "n")
    assert {path.name for path in folder.iterdir()} == {*scans, "m", "n"}


@pytest.mark.parametrize("name", ["manifest", "m.txt", "-", "m.nii.gz"])
def test_a_manifest_is_called_csv(folder, capsys, name):
    """Other verbs know it by that."""
    assert cli("index", folder, "-o", folder / name) == 2
    assert "name a file that ends in .csv" in complaint(capsys)
    assert not (folder / name).exists()
