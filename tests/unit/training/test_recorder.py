import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from ascnet_core.errors import UserError
from ascnet_core.monitoring.history import read_history
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from ascnet_core.runs.requests import ask
from ascnet_core.segmentation.cuts import cut_slices
from ascnet_core.settings.text import to_toml
from ascnet_core.training.checkpoint import load_model, load_training
from ascnet_core.training.recorder import record, reference_counts
from tests.unit.training import tiny

ROOT = Path(__file__).resolve().parents[3]


def new_run(folder, settings):
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text(to_toml(settings))
    return folder


def go(run, settings=None, report=None):
    settings = settings or Run(run).settings()
    with hold_lock(run):
        return record(run, settings, tiny.INPUTS, tiny.REFERENCE, tiny.WATCHED, report=report)


def stop_at(run, step):
    """A report that asks for a stop through the folder at that step."""

    def report(event):
        if event["step"] == step:
            ask(run, "stop")

    return report


def weights(run):
    return load_training(run / "training.safetensors")


def assert_same_training(one, other):
    """Equal weights, optimisers, counters, and the same events but for their times."""
    tensors, meta = weights(one)
    others, other_meta = weights(other)
    assert meta["state"] == other_meta["state"]
    assert tensors.keys() == others.keys()
    for name, value in tensors.items():
        assert torch.equal(value, others[name]), name
    model, again = load_model(one)[0].state_dict(), load_model(other)[0].state_dict()
    assert all(torch.equal(value, again[name]) for name, value in model.items())
    assert told(one) == told(other)


def told(run):
    """What was recorded, without times and without what tells of interruptions."""
    kinds = ("step", "epoch", "cycle", "snapshot", "end")
    events = [event for event in Run(run).events() if event["kind"] in kinds]
    return [(e["kind"], e["stage"], e["cycle"], e["phase"], e["step"], e.get("snapshot"))
            for e in events]  # fmt: skip


# --- one run -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole_of(tmp_path_factory):
    """Uninterrupted runs by preset, each made once."""
    made = {}

    def run_of(preset):
        if preset not in made:
            settings = tiny.settings("schedule.log_every=1", preset=preset)
            made[preset] = new_run(tmp_path_factory.mktemp("runs") / preset, settings)
            assert go(made[preset]) == "finished"
        return made[preset]

    return run_of


@pytest.fixture
def whole(whole_of):
    """An uninterrupted run of both stages."""
    return whole_of("paper")


def test_a_run_holds_what_it_promises(whole):
    assert Run(whole).status() == "finished"
    progress = Run(whole).progress()
    assert progress is not None
    assert progress.step == progress.steps_total == 24
    snapshots = Run(whole).snapshots()
    assert [s.path.name for s in snapshots] == [
        "000-s1-c0",
        "001-s1-c1",
        "002-s1-c2",
        "003-s2-c1",
    ]
    assert [s.total_cycle for s in snapshots] == [0, 1, 2, 3]
    assert not list(whole.rglob(".tmp-*"))
    assert not (whole / "control.json").exists()
    times = [event["time"] for event in Run(whole).events()]
    assert times == sorted(times)


def test_a_snapshot_shows_the_cuts_of_its_own_network(whole):
    snapshot = Run(whole).at_cycle(2)
    data = Run(whole).load_snapshot(snapshot)
    model, _ = load_model(whole, cycle=2)
    cuts = cut_slices(model, tiny.WATCHED)
    for name in ("fence", "wild", "reconstruction"):
        expected = np.rint(255 * cuts[name])
        # training may use bfloat16 where the device gains by it: a level or two apart
        assert np.abs(data.maps[name] - expected).max() <= 3, name
    assert np.array_equal(data.watched_input, np.rint(255 * tiny.WATCHED))
    assert snapshot.info["counts"] == data.counts.tolist()
    assert "verdict" in snapshot.info
    last = load_model(whole)[0].state_dict()
    assert any(not torch.equal(value, last[name]) for name, value in model.state_dict().items())


def test_reference_counts_are_counts_over_tissue(whole):
    model, _ = load_model(whole)
    counts = reference_counts(model, tiny.REFERENCE.images)
    images = tiny.REFERENCE.images
    levels = np.rint(255 * images[images > 0]).astype(int)
    assert counts["input"] == np.bincount(levels, minlength=256).tolist()
    assert all(sum(count) == (images > 0).sum() for count in counts.values())
    assert Run(whole).reference_counts("wild").tolist() == counts["wild"]
    assert Run(whole).reference_counts("wild", cycle=3).tolist() == counts["wild"]
    assert Run(whole).reference_counts("wild", cycle=0).tolist() != counts["wild"]


def test_writing_without_the_lock_is_refused(tmp_path):
    run = new_run(tmp_path / "run", tiny.settings())
    with pytest.raises(UserError, match="not locked"):
        record(run, tiny.settings(), tiny.INPUTS, tiny.REFERENCE, tiny.WATCHED)


