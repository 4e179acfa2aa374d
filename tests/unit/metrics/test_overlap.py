"""Counts, ratios and the table of 256 thresholds, against direct counting and scikit-learn."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from ascnet_core.metrics import overlap
from ascnet_core.metrics.overlap import Counts, ThresholdTable, count, threshold_table
from ascnet_core.names import Side
from ascnet_core.segmentation.masks import numbers_at
from ascnet_core.segmentation.threshold import Threshold
from tests.javascript import make_scores


def case(seed: int, shape=(7, 6, 5), prevalence=0.15):
    """A map of few levels (so that ties happen), a truth, and a region that misses some of it."""
    rng = np.random.default_rng(seed)
    truth = rng.random(shape) < prevalence
    grey = np.clip(rng.normal(100 + 60 * truth, 50), 0, 255)
    map8 = (grey // 8 * 8).astype(np.uint8)
    return map8, truth, rng.random(shape) < 0.8


def scores(table: ThresholdTable, side: Side = "bright", ml: float = 1.0) -> dict[str, np.ndarray]:
    """What each threshold of a side scores, (256,) by name; NaN where it is not defined."""
    rows = [numbers_at(table, Threshold(t, None, side, str(t), ""), ml) for t in range(256)]
    return {name: np.array([row[name] for row in rows], float) for name in rows[0]}


def direct(map8, truth, region, keep) -> Counts:
    return count(keep & region, truth)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("side", ["bright", "dark"])
def test_table_equals_counting_each_threshold(seed, side):
    map8, truth, region = case(seed)
    table = threshold_table(map8, truth, region)
    volume, _, sens, prec = scores(table, side, 0.5).values()
    dice = table.dice(side)
    for t in range(256):
        keep = map8 >= t if side == "bright" else map8 <= t
        expected = direct(map8, truth, region, keep)
        assert dice[t] == pytest.approx(expected.dice, abs=1e-15)
        assert sens[t] == pytest.approx(expected.sensitivity, abs=1e-15, nan_ok=True)
        assert prec[t] == pytest.approx(expected.precision, abs=1e-15, nan_ok=True)
        assert volume[t] == expected.predicted * 0.5
        band = table.band(t, 255) if side == "bright" else table.band(0, t)
        assert band == expected


@given(st.integers(0, 10_000), st.integers(0, 255), st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_band_equals_counting_it(seed, low, high):
    map8, truth, region = case(seed, shape=(5, 4, 3))
    table = threshold_table(map8, truth, region)
    assert table.band(low, high) == direct(map8, truth, region, (map8 >= low) & (map8 <= high))


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_scikit_learns(seed):
    map8, truth, region = case(seed, shape=(20, 20, 6))
    table = threshold_table(map8, truth, region)
    y, score = truth[region], map8[region].astype(float)
    assert table.average_precision() == pytest.approx(average_precision_score(y, score), abs=1e-12)
    assert table.average_precision("dark") == pytest.approx(
        average_precision_score(y, -score), abs=1e-12
    )
    assert table.prevalence == pytest.approx(y.mean(), abs=1e-15)


def test_truth_outside_the_region_counts_as_missed():
    map8 = np.full((4, 1, 1), 200, np.uint8)
    truth = np.array([1, 1, 0, 0], bool).reshape(4, 1, 1)
    region = np.array([1, 0, 1, 0], bool).reshape(4, 1, 1)
    table = threshold_table(map8, truth, region)
    assert table.outside == 1
    assert table.band(0, 255) == Counts(tp=1, fp=1, fn=1, tn=1)
    assert scores(table)["sensitivity"][0] == 0.5
    assert table.average_precision() == 0.5, "the average precision is inside the region"


def test_tables_of_two_scans_pool_as_one_volume():
    a, b = case(1), case(2)
    pooled = threshold_table(*a) + threshold_table(*b)
    whole = threshold_table(*(np.concatenate(pair) for pair in zip(a, b, strict=True)))
    np.testing.assert_array_equal(pooled.dice(), whole.dice())
    assert pooled.band(40, 90) == whole.band(40, 90)


def test_without_truth_only_the_volume_is_known():
    map8, _, region = case(0)
    table = threshold_table(map8, None, region)
    assert not table.has_truth
    assert np.isnan(table.dice()).all()
    assert np.isnan(scores(table)["sensitivity"]).all()
    assert math.isnan(table.average_precision())
    assert math.isnan(table.prevalence)
    assert scores(table)["volume"][0] == region.sum()
    with pytest.raises(ValueError, match="truth"):
        table.band(0, 3)
    with pytest.raises(ValueError, match="truth"):
        overlap.oracle_threshold(table)
    with pytest.raises(ValueError, match="pooled"):
        table + threshold_table(*case(0))


def test_rules_for_empty_masks():
    empty, some = np.zeros((2, 2, 2), bool), np.ones((2, 2, 2), bool)
    assert count(empty, empty).dice == 1
    assert count(some, empty).dice == 0
    assert count(empty, some).dice == 0
    assert math.isnan(count(some, empty).sensitivity)
    assert math.isnan(count(empty, some).precision)
    map8 = np.full((2, 2, 2), 7, np.uint8)
    dice = threshold_table(map8, empty).dice()
    assert (dice[:8] == 0).all()
    assert (dice[8:] == 1).all(), "thresholds that keep nothing of nothing"


def test_dice_per_slice():
    truth = np.zeros((3, 3, 3), bool)
    found = np.zeros((3, 3, 3), bool)
    truth[0, :2, 0] = True
    found[0, 1:, 0] = True
    found[0, 0, 1] = True
    np.testing.assert_array_equal(overlap.dice_per_slice(found, truth), [0.5, 0, 1])


def test_oracles_find_the_best_of_all_thresholds():
    first, second = threshold_table(*case(5)), threshold_table(*case(6))
    level, best = overlap.oracle_threshold(first)
    assert best == first.dice().max() == first.dice()[level]
    assert level == min(t for t in range(256) if first.dice()[t] == best)
    level, mean = overlap.oracle_cohort_threshold([first, second])
    every = (first.dice() + second.dice()) / 2
    assert mean == every.max() == every[level]
    with pytest.raises(ValueError, match="truth"):
        overlap.oracle_cohort_threshold([])


def test_what_is_refused():
    with pytest.raises(ValueError, match="shape"):
        count(np.ones(3, bool), np.ones(4, bool))
    with pytest.raises(ValueError, match="8 bits"):
        threshold_table(np.zeros((2, 2), np.float32), None)
    with pytest.raises(ValueError, match="side"):
        ThresholdTable(np.ones(256, np.int64), None).predicted("up")


def shared_cases() -> list[dict]:
    """The cases that the page's scores are held to as well."""
    return json.loads(make_scores.FILE.read_text("utf-8"))


