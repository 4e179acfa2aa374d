"""The verb `evaluate`: tables of a run and of baselines."""

import json
import signal

import nibabel as nib
import numpy as np
import pytest

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.outputs import LEDGER
from tests.helpers import make_nifti
from tests.unit.commands.command_line import (
    cli,
    complaint,
    content_of,
    ended_before,
    rows_of,
)


def test_evaluate_writes_tables_with_run_and_baselines(run, demo, tmp_path, capsys):
    out = tmp_path / "scores"
    arguments = ["--threshold", "otsu", 100, "--map", "wild", "--fast"]
    assert cli("evaluate", demo / "manifest.csv", "--run", run, "-o", out, *arguments) == 0
    summary = json.loads((out / "summary.json").read_text())
    methods = {row["method"] for row in summary["rows"]}
    assert {"asc-net", "input-threshold", "equalised-input"} <= methods
    assert {row["kind"] for row in summary["rows"]} == {"mask-free", "manual", "oracle"}
    for key in ("method", "run", "map", "rule", "side", "scope", "post", "subjects",
                "mean_dice", "sd", "median", "ci95", "auprc", "prevalence"):  # fmt: skip
        assert key in summary["rows"][0], key
    assert {"settings", "versions"} <= summary.keys()
    rows = rows_of(out / "subjects.csv")
    assert {row["subject"] for row in rows} == {
        row["subject"] for row in rows_of(demo / "manifest.csv")
    }
    said = capsys.readouterr().out
    assert "oracle" in said


def test_evaluate_leaves_out_what_it_is_told_to(run, demo, tmp_path):
    out = tmp_path / "scores"
    arguments = ["--run", run, "--no-baselines", "--no-oracle", "--threshold", "otsu", "--fast"]
    assert cli("evaluate", demo / "manifest.csv", "-o", out, *arguments) == 0
    rows = json.loads((out / "summary.json").read_text())["rows"]
    assert [(row["method"], row["kind"]) for row in rows] == [("asc-net", "mask-free")]


def test_evaluate_agrees_with_segment(run, demo, tmp_path):
    """The same threshold gives the same Dice, counted here from the files of `segment`."""
    how = ["--map", "residual", "--threshold", 20, "--post", "components:3"]
    assert cli("segment", run, demo / "manifest.csv", "-o", tmp_path / "m", *how) == 0
    more = ["--no-baselines", "--no-oracle", "--fast"]
    assert cli("evaluate", demo / "manifest.csv", "--run", run, "-o", tmp_path / "e",
               *how, *more) == 0  # fmt: skip
    masks = {row["subject"]: row["mask"] for row in rows_of(tmp_path / "m" / "segmentation.csv")}
    truths = {row["subject"]: row["mask"] for row in rows_of(demo / "manifest.csv")}
    for row in rows_of(tmp_path / "e" / "subjects.csv"):
        mask = np.asanyarray(nib.load(masks[row["subject"]]).dataobj) > 0
        truth = np.asanyarray(nib.load(demo / truths[row["subject"]]).dataobj) > 0
        if truth.any():
            expected = 2 * (mask & truth).sum() / (mask.sum() + truth.sum())
            assert float(row["dice"]) == pytest.approx(expected, abs=1e-6)


def test_settings_that_change_nothing_of_a_run_are_said(run, demo, tmp_path, capsys):
    choices = ["--scaling", "min-max", "--no-baselines", "--fast"]
    assert cli("evaluate", demo, "--run", run, "-o", tmp_path / "scores", *choices) == 0
    err = capsys.readouterr().err
    assert "note: data.scaling is changed for the baselines alone; a run is scored with" in err


def test_a_single_baseline_can_be_asked_for(demo, tmp_path):
    out = tmp_path / "scores"
    arguments = ["--method", "input-threshold", "--fast", "--reference", "normal"]
    assert cli("evaluate", demo / "manifest.csv", "-o", out, *arguments) == 0
    rows = json.loads((out / "summary.json").read_text())["rows"]
    assert {row["method"] for row in rows} == {"input-threshold"}
    assert "reference-quantile:0.995" in {row["rule"] for row in rows}


