"""When to stop: the paper leaves it to the eye, here it is rules with numbers.

The paper stops at three or four well separated peaks, says that they come and go, and shows that
more training tears holes into the mask (Figs. 9, 10). The advisor looks at complete cycles only.
It says *stop* where every rule of `RULES` holds; what it says where one does not is in `advise`.
No rule uses masks drawn by people.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ascnet_core.training.history import History, Point, cycle_ends

Kind = Literal["go on", "stop", "go back", "quantiser", "dead adversary"]

HOLD = 3
INDEX = 0.6
GROWTH = 0.03
STABLE = 0.75
SMALLEST = 0.0005
LARGEST = 0.5
TORN = 0.15
REFERENCE = 0.05
QUANTISER = 0.98
LIKE_INPUT = 0.95
UNLIKE_INPUT = 0.5
ENOUGH = 0.005
FLIPPED = 0.5
TURNED = 0.3
MERGED = 2
SATURATED = 0.95
FAINT = 1e-3

RULES: dict[str, tuple[str, str]] = {
    "separated peaks": (
        f"as many as wanted in each of the last {HOLD} cycles",
        "Groups of peaks with a separation of 0.5 or more between them; the fewest in these "
        "cycles. The paper wants three or four; a recipe that gathers all healthy tissue in one "
        "peak says two (`schedule.stop_peaks`).",
    ),
    "separation index": (
        f"at least {INDEX} in each of the last {HOLD} cycles",
        "Mean of the largest separations between neighbouring peaks, as many as lie between the "
        "peaks that are wanted, a missing one being 0 (1: nothing between them); the smallest in "
        "these cycles.",
    ),
    "index settled": (
        f"risen by at most {GROWTH} in {HOLD - 1} cycles",
        "As long as the peaks move apart there is more to be had: in two runs scored on subjects "
        "held out, a stop as soon as they had parted cost 0.09 and 0.10 of Dice, one when they had "
        "come to rest 0.02 and 0.05.",
    ),
    "cycles in a row": (
        f"at least {HOLD}",
        "Complete cycles with separated peaks up to now, since they last merged or turned round: "
        "peaks come and go, so one cycle is no proof.",
    ),
    "mask stability": (
        f"at least {STABLE} from cycle to cycle",
        f"Dice of the mask on the watched slices with that of the cycle before; the smallest of "
        f"the last {HOLD - 1}. No true mask is needed. A border that moves by one pixel around a "
        "lesion of 3 pixels radius costs 0.28.",
    ),
    "mask area": (
        f"{SMALLEST:.2%} to {LARGEST:.0%} of the tissue",
        "A mask that holds nothing or nearly everything cannot be judged by its stability.",
    ),
    "holes in the mask": (
        f"at most {TORN:.0%} of the filled mask",
        "Background enclosed by the mask, slice by slice (paper, Fig. 10).",
    ),
    "reference stays clean": (
        f"at most {REFERENCE:.0%} of the reference's tissue marked",
        "What the run's threshold marks on the reference is false, as the reference is known to be "
        "normal; the newest cycle. Not known for runs that kept no counts of it, which does not "
        "forbid a stop.",
    ),
    "not a quantiser": (
        f"like I_in under {LIKE_INPUT}; ranks under {QUANTISER}",
        "The mask's best Dice with a threshold of the input, and the rank correlation of I_ro with "
        "I_in (also as a share of what a pure quantiser with the same histogram has): near 1 I_ro "
        "may only sort brightness. Ranks warn and do not condemn, as a lesion is little of the "
        f"tissue: a mask of {ENOUGH:.1%} of it or more that no threshold of the input meets by "
        f"{UNLIKE_INPUT} is more than a quantiser's, however healthy tissue is ranked.",
    ),
    "same side": (
        "no turn, or an even number",
        "Counted from when the peaks first parted. "
        f"A turn: the rank correlation passes from beyond {TURNED} on one side of 0 to beyond it "
        "on the other, or the mask of before is now more like what lies at the other end of the "
        "scale. The rule's peak then holds other tissue (paper, Fig. 8).",
    ),
}
"""Every rule that a stop needs: its name, its number, and what it means."""

NOTICES: dict[str, tuple[str, str]] = {
    "adversary": (
        f"under {SATURATED:.0%} of the images saturated",
        "Share of images on which D is so sure (abs(tanh) above 0.999) that M learns nothing from "
        "it. Does not forbid a stop.",
    ),
}
"""What is shown beside the rules, and their numbers."""


@dataclass(frozen=True)
class Rule:
    """A rule's name, its figure now in words, its number, whether it holds, and its meaning."""

    name: str
    figure: str
    threshold: str
    held: bool
    meaning: str


