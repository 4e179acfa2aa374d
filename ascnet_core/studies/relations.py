"""Relations between a rater's levels and the histograms of the subjects, learned from a few.

A relation reads one number from a decided level and a histogram ("20 levels below the brightest
peak") and makes a level of that number for another histogram. Its number is the median over the
decided subjects.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import mean, median
from typing import NamedTuple

import numpy as np

from ascnet_core.metrics.overlap import LEVELS, kept_counts
from ascnet_core.names import Side
from ascnet_core.segmentation.histogram import Peak
from ascnet_core.studies.facts import Facts


class Scale(NamedTuple):
    """How a relation reads its number from a level of one histogram, and back."""

    number: Callable[[float], float]
    level: Callable[[float], float]


@dataclass(frozen=True)
class Relation:
    """One relation: its scale on a subject (None if the histogram has none), and how it is said.

    What `say` returns stands after "your levels".
    """

    name: str
    of: Callable[[Facts], Scale | None]
    say: Callable[[float], str]


@dataclass(frozen=True)
class Fitted:
    """A relation and its number, and how far off it was on the subjects that it was made of."""

    relation: Relation
    number: float
    off: float

    def level(self, facts: Facts) -> int | None:
        """The level for a subject, 0 to 255; None where its histogram does not have it."""
        scale = self.relation.of(facts)
        return None if scale is None else _on_scale(scale.level(self.number))


class Decided:
    """The subjects that a rater decided: their levels, and every relation's scale on them."""

    def __init__(self, facts: Sequence[Facts], levels: Sequence[int], side: Side) -> None:
        self.levels = tuple(levels)
        self.scales = {
            relation: tuple(relation.of(one) for one in facts) for relation in relations(side)
        }

    def fit(self, without: int | None = None) -> list[Fitted]:
        """All relations that hold for most of the subjects, the least off first.

        How far off one is, is the median over the subjects of the distance in levels, each being
        left out in turn; a subject that lacks it counts as wholly off. `without` is the place of
        a subject that is not used at all.
        """
        found = []
        for order, (relation, scales) in enumerate(self.scales.items()):
            pairs = [
                (scale, level)
                for place, (scale, level) in enumerate(zip(scales, self.levels, strict=True))
                if place != without
            ]
            numbers = [scale.number(level) for scale, level in pairs if scale is not None]
            if len(numbers) < 2 or 3 * len(numbers) < 2 * len(pairs):
                continue
            known = [(scale, level) for scale, level in pairs if scale is not None]
            misses = [float(LEVELS)] * (len(pairs) - len(known))
            for place, (scale, level) in enumerate(known):
                others = numbers[:place] + numbers[place + 1 :]
                misses.append(abs(_on_scale(scale.level(median(others))) - level))
            fitted = Fitted(relation, median(numbers), float(median(misses)))
            found.append((fitted.off, mean(misses), order, fitted))
        return [one[-1] for one in sorted(found, key=lambda one: one[:-1])]

    def off(self) -> float | None:
        """By how many levels a subject is missed that is left out from the start; the median.

        The relation is chosen without it, too, so that this is what to expect of the next one.
        """
        misses = []
        for place, level in enumerate(self.levels):
            for fitted in self.fit(without=place):
                scale = self.scales[fitted.relation][place]
                if scale is not None:
                    misses.append(abs(_on_scale(scale.level(fitted.number)) - level))
                    break
        return float(median(misses)) if misses else None


@cache
def relations(side: Side) -> tuple[Relation, ...]:
    """All relations, the plainest first: of equals the first is taken."""
    outer = -1 if side == "bright" else 0
    end = "brightest" if side == "bright" else "darkest"
    return (
        Relation("level", lambda _: _SAME, lambda number: f"lie about level {number:.0f}"),
        _from("the fullest peak", lambda peaks: max(peaks, key=lambda p: p.share).position),
        _from(f"the {end} peak", lambda peaks: peaks[outer].position),
        *(_from(f"peak {number}", _numbered(number)) for number in (1, 2, 3, 4)),
        _from(f"the {end} valley", lambda peaks: _valley(peaks, side)),
        _between(side),
        _share(side),
    )


_SAME = Scale(lambda level: level, lambda number: number)


def _on_scale(level: float) -> int:
    return min(LEVELS - 1, max(0, round(level)))


def _from(what: str, find: Callable[[Sequence[Peak]], int | None]) -> Relation:
    """So many levels from a peak or valley."""

    def of(facts: Facts) -> Scale | None:
        peaks = facts.reading.peaks
        position = find(peaks) if peaks else None
        if position is None:
            return None
        return Scale(lambda level: level - position, lambda number: position + number)

    def say(number: float) -> str:
        if abs(number) < 0.5:
            return f"lie at {what}"
        levels = "1 level" if abs(number) < 1.5 else f"{abs(number):.0f} levels"
        return f"lie {levels} {'above' if number > 0 else 'below'} {what}"

    return Relation(what, of, say)


def _numbered(number: int) -> Callable[[Sequence[Peak]], int | None]:
    return lambda peaks: peaks[number - 1].position if len(peaks) >= number else None


def _valley(peaks: Sequence[Peak], side: Side) -> int | None:
    """The level of the valley before the outer peak."""
    if len(peaks) < 2:
        return None
    return peaks[-1].left if side == "bright" else peaks[0].right


def _between(side: Side) -> Relation:
    """Part of the way from the valley before the outer peak to the peak."""

    def of(facts: Facts) -> Scale | None:
        peaks = facts.reading.peaks
        start = _valley(peaks, side)
        if start is None:
            return None
        way = peaks[-1 if side == "bright" else 0].position - start
        if way == 0:
            return None
        return Scale(lambda level: (level - start) / way, lambda number: start + number * way)

    end = "brightest" if side == "bright" else "darkest"
    return Relation(
        "valley and peak",
        of,
        lambda number: f"lie {number:.0%} of the way from the {end} valley to the {end} peak",
    )


def _share(side: Side) -> Relation:
    """The share of the subject's own voxels that are kept."""

    def of(facts: Facts) -> Scale | None:
        counts = facts.counts
        if not counts.any():
            return None
        kept = kept_counts(counts, side) / counts.sum()

        def level(number: float) -> float:
            # The level that keeps a share nearest to it; of several the middle one.
            misses = np.abs(kept - number)
            return float(np.median(np.flatnonzero(misses == misses.min())))

        return Scale(lambda level: float(kept[round(level)]), level)

    return Relation(
        "share of voxels", of, lambda number: f"keep {number:.2%} of a subject's voxels"
    )