def test_labels_of_the_masks_are_chosen(tmp_path, capsys):
    rng = np.random.default_rng(0)
    image = rng.uniform(50, 100, (20, 20, 4))
    labels = np.zeros(image.shape)
    labels[5:9, 5:9], labels[12:14, 12:14] = 1, 2
    make_nifti(tmp_path / "a.nii", image + 100 * (labels == 2))
    make_nifti(tmp_path / "m.nii", labels, dtype=np.uint8)
    (tmp_path / "x.csv").write_text("subject,image,mask\na,a.nii,m.nii\n")
    words = ["evaluate", tmp_path / "x.csv", "-o", tmp_path / "out", "--fast"]
    words += ["--method", "input-threshold", "--overwrite"]
    dice = {}
    for chosen in ((), ("--label", 2), ("--label", 1, 2)):
        assert cli(*words, *chosen) == 0
        rows = rows_of(tmp_path / "out" / "subjects.csv")
        dice[chosen] = max(float(row["dice"]) for row in rows)
    assert dice["--label", 2] == 1
    assert dice["--label", 1, 2] == dice[()] < 0.8
    capsys.readouterr()
    assert cli(*words, "--label", 7) == 2
    assert "m.nii has no label 7; it holds 0, 1, 2: choose" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seed", "-1"], "--seed is -1"),
        (["--nan", "nan"], "data.nan is 'nan'; it must be a finite number"),
        (["--nan", "inf"], "data.nan is 'inf'; it must be a finite number"),
        (["--frame", "-1"], "data.frame is -1"),
        (["--channel", "-1"], "data.channel is -1"),
        (["--run", "demo-flair", "--cycle", "-1"], "no cycle -1"),
        (["--threshold", "nan"], "'nan' cannot be used"),
        (["--threshold", "reference-quantile:nan"], "between 0 and 1"),
        (["--threshold", "peak:inf"], "cannot be used"),
        (["--post", "components:1e99"], "'components:1e99' cannot be used"),
        (["--post", "components:nan"], "'components:nan' cannot be used"),
        (["--post", "gate:t1:nan"], "'gate:t1:nan' cannot be used"),
    ],
)
def test_options_that_are_no_usable_number_are_refused(demo, tmp_path, capsys, options, said):
    assert cli("evaluate", demo / "manifest.csv", "-o", tmp_path / "out", *options) == 2
    assert said in complaint(capsys)
    assert not (tmp_path / "out").exists()


def test_a_scan_that_cannot_be_read_is_counted_and_named(demo, tmp_path, capsys):
    """The rest is scored as without it, and every mean says that it is without it."""
    scans = read_manifest(demo / "manifest.csv").scans
    (tmp_path / "bad.nii.gz").write_bytes(b"no image")
    lines = [f"{scan.subject},{scan.image},{scan.mask}" for scan in scans]
    whole = tmp_path / "whole.csv"
    whole.write_text("\n".join(["subject,image,mask", *lines]))
    bad = f"{tmp_path / 'bad.nii.gz'}"
    lines = [f"gone,{bad},{scans[1].mask}", *lines, f"{scans[3].subject},{bad},{scans[3].mask}"]
    spoilt = tmp_path / "spoilt.csv"
    spoilt.write_text("\n".join(["subject,image,mask", *lines]))
    arguments = ["--fast", "--method", "input-threshold"]
    assert cli("evaluate", whole, "-o", tmp_path / "a", *arguments) == 0
    capsys.readouterr()
    assert cli("evaluate", spoilt, "-o", tmp_path / "b", *arguments) == 2
    captured = capsys.readouterr()
    assert "the means are without 2 of 6 scans" in captured.out
    said = captured.err.splitlines()
    assert len(said) == 2
    assert said[0].startswith("error: gone is not scored. ")
    assert "bad.nii.gz" in said[0]
    found, expected = (json.loads((tmp_path / n / "summary.json").read_text()) for n in "ba")
    assert [one["subject"] for one in found["failed"]] == ["gone", scans[3].subject]
    for one, other in zip(found["rows"], expected["rows"], strict=True):
        assert one["subjects"] == other["subjects"]
        assert (one["subjects_failed"], one["scans_failed"]) == (1, 2)
        assert one["mean_dice"] == other["mean_dice"]
        assert one["rule_failed"] == 0
        assert "without 2 scans that could not be read" in one["mean_dice_over"]
        assert (other["subjects_failed"], other["scans_failed"]) == (0, 0)
    table = rows_of(tmp_path / "b" / "subjects.csv")
    rows = [row for row in table if row["subject"] == "gone"]
    assert len(rows) == len(found["rows"])
    assert {(row["failed"], row["dice"], row["scans"]) for row in rows} == {("True", "", "0")}
    assert "bad.nii.gz" in rows[0]["sentence"]
    rest = [row for row in table if row["subject"] != "gone"]
    assert {row["scans_failed"] for row in rest} == {"0", "1"}
    assert cli("report", tmp_path / "b") == 0
    assert "without 2 scans that could not be read" in (tmp_path / "b/report.html").read_text()


