"""Stopping by the advisor: `schedule.stop_when`, from the recorder and from the command line."""

from pathlib import Path

import pytest

from ascnet_core import cli
from ascnet_core.training import recorder
from ascnet_core.training.advisor import Advice, advise
from ascnet_core.training.history import History, cycle_ends, read_history
from ascnet_core.training.presets import to_toml
from ascnet_core.training.recorder import record
from ascnet_core.training.run_folder import Run
from ascnet_core.training.run_lock import hold_lock
from tests.unit.training import tiny

LONG = ("schedule.stage_1=4", "schedule.steps=2", "schedule.checkpoint_seconds=1e9")


def go(folder: Path, *changes: str) -> str:
    settings = tiny.settings(*LONG, *changes, preset="teaching")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.toml").write_text(to_toml(settings))
    with hold_lock(folder):
        return record(folder, settings, tiny.INPUTS, tiny.REFERENCE, tiny.WATCHED)


def kinds(folder: Path) -> list[str]:
    return [event["kind"] for event in Run(folder).events()]


def stop_after(number: int):
    def advising(history: History) -> Advice:
        done = len(cycle_ends(history.points))
        kind = "stop" if done >= number else "go on"
        return Advice(kind, f"{kind} at {done}", (), done)

    return advising


def test_a_run_stops_in_the_cycle_the_advisor_names_and_goes_on_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "advise", stop_after(2))
    run = tmp_path / "run"
    assert go(run, "schedule.stop_when=separated") == "stopped"
    assert Run(run).status() == "stopped"
    events = Run(run).events()
    assert [e["total_cycle"] for e in (s.info for s in Run(run).snapshots())] == [0, 1, 2]
    said = [event for event in events if event["kind"] == "advice"]
    assert [event["advice"] for event in said] == ["go on", "stop"]
    assert said[1]["sentence"] == "stop at 2"
    assert said[1]["best_cycle"] == 2
    assert events[-1]["kind"] == "stop"
    assert events[-1]["step"] == said[1]["step"]  # no step more
    assert go(run, "schedule.stop_when=never") == "finished"
    assert len(Run(run).snapshots()) == 5


def test_the_advisor_is_not_asked_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "advise", stop_after(1))
    assert go(tmp_path / "run") == "finished"
    assert "advice" not in kinds(tmp_path / "run")


def test_what_was_said_in_training_is_what_is_said_afterwards(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert go(run, "schedule.stop_when=separated") == "finished"  # two steps separate nothing
    said = [event for event in Run(run).events() if event["kind"] == "advice"]
    points = read_history(Run(run)).points
    for number, event in enumerate(said, 1):
        now = advise(points[: number + 1])
        assert (event["advice"], event["sentence"]) == (now.kind, now.sentence)
        assert event["cycle"] == number


@pytest.mark.parametrize(
    "option", [["--stop-when", "separated"], ["--set", "schedule.stop_when=separated"]]
)
def test_the_command_line_reaches_it_both_ways(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["train", "--list-settings", *option]) == 0
    assert "schedule.stop_when=separated" in capsys.readouterr().out


def test_another_word_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "--list-settings", "--set", "schedule.stop_when=soon"]) == 2
    assert "never, separated" in capsys.readouterr().err
