"""Rules compared on hand-made counts: every figure counted anew from voxels."""

import numpy as np
import pytest

from ascnet_core.metrics.overlap import threshold_table
from ascnet_core.segmentation.threshold import propose
from ascnet_core.settings.tables import Segmentation
from ascnet_core.studies.facts import Facts, ScanFacts
from ascnet_core.studies.rules_compared import (
    COLUMNS,
    MASK_FREE,
    compare_rules,
    row_of,
    rules_for,
    summarise,
)

HOW = Segmentation("reconstruction", "otsu", "bright", "cohort")
RNG = np.random.default_rng(3)


def volume(lesion: int, at: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """2000 voxels around level 80, `lesion` of them around another, and which they are."""
    levels = RNG.normal(80, 10, 2000)
    truth = np.zeros(2000, bool)
    truth[:lesion] = True
    levels[truth] = RNG.normal(at, 10, lesion)
    return np.clip(levels, 0, 255).astype(np.uint8), truth


def facts(name: str, *scans: tuple[np.ndarray, np.ndarray], truth: bool = True) -> Facts:
    made = [
        ScanFacts(
            f"{name}-{number}",
            threshold_table(levels, mask if truth else None),
            threshold_table(255 - levels, mask if truth else None),
            0.5,
        )
        for number, (levels, mask) in enumerate(scans)
    ]
    return Facts(name, tuple(made))


SCANS = {"A": [volume(200)], "B": [volume(100), volume(50, 160)], "N": [volume(0)]}
ALL = [facts(name, *scans) for name, scans in SCANS.items()]


def compared(**more):
    return compare_rules(more.pop("facts", ALL), HOW, more.pop("references", {}), **more)


def test_each_rule_is_what_propose_gives_and_figures_are_those_of_the_voxels():
    found = compared(decided={"A": 150, "B": 120})
    assert {one.rule for one in found} == set(rules_for("bright", "otsu", False))
    for one in found:
        levels = np.concatenate([part for part, _ in SCANS[one.subject]])
        truth = np.concatenate([part for _, part in SCANS[one.subject]])
        levels = 255 - levels if one.map == "input" else levels
        if one.scope == "subject" and one.level is not None:
            counts = np.bincount(levels, minlength=256)
            assert one.level == propose(one.rule, counts, "bright").level
        mask = levels >= (256 if one.level is None else one.level)
        assert one.volume_ml == mask.sum() * 0.5
        expected = {"A": 150, "B": 120}.get(one.subject)
        if one.map == "input" or expected is None or one.level is None:
            assert one.from_decided is None
        else:
            assert one.from_decided == one.level - expected
        if not truth.any():
            assert one.truth is None
            continue
        dice = [2 * (truth & (levels >= t)).sum() / ((levels >= t).sum() + truth.sum())
                for t in range(256)]  # fmt: skip
        assert one.truth.oracle_level == int(np.argmax(dice))
        assert one.truth.oracle_dice == pytest.approx(max(dice))
        here = 0.0 if one.level is None else dice[one.level]
        assert one.truth.dice == pytest.approx(here)
        assert one.truth.dice_lost == pytest.approx(max(dice) - here)


def test_the_cohorts_rule_gives_all_the_same_level():
    found = [one for one in compared(decided={}) if one.scope == "cohort"]
    for name in ("reconstruction", "input"):
        levels = {one.level for one in found if one.map == name}
        pooled = sum(one.input_counts if name == "input" else one.counts for one in ALL)
        assert levels == {propose("otsu", pooled, "bright").level}
    assert {one.rule for one in found} == {"otsu"}


def test_where_a_rule_finds_nothing_it_is_counted_and_said():
    (one,) = [
        s
        for s in summarise(compared(decided={}))
        if (s.map, s.rule) == ("reconstruction", "rightmost-peak")
    ]
    assert (one.subjects, one.nothing) == (3, 1)
    (empty,) = [
        f
        for f in compared(decided={})
        if (f.map, f.rule, f.subject) == ("reconstruction", "rightmost-peak", "N")
    ]
    assert (empty.level, empty.volume_ml) == (None, 0)
    assert "single peak" in empty.sentence


def test_summaries_are_medians_over_subjects():
    found = compared(decided={"A": 150, "B": 120})
    for summary in summarise(found):
        group = [
            f for f in found
            if (f.map, f.rule, f.scope) == (summary.map, summary.rule, summary.scope)
        ]  # fmt: skip
        levels = [f.level for f in group if f.level is not None]
        assert summary.level == pytest.approx(np.median(levels))
        assert [summary.low, summary.high] == pytest.approx(np.percentile(levels, [25, 75]))
        assert summary.volume_ml == pytest.approx(np.median([f.volume_ml for f in group]))
        off = [abs(f.from_decided) for f in group if f.from_decided is not None]
        assert summary.decided == len(off)
        assert summary.off_decided == (np.median(off) if off else None)
        assert summary.lesions == 2
        dice = [f.truth.dice for f in group if f.truth]
        assert summary.dice == pytest.approx(np.mean(dice))
        lost = [f.truth.oracle_dice - f.truth.dice for f in group if f.truth]
        assert summary.dice_lost == pytest.approx(np.median(lost))


def test_nothing_mask_free_depends_on_the_truth():
    blind = [facts(name, *scans, truth=False) for name, scans in SCANS.items()]
    seen, unseen = (compared(facts=one, decided={"A": 150}) for one in (ALL, blind))
    for one, other in zip(seen, unseen, strict=True):
        with_truth, without = row_of(one, "bright"), row_of(other, "bright")
        assert {n: with_truth[n] for n in MASK_FREE} == {n: without[n] for n in MASK_FREE}
        assert all(without[name] is None for name in set(COLUMNS) - set(MASK_FREE))


def test_rules_suit_the_side_and_need_a_reference_where_they_read_one():
    bright, dark = rules_for("bright", "peak:2", True), rules_for("dark", "leftmost-valley", False)
    assert bright[0] == "peak:2"
    assert {"rightmost-peak", "rightmost-valley", "minimum", "triangle", "li", "yen"} <= {*bright}
    assert "reference-quantile:0.99" in bright
    assert not any(rule.startswith("leftmost") for rule in bright)
    assert dark[0] == "leftmost-valley"
    assert not any(rule.startswith(("rightmost", "reference")) for rule in dark)


def test_a_reference_is_read_on_its_own_map():
    reference = np.zeros(256, np.int64)
    reference[:101] = 10
    found = compared(decided={}, references={"reconstruction": reference})
    read = [one for one in found if one.rule == "reference-quantile:0.99"]
    assert {one.map for one in read} == {"reconstruction"}
    assert {one.level for one in read} == {100}
