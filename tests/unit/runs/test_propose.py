"""The preset that is proposed fits what the scans show, and says what it reached."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.runs.propose import Facts, Sight, facts_of, propose_preset, sight_of, unsuited
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import differing

PLANS = Path(__file__).resolve().parents[3] / "checkpoints" / "plans"


def scan(skull=0.01, modality="flair", subject="p", **more):
    return Sight(subject, modality, skull, 30, **more)


def test_facts_are_what_most_scans_show():
    bright = {"lesion": 0.8, "tissue": 0.4, "share": 0.1}
    facts = facts_of([scan(), scan(**bright), scan(skull=np.nan)], scans=30)
    assert (facts.scans, facts.slices, facts.skull, facts.side) == (30, 900, False, "bright")
    assert facts.words == "30 FLAIR scans without skull, lesions bright and large by their masks"
    assert facts_of([scan(0.3), scan(0.2, "t1")]).words == "2 scans with skull"
    assert facts_of([scan(0.3), scan(0.01)]).skull is None
    assert facts_of([scan(0.3, "ct")]).skull is None


@pytest.mark.parametrize(
    ("facts", "preset", "said"),
    [
        (Facts(9, 99, "flair", demo=True), "teaching", "Dice of .78"),
        (Facts(9, 99, "t2", demo=True), "two-cut-self-training", ".64"),
        (Facts(9, 99, "ct", demo=True), "teaching", "dark side"),
        (Facts(9, 99, "flair", skull=True), "two-cut-self-training", ".54"),
        (Facts(9, 99, "flair", skull=False, side="bright", share=0.07), "two-cut-self-training",
         ".81"),
        (Facts(9, 99, "t2", skull=False), "two-cut-self-training", "others were not tried"),
        (Facts(9, 99, "flair", skull=False, side="bright", share=0.01), "two-cut-self-training",
         "an experiment"),
        (Facts(9, 9, "ct", side="dark"), "teaching", "less than Otsu's.*learns them by heart"),
        (Facts(9, 99), "two-cut-self-training", "cannot be told"),
    ],
)  # fmt: skip
def test_each_kind_of_data_has_its_proposal(facts, preset, said):
    proposal = propose_preset(facts)
    assert proposal.preset == preset
    assert re.search(said, proposal.sentence)
    assert unsuited(proposal.settings, facts) == ""
    assert proposal.options.startswith(f"--preset {preset}")


@pytest.mark.parametrize(
    ("plan", "run", "facts"),
    [
        ("brats", "denoising", Facts(9, 99, "flair", skull=False, share=0.1)),
        ("ms", "self-training", Facts(9, 99, "flair", skull=False, share=0.01)),
        ("liver", "denoising", Facts(9, 99, "ct")),
        ("demo", "t2", Facts(9, 99, "t2", demo=True)),
        ("demo", "ct", Facts(9, 99, "ct", demo=True)),
    ],
)
def test_what_is_proposed_is_what_the_shipped_plan_tried(plan, run, facts):
    asked = tomllib.loads((PLANS / f"{plan}.toml").read_text("utf-8"))["run"][run]
    proposal = propose_preset(facts)
    assert (proposal.preset, list(proposal.changes)) == (asked["preset"], asked["set"])


def test_a_preset_that_does_not_suit_is_said():
    brats = Facts(10, 480, "flair", skull=False, side="bright", share=0.07)
    assert "fence turns white" in unsuited(load_preset("teaching"), brats)
    assert unsuited(load_preset("paper"), brats) == ""
    dark = Facts(10, 480, "ct", side="dark", share=0.07)
    assert "look for bright ones" in unsuited(load_preset("paper"), dark)
    assert unsuited(load_preset("teaching"), Facts(9, 99, "flair", demo=True)) == ""
    assert unsuited(load_preset("denoising-autoencoder"), dark) == ""


def test_real_scans_are_told_apart(real_data):
    """Skull or none, large or small lesions, bright or dark, by a few scans of each set."""
    wanted = {
        "brats": (False, "bright", False), "lgg": (True, "bright", True),
        "ms": (False, "bright", True), "liver2d": (None, "dark", False),
    }  # fmt: skip
    for name, (skull, side, small) in wanted.items():
        scans = read_manifest(real_data / f"{name}.csv").scans[:4]
        facts = facts_of(sight_of(prepare_scan(one, Preparation(size=96))) for one in scans)
        assert (facts.skull, facts.side, facts.share < 0.025) == (skull, side, small), name
    assert differing(load_preset("teaching"), propose_preset(facts).settings) != ()