def test_where_no_scan_can_be_read_nothing_is_written(demo, tmp_path, capsys):
    (tmp_path / "bad.nii.gz").write_bytes(b"no image")
    (tmp_path / "bad.csv").write_text("subject,image\na,bad.nii.gz\nb,bad.nii.gz\n")
    assert cli("evaluate", tmp_path / "bad.csv", "-o", tmp_path / "out", "--fast") == 2
    assert "bad.nii.gz" in complaint(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["subjects.csv", "slices.csv", "summary.json"])
def test_a_manifest_in_the_folder_of_the_tables_stays(demo, tmp_path, capsys, name):
    rows = (demo / "manifest.csv").read_text().replace("demo0", f"{demo}/demo0")
    text = rows.replace(f"\n{demo}/", "\n")
    (tmp_path / name).write_text(text)
    (tmp_path / "x.csv").write_text(text)
    manifest = tmp_path / (name if name.endswith(".csv") else "x.csv")
    for more in ([], ["--overwrite"]):
        arguments = ["--method", "input-threshold", "--fast", *more]
        assert cli("evaluate", manifest, "-o", tmp_path, *arguments) == 2
        assert name in complaint(capsys)
    assert (tmp_path / name).read_text() == text
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({name, "x.csv"})


def test_its_own_tables_are_replaced_on_demand(demo, tmp_path, capsys):
    arguments = ["-o", tmp_path, "--method", "input-threshold", "--fast"]
    assert cli("evaluate", demo / "manifest.csv", *arguments) == 0
    before = (tmp_path / "subjects.csv").read_bytes()
    capsys.readouterr()
    assert cli("evaluate", demo / "manifest.csv", *arguments) == 2
    assert "give --overwrite" in complaint(capsys)
    assert cli("evaluate", demo / "manifest.csv", *arguments, "--overwrite") == 0
    assert (tmp_path / "subjects.csv").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        LEDGER, "slices.csv", "subjects.csv", "summary.json",
    ]  # fmt: skip


