"""What a signal leaves of a verb that it ends: nothing."""

import signal
from pathlib import Path

import pytest

from ascnet_core.commands.surroundings import TERMINATED
from tests.unit.commands.command_line import ended_before


@pytest.mark.parametrize("moment", ["kept/1", "demo0-002_mask.nii.gz"])
def test_segment(run, demo: Path, tmp_path: Path, moment: str) -> None:
    call = ["segment", run, demo / "manifest.csv", "-o", tmp_path / "new" / "out"]
    pattern = f"*/.tmp-ascnet-*/{moment}"
    status = ended_before(pattern, signal.SIGTERM, *call, "--threshold", 100, "--device", "cpu")
    assert status == TERMINATED
    assert not (tmp_path / "new").exists()


def test_evaluate(demo: Path, tmp_path: Path) -> None:
    call = ["evaluate", demo / "manifest.csv", "-o", tmp_path / "new" / "out"]
    call += ["--method", "input-threshold", "--fast"]
    assert ended_before("*/ascnet-evaluate-*/2", signal.SIGTERM, *call) == TERMINATED
    assert not (tmp_path / "new").exists()


def test_index(demo: Path, tmp_path: Path) -> None:
    call = ["index", demo, "-o", tmp_path / "new" / "manifest.csv"]
    pattern = "*/.tmp-ascnet-*/manifest.csv"
    assert ended_before(pattern, signal.SIGTERM, *call) == TERMINATED
    assert not (tmp_path / "new").exists()
