"""The rules by which a histogram gives a threshold: to add one, add an entry to `RULES`.

Help texts, menus, error messages and the README's list are made from the entries. Finders import
what they compute with themselves, since `--help` lists the rules and must come at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from ascnet_core.errors import UserError
from ascnet_core.names import Side
from ascnet_core.segmentation.written import Entry, Values, Written, number, only, read

if TYPE_CHECKING:
    from ascnet_core.segmentation.smoothing import Counts

_ENDS = {"leftmost": 1, "rightmost": -1}
Found = tuple[int, int | None, str]
"""Level, last level of a band (else None), and the sentence that says how they came."""


class Rule(Written):
    """A rule as it was written: its name and its numbers. `str()` gives the text back."""

    def __str__(self) -> str:
        return super().__str__().removeprefix("number:")

    @property
    def entry(self) -> RuleEntry:
        """What the registry says of it."""
        return RULES[self.name]


Finder = Callable[[Rule, "Counts", Side, "Counts | None"], Found]


@dataclass(frozen=True, kw_only=True)
class RuleEntry(Entry):
    """A kind of rule.

    Attributes
    ----------
    find : (rule, counts (256,) of the map, side, counts (256,) of the normal reference or None) ->
        `Found`; a UserError says why there is none.
    kind : `mask-free`, or `manual` for levels that someone chose: these need no histogram.
    needs_peaks, needs_reference : Whether it reads peaks and valleys, and whether it reads the
        reference's histogram.
    mirror : The same rule for the other end of the scale.
    offers : How many peaks a histogram has -> what to offer for it, where that depends on it.
    """

    find: Finder
    kind: Literal["mask-free", "manual"] = "mask-free"
    needs_peaks: bool = False
    needs_reference: bool = False
    mirror: Callable[[Rule], Rule] = lambda rule: rule
    offers: Callable[[int], Sequence[str]] | None = None


def parse_rule(text: str) -> Rule:
    """Read a rule as typed.

    Raises a UserError if the text is none of `RULES`, with what is possible.
    """
    return Rule(*read(text.lower(), RULES, "rule", unnamed="number"))


def needs_reference(rules: Sequence[str]) -> bool:
    """Whether one of these rules reads the histogram of a normal reference."""
    return any(parse_rule(rule).entry.needs_reference for rule in rules)


def rule_menu(chosen: Sequence[str] = (), peaks: int | None = None) -> list[str]:
    """The rules worth offering, those `chosen` among them.

    `peaks` is how many the histogram has that they will read, None where it is not known.
    """
    offered: list[str] = []
    for entry in RULES.values():
        offered += entry.offers(peaks) if entry.offers and peaks is not None else entry.examples
    return list(dict.fromkeys([*(rule for rule in chosen if rule not in offered), *offered]))


def _ordinal(texts: Sequence[str]) -> Values:
    value = only(texts)
    if not value.is_integer() or not 1 <= abs(value) <= 255:
        raise ValueError("write 1 for the first, -1 for the last")
    return (value,)


def _number_of(rule: Rule) -> int:
    """The number of the peak or valley that a rule names: K, or the outermost."""
    return int(rule.values[0]) if rule.values else _ENDS[rule.name.partition("-")[0]]


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


def _peak(rule: Rule, counts: Counts, side: Side, reference: Counts | None) -> Found:
    from ascnet_core.segmentation.histogram import find_peaks

    peaks = find_peaks(counts)
    ordinal = _number_of(rule)
    index = _pick(ordinal, len(peaks), "peak", rule)
    level = peaks[index].position
    if not rule.values and len(peaks) == 1:
        raise UserError(
            f"Threshold rule '{rule}' has nothing to choose: the histogram has a single peak, at "
            f"level {level}; take another rule, another map, or give a number."
        )
    where = {-1: "Brightest peak", 1: "Darkest peak"}.get(ordinal, "Peak")
    which = f"peak {index + 1} of {len(peaks)}"
    return level, None, f"{where} ({which}) of the histogram, at level {level}."


def _valley(rule: Rule, counts: Counts, side: Side, reference: Counts | None) -> Found:
    from ascnet_core.segmentation.histogram import find_peaks
    from ascnet_core.segmentation.smoothing import smooth, valley_between

    peaks = find_peaks(counts)
    index = _pick(_number_of(rule), len(peaks) - 1, "valley", rule)
    left, right = peaks[index].position, peaks[index + 1].position
    level = valley_between(smooth(counts), left, right)
    between = f"peak {index + 1} (at {left}) and peak {index + 2} (at {right})"
    return level, None, f"Lowest level between {between}."


def _other_end(rule: Rule) -> Rule:
    if rule.values:
        return Rule(rule.name, tuple(-value for value in rule.values))
    end, _, what = rule.name.partition("-")
    return Rule(f"{'leftmost' if end == 'rightmost' else 'rightmost'}-{what}")


_of_peaks = partial(RuleEntry, needs_peaks=True, mirror=_other_end)


def _classes(texts: Sequence[str]) -> Values:
    value = only(texts) if texts else 3.0
    if value not in (2, 3, 4, 5, 6):
        raise ValueError("multi-otsu takes 2 to 6 classes")
    return (value,)


def _otsu(rule: Rule, counts: Counts, side: Side, reference: Counts | None) -> Found:
    from ascnet_core.segmentation.otsu import otsu_cuts

    classes = int(rule.values[0]) if rule.values else 2
    cuts = otsu_cuts(counts, classes)
    name = "Otsu's rule" if classes == 2 else f"Multi-Otsu with {classes} classes"
    if side == "bright":
        level = cuts[-1] + 1
        return level, None, f"{name}: the brightest class begins at level {level}."
    return cuts[0], None, f"{name}: the darkest class ends at level {cuts[0]}."


def _two_classes(rule: Rule, counts: Counts, side: Side, reference: Counts | None) -> Found:
    from ascnet_core.segmentation.two_classes import outer_class

    level = outer_class(rule.name, counts, side == "dark")
    what = "darker of two classes ends" if side == "dark" else "brighter of two classes begins"
    return level, None, f"Rule '{rule}': the {what} at level {level}."


def _quantile(texts: Sequence[str]) -> Values:
    value = only(texts)
    if not 0 < value < 1:
        raise ValueError("write for example reference-quantile:0.995 (between 0 and 1)")
    return (value,)


def _reference_quantile(rule: Rule, counts: Counts, side: Side, reference: Counts | None) -> Found:
    import numpy as np

    from ascnet_core.metrics.overlap import kept_counts

    share = 1.0 - rule.values[0]
    if reference is None or reference.sum() == 0:
        raise UserError(
            f"Threshold rule '{rule}' needs the histogram of a normal reference, and there is "
            "none: name a reference (normal subjects, lesion-free slices) or take another rule."
        )
    kept = kept_counts(reference, side) / reference.sum()
    enough = np.flatnonzero(kept <= share + 1e-12)
    end = reference.size - 1 if side == "bright" else 0
    if enough.size == 0:
        raise UserError(
            f"Threshold rule '{rule}' finds no level: {kept[end]:.2%} of the reference lie at "
            f"level {end} itself; take a smaller quantile or another map."
        )
    level = int(enough[0 if side == "bright" else -1])
    sentence = (
        f"Level that {float(kept[level]):.2%} of the normal reference's pixels reach "
        f"(at most {share:.4g} asked for)."
    )
    return level, None, sentence


def _is_level(value: float) -> bool:
    return 0 <= value <= 255 and value.is_integer()


def _level(texts: Sequence[str]) -> Values:
    value = only(texts)
    if not _is_level(value):
        raise ValueError("it is no rule, and no whole number from 0 to 255")
    return (value,)


def _band(texts: Sequence[str]) -> Values:
    values = tuple(map(number, texts))
    if len(values) != 2 or not all(map(_is_level, values)) or values[0] > values[1]:
        raise ValueError("write band:FROM:TO with whole numbers 0 <= FROM <= TO <= 255")
    return values


def _by_hand(rule: Rule, counts: Counts, side: Side, reference: Counts | None) -> Found:
    level, *upper = (int(value) for value in rule.values)
    return (level, upper[0], "Band chosen by hand.") if upper else (level, None, "Chosen by hand.")


def _turned(rule: Rule) -> Rule:
    return Rule(rule.name, tuple(255 - value for value in reversed(rule.values)))


_hand_made = partial(RuleEntry, find=_by_hand, kind="manual", mirror=_turned)
_ENTRIES = (
    _of_peaks(
        "rightmost-peak",
        "the level of the brightest peak (the paper's rule for bright anomalies)",
        find=_peak,
    ),
    _of_peaks(
        "leftmost-peak",
        "the level of the darkest peak (the paper's rule for dark ones)",
        find=_peak,
    ),
    _of_peaks(
        "peak:K",
        "the level of peak K, counted from the dark end from 1 (-1 is the brightest)",
        _ordinal,
        find=_peak,
        offers=lambda peaks: [f"peak:{k}" for k in range(1, peaks + 1)],
    ),
    _of_peaks(
        "valley:K",
        "the lowest level between peaks K and K+1 (-1 is the brightest valley)",
        _ordinal,
        ("valley:1",),
        find=_valley,
        offers=lambda peaks: [f"valley:{k}" for k in range(1, peaks)],
    ),
    _of_peaks(
        "rightmost-valley", "the lowest level to the left of the brightest peak", find=_valley
    ),
    _of_peaks("leftmost-valley", "the lowest level to the right of the darkest peak", find=_valley),
    RuleEntry("otsu", "two classes of least variance within (Otsu)", find=_otsu),
    RuleEntry(
        "multi-otsu[:N]",
        "three such classes, or N; the outermost is kept",
        _classes,
        ("multi-otsu:3",),
        find=_otsu,
    ),
    RuleEntry(
        "minimum",
        "the lowest level between the two maxima that smoothing leaves (Prewitt)",
        find=_two_classes,
    ),
    RuleEntry(
        "triangle",
        "the level farthest below a line from the top to the end of the longer tail",
        find=_two_classes,
    ),
    RuleEntry("li", "two classes of least cross-entropy (Li)", find=_two_classes),
    RuleEntry("yen", "two classes of largest correlation (Yen)", find=_two_classes),
    RuleEntry(
        "isodata", "the level half way between the means of its two classes", find=_two_classes
    ),
    RuleEntry(
        "reference-quantile:Q",
        "the level that only 1 - Q of the normal reference's pixels exceed",
        _quantile,
        ("reference-quantile:0.99", "reference-quantile:0.995", "reference-quantile:0.999"),
        find=_reference_quantile,
        needs_reference=True,
    ),
    _hand_made("NUMBER", "a level from 0 to 255, chosen by hand", _level),
    _hand_made("band:FROM:TO", "the levels FROM to TO, both included, chosen by hand", _band),
)
RULES: dict[str, RuleEntry] = {entry.name: entry for entry in _ENTRIES}
