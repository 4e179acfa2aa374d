"""The verb `evaluate`: tables of a run and of baselines."""

import json

import nibabel as nib
import numpy as np
import pytest

from tests.helpers import make_nifti
from tests.unit.commands.command_line import cli, complaint, rows_of


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


def test_labels_of_the_masks_are_chosen(tmp_path, capsys):
    rng = np.random.default_rng(0)
    image = rng.uniform(50, 100, (20, 20, 4))
    labels = np.zeros(image.shape)
    labels[5:9, 5:9], labels[12:14, 12:14] = 1, 2
    make_nifti(tmp_path / "a.nii", image + 100 * (labels == 2))
    make_nifti(tmp_path / "m.nii", labels, dtype=np.uint8)
    (tmp_path / "x.csv").write_text("subject,image,mask\na,a.nii,m.nii\n")
    words = ["evaluate", tmp_path / "x.csv", "-o", tmp_path / "out", "--fast"]
    words += ["--method", "input-threshold"]
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
