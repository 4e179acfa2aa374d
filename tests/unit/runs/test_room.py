"""A run that the disk has no room for is refused before anything is made."""

import shutil
from pathlib import Path

import pytest

from ascnet_core.errors import UserError
from ascnet_core.runs.room import bytes_of, check_room
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import apply_set

SHIPPED = Path(__file__).resolve().parents[3] / "checkpoints" / "demo-flair"


def test_the_size_of_a_network_is_about_that_of_a_shipped_one():
    teaching = load_preset("teaching")
    more = apply_set(teaching, ["schedule.stage_1=9"])
    network = (SHIPPED / "model.safetensors").stat().st_size
    maps = (SHIPPED / "snapshots" / "001-s1-c1" / "cuts.safetensors").stat().st_size
    assert bytes_of(more) - bytes_of(teaching) == pytest.approx(network + maps, rel=0.1)


def test_a_full_disk_is_said_with_what_to_do(monkeypatch, tmp_path):
    check_room(tmp_path / "not" / "there", load_preset("teaching"))
    monkeypatch.setattr(
        "ascnet_core.runs.room.shutil.disk_usage",
        lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**6),
    )
    with pytest.raises(UserError, match=r"needs about \d+ MB, and .* has 1 MB left; make room"):
        check_room(tmp_path / "not" / "there", load_preset("teaching"))
