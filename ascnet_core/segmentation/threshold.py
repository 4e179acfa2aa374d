"""From a histogram to a threshold: rules with names, each with a sentence that says how it came.

Levels are 0..255 on the map's own scale, never inverted: side `bright` keeps levels at or above
the threshold, side `dark` keeps levels at or below it. (The paper inverts the image for dark
lesions and counts from the other end; its 242 on an inverted liver is 13 here.)
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.names import SIDES, Side
from ascnet_core.segmentation.histogram import Peak, find_peaks
from ascnet_core.segmentation.smoothing import LEVELS, Counts, smooth, valley_between

Kind = Literal["mask-free", "manual", "oracle"]

RULES: dict[str, str] = {
    "rightmost-peak": "the level of the brightest peak (the paper's rule for bright anomalies)",
    "leftmost-peak": "the level of the darkest peak (the paper's rule for dark ones)",
    "peak:K": "the level of peak K, counted from the dark end from 1 (-1 is the brightest)",
    "valley:K": "the lowest level between peaks K and K+1 (-1 is the brightest valley)",
    "rightmost-valley": "the lowest level to the left of the brightest peak",
    "leftmost-valley": "the lowest level to the right of the darkest peak",
    "otsu": "two classes of least variance within (Otsu)",
    "multi-otsu": "three such classes, or N with multi-otsu:N; the outermost is kept",
    "reference-quantile:Q": "the level that only 1 - Q of the normal reference's pixels exceed",
    "NUMBER": "a level from 0 to 255, chosen by hand",
    "band:FROM:TO": "the levels FROM to TO, both included, chosen by hand",
}


@dataclass(frozen=True)
class Rule:
    """A parsed rule: its name and its numbers. `str()` gives the text back."""

    name: str
    values: tuple[float, ...] = ()

    def __str__(self) -> str:
        numbers = [f"{value:g}" for value in self.values]
        return ":".join(numbers if self.name == "number" else [self.name, *numbers])


@dataclass(frozen=True)
class Threshold:
    """A threshold and how it came about.

    Attributes
    ----------
    level : int
        0..255. Bright keeps levels at or above it, dark those at or below it.
    upper : int or None
        If given, a band: levels from `level` to `upper` are kept, both included, on either side.
    side : str
        `bright` or `dark`.
    rule : str
        The rule as it can be typed.
    sentence : str
        How the number came, for people.
    kind : str
        `mask-free` (a rule that saw no mask), `manual` or `oracle` (chosen with masks).
    """

    level: int
    upper: int | None
    side: Side
    rule: str
    sentence: str
    kind: Kind = "mask-free"

    def text(self) -> str:
        """What is kept, in short: `>= 170`."""
        if self.upper is not None:
            return f"{self.level} to {self.upper}"
        return f"{'≥' if self.side == 'bright' else '≤'} {self.level}"


def parse_rule(text: str) -> Rule:
    """Read a rule as typed.

    Raises
    ------
    UserError
        If the text is none of RULES, with what is possible.
    """
    name, *arguments = text.strip().lower().split(":")
    try:
        values = tuple(float(argument) for argument in arguments)
    except ValueError:
        raise _unknown(text, "what follows the colon must be a number") from None
    if name in ("rightmost-peak", "leftmost-peak", "rightmost-valley", "leftmost-valley", "otsu"):
        if values:
            raise _unknown(text, f"{name} takes no number")
        return Rule(name)
    if name in ("peak", "valley"):
        if len(values) != 1 or not values[0].is_integer() or values[0] == 0:
            raise _unknown(text, f"write {name}:1 for the first, {name}:-1 for the last")
        return Rule(name, values)
    if name == "multi-otsu":
        classes = values or (3.0,)
        if len(classes) != 1 or classes[0] not in (2, 3, 4, 5, 6):
            raise _unknown(text, "multi-otsu takes 2 to 6 classes")
        return Rule(name, classes)
    if name == "reference-quantile":
        if len(values) != 1 or not 0 < values[0] < 1:
            raise _unknown(text, "write for example reference-quantile:0.995 (between 0 and 1)")
        return Rule(name, values)
    if name == "band":
        if len(values) != 2 or not all(map(_is_level, values)) or values[0] > values[1]:
            raise _unknown(text, "write band:FROM:TO with whole numbers 0 <= FROM <= TO <= 255")
        return Rule(name, values)
    try:
        number = float(text)
    except ValueError:
        raise _unknown(text, "it is not among the rules") from None
    if not _is_level(number):
        raise _unknown(text, "a level is a whole number from 0 to 255")
    return Rule("number", (number,))


def _is_level(value: float) -> bool:
    return 0 <= value < LEVELS and value.is_integer()


def _unknown(text: str, why: str) -> UserError:
    return UserError(f"Threshold rule '{text}' cannot be used: {why}. Rules: {', '.join(RULES)}.")


def propose(
    rule: str | Rule,
    counts: Counts,
    side: Side = "bright",
    reference_counts: Counts | None = None,
) -> Threshold:
    """The threshold that a rule gives for a histogram.

    Parameters
    ----------
    rule : str or Rule
        One of RULES.
    counts : (256,) int
        Histogram of the map inside the region: of one scan or summed over a cohort.
    side : str
        `bright` or `dark`.
    reference_counts : (256,) int, optional
        Histogram of the same map over the normal reference; only `reference-quantile` needs it.

    Raises
    ------
    UserError
        If the rule is unknown, or the histogram does not have what it asks for.
    """
    if side not in SIDES:
        raise UserError(f"Side '{side}' is neither bright nor dark.")
    parsed = parse_rule(rule) if isinstance(rule, str) else rule
    if parsed.name == "number":
        level = int(parsed.values[0])
        return Threshold(level, None, side, str(parsed), "Chosen by hand.", "manual")
    if parsed.name == "band":
        low, high = (int(value) for value in parsed.values)
        return Threshold(low, high, side, str(parsed), "Band chosen by hand.", "manual")
    if counts.sum() == 0:
        raise UserError(
            f"Threshold rule '{parsed}' needs voxels, and the histogram is empty: "
            "check the region or give a number."
        )
    level, sentence = _FINDERS[parsed.name](parsed, counts, side, reference_counts)
    return Threshold(level, None, side, str(parsed), sentence)


def apply(
    levels: NDArray[np.uint8], region: NDArray[np.bool_] | None, threshold: Threshold
) -> NDArray[np.bool_]:
    """The mask: voxels inside the region (None: everywhere) that the threshold keeps.

    Parameters
    ----------
    levels : array of uint8
        The map on 0..255, any shape.
    region : array of bool, same shape, or None

    Returns
    -------
    array of bool, same shape.
    """
    mask: NDArray[np.bool_]
    if threshold.upper is not None:
        mask = (levels >= threshold.level) & (levels <= threshold.upper)
    elif threshold.side == "bright":
        mask = levels >= threshold.level
    else:
        mask = levels <= threshold.level
    if region is not None:
        mask &= region
    return mask


def _pick(number: int, things: int, what: str, rule: Rule) -> int:
    """Index of thing `number` (from 1, or from the end if negative) among `things`."""
    index = number - 1 if number > 0 else things + number
    if not 0 <= index < things:
        have = f"{things} {what}" + ("" if things == 1 else "s")
        raise UserError(
            f"Threshold rule '{rule}' finds no such {what}: the histogram has {have}; "
            "take another rule, another map, or give a number from 0 to 255."
        )
    return index


def _nth(index: int, total: int, what: str) -> str:
    return f"{what} {index + 1} of {total}"


def _peak(rule: Rule, counts: Counts, side: Side, reference: Counts | None) -> tuple[int, str]:
    number = {"rightmost-peak": -1, "leftmost-peak": 1}.get(rule.name) or int(rule.values[0])
    peaks = find_peaks(counts)
    index = _pick(number, len(peaks), "peak", rule)
    if len(peaks) == 1 and rule.name != "peak":
        raise UserError(
            f"Threshold rule '{rule}' has nothing to choose: the histogram has a single peak, at "
            f"level {peaks[0].position}; take another rule, another map, or give a number."
        )
    level = peaks[index].position
    where = {-1: "Brightest peak", 1: "Darkest peak"}.get(number, "Peak")
    return level, f"{where} ({_nth(index, len(peaks), 'peak')}) of the histogram, at level {level}."


def _valley(rule: Rule, counts: Counts, side: Side, reference: Counts | None) -> tuple[int, str]:
    number = {"rightmost-valley": -1, "leftmost-valley": 1}.get(rule.name) or int(rule.values[0])
    peaks: tuple[Peak, ...] = find_peaks(counts)
    index = _pick(number, len(peaks) - 1, "valley", rule)
    left, right = peaks[index].position, peaks[index + 1].position
    level = valley_between(smooth(counts), left, right)
    return level, (
        f"Lowest level between peak {index + 1} (at {left}) and peak {index + 2} (at {right})."
    )


def otsu_cuts(counts: Counts, classes: int) -> tuple[int, ...]:
    """Last level of each class but the brightest, for the classes of least variance within.

    By dynamic programming over the occupied levels; exact.

    Raises
    ------
    UserError
        If fewer levels are occupied than there are classes.
    """
    occupied = np.flatnonzero(counts)
    if occupied.size < classes:
        raise UserError(
            f"Otsu's rule with {classes} classes needs as many grey levels, and the histogram has "
            f"{occupied.size}: take another map or give a number."
        )
    weight = counts[occupied].astype(np.float64)
    # centred, so that sums of squares do not lose digits
    value = occupied - np.average(occupied, weights=weight)
    mass = np.concatenate([[0.0], np.cumsum(weight)])
    moment = np.concatenate([[0.0], np.cumsum(weight * value)])
    start, stop = np.triu_indices(occupied.size + 1, 1)
    gain = np.full((occupied.size + 1, occupied.size + 1), -np.inf)
    # between-class variance is the sum over classes of moment**2 / mass
    gain[start, stop] = (moment[stop] - moment[start]) ** 2 / (mass[stop] - mass[start])
    best = gain[0]
    origins = []
    for _ in range(classes - 1):
        total = best[:, None] + gain
        origins.append(total.argmax(axis=0))
        best = total.max(axis=0)
    end = occupied.size
    cuts = []
    for origin in reversed(origins):
        end = int(origin[end])
        cuts.append(int(occupied[end - 1]))
    return tuple(reversed(cuts))


def _otsu(rule: Rule, counts: Counts, side: Side, reference: Counts | None) -> tuple[int, str]:
    classes = int(rule.values[0]) if rule.values else 2
    cuts = otsu_cuts(counts, classes)
    name = "Otsu's rule" if classes == 2 else f"Multi-Otsu with {classes} classes"
    if side == "bright":
        return cuts[-1] + 1, f"{name}: the brightest class begins at level {cuts[-1] + 1}."
    return cuts[0], f"{name}: the darkest class ends at level {cuts[0]}."


def _reference_quantile(
    rule: Rule, counts: Counts, side: Side, reference: Counts | None
) -> tuple[int, str]:
    share = 1.0 - rule.values[0]
    if reference is None or reference.sum() == 0:
        raise UserError(
            f"Threshold rule '{rule}' needs the histogram of a normal reference, and there is "
            "none: name a reference (normal subjects, lesion-free slices) or take another rule."
        )
    ordered = reference if side == "bright" else reference[::-1]
    # beyond[t]: share of the reference that the threshold t keeps
    beyond = np.cumsum(ordered[::-1])[::-1] / reference.sum()
    enough = np.flatnonzero(beyond <= share + 1e-12)
    if enough.size == 0:
        end = LEVELS - 1 if side == "bright" else 0
        raise UserError(
            f"Threshold rule '{rule}' finds no level: {beyond[-1]:.2%} of the reference lie at "
            f"level {end} itself; take a smaller quantile or another map."
        )
    level = int(enough[0]) if side == "bright" else LEVELS - 1 - int(enough[0])
    return level, (
        f"Level that {float(beyond[enough[0]]):.2%} of the normal reference's pixels reach "
        f"(at most {share:.4g} asked for)."
    )


Finder = Callable[[Rule, Counts, Side, Counts | None], tuple[int, str]]
_FINDERS: dict[str, Finder] = {
    "rightmost-peak": _peak,
    "leftmost-peak": _peak,
    "peak": _peak,
    "valley": _valley,
    "rightmost-valley": _valley,
    "leftmost-valley": _valley,
    "otsu": _otsu,
    "multi-otsu": _otsu,
    "reference-quantile": _reference_quantile,
}


def describe(threshold: Threshold) -> dict[str, Any]:
    """The threshold as plain values for JSON and tables."""
    return {
        "level": threshold.level,
        "upper": threshold.upper,
        "side": threshold.side,
        "rule": threshold.rule,
        "kind": threshold.kind,
        "sentence": threshold.sentence,
    }
