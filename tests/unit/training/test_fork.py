"""A fork begins with the network of a kept cycle, and is a run like any other."""

import json

import pytest
import torch

from ascnet_core.errors import UserError
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from ascnet_core.runs.parent import Parent, read_parent
from ascnet_core.settings.text import apply_set, to_toml
from ascnet_core.training.checkpoint import load_model, load_training
from ascnet_core.training.fork import write_fork
from ascnet_core.training.recorder import record
from ascnet_core.training.state import new_state
from tests.unit.training import tiny

SETTINGS = tiny.settings("schedule.steps=2", "schedule.checkpoint_seconds=1e9")


def go(run, report=None):
    settings = Run(run).settings()
    with hold_lock(run):
        return record(run, settings, tiny.INPUTS, tiny.REFERENCE, tiny.WATCHED, report=report)


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A finished run of both stages, two cycles and one."""
    folder = tmp_path_factory.mktemp("runs") / "origin"
    folder.mkdir()
    (folder / "settings.toml").write_text(to_toml(SETTINGS))
    assert go(folder) == "finished"
    return Run(folder)


@pytest.fixture
def fork(origin, tmp_path):
    """Makes forks: (cycle, changes of settings) -> (folder, where it is from)."""

    def make(cycle, *changes, name="fork"):
        folder = tmp_path / name
        folder.mkdir()
        settings = apply_set(SETTINGS, changes)
        made = write_fork(folder, origin, cycle, settings)
        (folder / "settings.toml").write_text(to_toml(settings))
        return folder, made

    return make


def equal(tensors, others):
    return tensors.keys() == others.keys() and all(
        torch.equal(value, others[name]) for name, value in tensors.items()
    )


def part(folder, name):
    tensors, _ = load_training(folder / "training.safetensors")
    return {key.removeprefix(name): v for key, v in tensors.items() if key.startswith(name)}


@pytest.mark.parametrize("cycle", [3, None])
def test_all_comes_along_from_the_last_checkpoint(origin, fork, cycle):
    folder, made = fork(cycle, "schedule.learning_rate=0.01")
    tensors, meta = load_training(folder / "training.safetensors")
    assert equal(tensors, load_training(origin.path / "training.safetensors")[0])
    assert meta["events_bytes"] == 0
    assert (meta["state"]["step"], meta["state"]["cycle"], meta["state"]["images_seen"]) == (
        0,
        0,
        0,
    )
    assert made == read_parent(folder) == Parent("origin", "stage 2, cycle 1", 12, True)
    assert made.sentence.endswith("with M, D and the optimisers")


@pytest.mark.parametrize(
    ("cycle", "changes"),
    [(1, []), (3, ["data.size=32"]), (3, ["schedule.average=0"]), (0, [])],
)
def test_else_m_comes_along_alone(origin, fork, cycle, changes):
    folder, made = fork(cycle, *changes)
    model, _ = load_model(origin.path, cycle)
    assert equal(part(folder, "model."), model.state_dict())
    if not changes:
        assert equal(part(folder, "average."), model.state_dict())
    fresh = new_state(apply_set(SETTINGS, changes), "cpu")
    assert equal(part(folder, "discriminator."), fresh.networks["discriminator"].state_dict())
    assert not part(folder, "optimiser")
    assert not made.whole


def test_a_fork_can_do_without_the_adversary(fork):
    folder, made = fork(3, "adversary.weight=0")
    assert not part(folder, "discriminator.")
    assert not made.whole


def test_a_fork_begins_its_schedule_anew_with_that_network(origin, fork):
    folder, _ = fork(1, "schedule.stage_1=1", "schedule.stage_2=0")
    assert go(folder) == "finished"
    first, last = Run(folder).snapshots()
    assert (first.step, first.label) == (0, "start")
    assert (last.label, last.step) == ("stage 1, cycle 1", 4)
    model, _ = load_model(origin.path, 1)
    assert equal(load_model(folder, 0)[0].state_dict(), model.state_dict())
    assert not equal(load_model(folder)[0].state_dict(), model.state_dict())
    assert [e["kind"] for e in Run(folder).events()][:3] == ["start", "snapshot", "step"]


def test_a_fork_may_begin_with_stage_2(fork):
    folder, _ = fork(2, "schedule.stage_1=0", "schedule.stage_2=1")
    assert go(folder) == "finished"
    assert [s.label for s in Run(folder).snapshots()] == ["start", "stage 2, cycle 1"]


@pytest.mark.parametrize("after", ["snapshot", "step"])
def test_a_fork_that_crashed_before_its_first_checkpoint_goes_on_as_a_fork(fork, after):
    whole, _ = fork(1, "schedule.stage_2=0", name="whole")
    parts, _ = fork(1, "schedule.stage_2=0", name="parts")

    class Crash(Exception):
        pass

    def report(event):
        if event["kind"] == after:
            raise Crash

    with pytest.raises(Crash):
        go(parts, report)
    assert go(whole) == go(parts) == "finished"
    assert equal(part(whole, ""), part(parts, ""))
    assert [s.path.name for s in Run(parts).snapshots()] == [
        s.path.name for s in Run(whole).snapshots()
    ]
    kinds = [[e["kind"] for e in Run(one).events()] for one in (whole, parts)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    "change", ["network.width=3", "network.discriminator_width=3", "network.norm=group"]
)
def test_networks_of_another_size_are_refused(fork, tmp_path, change):
    with pytest.raises(UserError, match=f"{change.partition('=')[0]} cannot change in a fork"):
        fork(1, change)
    assert not list((tmp_path / "fork").iterdir())


def test_a_cycle_that_kept_no_network_is_refused(origin, fork, tmp_path):
    kept = origin.at_cycle(2).path / "model.safetensors"
    aside = kept.rename(tmp_path / "aside.safetensors")
    try:
        with pytest.raises(UserError, match="no weights of cycle 2; it has those of: 0, 1, 3"):
            fork(2)
        with pytest.raises(UserError, match="kept no cycle 9"):
            fork(9, name="other")
    finally:
        aside.rename(kept)


def test_a_run_that_is_no_fork_has_no_origin(origin, tmp_path):
    assert read_parent(origin.path) is None
    (tmp_path / "origin.json").write_text(json.dumps({"run": "a"}))
    assert read_parent(tmp_path) is None
