"""What `segment` writes beside what is there, where names are odd, scans bad, or it is killed."""

import csv
import errno
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.outputs import LEDGER, is_ours, read_ledger
from tests.unit.commands.command_line import (
    cli,
    complaint,
    content_of,
    ended_before,
    rows_of,
)

HOW = ["--threshold", 100, "--device", "cpu"]


@pytest.fixture
def scans(demo, tmp_path) -> Path:
    """A folder of the user's: one scan, a mask drawn by hand, a manifest."""
    folder = tmp_path / "scans"
    folder.mkdir()
    shutil.copy(next(demo.glob("*_t2.nii.gz")), folder / "p1.nii.gz")
    (folder / "p1_mask.nii.gz").write_bytes(b"drawn by hand")
    (folder / "segmentation.csv").write_text("subject,image\np1,p1.nii.gz\n")
    return folder


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
@pytest.mark.parametrize("named", ["p1.nii.gz", "segmentation.csv"])
def test_what_lies_there_stays(run, scans, capsys, named, more):
    before = content_of(scans)
    assert cli("segment", run, scans / named, "-o", scans, *HOW, *more) == 2
    said = complaint(capsys)
    assert "p1_mask.nii.gz is there" in said
    assert "choose another place" in said
    (scans / "p1_mask.nii.gz").unlink()
    assert cli("segment", run, scans / named, "-o", scans, *HOW, *more) == 2
    assert "segmentation.csv" in complaint(capsys)
    assert content_of(scans) == {k: v for k, v in before.items() if k != "p1_mask.nii.gz"}


def test_maps_take_no_files_place_either(run, scans, capsys):
    (scans / "p1_wild.nii.gz").write_bytes(b"mine")
    for name in ("p1_mask.nii.gz", "segmentation.csv"):
        (scans / name).unlink()
    assert cli("segment", run, scans / "p1.nii.gz", "-o", scans, *HOW, "--save-maps") == 2
    assert "p1_wild.nii.gz is there" in complaint(capsys)
    assert sorted(content_of(scans)) == ["p1.nii.gz", "p1_wild.nii.gz"]


def test_its_own_is_replaced_on_demand_unless_changed_by_hand(run, scans, tmp_path, capsys):
    call = ["segment", run, scans / "p1.nii.gz", "-o", tmp_path / "out", *HOW]
    assert cli(*call) == 0
    assert is_ours(tmp_path / "out" / "p1_mask.nii.gz")
    first = content_of(tmp_path / "out")
    capsys.readouterr()
    assert cli(*call) == 2
    assert "give --overwrite" in complaint(capsys)
    assert cli(*call, "--overwrite") == 0
    assert content_of(tmp_path / "out") == first
    (tmp_path / "out" / "p1_mask.nii.gz").write_bytes(b"mended by hand")
    capsys.readouterr()
    assert cli(*call, "--overwrite") == 2
    assert "p1_mask.nii.gz is there" in complaint(capsys)
    assert (tmp_path / "out" / "p1_mask.nii.gz").read_bytes() == b"mended by hand"


