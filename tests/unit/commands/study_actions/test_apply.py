"""`study apply --zip`: the masks of `segment`, with what explains them, in one file."""

import csv
import io
import zipfile

import pytest

from ascnet_core.studies import export
from tests.unit.commands.command_line import cli, complaint, decide


def held(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


def test_the_file_holds_the_masks_that_segment_writes_and_one_raters_tables(names, tmp_path):
    for name in names[:3]:
        decide(name, "--threshold", 100)
    decide(names[3], "--flag", "exclude")
    decide(names[0], "--threshold", 90, rater="ben")
    how = ["--rater", "anna"]
    assert cli("segment", "--study", "ms", *how, "-o", tmp_path / "m") == 0
    assert cli("study", "apply", "ms", *how, "--zip", "-o", tmp_path / "z") == 0
    found = held(tmp_path / "z" / "masks.zip")
    masks = {name: content for name, content in found.items() if name.startswith("masks/")}
    written = {f"masks/{p.name}": p.read_bytes() for p in (tmp_path / "m").glob("*_mask.nii.gz")}
    assert masks == written
    assert len(masks) == 3
    assert set(found) - set(masks) == {
        "README.txt", "history.csv", "segmentation.csv", "segmentation.json", "thresholds.csv",
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(found["segmentation.csv"].decode())))
    assert [row["mask"] in found for row in rows] == [True, True, True, False]
    for name in ("thresholds.csv", "history.csv"):
        rows = list(csv.DictReader(io.StringIO(found[name].decode())))
        assert [row["rater"] for row in rows] == ["anna"] * 4
    assert "Masks of anna" in found["README.txt"].decode()
    assert sorted(path.name for path in (tmp_path / "z").iterdir()) == [
        ".ascnet-written.json", "masks.zip",
    ]  # fmt: skip
    assert cli("study", "apply", "ms", *how, "--zip", "-o", tmp_path / "again") == 0
    for name, content in held(tmp_path / "again" / "masks.zip").items():
        assert name == "segmentation.json" or content == found[name]


def test_who_is_open_is_said_and_the_others_are_packed(names, tmp_path, capsys):
    decide(names[0], "--threshold", 100)
    capsys.readouterr()
    assert cli("study", "apply", "ms", "--zip", "-o", tmp_path) == 2
    assert f"{names[1]} gets no mask" in capsys.readouterr().err
    assert len([name for name in held(tmp_path / "masks.zip") if name.startswith("masks/")]) == 1
    assert cli("study", "apply", "ms", "--zip", "-o", tmp_path) == 2
    assert "--overwrite" in complaint(capsys)


def test_what_ends_in_the_middle_leaves_nothing(names, tmp_path, capsys, monkeypatch):
    decide(names[0], "--threshold", 100)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "x")

    monkeypatch.setattr(export, "pack", full)
    assert cli("study", "apply", "ms", "--undecided", "otsu", "--zip", "-o", tmp_path / "z") == 2
    assert "the disk is full" in capsys.readouterr().err
    assert not (tmp_path / "z").exists()


@pytest.mark.parametrize("more", [["--rater", "carl"], []])
def test_whose_masks_are_meant_is_asked_before_anything_is_made(names, tmp_path, capsys, more):
    decide(names[0], "--threshold", 100)
    decide(names[0], "--threshold", 100, rater="ben")
    capsys.readouterr()
    assert cli("study", "apply", "ms", *more, "--zip", "-o", tmp_path / "z") == 2
    complaint(capsys)
    assert not (tmp_path / "z").exists()
