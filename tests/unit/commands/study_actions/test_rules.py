"""`study rules`: every mask-free rule on every subject, oracle figures apart."""

import csv
import json

import pytest

from ascnet_core import places
from ascnet_core.studies.rules_compared import COLUMNS, MASK_FREE, ORACLE
from tests.unit.commands.command_line import cli, complaint


@pytest.fixture
def study(demo, run, tmp_path, monkeypatch) -> str:
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    monkeypatch.setenv("ASCNET_CACHE", str(tmp_path / "cache"))
    assert cli("study", "new", "ms", demo / "manifest.csv", "--run", run) == 0
    return "ms"


def test_tables_hold_what_evaluate_says(study, demo, run, tmp_path, capsys):
    out = tmp_path / "out"
    assert cli("study", "rules", study, "-o", out) == 0
    said = capsys.readouterr().out
    free, oracle = said.split("ORACLE")
    assert "Dice" not in free
    assert "Dice lost" in oracle
    with (out / "rules.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS == (*MASK_FREE, *ORACLE)
    scores = tmp_path / "scores"
    call = ["evaluate", demo / "manifest.csv", "--run", run, "--threshold", "otsu", "li"]
    call += ["--map", "reconstruction", "--side", "bright", "--scope", "subject", "--fast"]
    assert cli(*call, "--post", "none", "-o", scores) == 0
    with (scores / "subjects.csv").open(newline="") as stream:
        evaluated = list(csv.DictReader(stream))
    compared = 0
    for row in evaluated:
        if row["map"] not in ("reconstruction", "input") or row["rule"] not in ("otsu", "li"):
            continue
        (mine,) = [
            one
            for one in rows
            if (one["subject"], one["map"], one["rule"], one["scope"])
            == (row["subject"], row["map"], row["rule"], "subject")
        ]
        compared += 1
        assert float(mine["volume_ml"]) == pytest.approx(
            float(row["volume_ml"]), rel=1e-4
        )  # rounded there
        if mine["truth_dice"]:
            assert float(mine["truth_dice"]) == pytest.approx(float(row["dice"]), abs=1e-4)
    assert compared >= 12
    about = json.loads((out / "rules.json").read_text())
    assert about["subjects"] == 4
    assert all("dice" not in one for one in about["rules"])
    assert {one["oracle"]["lesions"] for one in about["rules"]} == {2}


def test_a_raters_levels_are_compared_where_there_are_any(study, demo, tmp_path, capsys):
    assert cli("study", "rules", study, "--rater", "anna") == 2
    assert "'anna' has decided nothing" in complaint(capsys)
    names = [line.split(",")[0] for line in (demo / "manifest.csv").read_text().splitlines()[1:]]
    decide = ["study", "decide", study, names[0], "--rater", "anna", "--threshold", 100]
    assert cli(*decide) == 0
    capsys.readouterr()
    assert cli("study", "rules", study, "-o", tmp_path / "out") == 0
    assert "off anna's, levels" in capsys.readouterr().out
    with (tmp_path / "out" / "rules.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["decided"]]
    assert {row["subject"] for row in rows} == {names[0]}
    assert {row["map"] for row in rows} == {"reconstruction"}
    assert all(int(row["from_decided"]) == int(row["level"]) - 100 for row in rows)
