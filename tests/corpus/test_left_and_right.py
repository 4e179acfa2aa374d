"""What is on the patient's right stays there: through every verb, page download and picture."""

import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.cli import main
from ascnet_core.imaging.cohort import Scan, read_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from tests.corpus.asymmetric import affine, head, in_world, lesion, store

# Axis orders of both hands, each with a grid turned and one sheared among them.
STORED = {
    "RAS": ("RAS", affine()),
    "LAS": ("LAS", affine()),
    "LPS": ("LPS", affine()),
    "PIR": ("PIR", affine()),
    "ASL": ("ASL", affine()),
    "SLP": ("SLP", affine()),
    "IPL": ("IPL", affine()),
    "RSA": ("RSA", affine()),
    "LAS turned": ("LAS", affine(turned=17)),
    "PSR turned": ("PSR", affine(turned=-20)),
    "LPS sheared": ("LPS", affine(sheared=0.2)),
    "RAI sheared": ("RAI", affine(turned=8, sheared=-0.15)),
}
every_order = pytest.mark.parametrize(("axcodes", "at"), STORED.values(), ids=STORED)
# by the input's own brightness, so that no network decides where the mask lies
BY_BRIGHTNESS = ["--threshold", "band:0:255", "--post", "gate:flair:200", "--region", "auto"]