def test_steps_tell_the_memory_of_their_device(whole):
    steps = [event for event in Run(whole).events() if event["kind"] == "step"]
    assert all(event["device"] == "cpu" for event in steps)
    # torch alone takes more than 50 MB; no test machine gives a tiny run 50 GB
    assert all(5e7 < event["memory"] < 5e10 for event in steps)
    assert Run(whole).progress().memory == steps[-1]["memory"]


# --- a snapshot on demand ------------------------------------------------------------------------


def test_a_snapshot_on_demand_is_kept_and_changes_nothing_else(tmp_path, whole):
    run = new_run(tmp_path / "run", tiny.settings("schedule.log_every=1"))
    asked = []

    def report(event):
        if event["kind"] == "step" and event["step"] in (2, 10) and event["step"] not in asked:
            asked.append(event["step"])
            assert ask(run, "snapshot")

    assert go(run, report=report) == "finished"
    snapshots = Run(run).snapshots()
    assert [s.step for s in snapshots] == [0, 2, 8, 10, 16, 24]
    assert [s.label for s in snapshots] == [
        "start", "stage 1, cycle 1, step 2", "stage 1, cycle 1", "stage 1, cycle 2, step 10",
        "stage 1, cycle 2", "stage 2, cycle 1",
    ]  # fmt: skip
    assert [p.ends_cycle for p in read_history(Run(run)).points[1:]] == [
        False, True, False, True, True,
    ]  # fmt: skip
    assert Run(run).at_cycle(1).step == 8
    tensors, others = weights(run)[0], weights(whole)[0]
    assert all(torch.equal(value, others[name]) for name, value in tensors.items())


def test_a_snapshot_on_demand_outlives_a_crash(tmp_path, whole):
    run = new_run(
        tmp_path / "run", tiny.settings("schedule.checkpoint_seconds=1e9", "schedule.log_every=1")
    )

    class Crash(Exception):
        pass

    def report(event):
        if event["kind"] == "step" and event["step"] == 3:
            ask(run, "snapshot")
        if event["kind"] == "step" and event["step"] == 5:
            raise Crash

    with pytest.raises(Crash):
        go(run, report=report)
    assert go(run) == "finished"
    assert [s.step for s in Run(run).snapshots()] == [0, 3, 8, 16, 24]


def test_a_moment_that_is_kept_already_is_not_kept_twice(tmp_path):
    run = new_run(tmp_path / "run", tiny.settings("schedule.log_every=1"))

    def report(event):
        if event["kind"] == "cycle":
            ask(run, "snapshot")

    assert go(run, report=report) == "finished"
    assert [s.step for s in Run(run).snapshots()] == [0, 8, 16, 24]
    assert not (run / "snapshot.json").exists()


def test_nobody_trains_so_no_snapshot_is_asked_for(whole):
    assert not ask(whole, "snapshot")
    assert not (whole / "snapshot.json").exists()


# --- stop, pause, resume -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "step"),
    [
        ("paper", 3),
        ("paper", 10),
        ("teaching", 5),
        ("released-code", 6),
        ("denoising-autoencoder", 5),
    ],
)
def test_a_stopped_run_goes_on_to_the_same_weights(tmp_path, whole_of, preset, step):
    parts = new_run(tmp_path / "parts", tiny.settings("schedule.log_every=1", preset=preset))
    assert go(parts, report=stop_at(parts, step)) == "stopped"
    assert Run(parts).status() == "stopped"
    assert weights(parts)[1]["state"]["step"] == step
    assert go(parts) == "finished"
    assert_same_training(whole_of(preset), parts)


def test_a_finished_run_can_be_extended(tmp_path):
    # the learning rate's fall at the end belongs to the length, so it is off here
    long = tiny.settings("schedule.cooling=0", preset="teaching")
    short = tiny.settings("schedule.cooling=0", "schedule.stage_1=1", preset="teaching")
    whole = new_run(tmp_path / "whole", long)
    parts = new_run(tmp_path / "parts", short)
    assert go(whole) == go(parts) == "finished"
    assert Run(parts).events()[-1]["kind"] == "end"
    assert go(parts, long) == "finished"
    tensors, others = weights(whole)[0], weights(parts)[0]
    assert all(torch.equal(value, others[name]) for name, value in tensors.items())
    assert [s.path.name for s in Run(parts).snapshots()] == [
        s.path.name for s in Run(whole).snapshots()
    ]


def test_a_pause_waits_and_leaves_a_checkpoint(tmp_path, whole):
    run = new_run(tmp_path / "run", tiny.settings("schedule.log_every=1"))
    states = []

    def report(event):
        if event["kind"] == "step" and event["step"] == 6 and not states:
            ask(run, "pause")
            states.append("asked")
        if event["kind"] == "pause":
            states.append(Run(run).status())
            states.append(weights(run)[1]["state"]["step"])
            (run / "control.json").write_text('{"request": "go"}')

    assert go(run, report=report) == "finished"
    assert states == ["asked", "paused", 6]
    kinds = [event["kind"] for event in Run(run).events()]
    assert kinds.index("go") == kinds.index("pause") + 1
    assert_same_training(whole, run)


