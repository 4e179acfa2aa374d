"""What tests of runs share."""

from pathlib import Path

import pytest

from ascnet_core.training import run_folder


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    """An empty folder in the place of `checkpoints/`."""
    folder = tmp_path / "checkpoints"
    monkeypatch.setattr(run_folder, "RUNS", folder)
    return folder