@dataclass(frozen=True)
class Advice:
    """What to do.

    Attributes
    ----------
    kind
        `go on`, `stop`, `go back` (to `best_cycle`), `quantiser` (a warning: separated,
        but perhaps by brightness alone), `dead adversary` (not separated, and D no longer teaches).
    sentence
        The same in words, with the figures that matter.
    rules
        All of `RULES`, then `NOTICES`, with their figures.
    best_cycle
        The cycle to take as the result, counted over both stages; None if none is good enough.
    since
        First cycle of the present row of separated ones, None if the peaks are not separated.
    """

    kind: Kind
    sentence: str
    rules: tuple[Rule, ...]
    best_cycle: int | None = None
    since: int | None = None


def advise(history: History | Sequence[Point]) -> Advice:
    """What the course of a run says about going on.

    In this order: *stop* if all rules hold; *quantiser* if the peaks are separated long enough
    but nothing shows that I_ro is more than brightness in other steps; *go back* if an earlier
    cycle deserved a stop and the peaks have since merged for `MERGED` (2) cycles, or turned to the
    other side, or the mask has torn; *dead adversary* if the peaks are not separated and D is
    saturated, with a gradient at I_fc below `FAINT` (0.001), for `HOLD` (3) cycles; else *go on*.

    Parameters
    ----------
    history
        Of a run, or its points in order; incomplete cycles are left out.
    """
    points = history.points if isinstance(history, History) else history
    cycles = cycle_ends(points)
    rules = _rules(cycles)
    row = _row(cycles)
    since = cycles[-len(row)].total_cycle if row else None
    if not cycles:
        text = "go on: no cycle is complete yet, there is nothing to judge"
        return Advice("go on", text, rules)
    held = {rule.name: rule.held for rule in rules}
    best = _best(row)
    if all(held[name] for name in RULES):
        return Advice("stop", _stop_sentence(cycles, row, best), rules, best, since)
    earlier = _deserved(cycles[:-1])
    before = _best(earlier)
    apart = all(held[name] for name in ("separated peaks", "separation index", "cycles in a row"))
    back: str | None = None
    if apart and not held["same side"]:
        turn = cycles[_turns(cycles)[-1]].total_cycle
        text = f"peaks changed sides in cycle {turn}, and the rule now keeps other tissue"
        back = text if earlier else None
        reason = f"{text}; look which side the anomaly is on"
    elif apart and not held["not a quantiser"] and _is_quantiser(cycles[-1]):
        text = (
            f"careful: separated since cycle {since}, but {_quantiser_reason(cycles[-1])} "
            f"({_quantiser_figure(cycles[-1])}); compare with the plain input before you trust it"
        )
        text += f"; cycle {before} was more than a quantiser" if before is not None else ""
        return Advice("quantiser", text, rules, before, since)
    elif apart and not held["holes in the mask"]:
        reason = f"{_share(cycles[-1].hole_share)} of the mask are holes"
        back = f"the mask has torn: {reason}" if earlier else None
    elif apart:
        reason = f"{cycles[-1].separated} separated peaks since cycle {since}, but " + _unmet(rules)
    else:
        reason = _not_apart(cycles, row)
        if not row and earlier and not any(map(_is_apart, cycles[-MERGED:])):
            back = f"peaks merged again after cycle {_last_apart(cycles)}"
        elif not row and not earlier and _adversary_is_dead(cycles):
            text = (
                f"{reason}, and the discriminator is sure of "
                f"{_share(cycles[-1].gauges['saturated'])} of the images: M learns nothing from "
                "it, so waiting will not help; weaken D or change its loss"
            )
            return Advice("dead adversary", text, rules)
    if back is not None and before is not None:
        return Advice("go back", f"{back}: go back to {before}", rules, before, since)
    if before is not None:
        reason += f"; best so far is cycle {before}"
    return Advice("go on", f"go on: {reason}", rules, before, since)


