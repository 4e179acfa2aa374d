"""The verb `segment`: masks on the grid of their images."""

import dataclasses
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.runs.folder import Run
from ascnet_core.segmentation import scans as scans_module
from ascnet_core.segmentation.rules import RULES, RuleEntry
from tests.unit.commands.command_line import cli, complaint, rows_of


def test_masks_lie_on_the_grid_of_their_image(run, tmp_path, demo):
    """Turned, flipped and oblique storage comes back bit for bit."""
    source = nib.load(next(demo.glob("*_t2.nii.gz")))
    data = np.asanyarray(source.dataobj).transpose(2, 0, 1)[:, ::-1]
    turn = np.array([[0, -3.9, 0.3, 80], [0.1, 0.2, 4.0, -90], [4.1, 0, 0, -50], [0, 0, 0, 1]])
    image = nib.Nifti1Image(np.ascontiguousarray(data), turn)
    image.set_qform(turn, 2)
    image.set_sform(turn, 4)
    nib.save(image, tmp_path / "turned.nii.gz")
    given = nib.load(tmp_path / "turned.nii.gz")
    out = tmp_path / "out"
    arguments = ["--threshold", 100, "--save-maps", "--map", "fence", "--post", "none"]
    assert cli("segment", run, tmp_path / "turned.nii.gz", "-o", out, *arguments) == 0
    mask = nib.load(out / "turned_mask.nii.gz")
    assert mask.get_data_dtype() == np.uint8
    assert mask.shape == given.shape
    assert np.array_equal(mask.affine, given.affine)
    for code in ("qform_code", "sform_code"):
        assert mask.header[code] == given.header[code]
    values = np.asanyarray(mask.dataobj)
    assert set(np.unique(values)) <= {0, 1}
    # the same mask by hand from the saved map, inside the region (above 5 % of the 99th percentile)
    fence = np.asanyarray(nib.load(out / "turned_fence.nii.gz").dataobj)
    region = data > 0.05 * np.percentile(data, 99)
    expected = (np.rint(255 * fence) >= 100) & region
    assert np.array_equal(values.astype(bool), expected)
    row = rows_of(out / "segmentation.csv")[0]
    assert (row["level"], row["rule"], row["kind"]) == ("100", "100", "manual")
    assert int(row["voxels"]) == values.sum()
    voxel = abs(np.linalg.det(turn[:3, :3])) / 1000
    assert float(row["volume_ml"]) == pytest.approx(values.sum() * voxel, rel=1e-4)
    summary = json.loads((out / "segmentation.json").read_text())
    assert summary["rows"][0]["voxels"] == values.sum()
    assert summary["settings"]["data"]["size"] == 32


def test_a_cohort_is_segmented_with_one_or_several_thresholds(run, demo, tmp_path):
    for scope in ("cohort", "subject"):
        arguments = ["--map", "residual", "--threshold", "otsu", "--scope", scope]
        assert cli("segment", run, demo / "manifest.csv", "-o", tmp_path / scope, *arguments) == 0
        assert len(list((tmp_path / scope).glob("*_mask.nii.gz"))) == 4
    shared = rows_of(tmp_path / "cohort" / "segmentation.csv")
    assert len({row["level"] for row in shared}) == 1
    assert {row["scope"] for row in shared} == {"cohort"}
    assert not list(tmp_path.rglob(".tmp-*"))


def test_ranges_post_processing_and_gate_reach_the_mask(run, demo, tmp_path):
    plain, gated = tmp_path / "plain", tmp_path / "gated"
    how = [demo / "manifest.csv", "--threshold", 1, "--range", "subject", "--map", "residual"]
    assert cli("segment", run, *how, "-o", plain, "--post", "none") == 0
    assert cli("segment", run, *how, "-o", gated, "--post", "gate:flair:50", "components:2") == 0
    for row in rows_of(gated / "segmentation.csv"):
        name = Path(row["mask"]).name
        before = np.asanyarray(nib.load(plain / name).dataobj)
        after = np.asanyarray(nib.load(gated / name).dataobj)
        assert row["post"] == "gate:flair:50 components:2"
        assert row["range"].startswith("subject ")
        assert 0 < after.sum() < before.sum()
        assert not (after & ~before).any()


