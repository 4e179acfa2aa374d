"""What tests of runs share."""

from pathlib import Path

import pytest

from ascnet_core import places


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    """An empty folder in the place of `checkpoints/`."""
    folder = tmp_path / "checkpoints"
    monkeypatch.setattr(places, "RUNS", folder)
    return folder
