"""What a click, a key or a menu does to the view, and what the chosen threshold amounts to.

Pure functions: the page's callbacks are these, so that they have unit tests of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.metrics.overlap import ThresholdTable, count, voxel_ml
from ascnet_core.segmentation.histogram import Peak
from ascnet_core.segmentation.postprocess import run_steps
from ascnet_core.segmentation.quantiser import rank_correlation as rank_correlation
from ascnet_core.segmentation.regions import propose_from_region
from ascnet_core.segmentation.threshold import Threshold, apply, propose
from pages.parts.shared.state import View

Levels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]

AXES = {"axial": (0, 1, 2), "coronal": (0, 2, 1), "sagittal": (1, 2, 0)}
QUANTISER = 0.95  # rank correlation with the input from which a map only re-quantises it
STEPS = ("open-close:5", "open-close:9", "open:3", "close:3", "median:3", "components:20",
         "components:100", "components:largest", "roi")  # fmt: skip


# --- the threshold of a view ---------------------------------------------------------------------


def proposal(rule: str, counts: Counts, side: str, reference: Counts | None) -> Threshold:
    """What a rule proposes; where it cannot, Otsu's level, and the sentence says so."""
    try:
        return propose(rule, counts, side, reference)
    except UserError as error:
        try:
            otsu = propose("otsu", counts, side)
        except UserError:
            otsu = Threshold(128, None, side, "128", "The middle of the scale.", "manual")
        return replace(otsu, sentence=f"Otsu's level stands in. {error}")


def threshold_of(view: View, proposed: Threshold) -> Threshold:
    """The threshold in force: the level set by hand, or else what the rule proposes."""
    if view.t is None:
        return proposed
    rule = str(view.t) if view.upper is None else f"band:{view.t}:{view.upper}"
    return Threshold(view.t, view.upper, proposed.side, rule, "Set by hand.", "manual")


def rule_menu(peaks: int, chosen: str) -> list[str]:
    """The rules worth offering for a histogram with so many peaks; `chosen` is among them."""
    rules = ["rightmost-peak", "leftmost-peak"]
    rules += [f"peak:{k}" for k in range(1, peaks + 1)]
    rules += [f"valley:{k}" for k in range(1, peaks)]
    rules += ["rightmost-valley", "leftmost-valley", "otsu", "multi-otsu:3"]
    rules += [f"reference-quantile:{q}" for q in ("0.99", "0.995", "0.999")]
    return rules if chosen in rules else [chosen, *rules]


# --- what the viewer tells -----------------------------------------------------------------------


def apply_told(view: View, told: Mapping[str, Any]) -> View:
    """The view after the viewer told where its line and cursor are.

    `rule` names the rule that its level came from; without one the level was set by hand. A level
    by hand leaves the chosen rule as it is: the panel goes on saying what it proposes.
    """
    x, y, z = (int(v) for v in told["cursor"])
    view = replace(view, slice=z, at=(x, y), side=_one_of(told["side"], ("bright", "dark")))
    rule = str(told.get("rule") or "")
    if rule:
        return replace(view, rule=rule, t=None, upper=None)
    upper = told.get("upper")
    t = _level(told["t"])
    return replace(view, t=t, upper=None if upper is None else max(t, _level(upper)))


def new_acts(told: Mapping[str, Any], heard: int) -> list[Mapping[str, Any]]:
    """The acts that came after message number `heard`; the viewer repeats them until answered."""
    return [act for act in told.get("acts", []) if int(act["seq"]) > heard]


def _level(value: Any) -> int:
    return min(255, max(0, int(value)))


def _one_of(value: Any, allowed: Sequence[str]) -> str:
    return value if value in allowed else allowed[0]


def drawn_region(told: Mapping[str, Any], shape: Sequence[int]) -> tuple[tuple[Any, ...], Mask]:
    """The slice drawn on, as an index into (X, Y, Z), and the drawn pixels there.

    `told` holds the plane, the kind (rectangle or ellipse) and two opposite corners as voxels.
    """
    a, b, fixed = AXES[_one_of(told["plane"], tuple(AXES))]
    corners = np.array([told["from"], told["to"]], dtype=int)
    corners = np.clip(corners, 0, np.array(shape) - 1)
    low, high = corners.min(axis=0), corners.max(axis=0)
    index: list[Any] = [slice(None)] * 3
    index[fixed] = int(corners[0, fixed])
    first = np.arange(shape[a])[:, None]
    second = np.arange(shape[b])[None, :]
    if told.get("kind") == "ellipse":
        radius = np.maximum((high - low) / 2 + 0.5, 0.5)
        middle = (high + low) / 2
        across = ((first - middle[a]) / radius[a]) ** 2 + ((second - middle[b]) / radius[b]) ** 2
        return tuple(index), across <= 1
    inside = (first >= low[a]) & (first <= high[a]) & (second >= low[b]) & (second <= high[b])
    return tuple(index), inside


