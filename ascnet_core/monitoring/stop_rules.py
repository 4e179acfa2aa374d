"""The rules of a stop: their numbers, their figures for a run's cycles, and what each means.

The paper stops at three or four well separated peaks, says that they come and go, and shows that
more training tears holes into the mask (Figs. 9, 10). No rule uses masks drawn by people.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ascnet_core.monitoring.history import Point

HOLD = 3
INDEX = 0.6
GROWTH = 0.03
STABLE = 0.75
SMALLEST = 0.0005
LARGEST = 0.5
TORN = 0.15
REFERENCE = 0.05
KEPT = 0.25
QUANTISER = 0.98
LIKE_INPUT = 0.95
UNLIKE_INPUT = 0.5
ENOUGH = 0.005
FLIPPED = 0.5
TURNED = 0.3
SATURATED = 0.95
FAINT = 1e-3

RULES: dict[str, tuple[str, str]] = {
    "separated peaks": (
        "as many as wanted",
        "Groups of peaks with a separation of 0.5 or more between them. The paper wants three or "
        "four; a recipe that gathers all healthy tissue in one peak says two "
        "(`schedule.stop_peaks`).",
    ),
    "separation index": (
        f"at least {INDEX}",
        "Mean of the largest separations between neighbouring peaks, as many as lie between the "
        "peaks that are wanted, a missing one being 0 (1: nothing between them).",
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
        "Dice of the mask on the watched slices with that of the cycle before. No true mask is "
        "needed. A border that moves by one pixel around a lesion of 3 pixels radius costs 0.28.",
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
        f"at most {REFERENCE:.0%} of its tissue marked",
        "What the run's threshold marks on the reference is false, as the reference is known to be "
        "normal. Not known for runs that kept no counts of it, which does not forbid a stop.",
    ),
    "fence clears the mask": (
        f"at most {KEPT:.0%} of the mask kept",
        "Share of the mask in which the fence is as bright as the input (dark anomalies: as dark). "
        "The fence should be the slice without its anomaly; where it keeps what the mask marks, "
        "the network takes that for normal, and the peaks sort brightness.",
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
        "Counted from when the peaks first parted and the mask was no longer nearly everything. "
        f"A turn: the rank correlation passes from beyond {TURNED} on one side of 0 to beyond it "
        "on the other, or the mask of before is now more like what lies at the other end of the "
        "scale. The rule's peak then holds other tissue (paper, Fig. 8).",
    ),
}
"""Every rule that a stop needs: its name, its number, and what it means.

Each of the last `HOLD` cycles must meet those of `_OF_A_CYCLE`.
"""

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
    """A rule: its name, its figure in words, its limit, whether it holds, and its meaning.

    `cycle`, counted over both stages, is the one that the figure is of: the newest of the cycles
    that the rule looks at in which it does not hold, else the newest; None before any.
    """

    name: str
    figure: str
    threshold: str
    held: bool
    meaning: str
    cycle: int | None = None


def rules_of(cycles: Sequence[Point]) -> tuple[Rule, ...]:
    """The figures of all rules and notices after these cycles."""
    tail, turns = cycles[-HOLD:], turns_of(cycles)
    found: dict[str, tuple[str, bool, Point | None]] = {
        name: _newest_that_fails(tail[1:] if name == "mask stability" else tail, of_cycle)
        for name, of_cycle in _OF_A_CYCLE.items()
    }
    newest = cycles[-1] if cycles else None
    growth = tail[-1].separation_index - tail[0].separation_index if len(tail) == HOLD else None
    found["index settled"] = (
        "not known" if growth is None else f"{growth:+.2f} since cycle {tail[0].total_cycle}",
        growth is not None and growth <= GROWTH,
        newest,
    )
    row = len(row_of(cycles))
    found["cycles in a row"] = (str(row), row >= HOLD, newest)
    turned = cycles[turns[-1]] if len(turns) % 2 else newest
    number = "1 turn" if len(turns) == 1 else f"{len(turns)} turns"
    found["same side"] = (number, len(turns) % 2 == 0, turned)
    saturated = newest.gauges.get("saturated") if newest else None
    found["adversary"] = (
        "no adversary" if saturated is None else f"{saturated:.0%} saturated",
        saturated is None or saturated < SATURATED,
        newest,
    )
    rules = []
    for name, (threshold, meaning) in (RULES | NOTICES).items():
        figure, held, point = found[name]
        of = point.total_cycle if point else None
        rules.append(Rule(name, figure, threshold, held, meaning, of))
    return tuple(rules)


def _newest_that_fails(
    cycles: Sequence[Point], of_cycle: Callable[[Point], tuple[str, bool]]
) -> tuple[str, bool, Point | None]:
    """A rule's figure in the newest cycle where it does not hold, else in the newest of all."""
    if not cycles:
        return "not known", False, None
    point = next((one for one in reversed(cycles) if not of_cycle(one)[1]), cycles[-1])
    return *of_cycle(point), point


