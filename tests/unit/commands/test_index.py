"""The verb `index`."""

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