def propose_drawn(told: Mapping[str, Any], map8: Levels, region: Mask, side: str) -> Threshold:
    """The threshold that tells a drawn region best from the rest of its slice. UserError."""
    index, drawn = drawn_region(told, map8.shape)
    return propose_from_region(map8[index], drawn, region[index], side)


# --- what is shown -------------------------------------------------------------------------------


def outer_separation(separation: Sequence[float], side: str) -> float:
    """How clear the peak that the side begins with stands of its neighbour; 0 for a lone peak."""
    if not separation:
        return 0.0
    return separation[-1] if side == "bright" else separation[0]


def describe_peaks(
    peaks: Sequence[Peak], separation: Sequence[float], verdict: str, side: str
) -> str:
    """The verdict's box: the plain sentence, and how clear the outer peak stands."""
    text = verdict[:1].upper() + verdict[1:]
    if not text.endswith("."):
        text += "."
    if len(peaks) < 2:
        return text
    which = "Rightmost" if side == "bright" else "Leftmost"
    return f"{text} {which} stands {outer_separation(separation, side):.2f} clear of its neighbour."


def warn_quantiser(name: str, rank: float) -> str:
    """A warning where a map only follows the input's brightness; "" where it does not."""
    if name == "input" or not abs(rank) >= QUANTISER:
        return ""
    return (
        "Ranks voxels almost as I_in does: largely a quantiser of brightness. Compare with a plain "
        "threshold."
    )


def first_cursor(mask: Mask, region: Mask) -> tuple[int, int, int]:
    """Where to look first: the middle of the axial slice that holds most of the mask.

    Without a mask the middle of the region, without a region that of the volume.
    """
    for marked in (mask, region):
        held = np.count_nonzero(marked, axis=(0, 1))
        if held.any():
            z = int(held.argmax()) if marked is mask else int(np.flatnonzero(held).mean())
            places = np.argwhere(marked[:, :, z])
            if len(places) == 0:
                continue
            # a voxel of the mask itself: the centroid of a ring would lie outside it
            x, y = places[np.abs(places - places.mean(axis=0)).sum(axis=1).argmin()]
            return int(x), int(y), z
    x, y, z = (n // 2 for n in mask.shape)
    return x, y, z


@dataclass(frozen=True)
class Outcome:
    """A mask and what it scores; the scores are None without a truth (or where undefined)."""

    mask: Mask
    volume: float
    dice: float | None
    sensitivity: float | None
    precision: float | None

    def numbers(self) -> dict[str, float | None]:
        """The numbers by name, as the panel shows them."""
        return {name: getattr(self, name) for name in ("volume", "dice", "sensitivity",
                                                       "precision")}  # fmt: skip


def outcome(mask: Mask, truth: Mask | None, spacing: Sequence[float]) -> Outcome:
    """Score a mask: volume in ml, and against the truth where there is one."""
    volume = float(np.count_nonzero(mask)) * voxel_ml(spacing)
    if truth is None:
        return Outcome(mask, volume, None, None, None)
    counts = count(mask, truth)
    values = [counts.dice, counts.sensitivity, counts.precision]
    return Outcome(mask, volume, *(None if np.isnan(v) else v for v in values))


def segment(
    map8: Levels,
    region: Mask,
    threshold: Threshold,
    steps: Sequence[str] = (),
    further: Any = None,
) -> Mask:
    """The mask (X, Y, Z) of a threshold after its post-processing. UserError on a bad step."""
    mask = apply(map8, region, threshold)
    return run_steps(mask, steps, region, further) if steps else mask


def numbers_at(table: ThresholdTable, threshold: Threshold, ml: float) -> dict[str, float | None]:
    """Volume, Dice, sensitivity and precision of a threshold, read off the table."""
    if threshold.upper is not None:
        first, last = threshold.level, threshold.upper
    else:
        first, last = (threshold.level, 255) if threshold.side == "bright" else (0, threshold.level)
    kept = int(table.levels[first : last + 1].sum())
    if not table.has_truth:
        return {"volume": kept * ml, "dice": None, "sensitivity": None, "precision": None}
    counts = table.band(first, last)
    scores = {"dice": counts.dice, "sensitivity": counts.sensitivity, "precision": counts.precision}
    return {"volume": kept * ml} | {k: None if np.isnan(v) else v for k, v in scores.items()}
