"""`crossval` from plan to table, on four phantoms and networks that hardly learn anything."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from ascnet_core import places
from ascnet_core.cli import main
from ascnet_core.commands import crossval_run
from ascnet_core.runs.folder import Run
from tests.small import make_small_cohort

PLAN = """
set = ["data.size=32", "network.width=2", "schedule.stage_1=2", "schedule.steps=1",
       "schedule.batch_m=4"]

[data.demo]
manifests = ["cohort/manifest.csv"]
folds = 2
reference = "normal"
post = ["components:3"]
baselines = ["input-threshold"]

[run.one]
rules = { wild = ["otsu", "reference-quantile:0.9"] }
cycles = "all"

[run.two]
set = ["corruption.dark=0.5"]
rules = { reconstruction = ["otsu"] }
flip = [false, true]
"""


def cli(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def crossval(folder: Path, *more: object) -> int:
    return cli("crossval", folder / "plan.toml", "-o", folder / "out", "--device", "cpu", *more)


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A plan of which one configuration is done."""
    folder = tmp_path_factory.mktemp("crossval")
    make_small_cohort(folder / "cohort")
    (folder / "plan.toml").write_text(PLAN)
    assert crossval(folder, "--only", "one") == 0
    return folder


@pytest.fixture
def folder(begun, tmp_path):
    """A copy to go on with."""
    shutil.copytree(begun, tmp_path / "copy")
    return tmp_path / "copy"


def written(folder: Path) -> dict[str, int]:
    """When every file of runs and scores was written last."""
    files = [*folder.glob("out/runs/**/*"), *folder.glob("out/scores/**/*")]
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in files if p.is_file()}


def read(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "out" / f"{name}.csv", keep_default_na=False, na_values=[""])


def test_nobody_is_scored_by_a_network_that_was_trained_on_them(begun):
    sides = json.loads((begun / "out" / "folds" / "demo.json").read_text())["subjects"]
    scored = [subject for fold in sides.values() for subject in fold["test"]]
    assert len(scored) == len(set(scored)) == 4
    for fold, sides_of in sides.items():
        assert not set(sides_of["train"]) & set(sides_of["test"])
        run = Run(begun / "out" / "runs" / f"demo-one-{fold}-seed0")
        assert run.status() == "finished"
        assert sorted(run.cohort().subjects) == sorted(sides_of["train"])
        subjects = read(begun, "subjects")
        assert set(subjects[subjects["fold"] == fold]["subject"]) == set(sides_of["test"])


def test_the_pooled_dice_is_the_mean_over_patients(begun):
    rows, subjects = read(begun, "rows"), read(begun, "subjects")
    for _, row in rows[rows["configuration"] == "one"].iterrows():
        own = subjects[
            (subjects["configuration"] == "one")
            & (subjects["rule"] == row["rule"])
            & (subjects["post"] == row["post"])
            & ~subjects["empty_truth"].astype(bool)
        ]
        assert len(own) == row["subjects_with_lesion"] == 2
        assert row["dice"] == pytest.approx(own["dice"].mean(), abs=1e-5)
    assert set(rows["kind"]) == {"mask-free"}
    assert rows["oracle_dice"].notna().all()
    assert set(rows["command"]) == {
        f"python -m ascnet_core crossval {begun / 'plan.toml'} --only {name} -o {begun / 'out'}"
        for name in ("demo-one", "demo")
    }
    assert "input-threshold (no training)" in (begun / "out" / "table.md").read_text()


def test_every_run_can_be_made_again_by_its_own_command(begun):
    runs = read(begun, "runs")
    assert set(runs["run"]) == {"demo-one-fold1-seed0", "demo-one-fold2-seed0"}
    assert (runs["steps"] == 2).all()
    assert (runs["device"] == "cpu").all()
    command = runs.iloc[0]["command"].split()
    assert command[:4] == ["python", "-m", "ascnet_core", "train"]
    assert command[4].endswith("folds/demo-fold1/train.csv")
    assert "schedule.seed=0" in command


