"""The verb `train`: a run made, refused, resumed, extended, and as a process of its own."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import write_manifest
from ascnet_core.runs.fingerprint import read_fingerprint
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import lock_holder
from ascnet_core.runs.requests import ask
from ascnet_core.runs.start import start_training
from tests import hangup
from tests.unit.commands.command_line import ROOT, TINY, cli, complaint, rows_of


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
    mine = (path / "card.md").read_text().replace("No mask", "A word by hand. No mask")
    (path / "card.md").write_text(mine)
    assert cli("train", "--resume", path) == 0
    assert (path / "card.md").read_text() == mine
    (path / "card.md").write_text("# By hand\n")
    assert cli("train", "--resume", path) == 0
    assert (path / "card.md").read_text() == "# By hand\n"


def test_train_does_not_write_over_a_run(run, demo, capsys):
    before = (run / "model.safetensors").read_bytes()
    assert cli("train", demo / "manifest.csv", "--name", run, *TINY) == 2
    assert "is a run already" in complaint(capsys)
    assert (run / "model.safetensors").read_bytes() == before


def test_a_folder_of_other_things_does_not_become_a_run(demo, tmp_path, capsys):
    (tmp_path / "manifest.csv").write_text("mine")
    assert cli("train", demo / "manifest.csv", "--name", tmp_path, *TINY) == 2
    assert "is no run but holds other things (manifest.csv)" in complaint(capsys)
    with pytest.raises(UserError, match="holds other things"):  # as the page begins one
        start_training([str(demo / "manifest.csv"), "--name", str(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.csv"]
    assert (tmp_path / "manifest.csv").read_text() == "mine"


def test_what_a_killed_beginning_left_is_in_nobodys_way(run, demo, tmp_path):
    path = tmp_path / "run"
    path.mkdir()
    for name in ("data.json", "manifest.csv", "command.txt", "log.txt"):
        shutil.copy(run / name, path / name)
    assert cli("train", demo / "manifest.csv", "--name", path, *TINY) == 0
    assert Run(path).status() == "finished"


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


REFUSED = [
    (["--reference", "lesion-free"], "lesion-free slices"),
    (["--reference", "REFERENCE"], "is not there"),
    (["--set", "data.watched=nobody:3"], "no scan 'nobody'"),
    (["--set", "reference.level_low=0.99", "--set", "reference.level_high=0.991"], "reference"),
    (["--set", "reference.contamination=0.5"], "reference.contamination"),
    (["--set", "segmentation.rule=nan"], "'nan' cannot be used"),
    (["--preset", "NOWHERE.toml"], "NOWHERE.toml cannot be read"),
]


@pytest.fixture
def unmarked(demo, tmp_path):
    """The demo's manifest without its column of masks, so that lesion-free slices are unknown."""
    rows = rows_of(demo / "manifest.csv")
    for row in rows:
        del row["mask"]
        paths = {column: demo / cell for column, cell in row.items() if cell.endswith(".nii.gz")}
        row |= {column: str(path) for column, path in paths.items()}
    write_manifest(tmp_path / "unmarked.csv", rows)
    return tmp_path / "unmarked.csv"


@pytest.mark.parametrize(("options", "said"), REFUSED)
def test_a_training_that_is_refused_leaves_nothing(unmarked, tmp_path, options, said, capsys):
    before = sorted(tmp_path.rglob("*"))
    path = tmp_path / "new" / "runs" / "mine"
    assert cli("train", unmarked, "--name", path, *TINY, *options) == 2
    assert said in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_the_mended_command_is_accepted_under_the_same_name(unmarked, demo, tmp_path):
    path = tmp_path / "mine"
    options = ["--name", path, "--reference", "lesion-free", *TINY]
    assert cli("train", unmarked, *options) == 2
    assert cli("train", demo / "manifest.csv", *options) == 0
    assert Run(path).status() == "finished"


def test_a_damaged_scan_leaves_no_run_and_what_was_in_the_folder_stays(demo, tmp_path, capsys):
    manifest = tmp_path / "cohort" / "manifest.csv"
    shutil.copytree(demo, manifest.parent)
    scan = sorted(manifest.parent.glob("*_t2.nii.gz"))[-1]
    scan.write_bytes(scan.read_bytes()[:500])
    path = tmp_path / "mine"
    path.mkdir()
    (path / "log.txt").write_text("begun before\n")
    assert cli("train", manifest, "--name", path, *TINY) == 2
    assert scan.name in capsys.readouterr().err
    assert [one.name for one in path.iterdir()] == ["log.txt"]


