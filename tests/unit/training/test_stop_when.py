"""Stopping by the advisor: `schedule.stop_when`, from the recorder and from the command line."""

from pathlib import Path

import numpy as np
import pytest

from ascnet_core import cli
from ascnet_core.monitoring.advisor import Advice, advise
from ascnet_core.monitoring.history import History, cycle_ends, read_history
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from ascnet_core.settings.text import to_toml
from ascnet_core.training import recorder
from ascnet_core.training.recorder import record
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


def write_halves(folder: Path) -> Path:
    """Two stacks of 12 discs, darker on one side, and their manifest; one stack has lesions.

    A lesion is as bright as the brighter half, so that no threshold of the input finds it, and it
    lies in the darker one, where the reference never has that level.
    """
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:32, :32]
    disc = (rows - 15.5) ** 2 + (columns - 15.5) ** 2 < 14.5**2
    normal = np.repeat(np.where(columns < 16, 0.35, 0.7)[None], 12, axis=0)
    anomalous = normal.copy()
    for plane in anomalous:
        top, left = rng.integers(8, 17), rng.integers(4, 9)
        plane[top : top + 7, left : left + 6] = 0.7
    folder.mkdir()
    for name, stack in (("normal", normal), ("anomalous", anomalous)):
        noisy = np.where(disc, stack + rng.normal(0, 0.02, stack.shape), 0)
        noisy[:, 15, 15:18] = 1.0  # keeps the scaling from stretching the brighter half to white
        np.save(folder / f"{name}.npy", noisy.astype(np.float32))
    manifest = folder / "manifest.csv"
    manifest.write_text(
        "subject,image,group\na,normal.npy,normal\nb,anomalous.npy,anomalous\n", encoding="utf-8"
    )
    return manifest


def test_a_training_whose_peaks_separate_is_really_stopped(tmp_path: Path) -> None:
    """Some 120 steps of a tiny M: nothing is made up, neither the peaks nor the advisor."""
    run = tmp_path / "run"
    changes = [
        "data.size=32", "network.width=4", "schedule.stage_1=20", "schedule.steps=20",
        "schedule.learning_rate=5e-3", "schedule.cooling=0", "schedule.average=0",
        "schedule.checkpoint_seconds=1e9", "corruption.area_low=0.02", "corruption.shift_low=0.2",
        "corruption.shift_high=0.5",
    ]  # fmt: skip
    options = [word for change in changes for word in ("--set", change)]
    manifest = str(write_halves(tmp_path / "halves"))
    command = ["train", manifest, "--name", str(run), "--device", "cpu", *options]
    assert cli.main([*command, "--stop-when", "separated"]) == 0
    reader = Run(run)
    assert reader.status() == "stopped"
    points = read_history(reader).points
    advice = advise(points)
    assert advice.kind == "stop"
    assert all(rule.held for rule in advice.rules)
    assert len(cycle_ends(points)) < 20
    assert points[-1].separated >= 3
    assert reader.events()[-1]["step"] == points[-1].step == 20 * len(cycle_ends(points))