def test_reference_quantile_uses_the_runs_own_reference(run, demo, tmp_path):
    counts = Run(run).reference_counts("residual")
    beyond = np.cumsum(counts[::-1])[::-1] / counts.sum()
    rule = "reference-quantile:0.9"
    arguments = ["--map", "residual", "--threshold", rule]
    assert cli("segment", run, demo / "manifest.csv", "-o", tmp_path / "o", *arguments) == 0
    level = int(rows_of(tmp_path / "o" / "segmentation.csv")[0]["level"])
    assert level == np.flatnonzero(beyond <= 0.1)[0]


def test_a_picture_gets_a_picture(run, tmp_path):
    rows, columns = np.mgrid[0:40, 0:56]
    pixels = (rows * 3 + columns).astype(np.uint8)
    colours = np.stack([pixels, 255 - pixels, pixels // 2], axis=-1)
    Image.fromarray(colours).save(tmp_path / "slice.png")
    out = tmp_path / "out"
    assert cli("segment", run, tmp_path / "slice.png", "-o", out, "--channel", 0,
               "--threshold", "band:0:255", "--post", "roi") == 0  # fmt: skip
    mask = np.asarray(Image.open(out / "slice_mask.png"))
    assert mask.shape == (40, 56)
    assert mask.dtype == np.uint8
    # the whole region is kept: what is above 5 % of the 99th percentile, in the picture's own order
    assert np.array_equal(mask > 0, pixels > 0.05 * np.percentile(pixels, 99))
    assert set(np.unique(mask)) == {0, 255}


def test_a_region_file_can_be_given_for_one_image(run, demo, tmp_path):
    row = rows_of(demo / "manifest.csv")[1]
    out = tmp_path / "out"
    arguments = ["--region", demo / row["mask"], "--threshold", "band:0:255", "--post", "none"]
    if not np.asanyarray(nib.load(demo / row["mask"]).dataobj).any():
        pytest.fail("the demo's second subject has no lesion")
    assert cli("segment", run, demo / row["image"], "-o", out, *arguments) == 0
    mask = np.asanyarray(nib.load(next(out.glob("*_mask.nii.gz"))).dataobj)
    assert np.array_equal(mask, np.asanyarray(nib.load(demo / row["mask"]).dataobj))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--threshold", "best"], "best"),
        (["--post", "open:4"], "open:4"),
        (["--threshold", "reference-quantile:0.9", "--range", "subject"], "raw range"),
        (["--region", "NOWHERE.nii"], "NOWHERE.nii"),
        (["--cycle", "9"], "no cycle 9"),
        (["--set", "data.size=31"], "multiple of 16"),
        (["--batch", "0"], "--batch"),
    ],
)
def test_segment_says_what_is_wrong(run, demo, arguments, said, tmp_path, capsys):
    image = next(demo.glob("*_t2.nii.gz"))
    assert cli("segment", run, image, "-o", tmp_path / "out", *arguments) == 2
    assert said in complaint(capsys)


def bad_images(folder: Path):
    good = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    nib.save(nib.Nifti1Image(good, np.eye(4)), folder / "good.nii.gz")
    whole = (folder / "good.nii.gz").read_bytes()
    (folder / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "text.nii").write_text("no image")
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.float32), np.eye(4)), folder / "flat.nii")
    odd = good.copy()
    odd[1, 1, 1] = np.nan
    nib.save(nib.Nifti1Image(odd, np.eye(4)), folder / "nan.nii")
    nib.save(nib.Nifti1Image(np.stack([good, good], -1), np.eye(4)), folder / "frames.nii")
    return ("cut.nii.gz", "text.nii", "flat.nii", "nan.nii", "frames.nii")


def test_bad_images_are_refused_in_one_line(run, tmp_path, capsys):
    for name in bad_images(tmp_path):
        arguments = ["--threshold", 100, "-o", tmp_path / "out"]
        assert cli("segment", run, tmp_path / name, *arguments) == 2, name
        assert name in complaint(capsys)
    for name, more in (("nan.nii", ["--nan", 0]), ("frames.nii", ["--frame", 1])):
        arguments = ["--threshold", 100, "-o", tmp_path / "out", "--overwrite", *more]
        assert cli("segment", run, tmp_path / name, *arguments) == 0, name


def test_foreign_weights_are_refused(tmp_path, demo, capsys):
    (tmp_path / "w.safetensors").write_bytes(b"not at all")
    image = next(demo.glob("*_t2.nii.gz"))
    assert cli("segment", tmp_path / "w.safetensors", image, "-o", tmp_path / "out") == 2
    assert "w.safetensors" in complaint(capsys)


