"""What a run learns from, by its settings."""

import json
from pathlib import Path

import numpy as np
import pytest

from ascnet_core.cli import main
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.settings.preparation import draw_of, preparation_of
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import apply_set, from_toml, to_toml
from ascnet_core.training.slice_sets import describe, sets_of
from tests.small import make_small_cohort


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> Path:
    return make_small_cohort(tmp_path_factory.mktemp("cohort") / "small", subjects=8)


def asked(*changes: str):
    return apply_set(load_preset("teaching"), ["data.size=32", *changes])


def test_every_setting_of_the_data_reaches_the_preparation():
    settings = asked("data.region=none", "data.low=1", "data.high=99", "data.frame=2")
    how = preparation_of(apply_set(settings, ["data.channel=1", "data.nan=0"]))
    assert (how.size, how.region, how.low, how.high) == (32, "none", 1, 99)
    assert (how.frame, how.channel, how.nan) == (2, 1, 0)


def test_the_draw_takes_the_schedules_seed():
    draw = draw_of(asked("schedule.seed=5", "reference.share=0.5", "reference.level_low=0.2"))
    assert (draw.share, draw.level_low, draw.level_high, draw.seed) == (0.5, 0.2, 1, 5)
    assert draw_of(asked()).takes_all


@pytest.mark.parametrize("reference", ["normal", "lesion-free"])
def test_contamination_changes_the_reference_alone(manifest, reference):
    cohort = read_manifest(manifest)
    inputs, clean = sets_of(asked(), cohort, reference)
    same, spoilt = sets_of(asked("reference.contamination=0.2"), cohort, reference)
    assert np.array_equal(inputs.images, same.images)
    assert len(spoilt) == len(clean)
    assert not clean.lesion.any()
    assert spoilt.lesion.sum() == round(0.2 * len(clean))
    held = describe(spoilt)
    assert held["slices"] == len(clean)
    assert held["with_lesion"] == spoilt.lesion.sum()


def test_settings_without_the_table_still_load():
    text = to_toml(load_preset("teaching"))
    before, _, rest = text.partition("[reference]\n")
    old = before + rest[rest.index("\n[") :]
    assert "contamination" not in old
    assert from_toml(old) == load_preset("teaching")


def test_train_records_what_was_taken(manifest, tmp_path, capsys):
    run = tmp_path / "spoilt"
    tiny = ["data.size=32", "network.width=2", "schedule.stage_1=1", "schedule.steps=1"]
    changes = [*tiny, "reference.contamination=0.25", "reference.share=0.5", "schedule.batch_m=4"]
    sets = [f"--set={change}" for change in changes]
    assert main(["train", str(manifest), "--name", str(run), "--device", "cpu", *sets]) == 0
    held = json.loads((run / "reference.json").read_text())["set"]
    assert held["with_lesion"] == round(0.25 * held["slices"])
    card = (run / "card.md").read_text()
    assert f"{held['slices']} slices of" in card
    assert f"{held['with_lesion']} of them with lesion" in card
    assert "25 % lesion slices left in on purpose" in card
    assert "50 % of the slices kept" in card