def test_a_region_that_an_earlier_call_made_stays(run, scans, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli("segment", run, scans / "p1.nii.gz", "-o", out, "--threshold", "band:0:255",
               "--post", "none") == 0  # fmt: skip
    capsys.readouterr()
    region = ["--region", out / "p1_mask.nii.gz", "--overwrite"]
    assert cli("segment", run, scans / "p1.nii.gz", "-o", out, *HOW, *region) == 2
    assert "is read by this call" in complaint(capsys)


def manifest_of(folder: Path, rows: list[tuple[str, Path]]) -> Path:
    path = folder / "cohort.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([("subject", "image"), *rows])
    return path


def test_names_that_would_be_one_file_are_told_apart(run, demo, tmp_path):
    images = [scan.image for scan in read_manifest(demo / "manifest.csv").scans]
    names = ["P:1", "P?1", "p_1", "ü" * 150]
    manifest = manifest_of(tmp_path, list(zip(names, images, strict=True)))
    assert cli("segment", run, manifest, "-o", tmp_path / "out", *HOW, "--save-maps") == 0
    rows = rows_of(tmp_path / "out" / "segmentation.csv")
    assert [row["scan"] for row in rows] == names
    masks = [Path(row["mask"]) for row in rows]
    assert len({mask.name.casefold() for mask in masks}) == 4
    for row, image in zip(rows, images, strict=True):
        whole = int(row["region_voxels"])
        assert np.asanyarray(nib.load(row["mask"]).dataobj).shape == nib.load(image).shape
        assert whole > 0
    assert len(list((tmp_path / "out").glob("*_wild.nii.gz"))) == 4
    again = tmp_path / "again"
    assert cli("segment", run, manifest, "-o", again, *HOW) == 0
    assert {mask.name for mask in masks} == {p.name for p in again.glob("*_mask.nii.gz")}


def test_one_bad_scan_does_not_stop_the_others(run, demo, tmp_path, capsys):
    scans = read_manifest(demo / "manifest.csv").scans
    grid = nib.load(scans[0].image)
    nib.save(nib.Nifti1Image(np.full(grid.shape, 7.0), grid.affine), tmp_path / "constant.nii.gz")
    whole = scans[1].image.read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.npy").write_text("no array")
    rows = [(scan.scan, scan.image) for scan in scans]
    bad = {name: tmp_path / name for name in ("constant.nii.gz", "cut.nii.gz", "text.npy")}
    rows[1:1] = [(path.name.partition(".")[0], path) for path in bad.values()]
    out, alone = tmp_path / "out", tmp_path / "alone"
    how = ["--threshold", "otsu", "--scope", "cohort", "--map", "residual"]
    assert cli("segment", run, manifest_of(tmp_path, rows), "-o", out, *how) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    for line, name in zip(said, bad, strict=True):
        assert line.startswith(f"error: {name.partition('.')[0]} gets no mask.")
        assert name in line
    table = {row["scan"]: row for row in rows_of(out / "segmentation.csv")}
    assert list(table) == [name for name, _ in rows]
    for line, name in zip(said, ("constant", "cut", "text"), strict=True):
        assert table[name]["mask"] == table[name]["voxels"] == ""
        assert table[name]["sentence"] in line
    # the good ones are as without the bad ones
    good = [(scan.scan, scan.image) for scan in scans]
    assert cli("segment", run, manifest_of(tmp_path, good), "-o", alone, *how) == 0
    for path in alone.glob("*_mask.nii.gz"):
        assert path.read_bytes() == (out / path.name).read_bytes()
    assert len(read_ledger(out)) == len(scans) + 2


def test_where_no_scan_can_be_read_nothing_is_written(run, tmp_path, capsys):
    rows = []
    for name in ("a", "b"):
        (tmp_path / f"{name}.npy").write_text("no array")
        rows.append((name, tmp_path / f"{name}.npy"))
    assert cli("segment", run, manifest_of(tmp_path, rows), "-o", tmp_path / "x" / "out", *HOW) == 2
    said = capsys.readouterr().err.splitlines()
    assert [name in line for name, line in zip(("a.npy", "b.npy"), said, strict=True)] == [True] * 2
    assert not (tmp_path / "x").exists()


def test_a_broken_image_to_gate_by_costs_its_scan_only(run, demo, tmp_path, capsys):
    scans = read_manifest(demo / "manifest.csv").scans
    (tmp_path / "bad.nii.gz").write_bytes(b"no image")
    path = tmp_path / "cohort.csv"
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("subject", "image", "image:flair"))
        table.writerows((scan.scan, scan.image, scan.further["flair"]) for scan in scans[1:])
        table.writerow((scans[0].scan, scans[0].image, tmp_path / "bad.nii.gz"))
    how = [*HOW, "--post", "gate:flair:50"]
    assert cli("segment", run, path, "-o", tmp_path / "out", *how) == 2
    assert f"error: {scans[0].scan} gets no mask." in complaint(capsys)
    assert len(list((tmp_path / "out").glob("*_mask.nii.gz"))) == 3


class FullDisk:
    """Every way of writing is counted; the disk is full at write number `at`, and from then on."""

    def __init__(self, monkeypatch, at: int) -> None:
        self.count, self.at = 0, at
        for owner, name in ((np, "save"), (nib, "save"), (Path, "write_bytes"), (Path, "mkdir")):
            monkeypatch.setattr(owner, name, self.counted(getattr(owner, name)))

    def counted(self, writes: Callable[..., object]) -> Callable[..., object]:
        def write(*arguments: object, **more: object) -> object:
            self.count += 1
            if self.count >= self.at:
                raise OSError(errno.ENOSPC, "No space left on device")
            return writes(*arguments, **more)

        return write


def test_a_disk_that_is_full_at_any_write_leaves_nothing_half_written(run, demo, tmp_path, capsys):
    image = read_manifest(demo / "manifest.csv").scans[1].image
    out = tmp_path / "new" / "out"
    call = ["segment", run, image, "-o", out, *HOW, "--overwrite"]
    before: dict[str, bytes] = {}
    for threshold, first in ((100, True), (90, False)):  # into nothing, and over earlier masks
        for at in range(1, 100):
            with pytest.MonkeyPatch.context() as patch:
                disk = FullDisk(patch, at)
                status = cli(*call, "--threshold", threshold)
            if status == 0:
                break
            assert len(capsys.readouterr().err.splitlines()) == 1
            assert (out.exists(), tmp_path.joinpath("new").exists()) == (not first, not first)
            assert content_of(out) == before
        assert disk.count > 8
        before = content_of(out)
        assert len(before) == 4


MOMENTS = (
    "*/.tmp-ascnet-*/kept/1",
    "*/.tmp-ascnet-*/*_mask.nii.gz",
    f"*/out/{LEDGER}",
    "*/out/demo0-002_mask.nii.gz",
)


@pytest.mark.parametrize("moment", MOMENTS)
def test_after_a_kill_the_same_call_gives_the_same_bytes(run, demo, tmp_path, moment, monkeypatch):
    call = ["segment", str(run), str(demo / "manifest.csv"), "-o", "out", "--save-maps"]
    call += ["--threshold", "otsu", "--device", "cpu"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    monkeypatch.chdir(whole)
    assert cli(*call) == 0
    out = killed / "out"
    absolute = [str(out) if word == "out" else word for word in call]
    assert ended_before(moment, signal.SIGKILL, *absolute) == -signal.SIGKILL
    assert any(path.name.startswith(".tmp-ascnet-") for path in out.iterdir())
    assert (out / LEDGER).exists() == (moment == MOMENTS[-1])
    monkeypatch.chdir(killed)
    assert cli(*call) == 0
    assert content_of(out) == content_of(whole / "out")
    assert json.loads((out / LEDGER).read_text()).keys() == {"files"}
