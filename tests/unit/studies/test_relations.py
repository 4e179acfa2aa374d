"""A rater with a habit: the relation is found from a few decisions."""

import numpy as np
import pytest

from ascnet_core.studies.relations import Decided, relations
from tests.unit.studies.made_facts import facts_of, hills, subject, subjects


def _peak(facts, number):
    return facts.reading.peaks[number - 1].position


def _kept(facts, share):
    kept = np.cumsum(facts.counts[::-1])[::-1] / facts.counts.sum()
    return int(np.abs(kept - share).argmin())


HABITS = {
    "peak 3 minus 20": lambda facts: _peak(facts, 3) - 20,
    "peak 2 plus 40": lambda facts: _peak(facts, 2) + 40,
    "at the brightest peak": lambda facts: facts.reading.peaks[-1].position,
    "the reference's quantile, which is one level": lambda facts: 181,
    "a share of 5 %": lambda facts: _kept(facts, 0.05),
    "half way from valley to peak": lambda facts: round(
        (facts.reading.peaks[-1].left + facts.reading.peaks[-1].position) / 2
    ),
}


def _learn(habit, noise, count):
    known = list(subjects(30).values())
    rng = np.random.default_rng(count)
    some = known[:count]
    levels = [round(habit(one) + rng.normal(0, noise)) for one in some]
    decided = Decided(some, levels, "bright")
    best = decided.fit()[0]
    misses = [abs(best.level(one) - habit(one)) for one in known[count:]]
    return best, misses, decided


@pytest.mark.parametrize("habit", HABITS.values(), ids=HABITS)
def test_a_habit_is_found_from_five(habit):
    best, misses, decided = _learn(habit, 0, 5)
    assert best.off <= 2
    assert np.median(misses) <= 2
    assert decided.off() <= 2


@pytest.mark.parametrize("habit", HABITS.values(), ids=HABITS)
def test_an_unsteady_hand_is_averaged(habit):
    _, misses, decided = _learn(habit, 4, 12)
    assert np.median(misses) <= 4
    assert 1 <= decided.off() <= 8


def test_how_far_off_is_not_flattered():
    """Levels without any habit are not said to be foreseen."""
    known = list(subjects(8).values())
    rng = np.random.default_rng(5)
    levels = rng.integers(80, 240, len(known)).tolist()
    decided = Decided(known, levels, "bright")
    spread = float(np.median(np.abs(np.array(levels) - np.median(levels))))
    assert decided.off() >= 0.6 * spread


def test_the_words():
    said = {one.name: one.say(-20.0) for one in relations("bright")}
    assert said["peak 3"] == "lie 20 levels below peak 3"
    assert said["the brightest peak"] == "lie 20 levels below the brightest peak"
    assert {one.name: one.say(0.02) for one in relations("bright")}["share of voxels"] == (
        "keep 2.00% of a subject's voxels"
    )


def test_a_relation_that_few_have_is_not_taken():
    lone = [facts_of(f"L{n}", hills((80 + 2 * n, 10, 1.0))) for n in range(4)]
    with_peak = facts_of("P", subject(1))
    decided = Decided([*lone, with_peak], [100, 102, 104, 106, 205], "bright")
    assert {one.relation.name for one in decided.fit()}.isdisjoint({"peak 2", "peak 3"})


def test_dark_lesions_are_learned_at_the_dark_end():
    known = [
        facts_of(f"D{n}", hills((20 + n, 5, 0.03), (150 + 3 * (n % 4), 14, 0.97))) for n in range(6)
    ]
    levels = [facts.reading.peaks[0].position + 9 for facts in known]
    best = Decided(known, levels, "dark").fit()[0]
    assert best.relation.say(best.number) == "lie 9 levels above the darkest peak"