def _peaks(point: Point) -> tuple[str, bool]:
    wanted = point.peaks_wanted
    return f"{point.separated} of {wanted}", point.separated >= wanted


def _index(point: Point) -> tuple[str, bool]:
    return f"{point.separation_index:.2f}", point.separation_index >= INDEX


def _stability(point: Point) -> tuple[str, bool]:
    stable = point.stability
    return "not known" if stable is None else f"{stable:.2f}", (stable or 0.0) >= STABLE


def _area(point: Point) -> tuple[str, bool]:
    held = point.area is not None and SMALLEST <= point.area <= LARGEST
    return in_percent(point.area), held


def _holes(point: Point) -> tuple[str, bool]:
    share = point.hole_share
    return in_percent(share), share is not None and share <= TORN


def _reference(point: Point) -> tuple[str, bool]:
    return in_percent(point.reference_share), (point.reference_share or 0.0) <= REFERENCE


def _fence(point: Point) -> tuple[str, bool]:
    return in_percent(point.fence_kept), (point.fence_kept or 0.0) <= KEPT


def _more_than_brightness(point: Point) -> tuple[str, bool]:
    known = point.rank_correlation is not None or point.input_dice is not None
    return quantiser_figure(point), known and not is_quantiser(point)


_OF_A_CYCLE: dict[str, Callable[[Point], tuple[str, bool]]] = {
    "separated peaks": _peaks,
    "separation index": _index,
    "mask stability": _stability,
    "mask area": _area,
    "holes in the mask": _holes,
    "reference stays clean": _reference,
    "fence clears the mask": _fence,
    "not a quantiser": _more_than_brightness,
}
"""The rules that each of the last `HOLD` cycles must meet: figure in words, and whether it does."""


def is_apart(point: Point) -> bool:
    """Whether as many peaks as are wanted are separated, and far enough."""
    return point.separated >= point.peaks_wanted and point.separation_index >= INDEX


def row_of(cycles: Sequence[Point]) -> list[Point]:
    """The separated cycles up to now, since peaks last merged or turned."""
    start = len(cycles)
    turns = turns_of(cycles)
    while start > 0 and is_apart(cycles[start - 1]):
        start -= 1
        if start in turns:
            break
    return list(cycles[start:])


def turns_of(cycles: Sequence[Point]) -> list[int]:
    """Indices of the cycles at which the peaks changed sides, after they were first separated.

    A cycle whose mask holds nearly everything or nothing has no side yet, and does not count.
    """
    parted = (n for n, point in enumerate(cycles) if is_apart(point) and _area(point)[1])
    first = next(parted, len(cycles))
    found = []
    sign = 0
    for index, point in enumerate(cycles):
        correlation = point.rank_correlation or 0.0
        now = (correlation > TURNED) - (correlation < -TURNED)
        turned = now * sign < 0
        sign = now or sign
        mirrored, same = point.mirror_stability, point.stability
        if mirrored is not None and mirrored >= FLIPPED:
            turned = turned or mirrored - (same or 0.0) >= TURNED
        if turned and index > first:
            found.append(index)
    return found


def is_dead(gauges: Mapping[str, float], loss: str = "") -> bool:
    """Whether M learns nothing from D: no gradient reaches I_fc, or next to none.

    A tanh is flat where D is sure, so `tanh-mae` is dead once the share `SATURATED` of images is.
    Other losses, and an unknown one, keep their slope: there the gradient counts, or if none was
    measured the share of saturated images alone.
    """
    if "saturated" not in gauges:
        return False
    sure = gauges["saturated"] >= SATURATED
    gradient = gauges.get("gradient")
    if gradient is None or (sure and loss == "tanh-mae"):
        return sure
    return gradient <= 0 or (sure and gradient < FAINT)


def is_quantiser(point: Point) -> bool:
    """Whether nothing shows that I_ro is more than brightness in other steps."""
    alike = point.input_dice
    if alike is not None and alike >= LIKE_INPUT:
        return True
    if alike is not None and alike < UNLIKE_INPUT and (point.area or 0.0) >= ENOUGH:
        return False
    ranks = [point.rank_correlation, point.rank_share]
    return any(value is not None and abs(value) >= QUANTISER for value in ranks)


def quantiser_figure(point: Point) -> str:
    """What `is_quantiser` goes by, in words."""
    parts = {
        "rank correlation {:.3f}": point.rank_correlation,
        "mask like a threshold of I_in {:.2f}": point.input_dice,
    }
    known = [text.format(value) for text, value in parts.items() if value is not None]
    return ", ".join(known) or "not measured"


def in_percent(value: float | None) -> str:
    """A share (0..1) in words, small ones with decimals."""
    if value is None:
        return "not known"
    return f"{value:.2%}" if value < 0.01 else f"{value:.0%}"