def test_a_training_that_diverges_before_it_has_learnt_leaves_no_run(
    demo, tmp_path, monkeypatch, capsys
):
    def diverges(*args, **kwargs):
        raise UserError("Training left the numbers at step 3; lower schedule.learning_rate.")

    monkeypatch.setattr("ascnet_core.training.recorder.train", diverges)
    assert cli("train", demo / "manifest.csv", "--name", tmp_path / "mine", *TINY) == 2
    assert "left the numbers" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_preparation_leaves_no_run(demo, tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("ascnet_core.training.slice_sets.sets_of", interrupted)
    assert cli("train", demo / "manifest.csv", "--name", tmp_path / "mine", *TINY) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_not_made_among_other_things(demo, tmp_path, capsys):
    folder = tmp_path / "cohort"
    shutil.copytree(demo, folder)
    before = (folder / "manifest.csv").read_bytes()
    assert cli("train", folder / "manifest.csv", "--name", folder, *TINY) == 2
    assert "holds other things" in complaint(capsys)
    with pytest.raises(UserError, match="holds other things"):
        start_training([str(folder / "manifest.csv"), "--name", str(folder), *TINY])
    assert (folder / "manifest.csv").read_bytes() == before
    assert not (folder / "log.txt").exists()


def test_a_resume_that_is_refused_changes_nothing(demo, tmp_path, capsys):
    manifest = tmp_path / "cohort" / "manifest.csv"
    shutil.copytree(demo, manifest.parent)
    path = tmp_path / "mine"
    assert cli("train", manifest, "--name", path, *TINY) == 0
    before = {one: one.read_bytes() for one in path.rglob("*") if one.suffix not in ("", ".txt")}
    sorted(manifest.parent.glob("*_t2.nii.gz"))[-1].unlink()
    assert cli("train", "--resume", path, "--set", "schedule.stage_1=4") == 2
    capsys.readouterr()
    assert {one: one.read_bytes() for one in before} == before


def test_a_process_of_its_own_that_is_refused_for_its_data_leaves_nothing(unmarked, tmp_path):
    path = tmp_path / "own"
    arguments = [str(unmarked), "--name", str(path), "--reference", "lesion-free", *TINY]
    with pytest.raises(UserError, match=r"did not start: error: .*lesion-free"):
        start_training(arguments)
    assert not path.exists()


def test_a_training_outlives_the_reader_of_its_output(demo, tmp_path):
    path = tmp_path / "mine"
    command = [sys.executable, "-m", "ascnet_core", "train", demo / "manifest.csv", "--name", path]
    words = shlex.join(map(str, [*command, "--device", "cpu", *TINY]))
    done = subprocess.run(
        ["sh", "-c", f"{words} 2>&1 | head -1; sleep 0"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.stdout.count(b"\n") == 1
    until = time.monotonic() + 60
    while lock_holder(path) is not None and time.monotonic() < until:
        time.sleep(0.1)
    assert Run(path).status() == "finished"


@pytest.mark.parametrize("closing", [">&- 2>&- <&-", ">/dev/full"])
def test_a_training_without_streams_ends_well(demo, tmp_path, closing):
    path = tmp_path / "mine"
    command = [sys.executable, "-m", "ascnet_core", "train", demo / "manifest.csv", "--name", path]
    words = shlex.join(map(str, [*command, "--device", "cpu", *TINY]))
    assert subprocess.run(["sh", "-c", f"{words} {closing}"], cwd=ROOT, check=False).returncode == 0
    assert Run(path).status() == "finished"
    assert "finished after" in Run(path).log()


@hangup.heard
def test_a_closed_terminal_leaves_a_checkpoint(demo, tmp_path):
    path = tmp_path / "mine"
    long = ["--set=schedule.steps=100000", "--device", "cpu"]
    pid = start_training([str(demo / "manifest.csv"), "--name", str(path), *TINY, *long])
    until = time.monotonic() + 60
    while Run(path).progress() is None and time.monotonic() < until:
        time.sleep(0.1)
    os.kill(pid, signal.SIGHUP)
    while lock_holder(path) is not None and time.monotonic() < until:
        time.sleep(0.1)
    assert Run(path).status() == "stopped"
    assert (path / "training.safetensors").is_file()


def test_a_run_keeps_what_its_scans_are_like(run, demo):
    found = read_fingerprint(run)
    assert found.subjects == {row["subject"] for row in rows_of(demo / "manifest.csv")}
    assert len(found.voxels) == len(found.histograms) == 4
    assert found.modalities == {"t2"}
    assert found.slices.tolist() == [12] * 4