def _is_apart(point: Point) -> bool:
    return point.separated >= point.peaks_wanted and point.separation_index >= INDEX


def _row(cycles: Sequence[Point]) -> list[Point]:
    """The separated cycles up to now, since peaks last merged or turned."""
    start = len(cycles)
    turns = _turns(cycles)
    while start > 0 and _is_apart(cycles[start - 1]):
        start -= 1
        if start in turns:
            break
    return list(cycles[start:])


def _turns(cycles: Sequence[Point]) -> list[int]:
    """Places of the cycles at which the peaks changed sides, after they were first separated."""
    first = next((n for n, point in enumerate(cycles) if _is_apart(point)), len(cycles))
    found = []
    sign = 0
    for place, point in enumerate(cycles):
        correlation = point.rank_correlation or 0.0
        now = (correlation > TURNED) - (correlation < -TURNED)
        turned = now * sign < 0
        sign = now or sign
        mirrored, same = point.mirror_stability, point.stability
        if mirrored is not None and mirrored >= FLIPPED:
            turned = turned or mirrored - (same or 0.0) >= TURNED
        if turned and place > first:
            found.append(place)
    return found


def _is_quantiser(point: Point) -> bool:
    alike = point.input_dice
    if alike is not None and alike >= LIKE_INPUT:
        return True
    if alike is not None and alike < UNLIKE_INPUT and (point.area or 0.0) >= ENOUGH:
        return False
    ranks = [point.rank_correlation, point.rank_share]
    return any(value is not None and abs(value) >= QUANTISER for value in ranks)


def _quantiser_reason(point: Point) -> str:
    """Why a point may be a quantiser's, in words."""
    if point.input_dice is not None and point.input_dice >= LIKE_INPUT:
        return "the mask is that of a threshold of the input: so far a quantiser of brightness"
    reason = "I_ro has nearly all tissue in the order of the input, as a quantiser of brightness"
    if point.input_dice is not None and (point.area or 0.0) < ENOUGH:
        return f"{reason}, and the mask ({_share(point.area)} of it) is too small to show more"
    return f"{reason}, and the mask does not show more"


def _quantiser_figure(point: Point) -> str:
    alike, ranks = point.input_dice, point.rank_correlation
    parts = []
    if ranks is not None:
        parts.append(f"rank correlation {ranks:.3f}")
    if alike is not None:
        parts.append(f"mask like a threshold of I_in {alike:.2f}")
    return ", ".join(parts) or "not measured"


def _rules(cycles: Sequence[Point]) -> tuple[Rule, ...]:
    """The figures of all rules and notices after these cycles."""
    tail = cycles[-HOLD:]
    row = _row(cycles)
    newest = cycles[-1] if cycles else None
    wanted = newest.peaks_wanted if newest else Point.peaks_wanted
    apart = min((point.separated for point in tail), default=0)
    index = min((point.separation_index for point in tail), default=0.0)
    growth = None
    if len(tail) == HOLD:
        growth = tail[-1].separation_index - tail[0].separation_index
    steps = [point.stability for point in tail[1:]]
    known = [value for value in steps if value is not None]
    judged = len(known) == HOLD - 1
    areas = [point.area for point in tail]
    turns = len(_turns(cycles))
    saturated = newest.gauges.get("saturated") if newest else None
    ranked = newest is not None and any(
        value is not None for value in (newest.rank_correlation, newest.input_dice)
    )
    figures: dict[str, tuple[str, bool]] = {
        "separated peaks": (f"{apart} of {wanted}", apart >= wanted),
        "separation index": (f"{index:.2f}", index >= INDEX),
        "index settled": (
            f"{growth:+.2f}" if growth is not None else "not known",
            growth is not None and growth <= GROWTH,
        ),
        "cycles in a row": (str(len(row)), len(row) >= HOLD),
        "mask stability": (
            f"{min(known):.2f}" if judged else "not known",
            judged and min(known) >= STABLE,
        ),
        "mask area": (
            _share(newest.area if newest else None),
            bool(areas) and all(a is not None and SMALLEST <= a <= LARGEST for a in areas),
        ),
        "holes in the mask": (
            _share(newest.hole_share if newest else None),
            newest is not None and newest.hole_share is not None and newest.hole_share <= TORN,
        ),
        "reference stays clean": (
            _share(newest.reference_share if newest else None),
            newest is not None and (newest.reference_share or 0.0) <= REFERENCE,
        ),
        "not a quantiser": (
            _quantiser_figure(newest) if newest else "not measured",
            ranked and not any(map(_is_quantiser, tail)),
        ),
        "same side": (f"{turns} turns" if turns != 1 else "1 turn", turns % 2 == 0),
        "adversary": (
            "no adversary" if saturated is None else f"{saturated:.0%} saturated",
            saturated is None or saturated < SATURATED,
        ),
    }
    return tuple(
        Rule(name, figures[name][0], threshold, figures[name][1], meaning)
        for name, (threshold, meaning) in (RULES | NOTICES).items()
    )