def test_a_signal_stops_at_the_next_step(tmp_path, whole):
    run = new_run(tmp_path / "run", tiny.settings("schedule.log_every=1"))
    before = signal.getsignal(signal.SIGINT)

    def report(event):
        if event["kind"] == "step" and event["step"] == 10:
            os.kill(os.getpid(), signal.SIGINT)

    assert go(run, report=report) == "stopped"
    assert signal.getsignal(signal.SIGINT) is before
    assert weights(run)[1]["state"]["step"] == 10
    assert go(run) == "finished"
    assert_same_training(whole, run)


def test_what_came_after_the_last_checkpoint_is_taken_back(tmp_path, whole):
    run = new_run(
        tmp_path / "run", tiny.settings("schedule.checkpoint_seconds=1e9", "schedule.log_every=1")
    )
    checkpoint = {}

    class Crash(Exception):
        pass

    def report(event):
        if event["step"] == 10 and event["kind"] == "step":
            checkpoint["bytes"] = (run / "training.safetensors").read_bytes()
        if event["kind"] == "snapshot" and event["cycle"] == 2:
            raise Crash

    with pytest.raises(Crash):
        go(run, report=report)
    assert (run / "snapshots" / "002-s1-c2").is_dir()
    # a half line and a half snapshot, as a crash may leave them
    with (run / "events.jsonl").open("a") as stream:
        stream.write('{"kind": "st')
    (run / "snapshots" / ".tmp-003-s2-c1").mkdir()
    assert weights(run)[1]["state"]["step"] == 8
    assert go(run) == "finished"
    assert_same_training(whole, run)
    for line in (run / "events.jsonl").read_text().splitlines():
        json.loads(line)


@pytest.mark.parametrize("events", ["kept", "lost"])
def test_a_result_passed_on_alone_is_not_trained_over(tmp_path, whole, events):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    (run / "training.safetensors").unlink()
    if events == "lost":
        (run / "events.jsonl").unlink()
    before = (run / "model.safetensors").read_bytes()
    with pytest.raises(UserError, match="cannot go on"):
        go(run)
    assert (run / "model.safetensors").read_bytes() == before
    assert len(Run(run).snapshots()) == 4


def test_a_checkpoint_of_other_settings_is_refused(tmp_path, whole):
    run = new_run(tmp_path / "run", tiny.settings())
    go(run, report=stop_at(run, 4))
    with pytest.raises(UserError, match="does not fit"):
        go(run, tiny.settings("network.width=3"))


# --- killed --------------------------------------------------------------------------------------

_SERVER = """
    import os, sys
    from pathlib import Path
    import torch
    torch.set_num_threads(1)
    from tests.unit.training.test_recorder import go

    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            go(Path(line.strip()))
            os._exit(0)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.mark.parametrize("preset", ["teaching", "denoising-autoencoder"])
def test_a_run_killed_at_random_moments_ends_with_the_same_weights(tmp_path, preset):
    """SIGKILL, again and again; every start goes on from a readable checkpoint.

    A process that has torch loaded forks each training, which costs no import: many kills are
    possible in little time. A checkpoint at each step makes kills amid writing likely.
    """
    settings = tiny.settings("schedule.checkpoint_seconds=0", preset=preset)
    whole, killed = (new_run(tmp_path / name, settings) for name in ("whole", "killed"))
    server = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )
    assert server.stdin is not None
    assert server.stdout is not None

    def start(run):
        server.stdin.write(f"{run}\n")
        server.stdin.flush()
        return int(server.stdout.readline())

    try:
        assert server.stdout.readline() == "ready\n"
        began = time.monotonic()
        start(whole)
        assert int(server.stdout.readline()) == 0
        lasted = time.monotonic() - began
        moments = random.Random(4)
        kills = 0
        for _ in range(20):
            child = start(killed)
            if kills < 8:
                time.sleep(moments.uniform(0.02, lasted / 3))
                os.kill(child, signal.SIGKILL)
            status = int(server.stdout.readline())
            kills += os.WIFSIGNALED(status)
            if status == 0:
                break
            assert os.WTERMSIG(status) == signal.SIGKILL
            assert Run(killed).status() in ("died", "finished")
            for file in killed.rglob("*.safetensors"):
                if not file.name.startswith(".tmp-"):
                    assert_readable(file)
        assert status == 0
        assert kills >= 3
    finally:
        server.kill()
        server.communicate()
    assert_same_training(whole, killed)
    assert Run(killed).status() == "finished"


def assert_readable(path):
    from safetensors import safe_open

    with safe_open(path, "np") as stream:
        for name in stream.keys():  # noqa: SIM118
            stream.get_tensor(name)


@pytest.mark.gpu
def test_a_cpu_run_goes_on_on_a_gpu(tmp_path):
    run = new_run(tmp_path / "run", tiny.settings())
    go(run, report=stop_at(run, 10))
    with hold_lock(run):
        how = record(run, tiny.settings(), tiny.INPUTS, tiny.REFERENCE, tiny.WATCHED, device="cuda")
    assert how == "finished"
    assert all(value.isfinite().all() for value in load_model(run)[0].state_dict().values())
