"""From a histogram to a threshold, or to the sentence that says why a rule finds none.

Levels are 0..255 on the map's own scale, never inverted: side `bright` keeps levels at or above
the threshold, side `dark` keeps levels at or below it. (The paper inverts the image for dark
lesions and counts from the other end; its 242 on an inverted liver is 13 here.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.names import SIDES, Scope, Side
from ascnet_core.segmentation.rules import Rule, parse_rule
from ascnet_core.segmentation.smoothing import LEVELS, Counts

Kind = Literal["mask-free", "manual", "oracle"]
Name = TypeVar("Name")


@dataclass(frozen=True)
class Threshold:
    """A threshold and how it came about.

    Bright keeps levels at or above `level`, dark those at or below it; with `upper` the band
    `level` to `upper` is kept on either side. A level beyond 0..255 keeps nothing. `rule` can be
    typed, `sentence` says how the number came. `kind` is `mask-free` (a rule that saw no mask),
    `manual` or `oracle` (chosen with masks).
    """

    level: int
    upper: int | None
    side: Side
    rule: str
    sentence: str
    kind: Kind = "mask-free"

    @property
    def kept(self) -> tuple[int, int]:
        """First and last level that are kept, both included."""
        if self.upper is not None:
            return self.level, self.upper
        return (self.level, LEVELS - 1) if self.side == "bright" else (0, self.level)

    def text(self) -> str:
        """What is kept, in short: `>= 170`."""
        if not 0 <= self.level < LEVELS:  # beyond all
            return "nothing"
        if self.upper is not None:
            return f"{self.level} to {self.upper}"
        return f"{'≥' if self.side == 'bright' else '≤'} {self.level}"


@dataclass(frozen=True)
class NoThreshold:
    """A rule found no threshold, so the mask is empty; the sentence says why."""

    side: Side
    rule: str
    sentence: str
    kind: Kind = "mask-free"
    level: None = None
    upper: None = None
    kept: tuple[int, int] = (1, 0)


def propose(
    rule: str | Rule, counts: Counts, side: Side = "bright", reference_counts: Counts | None = None
) -> Threshold:
    """The threshold that a rule (one of `rules.RULES`) gives for a histogram (256,).

    `reference_counts` is that of the same map over the normal reference, for rules that read it.

    Raises a UserError if the rule is unknown, or the histogram does not have what it asks for.
    """
    if side not in SIDES:
        raise UserError(f"Side '{side}' is neither bright nor dark.")
    parsed = parse_rule(rule) if isinstance(rule, str) else rule
    entry = parsed.entry
    if entry.kind == "mask-free" and counts.sum() == 0:
        raise UserError(
            f"Threshold rule '{parsed}' needs voxels, and the histogram is empty: "
            "check the region or give a number."
        )
    level, upper, sentence = entry.find(parsed, counts, side, reference_counts)
    return Threshold(level, upper, side, str(parsed), sentence, entry.kind)


def attempt(
    rule: str, counts: Counts, side: Side, reference_counts: Counts | None = None
) -> Threshold | NoThreshold:
    """As `propose`, but where a rule finds nothing the error's sentence comes back instead."""
    try:
        return propose(rule, counts, side, reference_counts)
    except UserError as error:
        return NoThreshold(side, rule, str(error))


def choose(
    rule: str,
    counts: Mapping[Name, Counts],
    side: Side,
    scope: Scope,
    reference_counts: Counts | None = None,
) -> dict[Name, Threshold | NoThreshold]:
    """What a rule gives for each subject (or scan, or whatever the histograms are named by).

    With scope `subject` it reads each histogram by itself, with `cohort` the sum of all.
    """
    if scope == "cohort":
        pooled = np.sum(list(counts.values()), axis=0)
        return dict.fromkeys(counts, attempt(rule, pooled, side, reference_counts))
    return {name: attempt(rule, own, side, reference_counts) for name, own in counts.items()}


def apply(
    levels: NDArray[np.uint8], region: NDArray[np.bool_] | None, threshold: Threshold | NoThreshold
) -> NDArray[np.bool_]:
    """The mask: voxels inside the region (None: everywhere) that the threshold keeps.

    Without a threshold it is empty. `levels` is the map on 0..255, of any shape.
    """
    first, last = threshold.kept
    mask: NDArray[np.bool_] = (levels >= first) & (levels <= last)
    if region is not None:
        mask &= region
    return mask


def describe(threshold: Threshold | NoThreshold) -> dict[str, Any]:
    """The threshold as plain values for JSON and tables."""
    names = ("level", "upper", "side", "rule", "kind", "sentence")
    return {name: getattr(threshold, name) for name in names}