def _deserved(cycles: Sequence[Point]) -> list[Point]:
    """The cycles after which every rule held."""
    found = []
    for place, point in enumerate(cycles):
        if _is_apart(point):
            held = {rule.name: rule.held for rule in _rules(cycles[: place + 1])}
            if all(held[name] for name in RULES):
                found.append(point)
    return found


def _best(points: Sequence[Point]) -> int | None:
    """The cycle of the highest index whose mask is stable and whole; of equals the last."""
    fit = [
        point
        for point in points
        if point.stability is not None
        and point.stability >= STABLE
        and (point.hole_share or 0.0) <= TORN
        and (point.reference_share or 0.0) <= REFERENCE
        and not _is_quantiser(point)
    ]
    if not fit:
        return None
    return max(fit, key=lambda p: (round(p.separation_index, 2), p.total_cycle)).total_cycle


def _last_apart(cycles: Sequence[Point]) -> int:
    return next(point.total_cycle for point in reversed(cycles) if _is_apart(point))


def dead_adversary(gauges: Mapping[str, float], loss: str = "tanh-mae") -> str:
    """Why D teaches M nothing by the gauges of one epoch; empty where it does, or there is no D.

    Dead is a tanh that is as flat as `SATURATED` says, or a gradient of 0 at I_fc. Other losses
    than `tanh-mae` go by the gradient alone: they keep their slope however sure D is.
    """
    saturated, gradient = gauges.get("saturated"), gauges.get("gradient")
    if saturated is None or gradient is None:
        return ""
    flat = loss == "tanh-mae" and saturated >= SATURATED
    if not flat and gradient > 0:
        return ""
    arrives = f"a gradient of {gradient:.2g} reaches" if gradient > 0 else "no gradient reaches"
    text = f"the adversary is dead: {arrives} the fence cut, so M learns nothing from D"
    score = gauges.get("score")
    if loss == "tanh-mae" and score is not None:
        slope = 1 / math.cosh(min(score, 300.0)) ** 2
        text += (
            f"; D is sure of {_share(saturated)} of the images (abs(tanh(s)) above 0.999), and at "
            f"its mean abs(s) of {score:.1f} the slope of tanh, 1 - tanh(s)^2, is {slope:.0e}"
        )
    return text


def _adversary_is_dead(cycles: Sequence[Point]) -> bool:
    return len(cycles) >= HOLD and all(map(_is_saturated, cycles[-HOLD:]))


def _is_saturated(point: Point) -> bool:
    """Whether D is sure of nearly all images and nothing, or next to it, comes back from there.

    A hinge or a least-squares loss keeps its slope however sure D is, so that shares alone say
    nothing of it; where no gradient was measured they must do.
    """
    saturated = point.gauges.get("saturated", 0.0)
    return saturated >= SATURATED and point.gauges.get("gradient", 0.0) < FAINT


def _stop_sentence(cycles: Sequence[Point], row: Sequence[Point], best: int | None) -> str:
    newest = cycles[-1]
    text = (
        f"stop here: {newest.separated} separated peaks since cycle {row[0].total_cycle}, "
        f"index {newest.separation_index:.2f}, mask stable (Dice {newest.stability or 0.0:.2f})"
    )
    if best is not None and best != newest.total_cycle:
        text += f"; cycle {best} has the highest index"
    return text


def _unmet(rules: Sequence[Rule]) -> str:
    """The rules that do not hold, in words, for peaks that are separated."""
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
    recent = [_is_apart(point) for point in cycles[-2 * HOLD :]]
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


def _share(value: float | None) -> str:
    if value is None:
        return "not known"
    return f"{value:.2%}" if value < 0.01 else f"{value:.0%}"
