"""A cohort and a run from the command line, shared by the tests of its verbs."""

import pytest

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
