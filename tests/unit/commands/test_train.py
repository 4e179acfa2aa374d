"""The verb `train`: a run made, refused, resumed, extended, and as a process of its own."""

import os
import signal
import time

import pytest

from ascnet_core.errors import UserError
from ascnet_core.runs.fingerprint import read_fingerprint
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import lock_holder
from ascnet_core.runs.requests import ask
from ascnet_core.runs.start import start_training
from tests.unit.commands.command_line import TINY, cli, complaint, rows_of


def test_train_leaves_a_finished_run(run, demo):
    assert Run(run).status() == "finished"
    settings = Run(run).settings()
    assert (settings.preset, settings.data.size, settings.network.width) == ("teaching", 32, 2)
    assert len(Run(run).snapshots()) == 3
    assert len(Run(run).cohort().scans) == 4
    assert Run(run).command().startswith("python -m ascnet_core train ")
    assert "finished after" in Run(run).log()


def test_the_card_says_what_the_run_is_and_a_hand_written_one_stays(run, demo, tmp_path):
    card = (run / "card.md").read_text()
    assert "teaching" in card
    assert "4 scans of 4 subjects" in card
    assert "6 of 6 steps" in card
    assert "finished" in card
    assert Run(run).command() in card
    path = tmp_path / "run"
    assert cli("train", demo / "manifest.csv", "--name", path, *TINY) == 0
    (path / "card.md").write_text("# By hand\n")
    assert cli("train", "--resume", path) == 0
    assert (path / "card.md").read_text() == "# By hand\n"


def test_train_does_not_write_over_a_run(run, demo, capsys):
    before = (run / "model.safetensors").read_bytes()
    assert cli("train", demo / "manifest.csv", "--name", run, *TINY) == 2
    assert "is a run already" in complaint(capsys)
    assert (run / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "network.width=4"], "network.width cannot change"),
        (["--preset", "paper"], "keeps its own"),
        (["--reference", "normal"], "keeps its own"),
        (["MANIFEST"], "the run knows them"),
    ],
)
def test_a_run_that_goes_on_keeps_its_settings(run, arguments, said, capsys):
    flags = [a for a in arguments if a != "MANIFEST"]
    first = ["MANIFEST"] if "MANIFEST" in arguments else []
    assert cli("train", *first, "--resume", run, *flags) == 2
    assert said in complaint(capsys)


def test_a_run_is_extended_by_resume(demo, tmp_path):
    path = tmp_path / "run"
    assert cli("train", demo / "manifest.csv", "--name", path, *TINY, "--resume") == 0
    again = ["--set", "schedule.stage_1=3", "--device", "cpu"]
    assert cli("train", "--resume", path, *again) == 0
    assert [s.total_cycle for s in Run(path).snapshots()] == [0, 1, 2, 3]
    assert len(Run(path).command().splitlines()) == 2
    assert Run(path).settings().schedule.stage_1 == 3


