"""The Cuts page's panel: six pictures of a slice under one cursor, and charts to choose pixels in.

The browser draws (`slice_panel.js` and what it imports). Python packs slices, counts and peaks into
one block of bytes and hears back the slice and the choice of pixels.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ascnet_core.imaging import slices
from ascnet_core.monitoring.stop_rules import QUANTISER
from ascnet_core.segmentation.histogram import Peak, count_levels, find_peaks
from ascnet_core.segmentation.masks import numbers_of
from ascnet_core.segmentation.quantiser import joint_counts, rank_correlation
from ascnet_core.settings.method import INPUT
from ascnet_core.settings.methods.asc_net import AscNet
from pages.parts.shared import components

MAPS = ("input", "fence", "wild", "reconstruction", "residual")
REGION, TRUTH, MASK = 1, 2, 4
BUDGET = 12_000_000  # bytes of slices sent at once
JOINT_BINS = 64
GRID = (32, 96, 160, 224)  # levels of I_ro that are always drawn in the joint histogram
NAMES = {one.name: one.short for one in (INPUT, *AscNet.maps)}

Levels = NDArray[np.uint8]
Bools = NDArray[np.bool_]


class Pick(NamedTuple):
    """Pixels chosen by their grey levels, all ends included.

    A pixel must meet all (map, from, to) of `ranges`: one for a peak of a histogram, two (fence and
    wild) for a rectangle of the joint histogram. `name` is the peak's.
    """

    ranges: tuple[tuple[str, int, int], ...]
    name: str = ""


def parse_pick(value: Any) -> Pick | None:
    """The choice the browser reports; None where nothing is chosen or the report is no choice."""
    if not isinstance(value, Mapping):
        return None
    try:
        if value["kind"] == "levels":
            ranges = [(value["map"], value["from"], value["to"])]
        elif value["kind"] == "pairs":
            ranges = [("fence", *value["fence"]), ("wild", *value["wild"])]
        else:
            return None
        checked = tuple((str(name), int(low), int(high)) for name, low, high in ranges)
    except (KeyError, TypeError, ValueError):
        return None
    if any(name not in MAPS or not 0 <= low <= high <= 255 for name, low, high in checked):
        return None
    return Pick(checked, str(value.get("name", "")))


def chosen(pick: Pick, maps: Mapping[str, Levels], region: Bools) -> Bools:
    """Voxels (X, Y, Z) of the region whose levels meet every condition of a choice."""
    mask = region.copy()
    for name, low, high in pick.ranges:
        mask &= (maps[name] >= low) & (maps[name] <= high)
    return mask


def describe_pick(
    pick: Pick | None,
    maps: Mapping[str, Levels],
    region: Bools,
    truth: Bools | None,
    voxel_ml: float,
) -> str:
    """What the chosen pixels are, over the whole volume, in a sentence."""
    if pick is None:
        return (
            "Click a peak, drag over levels of a histogram, or drag a rectangle in the joint "
            "histogram: its pixels light up in every picture."
        )
    mask = chosen(pick, maps, region)
    scores = {name: value or 0.0 for name, value in numbers_of(mask, truth, voxel_ml).items()}
    what = " and ".join(f"{NAMES[name]} {low}–{high}" for name, low, high in pick.ranges)
    if pick.name:
        what = f"{pick.name} of {NAMES[pick.ranges[0][0]]} ({what})"
    share = 100 * mask.sum() / max(1, int(region.sum()))
    text = f"{what}: {scores['volume']:.1f} ml, {share:.1f} % of the region in the whole volume"
    if truth is None:
        return text + "."
    if not truth.any():
        return text + "; the mask of this scan is empty."
    return (
        f"{text}. It holds {100 * scores['sensitivity']:.0f} % of the true lesion, "
        f"{100 * scores['precision']:.0f} % of it is lesion: Dice {scores['dice']:.3f} "
        "(knowledge of the mask, not a result)."
    )


def lines_of_equal(peaks: Sequence[Peak], threshold: int | None) -> list[dict[str, Any]]:
    """Raw levels of I_ro to draw in the joint histogram: threshold, peaks and a grid.

    Their labels are placed in this order; one without room is left out.
    """
    lines = [] if threshold is None else [(threshold, "threshold", f"threshold {threshold}")]
    lines += [(p.position, "peak", f"peak {i} · {p.position}") for i, p in enumerate(peaks, 1)]
    lines += [(level, "grid", str(level)) for level in GRID]
    return [{"level": level, "kind": kind, "name": name} for level, kind, name in lines]


def held_slices(shape: Sequence[int], centre: int, budget: int = BUDGET) -> tuple[int, int]:
    """First slice and number of slices to send around `centre` so that six volumes fit."""
    width, height, depth = shape
    fits = max(1, budget // (width * height * (len(MAPS) + 1)))
    if fits >= depth:
        return 0, depth
    return min(max(0, centre - fits // 2), depth - fits), fits


def box_of(region: Bools) -> tuple[int, int, int, int]:
    """First and last voxel of a region along x, then along y; the whole plane where it is empty."""
    x, y, _ = slices.box_of(region)
    return x.start, x.stop - 1, y.start, y.stop - 1


def flags(region: Bools, truth: Bools | None, mask: Bools | None) -> Levels:
    """Region, truth and mask of a volume as the bits 1, 2 and 4 of one uint8 volume."""
    bits = np.zeros(region.shape, np.uint8)
    for bit, marked in ((REGION, region), (TRUTH, truth), (MASK, mask)):
        if marked is not None:
            bits |= marked.astype(np.uint8) * np.uint8(bit)
    return bits


def pack(header: Mapping[str, Any], volumes: Sequence[Levels], first: int, held: int) -> bytes:
    """The block of bytes the browser reads: after the header volumes, x fastest.

    Volumes are (X, Y, Z) uint8 in RAS; only slices first .. first + held - 1 are packed.
    """
    planes = [volume[:, :, first : first + held].tobytes(order="F") for volume in volumes]
    return components.block(header, planes)


def peak_entries(peaks: Sequence[Peak]) -> list[dict[str, Any]]:
    """Peaks as the browser wants them, named from dark to bright."""
    return [
        {"name": f"peak {i}", "position": p.position, "left": p.left, "right": p.right}
        for i, p in enumerate(peaks, 1)
    ]


class Facts(NamedTuple):
    """What the charts show of a case; arrays are over the region of the whole volume.

    `counts` (256,) and `peaks` by map, `joint` (B, B) counts with wild by rows and fence by
    columns, `weights` R's two weights and bias, `correlation` Spearman's of I_ro with I_in.
    """

    counts: Mapping[str, NDArray[np.int64]]
    peaks: Mapping[str, tuple[Peak, ...]]
    joint: NDArray[np.int64]
    weights: tuple[float, float, float]
    correlation: float


def header_of(
    facts: Facts,
    region: Bools,
    spacing: Sequence[float],
    slice_: int,
    *,
    identity: str,
    truth: bool,
    threshold: int | None,
    pick: Any,
    answer: str,
) -> dict[str, Any]:
    """The panel's JSON header; `threshold` is a raw level of I_ro or None, `spacing` in mm."""
    first, held = held_slices(region.shape, slice_)
    return {
        "id": identity,
        "shape": list(region.shape),
        "spacing": [float(mm) for mm in spacing],
        "first": first,
        "held": held,
        "slice": slice_,
        "box": box_of(region),
        "maps": MAPS,
        "truth": truth,
        "counts": {name: counts.tolist() for name, counts in facts.counts.items()},
        "peaks": {name: peak_entries(peaks) for name, peaks in facts.peaks.items()},
        "bins": len(facts.joint),
        "joint": facts.joint.ravel().tolist(),
        "weights": facts.weights,
        "lines": lines_of_equal(facts.peaks["reconstruction"], threshold),
        "pick": pick,
        "answer": answer,
        "note": correlation_sentence(facts.correlation),
    }


