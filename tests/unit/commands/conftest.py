"""A cohort and a run from the command line, shared by the tests of its verbs."""

import pytest

from ascnet_core import places
from ascnet_core.imaging.cohort import read_manifest
from tests.unit.commands.command_line import TINY, cli


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """A demo cohort of four small subjects."""
    out = tmp_path_factory.mktemp("cohort") / "demo"
    assert cli("demo", out, "--subjects", 4, "--size", "48x48x12", "--contrast", "t2") == 0
    return out


@pytest.fixture(scope="session")
def run(demo, tmp_path_factory):
    """A run that has hardly learnt anything, trained from the command line."""
    path = tmp_path_factory.mktemp("runs") / "tiny"
    assert cli("train", demo / "manifest.csv", "--name", path, "--device", "cpu", *TINY) == 0
    return path


@pytest.fixture
def names(demo, run, tmp_path, monkeypatch) -> list[str]:
    """The subjects of a study `ms`, of which nothing is decided."""
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    assert cli("study", "new", "ms", demo / "manifest.csv", "--run", run) == 0
    return list(read_manifest(demo / "manifest.csv").subjects)
