"""Two runs on the same slices: what is compared, and with what figures."""

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.monitoring.reference_effect import (
    Sample,
    figures_of,
    most_changed,
    need_same_slices,
    other_differences,
    sample_slices,
)
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import apply_set
from tests.small import make_small_cohort

TEACHING = apply_set(load_preset("teaching"), ["data.size=32"])


def made(*changes: str):
    return apply_set(TEACHING, changes)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return make_small_cohort(tmp_path_factory.mktemp("cohort") / "small", subjects=6)


def test_slices_come_from_scans_that_are_not_normal(manifest):
    cohort = read_manifest(manifest)
    seen = []
    sample = sample_slices(cohort, preparation_of(TEACHING), 10, lambda *at: seen.append(at))
    anomalous = {scan.scan for scan in cohort.scans if scan.group != "normal"}
    assert {label.split(",")[0] for label in sample.labels} == anomalous
    assert len(sample.images) == len(sample.labels) == 12  # 4 of each of 3 scans
    assert sample.images.shape == sample.tissue.shape == sample.truth.shape
    assert sample.truth.any()
    assert not sample.images[~sample.tissue].any()
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)


def test_without_masks_there_is_no_truth(manifest, tmp_path):
    lines = [line.split(",") for line in manifest.read_text().splitlines()]
    place = lines[0].index("mask")
    for line in lines[1:]:
        line[place] = ""
    bare = manifest.parent / "bare.csv"
    bare.write_text("\n".join(",".join(line) for line in lines))
    assert sample_slices(read_manifest(bare), preparation_of(TEACHING), 6).truth is None


def sample_of(tissue, truth=None) -> Sample:
    tissue = np.asarray(tissue, bool)
    truth = None if truth is None else np.asarray(truth, bool)
    return Sample(tissue.astype(np.float32), tissue, truth, ("a",) * len(tissue))


def test_figures_by_hand():
    tissue = [[[1, 1], [1, 0]]]
    truth = [[[1, 0], [0, 1]]]  # one true pixel lies outside the tissue and counts nowhere
    wild = np.array([[[0.9, 0.3], [0.0, 0.9]]], np.float32)
    found = figures_of(wild, sample_of(tissue, truth))
    assert found.mean == pytest.approx(0.4)
    assert found.above == pytest.approx(1 / 3)
    assert found.inside == pytest.approx(0.9)
    assert found.outside == pytest.approx(0.15)
    blind = figures_of(wild, sample_of(tissue))
    assert (blind.mean, blind.inside, blind.outside) == (pytest.approx(0.4), None, None)
    assert figures_of(wild, sample_of(tissue, np.zeros((1, 2, 2)))).inside is None


def test_slices_are_ordered_by_change_over_their_tissue():
    tissue = np.ones((3, 2, 2), bool)
    tissue[2, 0] = False
    one = np.zeros((3, 2, 2), np.float32)
    other = one.copy()
    other[0] = 0.1
    other[1, 0, 0] = 0.8  # mean 0.2
    other[2, 1] = 0.5  # mean 0.5 over its half
    other[2, 0] = 1.0  # outside the tissue
    assert most_changed(one, other, tissue).tolist() == [2, 1, 0]


def test_runs_that_see_other_slices_are_not_compared():
    with pytest.raises(UserError, match=r"data\.size"):
        need_same_slices(made(), made("data.size=48", "data.flips=false"))
    assert need_same_slices(made(), made("data.flips=false")).size == 32


def test_only_what_may_move_things_counts_as_a_difference():
    spoilt = made("reference.contamination=0.2", "compute.threads=2", "segmentation.rule=otsu")
    assert other_differences(made(), spoilt) == ()
    assert other_differences(made(), made("schedule.seed=1", "schedule.log_every=5")) == (
        "schedule.seed",
    )
