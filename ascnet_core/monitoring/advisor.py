"""When to stop: the paper leaves it to the eye; here the rules of `stop_rules` decide.

The advisor looks at complete cycles only and gives its advice in a sentence (see `advise`). No rule
uses masks drawn by people.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ascnet_core.monitoring.history import History, Point, cycle_ends
from ascnet_core.monitoring.stop_rules import (
    ENOUGH,
    HOLD,
    INDEX,
    LIKE_INPUT,
    REFERENCE,
    RULES,
    STABLE,
    TORN,
    Rule,
    in_percent,
    is_apart,
    is_dead,
    is_quantiser,
    quantiser_figure,
    row_of,
    rules_of,
    turns_of,
)

Kind = Literal["go on", "stop", "go back", "quantiser", "dead adversary"]

MERGED = 2


@dataclass(frozen=True)
class Advice:
    """The advice on a run.

    `kind` is `go on`, `stop`, `go back` (to `best_cycle`), `quantiser` (a warning: separated, but
    perhaps by brightness alone) or `dead adversary` (not separated, and D no longer teaches);
    `sentence` says it with the figures that matter. `rules` are all of `RULES`, then `NOTICES`.
    `best_cycle`, counted over both stages, is the one to take as the result; None if none is good
    enough.
    """

    kind: Kind
    sentence: str
    rules: tuple[Rule, ...]
    best_cycle: int | None = None


def advise(history: History | Sequence[Point]) -> Advice:
    """Advise whether to go on, by a run's history or its points in order.

    Incomplete cycles are left out. In this order: *stop* if all rules hold; *quantiser* if the
    peaks are separated long enough but nothing shows that I_ro is more than brightness in other
    steps; *go back* if an earlier cycle deserved a stop and the peaks have since merged for
    `MERGED` (2) cycles, or turned to the other side, or the mask has torn; *dead adversary* if the
    peaks are not separated and D is dead (`is_dead`) for `HOLD` (3) cycles; else *go on*.
    """
    points = history.points if isinstance(history, History) else history
    cycles = cycle_ends(points)
    rules = rules_of(cycles)
    row = row_of(cycles)
    since = cycles[-len(row)].total_cycle if row else None
    if not cycles:
        text = "go on: no cycle is complete yet, there is nothing to judge"
        return Advice("go on", text, rules)
    held = {rule.name: rule.held for rule in rules}
    best = _best(row)
    if _all_hold(rules):
        newest = cycles[-1]
        text = (
            f"stop here: {newest.separated} separated peaks since cycle {since}, index "
            f"{newest.separation_index:.2f}, mask stable (Dice {newest.stability or 0.0:.2f})"
        )
        if best not in (None, newest.total_cycle):
            text += f"; cycle {best} has the highest index"
        return Advice("stop", text, rules, best)
    earlier = [
        point
        for index, point in enumerate(cycles[:-1], 1)
        if is_apart(point) and _all_hold(rules_of(cycles[:index]))
    ]
    before = _best(earlier)
    dead = len(cycles) >= HOLD and all(is_dead(one.gauges, one.loss) for one in cycles[-HOLD:])
    apart = all(held[name] for name in ("separated peaks", "separation index", "cycles in a row"))
    back: str | None = None
    if apart and not held["same side"]:
        turn = cycles[turns_of(cycles)[-1]].total_cycle
        text = f"peaks changed sides in cycle {turn}, and the rule now keeps other tissue"
        back = text if earlier else None
        reason = f"{text}; look which side the anomaly is on"
    elif apart and not held["not a quantiser"] and is_quantiser(cycles[-1]):
        text = (
            f"careful: separated since cycle {since}, but {_quantiser_reason(cycles[-1])} "
            f"({quantiser_figure(cycles[-1])}); compare with the plain input before you trust it"
        )
        text += f"; cycle {before} was more than a quantiser" if before is not None else ""
        return Advice("quantiser", text, rules, before)
    elif apart and not held["holes in the mask"]:
        reason = f"{in_percent(cycles[-1].hole_share)} of the mask are holes"
        back = f"the mask has torn: {reason}" if earlier else None
    elif apart:
        reason = f"{cycles[-1].separated} separated peaks since cycle {since}, but " + _unmet(rules)
    else:
        reason = _not_apart(cycles, row)
        if not row and earlier and not any(map(is_apart, cycles[-MERGED:])):
            last = next(one.total_cycle for one in reversed(cycles) if is_apart(one))
            back = f"peaks merged again after cycle {last}"
        elif not (row or earlier) and dead:
            text = (
                f"{reason}, and the discriminator is sure of "
                f"{in_percent(cycles[-1].gauges.get('saturated'))} of the images: M learns nothing "
                "from it, so waiting will not help; weaken D or change its loss"
            )
            return Advice("dead adversary", text, rules)
    if back is not None and before is not None:
        return Advice("go back", f"{back}: go back to {before}", rules, before)
    if before is not None:
        reason += f"; best so far is cycle {before}"
    return Advice("go on", f"go on: {reason}", rules, before)


def _quantiser_reason(point: Point) -> str:
    """Why a point may be a quantiser's, in words."""
    if point.input_dice is not None and point.input_dice >= LIKE_INPUT:
        return "the mask is that of a threshold of the input: so far a quantiser of brightness"
    reason = "I_ro has nearly all tissue in the order of the input, as a quantiser of brightness"
    if point.input_dice is not None and (point.area or 0.0) < ENOUGH:
        return f"{reason}, and the mask ({in_percent(point.area)} of it) is too small to show more"
    return f"{reason}, and the mask does not show more"


