"""Lesions counted by hand, and against skimage's labels."""

import math

import numpy as np
import pytest
from skimage.measure import label

from ascnet_core.metrics.lesions import LesionCounts, count_lesions


def test_counted_by_hand():
    truth = np.zeros((12, 5, 5), bool)
    found = np.zeros_like(truth)
    truth[0, 0, 0] = truth[1, 1, 1] = True  # touches at a corner: one lesion
    truth[5, 0, 0] = True
    truth[8, 0, 0] = True
    found[1, 1, 1] = True  # hits the first
    found[5:9, 0, 0] = True  # one finding over two lesions
    found[11, 4, 4] = True  # false
    counts = count_lesions(found, truth)
    assert counts == LesionCounts(true=3, true_hit=3, predicted=3, predicted_hit=2)
    assert counts.recall == 1
    assert counts.precision == pytest.approx(2 / 3)
    assert counts.f1 == pytest.approx(0.8)


@pytest.mark.parametrize("seed", range(3))
def test_equal_to_skimage(seed):
    rng = np.random.default_rng(seed)
    truth, found = rng.random((2, 10, 9, 8)) < 0.06
    counts = count_lesions(found, truth)
    labels = label(truth, connectivity=3)
    assert counts.true == labels.max()
    assert counts.true_hit == sum(found[labels == i].any() for i in range(1, labels.max() + 1))


def test_empty_masks():
    empty, some = np.zeros((2, 2, 2), bool), np.ones((2, 2, 2), bool)
    assert count_lesions(empty, empty) == LesionCounts()
    assert LesionCounts().f1 == 1
    assert math.isnan(LesionCounts().recall)
    assert math.isnan(LesionCounts().precision)
    assert count_lesions(some, empty).f1 == 0
    assert count_lesions(empty, some).f1 == 0


def test_scans_are_added():
    assert LesionCounts(1, 2, 3, 4) + LesionCounts(10, 20, 30, 40) == LesionCounts(11, 22, 33, 44)