def correlation_sentence(correlation: float) -> str:
    """What the rank correlation of I_ro with I_in means for this picture."""
    if math.isnan(correlation):
        return "I_ro is constant inside the region: there is nothing to rank, train longer."
    head = f"Rank correlation of I_ro with I_in inside the region: {correlation:.3f}."
    if abs(correlation) >= QUANTISER:
        return (
            f"{head} Near 1, I_ro has the order of the input, like a quantiser of grey levels. A "
            "lesion counts little here: see whether a threshold of I_in gives the same mask."
        )
    if abs(correlation) >= 0.7:
        return f"{head} I_ro follows brightness, yet not everywhere (1: a mere quantiser)."
    return f"{head} I_ro is not just an order of brightness (that would be 1)."


_mount = components.declare("cuts_panel", Path(__file__).with_name("slice_panel"))


def slice_panel(
    header: Mapping[str, Any], volumes: Sequence[Levels], key: str, on_slice: Callable[[], None]
) -> None:
    """Show the panel; what the browser reports are `slice` and `pick`.

    `volumes` are (X, Y, Z) uint8: the five maps in the order of `MAPS`, then `flags`.
    """
    data = pack(header, volumes, header["first"], header["held"])
    # A callback, even an empty one, makes the page run again when pixels are chosen.
    _mount(key=key, data=data, on_slice_change=on_slice, on_pick_change=lambda: None)


def facts_of(
    maps: Mapping[str, Levels], region: Bools, weights: tuple[float, float, float]
) -> Facts:
    """All that the charts show, from the maps of a case: (X, Y, Z) uint8 on the raw scale."""
    counts = {name: count_levels(maps[name], region) for name in MAPS}
    return Facts(
        counts=counts,
        peaks={name: find_peaks(counts[name]) for name in MAPS},
        joint=joint_counts(maps["wild"], maps["fence"], region, JOINT_BINS),
        weights=weights,
        correlation=rank_correlation(maps["reconstruction"], maps["input"], region),
    )