def table_of(case: dict) -> ThresholdTable:
    levels, lesion = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for counts, pairs in ((levels, case["levels"]), (lesion, case["lesion"] or [])):
        for level, number in pairs:
            counts[level] = number
    return ThresholdTable(levels, None if case["lesion"] is None else lesion, case["outside"])


@pytest.mark.parametrize("case", shared_cases(), ids=lambda case: case["name"])
def test_scores_are_those_the_page_computes(case: dict) -> None:
    table = table_of(case)
    for row in case["thresholds"]:
        t, upper, side = row["t"], row["upper"], row["side"]
        low, high = (t, upper) if upper is not None else (t, 255) if side == "bright" else (0, t)
        if table.has_truth:
            counts = table.band(low, high)
            assert counts.predicted == row["kept"]
            for name in ("dice", "sensitivity", "precision"):
                expected = np.nan if row[name] is None else row[name]
                assert getattr(counts, name) == pytest.approx(expected, abs=1e-15, nan_ok=True)
        if upper is None:
            assert table.predicted(side)[t] == row["kept"]
            found = scores(table, side, case["voxelMl"])
            assert found["volume"][t] == row["volume"]
            assert table.dice(side)[t] == pytest.approx(found["dice"][t], abs=1e-15, nan_ok=True)
            for name in ("dice", "sensitivity", "precision"):
                expected = np.nan if row[name] is None else row[name]
                assert found[name][t] == pytest.approx(expected, abs=1e-15, nan_ok=True)


def test_the_shared_cases_are_what_their_script_makes() -> None:
    assert shared_cases() == json.loads(json.dumps(make_scores.cases()))