def _all_hold(rules: Sequence[Rule]) -> bool:
    return all(rule.held for rule in rules if rule.name in RULES)


def _best(points: Sequence[Point]) -> int | None:
    """The cycle of the highest index whose mask is stable and whole; the last of equal ones."""
    fit = [
        point
        for point in points
        if point.stability is not None
        and point.stability >= STABLE
        and (point.hole_share or 0.0) <= TORN
        and (point.reference_share or 0.0) <= REFERENCE
        and not is_quantiser(point)
    ]
    if not fit:
        return None
    return max(fit, key=lambda p: (round(p.separation_index, 2), p.total_cycle)).total_cycle


def dead_adversary(gauges: Mapping[str, float], loss: str = "tanh-mae") -> str:
    """Why D teaches M nothing by the gauges of one epoch; empty where it does, or there is no D."""
    if not is_dead(gauges, loss):
        return ""
    gradient, score = gauges.get("gradient", 0.0), gauges.get("score")
    arrives = f"a gradient of {gradient:.2g} reaches" if gradient > 0 else "no gradient reaches"
    text = f"the adversary is dead: {arrives} the fence cut, so M learns nothing from D"
    if loss == "tanh-mae" and score is not None:
        slope = 1 / math.cosh(min(score, 300.0)) ** 2
        text += (
            f"; D is sure of {in_percent(gauges.get('saturated'))} of the images (abs(tanh(s)) "
            f"above 0.999), and at its mean abs(s) of {score:.1f} the slope of tanh, "
            f"1 - tanh(s)^2, is {slope:.0e}"
        )
    return text


def _unmet(rules: Sequence[Rule]) -> str:
    """The rules that do not hold though the peaks are separated, in words."""
    words = {
        "index settled": f"the peaks still move apart (index {{}} in {HOLD - 1} cycles)",
        "mask stability": "the mask still moves from cycle to cycle (Dice {})",
        "mask area": "the mask holds {} of the watched tissue",
        "holes in the mask": "{} of the mask are holes",
        "reference stays clean": "{} of the reference, which is normal, are marked too",
        "not a quantiser": "I_ro may be but brightness in one of these cycles ({} now)",
        "same side": "peaks have changed sides ({})",
    }
    missing = [words[r.name].format(r.figure) for r in rules if not r.held and r.name in words]
    return " and ".join(missing).replace("(Dice not known)", "(its Dice is not known)")


def _not_apart(cycles: Sequence[Point], row: Sequence[Point]) -> str:
    """Why peaks do not count as separated, in words."""
    newest = cycles[-1]
    if row:
        number = "1 cycle" if len(row) == 1 else f"{len(row)} cycles"
        return f"{newest.separated} separated peaks for {number} by now, {HOLD} in a row are wanted"
    recent = [is_apart(point) for point in cycles[-2 * HOLD :]]
    if sum(one != other for one, other in pairwise(recent)) >= 2:
        return (
            f"the peaks come and go (separated in {sum(recent)} of the last {len(recent)} cycles)"
        )
    if len(newest.peaks) < 2:
        return "1 peak, nothing is separated" if newest.peaks else "there is no peak"
    return (
        f"{newest.separated} separated peak{'s' if newest.separated > 1 else ''}, "
        f"index {newest.separation_index:.2f}; {newest.peaks_wanted} and {INDEX} are wanted"
    )
