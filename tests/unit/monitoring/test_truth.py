"""Dice by cycle: true masks are found again by the watched slices' grey values."""

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import prepare_scan
from ascnet_core.monitoring.history import dice
from ascnet_core.monitoring.truth import watched_truth
from ascnet_core.runs.folder import Run
from ascnet_core.segmentation.histogram import quantise
from ascnet_core.settings.preparation import preparation_of
from tests.made_up import story, tissue
from tests.small import make_small_cohort, make_small_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("oracle")
    manifest = make_small_cohort(folder / "cohort", subjects=3)
    path = make_small_run(folder / "run", manifest)
    (path / "manifest.csv").unlink()
    rows = [f"{s.scan},{s.image},{s.mask},{s.region}" for s in read_manifest(manifest).scans]
    (path / "manifest.csv").write_text("subject,image,mask,region\n" + "\n".join(rows) + "\n")
    return Run(path)


def test_the_watched_slices_are_found_with_their_masks(run: Run) -> None:
    scans = run.cohort().scans
    how = preparation_of(run.settings())
    chosen = []
    for scan, z in ((scans[1], 6), (scans[0], 5), (scans[1], 7)):
        prepared = prepare_scan(scan, how)
        truth = prepared.truth_slices()
        assert truth is not None
        chosen.append((quantise(prepared.slices())[z], truth[z]))
    watched = np.stack([one for one, _ in chosen])
    seen: list[tuple[int, int]] = []
    found = watched_truth(run, watched, lambda done, total: seen.append((done, total)))
    np.testing.assert_array_equal(found, np.stack([mask for _, mask in chosen]))
    assert seen == [(1, 3), (2, 3)]  # the third scan need not be read


def test_a_slice_that_is_not_there_is_named(run: Run) -> None:
    with pytest.raises(UserError, match="Watched slices 1 of run"):
        watched_truth(run, np.full((1, 32, 32), 77, np.uint8))


def test_dice_is_pooled_over_the_slices() -> None:
    points = story("mss")
    truth = np.roll(tissue()[1], 2, axis=1)
    scores = [dice(point.mask, truth) for point in points]
    mask = points[3].mask
    assert mask is not None
    assert scores[:2] == [None, None]
    assert scores[3] == pytest.approx(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))
