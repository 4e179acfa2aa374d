"""A kept cycle becomes the run's result, and the run can still be resumed as before."""

import shutil
from pathlib import Path

import pytest
import torch

from ascnet_core.errors import UserError
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from ascnet_core.runs.result import make_result, result_of
from ascnet_core.settings.text import to_toml
from ascnet_core.training.checkpoint import load_model
from ascnet_core.training.recorder import record
from tests.unit.training import tiny


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "trained"
    folder.mkdir()
    settings = tiny.settings("schedule.steps=2", preset="teaching")
    (folder / "settings.toml").write_text(to_toml(settings))
    with hold_lock(folder):
        record(folder, settings, tiny.INPUTS, tiny.REFERENCE, tiny.WATCHED)
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Run:
    return Run(Path(shutil.copytree(trained, tmp_path / "run")))


def same(one, other) -> bool:
    return all(torch.equal(v, other.state_dict()[n]) for n, v in one.state_dict().items())


def test_a_cycle_becomes_the_result_and_the_last_one_again(run: Run) -> None:
    first, last = run.at_cycle(1), run.at_cycle(2)
    assert result_of(run) == last
    make_result(run, first)
    assert result_of(run) == first
    assert same(load_model(run.path)[0], load_model(run.path, cycle=1)[0])
    assert not same(load_model(run.path)[0], load_model(run.path, cycle=2)[0])
    counts, kept = run.reference_counts("wild"), run.reference_counts("wild", cycle=1)
    assert counts is not None
    assert kept is not None
    assert (counts == kept).all()
    assert run.status() == "finished"
    make_result(run, last)
    assert same(load_model(run.path)[0], load_model(run.path, cycle=2)[0])


def test_going_on_is_not_changed_by_going_back(run: Run, trained: Path, tmp_path: Path) -> None:
    other = Run(Path(shutil.copytree(trained, tmp_path / "other")))
    make_result(run, run.at_cycle(1))
    longer = tiny.settings("schedule.steps=2", "schedule.stage_1=3", preset="teaching")
    for one in (run, other):
        with hold_lock(one.path):
            record(one.path, longer, tiny.INPUTS, tiny.REFERENCE, tiny.WATCHED)
    assert same(load_model(run.path)[0], load_model(other.path)[0])
    assert result_of(run) == run.at_cycle(3)


def test_a_run_in_training_is_left_alone(run: Run) -> None:
    before = (run.path / "model.safetensors").read_bytes()
    with hold_lock(run.path), pytest.raises(UserError, match="is being trained"):
        make_result(run, run.at_cycle(1))
    assert (run.path / "model.safetensors").read_bytes() == before


def test_a_cycle_without_network_is_refused(run: Run) -> None:
    (run.at_cycle(1).path / "model.safetensors").unlink()
    with pytest.raises(UserError, match="keeps no network"):
        make_result(run, run.at_cycle(1))


def test_missing_counts_are_not_replaced_by_others(run: Run) -> None:
    (run.at_cycle(1).path / "reference.json").unlink()
    make_result(run, run.at_cycle(1))
    assert run.reference_counts("wild") is None


def test_a_run_without_a_readable_network_has_no_result(run: Run) -> None:
    (run.path / "model.safetensors").write_bytes(b"no")
    assert result_of(run) is None
    (run.path / "model.safetensors").unlink()
    assert result_of(run) is None