def cli(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Path:
    """All heads in one manifest; each mask is stored in another axis order than its image."""
    folder = tmp_path_factory.mktemp("heads")
    lines = ["subject,image,mask,image:flair,modality"]
    orders = [axcodes for axcodes, _ in STORED.values()]
    for number, (axcodes, at) in enumerate(STORED.values()):
        store(folder / f"p{number}.nii.gz", head(), axcodes, at)
        other = orders[(number + 1) % len(orders)]
        store(folder / f"p{number}_mask.nii.gz", lesion(), other, at, np.uint8)
        lines.append(f"p{number},p{number}.nii.gz,p{number}_mask.nii.gz,p{number}.nii.gz,FLAIR")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder / "manifest.csv"


def test_segment_puts_masks_and_maps_where_the_image_is(small_run, cohort, tmp_path):
    out = tmp_path / "out"
    assert cli("segment", small_run, cohort, "-o", out, "--save-maps", *BY_BRIGHTNESS) == 0
    upright = in_world(out / "p0_fence.nii.gz", affine())
    for number, (_, at) in enumerate(STORED.values()):
        assert np.array_equal(in_world(out / f"p{number}_mask.nii.gz", at) > 0, lesion()), number
        image = nib.load(cohort.parent / f"p{number}.nii.gz")
        mask = nib.load(out / f"p{number}_mask.nii.gz")
        assert np.array_equal(mask.affine, image.affine)
        # the network sees the same slices, however the file stores them
        fence = in_world(out / f"p{number}_fence.nii.gz", at)
        if np.allclose(at, affine()):
            assert np.allclose(fence, upright, atol=1e-4), number


def test_the_network_itself_marks_the_side_of_the_lesion(tmp_path):
    """What the shipped run finds on heads stored to either hand is on the right."""
    run = Path(__file__).resolve().parents[2] / "checkpoints" / "demo-flair"
    paths = [store(tmp_path / f"{code}.nii.gz", head(), code, affine()) for code in ("RAS", "LPS")]
    out = tmp_path / "out"
    assert cli("segment", run, *paths, "-o", out, "--threshold", "rightmost-valley",
               "--scope", "subject", "--set", "data.size=64") == 0  # fmt: skip
    for path in paths:
        found = in_world(out / f"{path.stem.removesuffix('.nii')}_mask.nii.gz", affine()) > 0
        assert (found & lesion()).sum() > 0.5 * lesion().sum()
        assert not (found & lesion()[::-1]).any()


def test_evaluate_gives_dice_1_for_masks_stored_in_another_order(cohort, tmp_path):
    assert cli("evaluate", cohort, "-o", tmp_path / "scores", "--method", "input-threshold",
               "--threshold", 200, "--post", "none", "--region", "auto") == 0  # fmt: skip
    with (tmp_path / "scores" / "subjects.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["rule"] == "200"]
    assert len(rows) == len(STORED)
    assert {float(row["dice"]) for row in rows} == {1.0}
    assert cli("report", tmp_path / "scores", "-o", tmp_path / "scores.html") == 0
    assert "1.000" in (tmp_path / "scores.html").read_text(encoding="utf-8")


def test_index_and_reading_keep_the_side(cohort, tmp_path):
    manifest = tmp_path / "found.csv"
    assert cli("index", cohort.parent, "-o", manifest) == 0
    scans = {scan.scan: scan for scan in read_manifest(manifest).scans}
    assert len(scans) == len(STORED)
    for number in range(len(STORED)):
        prepared = prepare_scan(scans[f"p{number}"], Preparation(size=32))
        assert np.array_equal(prepared.truth, lesion())
        assert np.array_equal(prepared.volume.data, head())


def test_held_out_patients_of_crossval_get_dice_1(cohort, tmp_path):
    some = [line for line in cohort.read_text().splitlines() if line[:3] in ("sub", "p2,", "p4,")]
    manifest = cohort.with_name("some.csv")
    manifest.write_text("\n".join(some) + "\n")
    plan = f"""
        [data.heads]
        manifests = ["{manifest}"]
        folds = 2
        reference = "lesion-free"
        baselines = ["input-threshold"]
        baseline_rules = ["200"]

        [run.none]
        set = ["data.size=32", "network.width=2", "schedule.stage_1=1", "schedule.steps=1",
               "schedule.batch_m=4"]
    """
    (tmp_path / "plan.toml").write_text(plan)
    out = tmp_path / "out"
    assert cli("crossval", tmp_path / "plan.toml", "-o", out, "--device", "cpu") == 0
    with (out / "subjects.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["rule"] == "200"]
    assert {row["subject"] for row in rows} == {"p2", "p4"}
    assert {float(row["dice"]) for row in rows} == {1.0}


@pytest.mark.parametrize("contrast", ["flair", "t2"])
def test_demo_writes_lesions_where_its_masks_say(tmp_path, contrast):
    out = tmp_path / "demo"
    assert cli("demo", out, "--subjects", 4, "--size", "48x48x12", "--contrast", contrast) == 0
    with (out / "manifest.csv").open() as stream:
        rows = [row for row in csv.DictReader(stream) if row["group"] == "anomalous"]
    assert rows
    for row in rows:
        image, mask = (nib.as_closest_canonical(nib.load(out / row[k])) for k in ("image", "mask"))
        held = np.asanyarray(mask.dataobj) > 0
        values = np.asanyarray(image.dataobj)
        mirrored = held[::-1] & ~held
        assert values[held].mean() > values[mirrored].mean()


@every_order
def test_the_download_lies_where_the_image_is(axcodes, at, tmp_path):
    from pages.parts.threshold.export import mask_file

    path = store(tmp_path / "p.nii.gz", head(), axcodes, at)
    prepared = prepare_scan(Scan("p", "p", path), Preparation(size=32))
    (tmp_path / "mask.nii.gz").write_bytes(mask_file(prepared, prepared.volume.data > 200))
    assert np.array_equal(in_world(tmp_path / "mask.nii.gz", at) > 0, lesion())


@every_order
def test_pictures_show_the_patients_right_at_the_left_and_the_front_on_top(axcodes, at, tmp_path):
    from pages.parts.shared import pictures

    path = store(tmp_path / "p.nii.gz", head(), axcodes, at)
    slices = prepare_scan(Scan("p", "p", path), Preparation(size=64)).slices()
    shown = pictures.grey(pictures.display(slices[5]))
    rows, columns = np.nonzero(shown > 240)
    assert columns.max() < 32  # the lesion
    assert abs(rows.mean() - 32) < 8
    assert shown[:12].max() > 120 > shown[-8:].max()  # the nose above, nothing below
    # slices run from the neck up: the bun is on the last one alone
    assert slices[-1].max() > 0.4
    from pages.parts.compare.reference_lab import row_of

    row = row_of(pictures.grey(slices[5:6]), None, 1)
    factor = len(row) // 64
    assert np.array_equal(row[::factor, ::factor, 0], shown)
    montage = pictures.montage(pictures.display(slices), columns=4, gap=0)
    assert np.array_equal(montage[64:128, 64:128], shown)


@every_order
def test_the_viewer_gets_x_from_left_to_right_and_z_from_below(axcodes, at, tmp_path):
    """As `slices.js` expects it, whose own tests say how it is turned to the screen."""
    import gzip
    import json

    from pages.parts.viewer.viewer import pack_volumes

    path = store(tmp_path / "p.nii.gz", head(), axcodes, at)
    prepared = prepare_scan(Scan("p", "p", path), Preparation(size=32))
    levels = np.rint(255 * prepared.scaled).astype(np.uint8)
    whole = np.ones(lesion().shape, bool)
    block = pack_volumes("k", {"input": levels}, whole, lesion(), prepared.spacing)
    start = block.index(b"{")
    header, _ = json.JSONDecoder().raw_decode(block[start:].decode("latin-1"))
    assert header["shape"] == header["full"] == list(lesion().shape)
    sizes = dict(header["parts"])
    packed = block[-sizes["labels"] :]
    labels = np.frombuffer(gzip.decompress(packed), np.uint8).reshape(lesion().shape, order="F")
    assert np.array_equal(labels >= 2, lesion())


@pytest.mark.parametrize("suffix", [".png", ".npy"])
def test_a_picture_and_a_stack_have_the_right_at_the_left(small_run, suffix, tmp_path):
    """Files without a header are taken as seen on a screen: first column right, first row front."""
    from PIL import Image

    pixels = np.ascontiguousarray(head()[:, :, 5].T[::-1, ::-1])
    truth = lesion()[:, :, 5].T[::-1, ::-1]
    path = tmp_path / f"p{suffix}"
    if suffix == ".png":
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    else:
        np.save(path, pixels[np.newaxis])
    data = prepare_scan(Scan("p", "p", path), Preparation(size=32)).volume.data
    assert np.array_equal(data[:, :, 0], head()[:, :, 5])
    (tmp_path / "m.csv").write_text(f"subject,image,image:flair\np,p{suffix},p{suffix}\n")
    out = tmp_path / "out"
    assert cli("segment", small_run, tmp_path / "m.csv", "-o", out, *BY_BRIGHTNESS) == 0
    written = out / f"p_mask{suffix}"
    mask = np.asarray(Image.open(written)) if suffix == ".png" else np.load(written)[0]
    assert np.array_equal(mask > 0, truth)
