"""Files whose names are not UTF-8, through the verbs that read them."""

import os
import shutil

import pytest

from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.runs.folder import Run
from tests.unit.commands.command_line import TINY, cli, rows_of


@pytest.fixture(scope="module")
def folder(demo, tmp_path_factory):
    """A copy of the demo in a folder, and with an image, whose names are not UTF-8."""
    folder = tmp_path_factory.mktemp("bytes") / os.fsdecode(b"sc\xffans")
    shutil.copytree(demo, folder)
    (folder / "manifest.csv").unlink()
    for path in folder.glob("demo0-001_*"):
        path.rename(folder / path.name.replace("demo0-001", os.fsdecode(b"im\xe9ge")))
    return folder


@pytest.fixture(scope="module")
def manifest(folder):
    rows = []
    for image in sorted(folder.glob("*_t2.nii.gz")):
        name = image.name.removesuffix("_t2.nii.gz")
        mask, region = (folder / f"{name}_{what}.nii.gz" for what in ("mask", "region"))
        rows.append({"subject": name, "image": image, "mask": mask, "region": region})
    write_manifest(folder / "all.csv", rows)
    return folder / "all.csv"


def test_a_manifest_holds_their_names_escaped_and_finds_them(folder, manifest):
    manifest.read_text("utf-8")
    assert "im\\udce9ge_t2.nii.gz" in [row["image"] for row in rows_of(manifest)]
    assert {scan.image for scan in read_manifest(manifest).scans} == set(folder.glob("*_t2.nii.gz"))


def test_index_takes_or_names_each(folder, tmp_path, capsys):
    assert cli("index", folder, "-o", tmp_path / "m.csv") == 0
    assert "im" in capsys.readouterr().out + (tmp_path / "m.csv").read_text("utf-8")


def test_segment_writes_the_mask_and_the_tables(folder, run, tmp_path, capsys):
    image = next(folder.glob("im*_t2.nii.gz"))
    assert cli("segment", run, image, "-o", tmp_path / "out", "--threshold", "60") == 0
    assert len(list((tmp_path / "out").glob("*_mask.nii.gz"))) == 1
    assert "im\\udce9ge" in rows_of(tmp_path / "out" / "segmentation.csv")[0]["image"]
    (tmp_path / "out" / "segmentation.json").read_text("utf-8")
    assert "mask.nii.gz: " in capsys.readouterr().out


def test_evaluate_and_report_write_where_it_is_so_too(folder, manifest):
    assert cli("evaluate", manifest, "-o", folder / "scores", "--fast") == 0
    assert cli("report", folder / "scores") == 0
    (folder / "scores" / "report.html").read_text("utf-8")


def test_train_learns_from_them_and_goes_on(manifest, tmp_path):
    path = tmp_path / "mine"
    assert cli("train", manifest, "--name", path, "--reference", "lesion-free", *TINY) == 0
    assert cli("train", "--resume", path, "--set", "schedule.stage_1=3") == 0
    assert Run(path).status() == "finished"
    (path / "log.txt").read_text("utf-8")


def test_a_run_cannot_lie_where_weights_cannot_be_opened(manifest, folder, capsys):
    assert cli("train", manifest, "--name", folder / "mine", *TINY) == 2
    assert "no UTF-8" in capsys.readouterr().err
    assert not (folder / "mine").exists()