@pytest.fixture
def picky(monkeypatch, demo):
    """A rule that finds nothing for the second of the demo's subjects, and its scan's name."""
    scan = read_manifest(demo / "manifest.csv").scans[1]
    inside = int(prepare_scan(scan, Preparation(size=32)).region.sum())

    def find(rule, counts, side, reference):
        if counts.sum() == inside:
            raise UserError("Threshold rule 'picky' does not like this one; take another rule.")
        return 40, None, "Liked."

    entry = RuleEntry(form="picky", sentence="dislikes one", find=find)
    monkeypatch.setitem(RULES, "picky", entry)
    return scan.scan


def test_where_a_rule_finds_nothing_the_others_get_their_masks(run, demo, tmp_path, picky, capsys):
    out = tmp_path / "out"
    how = ["--map", "residual", "--threshold", "picky", "--scope", "subject"]
    assert cli("segment", run, demo / "manifest.csv", "-o", out, *how) == 2
    said = complaint(capsys)
    assert said.startswith(f"error: {picky} gets no mask. Threshold rule 'picky' does not like")
    rows = {row["scan"]: row for row in rows_of(out / "segmentation.csv")}
    assert len(rows) == 4
    failed = rows.pop(picky)
    assert failed["mask"] == failed["kept"] == failed["level"] == failed["voxels"] == ""
    assert failed["sentence"] in said
    assert {Path(row["mask"]).name for row in rows.values()} == {
        p.name for p in out.glob("*.nii.gz")
    }
    assert all(row["kept"] == "≥ 40" for row in rows.values())
    plain = json.loads((out / "segmentation.json").read_text())["rows"]
    assert [row["mask"] for row in plain if row["scan"] == picky] == [None]


def test_a_rule_that_finds_nothing_for_the_cohort_is_said_of_every_scan(
    run, demo, tmp_path, capsys
):
    how = ["--threshold", "peak:99", "--scope", "cohort"]
    assert cli("segment", run, demo / "manifest.csv", "-o", tmp_path / "o", *how) == 2
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 4
    assert not list((tmp_path / "o").glob("*.nii.gz"))
    assert len(rows_of(tmp_path / "o" / "segmentation.csv")) == 4


def test_a_gate_does_not_prepare_the_scan_again(run, demo, tmp_path, monkeypatch):
    calls = []

    def counted(scan, how):
        calls.append(scan.scan)
        return prepare_scan(scan, how)

    monkeypatch.setattr(scans_module, "prepare_scan", counted)
    how = ["--threshold", 40, "--post", "gate:flair:50"]
    assert cli("segment", run, demo / "manifest.csv", "-o", tmp_path / "o", *how) == 0
    assert len(calls) == len(set(calls)) == 4


def test_what_is_odd_about_scans_is_said_once_for_all_and_kept_in_the_tables(
    run, demo, tmp_path, capsys
):
    """Two scans with slices 20 mm apart and one as in training, of which nothing is said."""
    whole, *others = sorted(demo.glob("*_t2.nii.gz"))[:3]
    images = [whole]
    for number, path in enumerate(others):
        image = nib.load(path)
        affine = image.affine @ np.diag([1, 1, 1.7, 1])
        images.append(tmp_path / f"thick{number}.nii.gz")
        nib.save(nib.Nifti1Image(np.asanyarray(image.dataobj), affine, image.header), images[-1])
    how = ["--threshold", 100, "--map", "fence"]
    assert cli("segment", run, *images, "-o", tmp_path / "out", *how) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("note: thick0, thick1: Slices lie 21 mm apart, and tiny saw at most")
    rows = rows_of(tmp_path / "out" / "segmentation.csv")
    assert rows[0]["remarks"] == ""
    assert rows[1]["remarks"] == rows[2]["remarks"] == said[0].partition("thick1: ")[2]
    kept = json.loads((tmp_path / "out" / "segmentation.json").read_text())["rows"]
    assert [row["remarks"] for row in kept] == [row["remarks"] for row in rows]


def test_what_reading_left_unsure_is_said_too(run, demo, tmp_path, capsys, monkeypatch):
    def unsure(scan, how):
        return dataclasses.replace(prepare_scan(scan, how), remarks=("Millimetres are taken.",))

    monkeypatch.setattr(scans_module, "prepare_scan", unsure)
    image = next(demo.glob("*_t2.nii.gz"))
    assert cli("segment", run, image, "-o", tmp_path, "--threshold", 100, "--map", "fence") == 0
    assert capsys.readouterr().err.endswith(": Millimetres are taken.\n")
    assert rows_of(tmp_path / "segmentation.csv")[0]["remarks"] == "Millimetres are taken."
