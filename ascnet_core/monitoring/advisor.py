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
    KEPT,
    LIKE_INPUT,
    RULES,
    TORN,
    Rule,
    in_percent,
    is_apart,
    is_dead,
    is_quantiser,
    quantiser_figure,
    row_of,
    rules_of,
)

Kind = Literal["go on", "stop", "go back", "quantiser", "dead adversary"]

MERGED = 2


@dataclass(frozen=True)
class Advice:
    """The advice on a run.

    `kind` is `go on`, `stop`, `go back` (to `best_cycle`), `quantiser` (a warning: separated, but
    perhaps by brightness alone) or `dead adversary` (not separated, and D no longer teaches);
    `sentence` says it with the figures that matter. `rules` are all of `RULES`, then `NOTICES`.
    `best_cycle`, counted over both stages, is the one to take as the result: the last one in which
    all rules held; None where there is none. The sentence names the same one.
    """

    kind: Kind
    sentence: str
    rules: tuple[Rule, ...]
    best_cycle: int | None = None


def advise(history: History | Sequence[Point]) -> Advice:
    """Advise whether to go on, by a run's history or its points in order.

    Incomplete cycles are left out. In this order: *stop* if all rules hold; *go back* if an earlier
    cycle met all rules and the peaks have since merged for `MERGED` (2) cycles, or turned to the
    other side, or the mask has torn, or the fence keeps what it marks; *quantiser* if the peaks are
    separated long enough but nothing shows that I_ro is more than brightness in other steps; *dead
    adversary* if the peaks are not separated and D is dead (`is_dead`) for `HOLD` (3) cycles; else
    *go on*.
    """
    points = history.points if isinstance(history, History) else history
    cycles = cycle_ends(points)
    rules = rules_of(cycles)
    if not cycles:
        text = "go on: no cycle is complete yet, there is nothing to judge"
        return Advice("go on", text, rules)
    newest, row = cycles[-1], row_of(cycles)
    since = row[0].total_cycle if row else None
    if _all_hold(rules):
        text = (
            f"stop at cycle {newest.total_cycle}: the rules are met{_since_when(cycles)} "
            f"({newest.separated} separated peaks, index {newest.separation_index:.2f}, mask "
            f"stability {newest.stability or 0.0:.2f}); that does not show that the lesion is found"
        )
        return Advice("stop", text, rules, newest.total_cycle)
    met = (n for n in range(len(cycles) - 1, 0, -1) if _all_hold(rules_of(cycles[:n])))
    before = next((cycles[n - 1].total_cycle for n in met), None)
    held = {rule.name: rule.held for rule in rules}
    apart = all(held[name] for name in ("separated peaks", "separation index", "cycles in a row"))
    spoilt = _spoilt(cycles, rules, apart)
    if before is not None and spoilt:
        return Advice("go back", f"go back to cycle {before}: {spoilt}", rules, before)
    if apart and held["same side"] and is_quantiser(newest):
        text = (
            f"careful: separated since cycle {since}, but {_quantiser_reason(newest)} "
            f"({quantiser_figure(newest)}); compare with the plain input before you trust it"
        )
        text += f"; cycle {before} was more than that" if before is not None else ""
        return Advice("quantiser", text, rules, before)
    if not apart:
        reason = _not_apart(cycles, row)
    else:
        reason = _unmet(rules, newest, since) if held["same side"] else spoilt
    dead = len(cycles) >= HOLD and all(is_dead(one.gauges, one.loss) for one in cycles[-HOLD:])
    if dead and not (apart or row) and before is None:
        text = (
            f"{reason}, and the discriminator is sure of "
            f"{in_percent(newest.gauges.get('saturated'))} of the images: M learns nothing "
            "from it, so waiting will not help; weaken D or change its loss"
        )
        return Advice("dead adversary", text, rules)
    if before is not None:
        reason += f"; the last cycle that met all rules is {before}"
    return Advice("go on", f"go on: {reason}", rules, before)


def _since_when(cycles: Sequence[Point]) -> str:
    """From which cycle on all rules held, in words; empty where the newest is the first."""
    first = len(cycles)
    while first > 1 and _all_hold(rules_of(cycles[: first - 1])):
        first -= 1
    return f" since cycle {cycles[first - 1].total_cycle}" if first < len(cycles) else ""


def _spoilt(cycles: Sequence[Point], rules: Sequence[Rule], apart: bool) -> str:
    """What a good course has lost by now, in words; empty where nothing."""
    newest, failing = cycles[-1], {rule.name: rule for rule in rules if not rule.held}
    if not apart:
        last = next((one.total_cycle for one in reversed(cycles) if is_apart(one)), None)
        merged = last is not None and not any(map(is_apart, cycles[-MERGED:]))
        return f"the peaks have merged since cycle {last}" if merged else ""
    if "same side" in failing:
        turn = failing["same side"].cycle
        return (
            f"the peaks changed sides in cycle {turn}, and the rule now keeps other tissue; look "
            "which side the anomaly is on"
        )
    if "holes in the mask" in failing and (newest.hole_share or 0.0) > TORN:
        return f"{in_percent(newest.hole_share)} of the mask are holes"
    if "fence clears the mask" in failing and (newest.fence_kept or 0.0) > KEPT:
        return f"the fence now holds {in_percent(newest.fence_kept)} of what the mask marks"
    return ""


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


def _unmet(rules: Sequence[Rule], newest: Point, since: int | None) -> str:
    """The rules that do not hold though the peaks are separated, in words."""
    words = {
        "index settled": "the peaks still move apart (index {})",
        "mask stability": "the mask still moves from cycle to cycle (Dice {})",
        "mask area": "the mask holds {} of the watched tissue",
        "holes in the mask": "{} of the mask are holes",
        "reference stays clean": "{} of the reference, which is normal, are marked too",
        "fence clears the mask": "the fence still holds {} of what the mask marks",
        "not a quantiser": "I_ro may be only brightness ({})",
    }
    missing = [
        words[rule.name].format(rule.figure)
        + ("" if rule.cycle == newest.total_cycle else f" in cycle {rule.cycle}")
        for rule in rules
        if not rule.held and rule.name in words
    ]
    *most, last = missing
    listed = f"{', '.join(most)} and {last}" if most else last
    text = f"{newest.separated} separated peaks since cycle {since}, but {listed}"
    return text.replace("(Dice not known)", "(its Dice is not known)")


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
