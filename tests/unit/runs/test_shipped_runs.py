import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.intensity import scale_volume
from ascnet_core.imaging.phantom.demo import make_demo, phantom_subject
from ascnet_core.imaging.prepare import prepare_scan
from ascnet_core.imaging.slices import from_slices, placement, to_slices
from ascnet_core.runs.fingerprint import read_fingerprint
from ascnet_core.runs.folder import Run
from ascnet_core.runs.manage import SHIPPED
from ascnet_core.runs.suspicion import suspicions
from ascnet_core.segmentation.cuts import cut_slices
from ascnet_core.segmentation.histogram import count_levels, find_peaks, quantise
from ascnet_core.segmentation.threshold import apply, propose
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.settings.text import from_toml
from ascnet_core.training.checkpoint import load_model

RUNS = Path(__file__).parents[3] / "checkpoints"
THREE_PEAKS = ("demo-ct", "demo-flair", "demo-flair-paper")


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_runs_are_small_and_say_what_they_are(name):
    run = RUNS / name
    files = [path for path in run.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 15e6
    assert not (run / "training.safetensors").exists()
    card = (run / "card.md").read_text("utf-8")
    for word in ("licence", "Command", "Seed", "Device", "Dice"):
        assert word in card
    assert (run / "command.txt").read_text().startswith("python -m ascnet_core train ")
    from_toml((run / "settings.toml").read_text("utf-8"))


@pytest.mark.parametrize("name", THREE_PEAKS)
def test_shipped_runs_end_with_three_separated_peaks(name):
    last = sorted((RUNS / name / "snapshots").iterdir())[-1]
    assert "3 separated peaks" in json.loads((last / "info.json").read_text())["verdict"]


def test_the_shipped_run_finds_the_lesion_of_an_unseen_subject_by_its_own_rule():
    model, settings = load_model("demo-flair")
    subject = phantom_subject(seed=1, index=3)
    scaled, _ = scale_volume(subject.image, subject.region, method="percentile")
    where = placement(scaled.shape, subject.spacing, settings.data.size)
    cuts = cut_slices(model, to_slices(scaled, where))
    made = quantise(from_slices(cuts["reconstruction"], where))
    counts = count_levels(made, subject.region)
    assert len(find_peaks(counts)) >= 3
    threshold = propose(settings.segmentation.rule, counts, settings.segmentation.side)
    found = apply(made, subject.region, threshold)
    dice = 2 * np.sum(found & subject.mask) / (found.sum() + subject.mask.sum())
    assert dice >= 0.7


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_runs_know_what_they_learnt_from(name):
    found = read_fingerprint(RUNS / name)
    subjects = {row["subject"] for row in csv.DictReader((RUNS / name / "manifest.csv").open())}
    assert found.subjects == subjects
    assert len(found.voxels) == len(subjects)
    assert found.has_skull is {"lgg-flair": True, "demo-ct": None}.get(name, False)


@pytest.mark.parametrize(
    ("name", "contrast"),
    [("demo-flair", "flair"), ("demo-flair-paper", "flair"), ("demo-t2", "t2"), ("demo-ct", "ct")],
)
def test_shipped_runs_doubt_no_scan_of_their_kind_and_every_other_contrast(
    name, contrast, tmp_path
):
    known, how = read_fingerprint(RUNS / name), preparation_of(Run(RUNS / name).settings())
    for other in {contrast, "flair", "ct"}:
        cohort = read_manifest(make_demo(tmp_path / other, other, subjects=4, seed=3))
        for scan in cohort.scans:
            unnamed = dataclasses.replace(scan, modality="")  # by grey levels alone
            said = suspicions(prepare_scan(unnamed, how), known, scored=True)
            if other == contrast:
                assert said == ()
            elif {other, contrast} != {"flair", "ct"}:  # of those some are alike
                assert any(sentence.startswith("Grey levels") for sentence in said)