@pytest.mark.parametrize("moment", ["ascnet-evaluate-*/2", LEDGER, "summary.json"])
def test_after_a_kill_the_same_call_gives_the_same_bytes(demo, tmp_path, moment):
    call = ["evaluate", str(demo / "manifest.csv"), "--method", "input-threshold", "--fast"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert cli(*call, "-o", whole) == 0
    again = [*call, "-o", str(killed)]
    pattern = f"*/killed/{'*' if '/' in moment else ''}{moment}"
    assert ended_before(pattern, signal.SIGKILL, *again) == -signal.SIGKILL
    assert any(path.name.startswith(".tmp-ascnet-") for path in killed.iterdir())
    assert cli(*call, "-o", killed) == 0
    found, expected = content_of(killed), content_of(whole)
    assert found.keys() == expected.keys()
    for name in ("subjects.csv", "slices.csv"):
        assert found[name] == expected[name]
    # the command line, which is in the summary, names another folder
    text = found["summary.json"].decode().replace(str(killed), str(whole))
    assert text.encode() == expected["summary.json"]


def test_a_broken_image_to_gate_by_costs_its_scan_only(demo, tmp_path, capsys):
    scans = read_manifest(demo / "manifest.csv").scans
    (tmp_path / "bad.nii.gz").write_bytes(b"no image")
    lines = [f"{one.subject},{one.image},{one.mask},{one.further['flair']}" for one in scans[1:]]
    lines.append(f"{scans[0].subject},{scans[0].image},{scans[0].mask},{tmp_path / 'bad.nii.gz'}")
    path = tmp_path / "cohort.csv"
    path.write_text("\n".join(["subject,image,mask,image:flair", *lines]))
    how = ["--method", "input-threshold", "--fast", "--post", "gate:flair:50"]
    assert cli("evaluate", path, "-o", tmp_path / "out", *how) == 2
    assert f"error: {scans[0].scan} is not scored." in complaint(capsys)
    rows = json.loads((tmp_path / "out" / "summary.json").read_text())["rows"]
    assert {row["subjects_failed"] for row in rows} == {1}


def test_scans_of_the_training_are_named_above_the_scores_also_under_other_names(
    run, demo, tmp_path, capsys
):
    """Of three patients two were trained on; their files were renamed and stored anew."""
    rows = rows_of(demo / "manifest.csv")[:3]
    for number, row in enumerate(rows[:2]):
        image = nib.load(demo / row["image"])
        nib.save(image, tmp_path / f"copy{number}.nii")
        row |= {"subject": f"patient{number}", "image": f"copy{number}.nii"}
    image = nib.load(demo / rows[2]["image"])
    data = np.asanyarray(image.dataobj) + (np.asanyarray(image.dataobj) > 0).astype(np.int16)
    nib.save(nib.Nifti1Image(data, image.affine, image.header), tmp_path / "new.nii.gz")
    rows[2] |= {"subject": "patient2", "image": "new.nii.gz"}
    lines = [f"{r['subject']},{r['image']},{demo / r['mask']},{demo / r['region']}" for r in rows]
    (tmp_path / "m.csv").write_text("\n".join(["subject,image,mask,region", *lines]))
    out = tmp_path / "scores"
    how = ["--threshold", 100, "--fast", "--no-oracle", "--method", "input-threshold"]
    assert cli("evaluate", tmp_path / "m.csv", "--run", run, "-o", out, *how) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("note: patient0, patient1: tiny was trained on this image")
    remarks = json.loads((out / "summary.json").read_text())["remarks"]
    assert [(one["training"], one["scans"]) for one in remarks] == [
        (True, ["patient0", "patient1"])
    ]
    found = {
        (row["subject"], row["method"]): row["remarks"] for row in rows_of(out / "subjects.csv")
    }
    assert "trained on this image" in found["patient0", "asc-net"]
    assert found["patient2", "asc-net"] == found["patient0", "input-threshold"] == ""
    assert cli("report", out) == 0
    page = (out / "report.html").read_text("utf-8")
    assert "<b>patient0, patient1: tiny was trained on this image" in page
    assert page.index("tiny was trained on") < page.index("mean Dice")


def test_another_scan_of_a_subject_of_the_training_is_said(run, demo, tmp_path, capsys):
    row = rows_of(demo / "manifest.csv")[1]
    image = nib.load(demo / row["image"])
    nib.save(nib.Nifti1Image(np.asanyarray(image.dataobj) * 2, image.affine), tmp_path / "b.nii")
    (tmp_path / "m.csv").write_text(
        f"subject,image,mask,region\n{row['subject']},b.nii,{demo / row['mask']},"
        f"{demo / row['region']}\n"
    )
    how = ["--threshold", 100, "--fast", "--no-baselines"]
    assert cli("evaluate", tmp_path / "m.csv", "--run", run, "-o", tmp_path / "o", *how) == 0
    assert "tiny was trained on a subject of this name" in capsys.readouterr().out.splitlines()[0]
