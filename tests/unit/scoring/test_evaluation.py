"""A small cohort through the baselines, against the same numbers worked out by hand."""

import json
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort, read_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.methods.baselines import BASELINES, baselines
from ascnet_core.metrics.overlap import count
from ascnet_core.scoring.evaluation import evaluate, write_evaluation
from ascnet_core.scoring.plan import Plan, reference_cohort
from ascnet_core.segmentation.postprocess import run_steps

SHAPE, SPACING = (20, 18, 6), (1.0, 2.0, 3.0)
PREPARATION = Preparation(size=32, scaling="min-max")
INPUT = BASELINES["input-threshold"]


def volume(seed: int, lesion: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tissue around 100, CSF around 40, a lesion around 180 in three slices, air 0."""
    rng = np.random.default_rng(seed)
    x, y, _ = np.indices(SHAPE)
    region = (x - 10) ** 2 + (y - 9) ** 2 < 64
    truth = np.zeros(SHAPE, bool)
    if lesion:
        truth[7 + seed : 10 + seed, 6:11, 2:5] = True
    image = rng.normal(100, 12, SHAPE) - 60 * ((x < 9) & (y < 8)) + 80 * truth
    return np.where(region, image, 0).astype(np.float32), truth & region, region


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> Cohort:
    """Subject a with two scans, b with one, n normal, u without a mask."""
    folder = tmp_path_factory.mktemp("cohort")

    def save(array, name):
        affine = np.diag([*SPACING, 1])
        nib.save(nib.Nifti1Image(array, affine), folder / name)
        return name

    rows = []
    scans = [("a", "a1", 0, True), ("a", "a2", 1, True), ("b", "b", 2, True), ("n", "n", 3, False)]
    for subject, scan, seed, lesion in [*scans, ("u", "u", 1, True)]:
        image, truth, region = volume(seed, lesion)
        rows.append(
            {
                "subject": subject,
                "scan": scan,
                "image": save(image, f"{scan}.nii"),
                "mask": "" if scan == "u" else save(truth.astype(np.uint8), f"{scan}_mask.nii"),
                "region": save(region.astype(np.uint8), f"{scan}_region.nii"),
                "image:t2": save(np.flip(image, 0).copy(), f"{scan}_t2.nii"),
                "group": "anomalous" if lesion else "normal",
            }
        )
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    return read_manifest(folder / "manifest.csv")


def levels(cohort: Cohort, scan: str) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    prepared = prepare_scan(cohort.scan(scan), PREPARATION)
    return np.rint(prepared.scaled * 255), prepared.truth, prepared.region


def row_of(result, subject: str, rule: str, method: str = "input-threshold") -> pd.Series:
    rows = result.rows
    picked = rows[(rows.method == method) & (rows.rule == rule) & (rows.subject == subject)]
    assert len(picked) == 1
    return picked.iloc[0]


def summary_of(result, rule: str, method: str = "input-threshold") -> dict:
    found = [r for r in result.summary["rows"] if (r["method"], r["rule"]) == (method, rule)]
    assert len(found) == 1
    return found[0]


def test_scans_of_a_subject_are_pooled(cohort):
    result = evaluate(cohort, [INPUT], PREPARATION, Plan(rules=("170",)))
    counts = []
    for scan in ("a1", "a2"):
        grey, truth, region = levels(cohort, scan)
        counts.append(count((grey >= 170) & region, truth))
    both = counts[0] + counts[1]
    row = row_of(result, "a", "170")
    assert (row.tp, row.fp, row.fn, row.tn) == (both.tp, both.fp, both.fn, both.tn)
    assert row.dice == both.dice
    assert row.kind == "manual"
    assert (row.scans, row.scans_with_mask) == (2, 2)
    assert row.volume_ml == pytest.approx(both.predicted * 0.006)
    assert row.truth_ml == pytest.approx(both.true * 0.006)
    by_scan = evaluate(cohort, [INPUT], PREPARATION, Plan(rules=("170",), unit="scan"))
    rows = by_scan.rows[by_scan.rows.rule == "170"].set_index("scan")
    assert rows.loc["a1"].dice == counts[0].dice
    assert rows.loc["a2"].dice == counts[1].dice


def test_millilitres_of_a_sheared_grid_are_those_of_its_voxels(tmp_path):
    image, truth, _ = volume(0, lesion=True)
    sheared = np.diag([*SPACING, 1])
    sheared[1, 2] = 2.0  # gantry tilt: an axis is longer, and a voxel no larger
    for name, array in (("image", image), ("mask", truth.astype(np.uint8))):
        nib.save(nib.Nifti1Image(array, sheared), tmp_path / f"{name}.nii")
    (tmp_path / "manifest.csv").write_text("subject,image,mask\na,image.nii,mask.nii\n")
    cohort = read_manifest(tmp_path)
    result = evaluate(cohort, [INPUT], PREPARATION, Plan(rules=("170",), shapes=False))
    assert row_of(result, "a", "170").truth_ml == pytest.approx(truth.sum() * 0.006)


def test_empty_truth_is_counted_apart(cohort):
    plan = Plan(rules=("170", "255"))
    result = evaluate(cohort, [INPUT], PREPARATION, plan)
    assert row_of(result, "n", "170").dice == 0
    summary = summary_of(result, "170")
    assert summary["subjects"] == 4
    assert (summary["subjects_with_mask"], summary["subjects_with_lesion"]) == (3, 2)
    assert (summary["empty_truth"], summary["empty_both"]) == (1, 0)
    dice = [row_of(result, subject, "170").dice for subject in "ab"]
    assert summary["mean_dice"] == pytest.approx(np.mean(dice))
    assert summary["mean_dice_all"] == pytest.approx(np.mean([*dice, 0]))
    assert summary["sd"] == pytest.approx(np.std(dice))
    assert summary["ci95"][0] <= summary["mean_dice"] <= summary["ci95"][1]


def test_without_a_mask_there_is_a_volume_and_no_score(cohort):
    row = row_of(evaluate(cohort, [INPUT], PREPARATION, Plan(rules=("170",))), "u", "170")
    assert row.volume_ml > 0
    for name in ("dice", "sensitivity", "hd95_mm", "auprc", "tp", "truth_ml", "empty_truth"):
        assert pd.isna(row[name]), name
    assert row.scans_with_mask == 0


def test_a_cohort_of_healthy_subjects(cohort):
    healthy = reference_cohort(cohort, "normal")
    result = evaluate(healthy, baselines(), PREPARATION)
    assert {row["kind"] for row in result.summary["rows"]} == {"mask-free"}, "nothing to choose by"
    summary = summary_of(result, "otsu")
    assert summary["mean_dice"] == 0.0
    assert summary["mean_dice_over"] == "all (none has a lesion)"
    assert summary["subjects_with_lesion"] == 0
    assert summary["auprc"] is None


def test_oracles_are_the_best_and_are_labelled(cohort):
    result = evaluate(cohort, [INPUT], PREPARATION, Plan(rules=("170",)))
    rows = result.rows
    assert set(rows[rows.rule.str.startswith("oracle")].kind) == {"oracle"}
    assert set(rows[~rows.rule.str.startswith("oracle")].kind) == {"mask-free", "manual"}
    best = 0.0
    own = {}
    known = {scan: levels(cohort, scan) for scan in ("a1", "a2", "b")}
    for t in range(256):
        dice = []
        for subject, scans in {"a": ["a1", "a2"], "b": ["b"]}.items():
            total = None
            for scan in scans:
                grey, truth, region = known[scan]
                counts = count((grey >= t) & region, truth)
                total = counts if total is None else total + counts
            dice.append(total.dice)
            own[subject] = max(own.get(subject, 0), total.dice)
        best = max(best, float(np.mean(dice)))
    assert summary_of(result, "oracle-cohort")["mean_dice"] == pytest.approx(best)
    assert summary_of(result, "oracle-own")["mean_dice"] == pytest.approx(np.mean([*own.values()]))
    assert summary_of(result, "oracle-own")["threshold"] is None
    no = evaluate(cohort, [INPUT], PREPARATION, Plan(oracle=False))
    assert set(no.rows.kind) == {"mask-free"}


def test_dark_side_is_the_bright_side_of_the_inverse(cohort, tmp_path):
    frame = pd.read_csv(cohort.manifest)
    for column in ("mask", "region"):
        frame[column] = [
            str(cohort.manifest.parent / name) if isinstance(name, str) else ""
            for name in frame[column]
        ]
    for name in frame["image"]:
        image = nib.load(cohort.manifest.parent / name)
        nib.save(nib.Nifti1Image(300 - image.get_fdata(), image.affine), tmp_path / name)
    frame.drop(columns="image:t2").to_csv(tmp_path / "dark.csv", index=False)
    dark = evaluate(
        read_manifest(tmp_path / "dark.csv"), [INPUT], PREPARATION, Plan(rules=("85",), side="dark")
    )
    bright = evaluate(cohort, [INPUT], PREPARATION, Plan(rules=("170",)))
    for rule_dark, rule_bright in (("85", "170"), ("oracle-own", "oracle-own")):
        ours, theirs = summary_of(dark, rule_dark), summary_of(bright, rule_bright)
        for name in ("mean_dice", "auprc", "hd95_mm"):
            assert ours[name] == pytest.approx(theirs[name], abs=1e-3), name


def test_scope_cohort_gives_everyone_one_threshold(cohort):
    shared = evaluate(cohort, [INPUT], PREPARATION, Plan(scope="cohort"))
    alone = evaluate(cohort, [INPUT], PREPARATION, Plan(scope="subject"))

    def thresholds(result):
        return result.rows[result.rows.rule == "otsu"].threshold

    assert thresholds(shared).nunique() == 1
    assert thresholds(alone).nunique() > 1
    assert summary_of(shared, "otsu")["scope"] == "cohort"
    assert summary_of(shared, "otsu")["threshold"] == thresholds(shared).iloc[0]


def test_ranges_are_what_they_say(cohort):
    dim = replace(INPUT, grey=lambda prepared: prepared.scaled * np.float32(0.2), map="dim")
    plain = evaluate(cohort, [INPUT], PREPARATION, Plan(rules=("170",)))
    for kind in ("subject", "cohort"):
        stretched = evaluate(cohort, [dim], PREPARATION, Plan(rules=("170",), range=kind))
        # The input is scaled to [0, 1] in its region: stretching undoes the dimming.
        assert summary_of(stretched, "170")["mean_dice"] == pytest.approx(
            summary_of(plain, "170")["mean_dice"]
        )
        assert row_of(stretched, "b", "170")["range"] == f"{kind} 0 to 0.2"
    raw = evaluate(cohort, [dim], PREPARATION, Plan(rules=("170",)))
    assert summary_of(raw, "170")["mean_dice"] == 0


def test_post_processing_is_the_same_for_all_rows(cohort):
    plan = Plan(rules=("140",), post=("components:20", "gate:T2:50"))
    result = evaluate(cohort, [INPUT], PREPARATION, plan)
    assert set(result.rows.post) == {"components:20 gate:T2:50"}
    grey, truth, region = levels(cohort, "b")
    t2 = prepare_scan(cohort.scan("b"), PREPARATION).further("t2") * 255
    expected = run_steps((grey >= 140) & region, plan.post, region, lambda _: t2)
    assert row_of(result, "b", "140").dice == count(expected, truth).dice
    before = evaluate(cohort, [INPUT], PREPARATION, Plan(rules=("140",)))
    oracle = [summary_of(one, "oracle-cohort")["threshold"] for one in (before, result)]
    assert oracle[0] == oracle[1], "an oracle never sees the post-processing"


def test_reference_quantile(cohort):
    normal = reference_cohort(cohort, "normal")
    result = evaluate(cohort, [INPUT], PREPARATION, Plan(), reference=normal)
    grey, _, region = levels(cohort, "n")
    inside = grey[region]
    row = row_of(result, "b", "reference-quantile:0.995")
    t = int(row.threshold)
    assert (inside >= t).mean() <= 0.005 < (inside >= t - 1).mean()
    assert row.kind == "mask-free"
    # The cohort's own slices without lesion: slices 2 to 4 of its patients stay out.
    free = evaluate(cohort, [INPUT], PREPARATION, Plan(), reference_cohort(cohort, "lesion-free"))
    pixels = []
    for scan in ("a1", "a2", "b", "n"):
        grey, truth, region = levels(cohort, scan)
        keep = ~truth.any(axis=(0, 1))
        pixels.append(grey[:, :, keep][region[:, :, keep]])
    inside = np.concatenate(pixels)
    t = int(row_of(free, "b", "reference-quantile:0.995").threshold)
    assert (inside >= t).mean() <= 0.005 < (inside >= t - 1).mean()
    # Another manifest, with scans that are not scored.
    alone = Cohort("b", cohort.manifest, (cohort.scan("b"),))
    other = evaluate(alone, [INPUT], PREPARATION, Plan(), reference=normal)
    assert len(other.summary["rows"]) == 4
    assert row_of(other, "b", "reference-quantile:0.995").threshold == row.threshold


def test_a_reference_full_of_lesions_is_refused(cohort, tmp_path):
    mask = nib.load(cohort.scan("b").mask)
    nib.save(nib.Nifti1Image(np.ones(SHAPE, np.uint8), mask.affine), tmp_path / "all.nii")
    ill = Cohort("ill", cohort.manifest, (replace(cohort.scan("b"), mask=tmp_path / "all.nii"),))
    with pytest.raises(UserError, match="free of lesions"):
        evaluate(cohort, [INPUT], PREPARATION, Plan(), reference=ill)


def test_a_rule_that_finds_nothing_leaves_an_empty_mask(cohort):
    result = evaluate(
        cohort, [INPUT, BASELINES["input-peaks"]], PREPARATION, Plan(rules=("peak:9",))
    )
    summary = summary_of(result, "peak:9", "input-peaks")
    assert summary["rule_failed"] == 4
    assert summary["mean_dice"] == 0
    row = row_of(result, "b", "peak:9", "input-peaks")
    assert row.volume_ml == 0
    assert "peak" in row.sentence
    assert row.failed
    assert result.rows["failed"].sum() == 4
    assert not row_of(result, "b", "otsu").failed


def test_what_is_refused_before_the_work(cohort):
    seen = []

    def progress(done, total):
        seen.append(done)

    for plan in (
        Plan(rules=("reference-quantile:0.9",)),
        Plan(rules=("nonsense",)),
        Plan(post=("x",)),
        Plan(post=("gate:T1:50",)),
    ):
        with pytest.raises(UserError):
            evaluate(cohort, [INPUT], PREPARATION, plan, progress=progress)
    with pytest.raises(UserError, match="no method"):
        evaluate(cohort, [], PREPARATION)
    with pytest.raises(UserError, match="no scans"):
        evaluate(Cohort("none", Path("none.csv"), ()), [INPUT], PREPARATION)
    assert not seen


def test_progress_counts_to_its_end_and_can_cancel(cohort):
    seen = []
    evaluate(cohort, [INPUT], PREPARATION, progress=lambda *step: seen.append(step))
    assert seen == [(n, 10) for n in range(1, 11)]

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(cohort, [INPUT], PREPARATION, progress=stop)


def test_maps_are_computed_once_for_all_methods(cohort):
    calls = []

    def grey(prepared):
        calls.append(prepared.scan.scan)
        return prepared.scaled

    methods = [replace(INPUT, grey=grey), replace(BASELINES["input-peaks"], grey=grey)]
    evaluate(cohort, methods, PREPARATION)
    assert sorted(calls) == ["a1", "a2", "b", "n", "u"]


def test_files_are_what_the_tables_say(cohort, tmp_path):
    result = evaluate(cohort, baselines(), PREPARATION, Plan(rules=("170",)))
    written = write_evaluation(result, tmp_path / "out", slices=True)
    assert [path.name for path in written] == ["subjects.csv", "slices.csv", "summary.json"]
    frame = pd.read_csv(written[0])
    assert not frame.duplicated(["subject", "method", "map", "rule"]).any()
    assert len(frame) == len(result.rows)
    summary = json.loads(written[2].read_text(), parse_constant=pytest.fail)
    for row in summary["rows"]:
        part = frame[(frame.method == row["method"]) & (frame.rule == row["rule"])]
        assert part.dice[~part.empty_truth.fillna(True).astype(bool)].mean() == pytest.approx(
            row["mean_dice"], abs=1e-5
        )
    assert summary["settings"]["side"] == "bright"
    assert summary["settings"]["preparation"]["scaling"] == "min-max"
    assert {"python", "numpy"} <= set(summary["versions"])
    slices = pd.read_csv(written[1])
    picked = slices[
        (slices.unit == "b") & (slices.rule == "170") & (slices.method == "input-threshold")
    ]
    assert list(picked.slice) == [2, 3, 4]
    row = row_of(result, "b", "170")
    assert picked.dice.mean() == pytest.approx(row.slice_dice, abs=1e-5)


def test_references_that_are_not_there(cohort, tmp_path):
    bare = Cohort("u", cohort.manifest, (replace(cohort.scan("u"), group=None),))
    for choice in ("normal", "lesion-free", str(tmp_path / "no.csv")):
        with pytest.raises(UserError):
            reference_cohort(bare, choice)
