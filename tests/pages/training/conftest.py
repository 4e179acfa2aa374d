"""What tests of the training pages share."""

from pathlib import Path

import pytest

from ascnet_core import places
from ascnet_core.runs import folder as run_folder


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of runs of the test's own."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setattr(places, "RUNS", folder)
    monkeypatch.setattr(run_folder.list_runs, "__defaults__", (folder,))
    return folder