def test_every_cycle_is_scored_beside_the_advisors(begun):
    cycles, stops = read(begun, "cycles"), read(begun, "stopping")
    assert set(cycles["cycle"]) == {1, 2}
    assert len(stops) == 2 * 2 * 2  # folds, rules, post-processings
    last = cycles[cycles["cycle"] == 2].set_index(["fold", "rule", "post"])["dice"].sort_index()
    kept = stops.set_index(["fold", "rule", "post"])["last_dice"].sort_index()
    pd.testing.assert_series_equal(last, kept, check_names=False)
    assert (stops["below_best"] >= 0).all()
    assert "Stopping without masks" in (begun / "out" / "table.md").read_text()


def test_what_is_finished_is_not_done_again(folder, capsys):
    before = written(folder)
    rows = read(folder, "rows")
    assert crossval(folder, "--only", "one") == 0
    assert written(folder) == before
    pd.testing.assert_frame_equal(
        read(folder, "rows")[rows.columns[1:-1]], rows[rows.columns[1:-1]]
    )
    assert "scoring" not in capsys.readouterr().out


def test_an_interruption_keeps_what_is_done_and_the_rest_follows(folder, capsys, monkeypatch):
    before, first = written(folder), crossval_run._train
    calls = []

    def interrupted(arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        first(arguments)

    monkeypatch.setattr(crossval_run, "_train", interrupted)
    assert crossval(folder) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "error: interrupted."
    assert (folder / "out" / "scores" / "demo-two-fold1-seed0" / "score.json").is_file()
    monkeypatch.undo()
    assert crossval(folder, "--no-train") == 0
    assert "two (unfinished)" in (folder / "out" / "table.md").read_text()
    halfway = written(folder)
    assert crossval(folder) == 0
    after = written(folder)
    assert before.items() <= after.items()
    assert halfway.items() <= after.items()
    rows = read(folder, "rows")
    assert set(rows["configuration"].dropna()) == {"one", "two"}
    two = rows[rows["configuration"] == "two"]
    assert set(zip(two["post"], two["flip"], strict=True)) == {
        (post, flip) for post in ("none", "components:3") for flip in (False, True)
    }
    assert two["oracle_dice"].notna().all()
    assert "unfinished" not in (folder / "out" / "table.md").read_text()


def test_other_settings_or_other_data_under_the_same_name_are_refused(folder, capsys):
    plan = folder / "plan.toml"
    plan.write_text(PLAN.replace("rules = { wild", 'set = ["network.width=3"]\nrules = { wild'))
    assert crossval(folder, "--only", "one") == 2
    assert "demo-one-fold1-seed0 has another network.width" in capsys.readouterr().err
    plan.write_text(PLAN.replace("folds = 2", "folds = 2\nsplit_seed = 3"))
    sides = (folder / "out" / "folds" / "demo.json").read_text()
    assert crossval(folder, "--only", "one") == 2
    assert "trained on other data" in capsys.readouterr().err
    assert (folder / "out" / "folds" / "demo.json").read_text() == sides


def test_a_run_that_was_trained_elsewhere_counts(folder, tmp_path):
    """The folder was copied, its manifests were not: files are known by what they hold."""
    run = folder / "out" / "runs" / "demo-one-fold1-seed0"
    manifest = (run / "manifest.csv").read_text()
    (run / "manifest.csv").write_text(manifest.replace("../cohort", "elsewhere/cohort"))
    before = written(folder)
    assert crossval(folder, "--no-train", "--only", "one") == 0
    assert written(folder) == before


def test_several_processes_train_side_by_side(folder):
    """Slow: each process has torch to load."""
    assert crossval(folder, "--only", "two", "--jobs", 2) == 0
    for fold in ("fold1", "fold2"):
        assert Run(folder / "out" / "runs" / f"demo-two-{fold}-seed0").status() == "finished"
    assert "unfinished" not in (folder / "out" / "table.md").read_text()


def test_a_kill_ends_the_processes_and_leaves_checkpoints(begun, tmp_path):
    """Slow: each process has torch to load."""
    plan = (begun / "plan.toml").read_text().replace("schedule.steps=1", "schedule.steps=100000")
    (tmp_path / "plan.toml").write_text(plan.replace("cohort/", f"{begun}/cohort/"))
    words = ["crossval", tmp_path / "plan.toml", "-o", tmp_path / "out", "--device", "cpu"]
    words += ["--only", "two", "--jobs", "2"]
    with (tmp_path / "said.txt").open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "ascnet_core", *map(str, words)], stdout=stream, stderr=stream
        )
        runs = [Run(tmp_path / "out" / "runs" / f"demo-two-fold{n}-seed0") for n in (1, 2)]
        try:
            deadline = time.monotonic() + 120
            while not all(run.progress() for run in runs):
                assert process.poll() is None, (tmp_path / "said.txt").read_text()
                assert time.monotonic() < deadline, "waited in vain"
                time.sleep(0.1)
        finally:
            process.terminate()
        assert process.wait(60) == 1
    assert [run.status() for run in runs] == ["stopped", "stopped"]
    assert all((run.path / "training.safetensors").is_file() for run in runs)


