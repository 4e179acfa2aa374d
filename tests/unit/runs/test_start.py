"""A training that ends before its run has begun leaves nothing, however it ends."""

import subprocess
from pathlib import Path

import pytest

from ascnet_core.errors import UserError
from ascnet_core.runs import start as run_start
from ascnet_core.runs.start import start_training


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Let a shell script, run in the folder of the run, stand for the training."""

    def set_up(script: str) -> Path:
        run = tmp_path / "deep" / "run"
        popen = subprocess.Popen

        def start(words: list[str], **how) -> subprocess.Popen[bytes]:
            return popen(["sh", "-c", script], cwd=run, **how)

        monkeypatch.setattr(run_start.subprocess, "Popen", start)
        return run

    return set_up


def test_a_process_that_is_killed_before_its_first_event_leaves_nothing(child, tmp_path):
    run = child("echo {} > data.json; mkdir snapshots; kill -9 $$")
    with pytest.raises(UserError, match=r"the system ended its process \(signal 9\)"):
        start_training(["m.csv", "--name", str(run)])
    assert list(tmp_path.iterdir()) == []


def test_what_was_in_the_folder_before_stays(child, tmp_path):
    run = child("echo x > manifest.csv; echo error: no >&2; exit 2")
    run.mkdir(parents=True)
    (run / "log.txt").write_text("begun before\n")
    with pytest.raises(UserError, match="did not start: error: no"):
        start_training(["m.csv", "--name", str(run)])
    assert [path.name for path in run.iterdir()] == ["log.txt"]
    assert "begun before" in (run / "log.txt").read_text()


def test_nobody_waits_any_more_and_still_nothing_is_left(child, tmp_path):
    run = child("echo {} > data.json; sleep 0.6; kill -9 $$")
    start_training(["m.csv", "--name", str(run)], wait=0.1)
    for _ in range(100):
        if not run.exists():
            return
        run_start.time.sleep(0.05)
    raise AssertionError(list(run.iterdir()))
