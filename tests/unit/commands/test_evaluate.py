"""The verb `evaluate`: tables of a run and of baselines."""

import json

import nibabel as nib
import numpy as np
import pytest

from tests.unit.commands.command_line import cli, rows_of


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


def test_a_single_baseline_can_be_asked_for(demo, tmp_path):
    out = tmp_path / "scores"
    arguments = ["--method", "input-threshold", "--fast", "--reference", "normal"]
    assert cli("evaluate", demo / "manifest.csv", "-o", out, *arguments) == 0
    rows = json.loads((out / "summary.json").read_text())["rows"]
    assert {row["method"] for row in rows} == {"input-threshold"}
    assert "reference-quantile:0.995" in {row["rule"] for row in rows}


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
    nib.save(nib.Nifti1Image(data, image.affine), tmp_path / "new.nii.gz")
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