def test_the_list_says_who_is_scored_and_writes_nothing(begun, capsys):
    before = written(begun)
    assert crossval(begun, "--list") == 0
    said = capsys.readouterr().out
    assert "demo-fold1: trained on 2 subjects, scored on 2:" in said
    assert "demo-one-fold2-seed0: finished" in said
    assert "demo-two-fold2-seed0: to train" in said
    assert written(begun) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["NOWHERE.toml"], "NOWHERE.toml cannot be read"),
        (["plan.toml", "--only", "three"], "has no 'three'"),
        (["plan.toml", "--jobs", "0"], "--jobs takes a number from 1"),
        (["plan.toml", "-o", "plan.toml"], "-o takes a folder"),
    ],
)
def test_what_the_user_can_mend_is_said_before_any_work(
    arguments, said, begun, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(begun)
    monkeypatch.setattr(places, "RUNS", tmp_path)
    assert cli("crossval", *arguments) == 2
    assert said in capsys.readouterr().err
    assert not (places.RUNS / "crossval").exists()


def test_a_plan_whose_scans_are_refused_leaves_no_folder(begun, tmp_path, capsys):
    shutil.copytree(begun / "cohort", tmp_path / "cohort")
    for scan in (tmp_path / "cohort").glob("*.nii.gz"):
        scan.write_bytes(b"no image")
    (tmp_path / "plan.toml").write_bytes(PLAN.encode("utf-8-sig"))
    before = sorted(tmp_path.rglob("*"))
    assert crossval(tmp_path) == 2
    assert "no .nii.gz file" in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_plan_for_a_place_where_no_run_can_be_is_refused_before_any_work(begun, tmp_path):
    out = tmp_path / os.fsdecode(b"\xff")
    assert cli("crossval", begun / "plan.toml", "-o", out, "--device", "cpu") == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["subjects.csv", "table.md", "plan.toml", "folds/demo.json"])
def test_what_others_wrote_into_its_folder_stays(folder, capsys, name):
    mine = folder / "out" / name
    mine.write_text("by hand\n")
    before = written(folder)
    assert crossval(folder, "--only", "one") == 2
    assert f"{mine} is there, and this tool did not write it" in capsys.readouterr().err
    assert mine.read_text() == "by hand\n"
    assert written(folder) == before


def test_a_plan_in_its_own_folder_stays_as_it_is(folder):
    plan = folder / "out" / "plan.toml"
    plan.write_bytes(b"\xef\xbb\xbf# mine\r\n" + PLAN.replace("cohort/", "../cohort/").encode())
    before = plan.read_bytes()
    assert cli("crossval", plan, "-o", folder / "out", "--only", "one", "--device", "cpu") == 0
    assert plan.read_bytes() == before


def test_the_report_shows_the_pooled_rows(begun, tmp_path):
    from ascnet_core.scoring.report import read_report

    report = read_report(begun / "out")
    rows = read(begun, "rows")
    assert [line.mean for line in report.lines] == pytest.approx(list(rows["dice"]))
    assert {line.method for line in report.lines} == {"one, seed 0", "input-threshold"}
    assert all(line.dice.mean() == pytest.approx(line.mean, abs=1e-5) for line in report.lines)
    assert all(one.own >= one.shared - 1e-6 for one in report.oracles if one.post == "none")
    assert cli("report", begun / "out", "-o", tmp_path / "page.html") == 0