def wait_for(condition, seconds=90.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_process_of_its_own_is_paused_stopped_and_gone_on_with(demo, tmp_path, capsys):
    path = tmp_path / "own"
    long = ["--set", "schedule.stage_1=500", "--set", "schedule.log_every=1", "--device", "cpu"]
    pid = start_training([str(demo / "manifest.csv"), "--name", str(path), *TINY, *long])
    assert pid > 0
    reader = Run(path)
    assert reader.status() == "running"
    try:
        wait_for(lambda: reader.progress() is not None and reader.progress().step > 0)
        assert cli("train", "--resume", path) == 2
        assert f"process {pid}" in complaint(capsys)
        assert ask(path, "pause")
        wait_for(lambda: reader.status() == "paused")
        step = reader.progress().step
        time.sleep(0.3)
        assert reader.progress().step == step
        assert ask(path, "go")
        wait_for(lambda: reader.progress().step > step)
    finally:
        ask(path, "stop")
    wait_for(lambda: reader.status() != "running")
    assert reader.status() == "stopped"
    assert "stopped after" in reader.log()
    assert "Traceback" not in reader.log()
    cycles = 1 + reader.progress().cycle
    assert cli("train", "--resume", path, "--set", f"schedule.stage_1={cycles}") == 0
    assert reader.status() == "finished"


def test_several_processes_are_paused_and_stopped_together_and_gone_on_with_by_one(demo, tmp_path):
    """Under the launcher, as a page or a terminal starts them."""
    path = tmp_path / "several"
    long = ["--set", "schedule.stage_1=500", "--set", "schedule.log_every=1", "--device", "cpu"]
    long += ["--set", "network.norm=group"]
    launcher = start_training(
        [str(demo / "manifest.csv"), "--name", str(path), *TINY, *long], processes=2
    )
    reader = Run(path)
    try:
        assert reader.status() == "running"
        assert lock_holder(path)["pid"] != launcher  # process 0 writes
        wait_for(lambda: reader.progress() is not None and reader.progress().step > 0)
        assert ask(path, "pause")
        wait_for(lambda: reader.status() == "paused")
        step = reader.progress().step
        assert ask(path, "go")
        wait_for(lambda: reader.progress().step > step)
    finally:
        os.kill(launcher, signal.SIGTERM)
    wait_for(lambda: reader.status() not in ("running", "paused"))
    assert reader.status() == "stopped"
    assert "device cpu, 2 processes" in reader.log()
    how = "python -m torch.distributed.run --standalone --nproc-per-node 2 -m ascnet_core train "
    assert reader.command().startswith(how)
    steps = [event["step"] for event in reader.events() if event["kind"] == "step"]
    assert steps == list(range(1, len(steps) + 1))
    cycles = 1 + reader.progress().cycle
    assert cli("train", "--resume", path, "--set", f"schedule.stage_1={cycles}") == 0
    assert reader.status() == "finished"


def test_several_processes_that_are_refused_say_why_once(demo, tmp_path):
    path = tmp_path / "uneven"
    arguments = [str(demo / "manifest.csv"), "--name", str(path), *TINY, "--device", "cpu"]
    with pytest.raises(UserError, match=r"^Training did not start: error: schedule.batch_m is 3,"):
        start_training([*arguments, "--set", "schedule.batch_m=3"], processes=2)
    assert not path.exists()


def test_several_processors_are_refused_batch_norm_before_anything_is_made(demo, tmp_path):
    path = tmp_path / "batch"
    arguments = [str(demo / "manifest.csv"), "--name", str(path), *TINY, "--device", "cpu"]
    with pytest.raises(UserError, match=r"set network\.norm=group, or train as one process"):
        start_training(arguments, processes=2)
    assert not path.exists()


def test_other_verbs_are_one_processs_work(monkeypatch, tmp_path, capsys):
    for name, number in (
        ("WORLD_SIZE", 2),
        ("RANK", 1),
        ("LOCAL_RANK", 1),
        ("LOCAL_WORLD_SIZE", 2),
    ):
        monkeypatch.setenv(name, str(number))
    assert cli("demo", tmp_path / "demo") == 2
    assert "`demo` is one process's work" in complaint(capsys)
    assert cli("train", "--list-settings") == 0
    assert capsys.readouterr().out == ""  # process 0 prints them


def test_a_process_that_is_refused_says_why(tmp_path):
    path = tmp_path / "own"
    with pytest.raises(UserError, match=r"did not start: error: .*NOWHERE\.csv"):
        start_training([str(tmp_path / "NOWHERE.csv"), "--name", str(path)])
    assert not path.exists()
    with pytest.raises(UserError, match="needs a name"):
        start_training(["M.csv"])


def test_a_run_keeps_what_its_scans_are_like(run, demo):
    found = read_fingerprint(run)
    assert found.subjects == {row["subject"] for row in rows_of(demo / "manifest.csv")}
    assert len(found.voxels) == len(found.histograms) == 4
    assert found.modalities == {"t2"}
    assert found.slices.tolist() == [12] * 4
