"""`study prefer`: the table of blind comparisons."""

from ascnet_core import places
from ascnet_core.studies.folder import find_study
from ascnet_core.studies.preferences import Contender, left_of, pair_of, prefer
from tests.unit.commands.command_line import cli, complaint, rows_of


def test_the_table_is_printed_and_written(demo, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    assert cli("study", "new", "ms", demo / "manifest.csv", "--run", run) == 0
    assert cli("study", "prefer", "ms") == 2
    assert "Nothing is compared blindly in study ms" in complaint(capsys)
    study = find_study("ms")
    name = study.about["run"]
    pair = pair_of(
        Contender(name, "reconstruction", "otsu", "bright"),
        Contender(name, "input", "li", "bright"),
    )
    for subject, winner in zip(study.subjects, ["a", "a", "b", "neither"], strict=True):
        left = left_of(study, pair, "anna", subject)
        better = winner if winner == "neither" else "left" if winner == left else "right"
        prefer(study, pair, "anna", subject, better, 1.5)
    assert cli("study", "prefer", "ms", "-o", tmp_path / "t") == 0
    said = capsys.readouterr().out
    assert f"A better 2 times: {pair.a.text}" in said
    assert f"B better 1 times: {pair.b.text}" in said
    assert "neither  1 times; sign test of A against B p = 1" in said
    assert f"{study.subjects[2]}: B\n" in said
    rows = rows_of(tmp_path / "t" / "preferences.csv")
    assert [row["better"] for row in rows] == ["a", "a", "b", "neither"]
    assert cli("study", "prefer", "ms", "-o", tmp_path / "t") == 2
    assert "--overwrite" in complaint(capsys)
    assert cli("study", "prefer", "ms", "--rater", "ben") == 2
    assert "by ben" in complaint(capsys)
