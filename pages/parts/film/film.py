"""The film of a run: one slider over all snapshots drives cuts, mask, histogram and losses.

All frames are sent to the browser (`film.js`), so the slider needs no answer from Python. Python is
told only of the frame where the slider stops. What is sent stays under `BUDGET`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core.figures.history import TRACK_COLOURS
from ascnet_core.monitoring.history import History, Point
from ascnet_core.runs.folder import SnapshotData
from pages.parts.shared import components

BUDGET = 8_000_000  # bytes of pictures that are sent
MAPS = ("fence", "wild", "reconstruction")  # of ASC-Net; methods with fewer fit more snapshots
LOSS_POINTS = 300
KEYS = (
    "Click the film, then ← → step, space plays, l loops, Home and End go to the ends; a click on "
    "a curve jumps there. Masks by the run's rule at each snapshot's own counts"
)


def every_nth(number: int, most: int) -> list[int]:
    """At most `most` (2 or more) frames: every n-th back from the newest, and the first."""
    step = max(1, -(-(number - 1) // (most - 1)))
    return sorted({0, *range(number - 1, -1, -step)}) if number else []


def fitting_slices(watched: int, size: int, frames: int) -> int:
    """How many watched slices fit with every snapshot kept; at least one."""
    return max(1, min(watched, BUDGET // max(1, frames * len(MAPS) * size * size)))


def kept_frames(frames: int, slices: int, size: int) -> list[int]:
    """Which snapshots are in the film: all if they fit, else every n-th, the first and the last."""
    return every_nth(frames, max(2, BUDGET // (slices * len(MAPS) * size * size)))


def thinning_sentence(frames: int, kept: int, slices: int) -> str:
    """The sentence on snapshots that were left out; empty if all are kept."""
    if kept == frames:
        return ""
    return (
        f"{kept} of {frames} snapshots are in the film (every n-th, the first and the last "
        f"always): {slices} slices of all of them exceed {BUDGET // 1_000_000} MB."
    )


def frame_facts(point: Point) -> dict[str, Any]:
    """The numbers beside a frame."""
    threshold = point.threshold
    return {
        "label": point.label,
        "place": point.index,
        "cycle": point.total_cycle,
        "step": point.step,
        "images": point.images_seen,
        "peaks": [peak.position for peak in point.peaks],
        "separated": point.separated,
        "index": point.separation_index,
        "stability": point.stability,
        "rank": point.rank_correlation,
        "holes": point.hole_share,
        "level": threshold.level if threshold else None,
        "upper": threshold.upper if threshold else None,
        "side": threshold.side if threshold else "bright",
        "rule": threshold.text() if threshold else "no threshold",
    }


def loss_lines(events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Losses as lines [{name, x: steps, y: values}], each thinned to every n-th value."""
    found: dict[str, tuple[list[int], list[float]]] = {}
    for event in events:
        if event.get("kind") != "step":
            continue
        for name, value in (event.get("losses") or {}).items():
            if isinstance(value, int | float):
                xs, ys = found.setdefault(name, ([], []))
                xs.append(int(event.get("step", 0)))
                ys.append(float(value))
    lines = []
    for name, (xs, ys) in found.items():
        step = -(-len(xs) // LOSS_POINTS)
        lines.append({"name": name, "x": xs[::step], "y": ys[::step]})
    return lines


def joint_picture(joint: NDArray[np.int64]) -> NDArray[np.uint8]:
    """A joint histogram (64, 64) as grey levels: log counts, 255 for the fullest bin."""
    logs = np.log1p(joint.astype(np.float64))
    return np.rint(255 * logs / max(float(logs.max()), 1e-9)).astype(np.uint8)


def header_of(
    history: History,
    kept: Sequence[int],
    slices: Sequence[int],
    size: int,
    losses: Sequence[Any],
    identity: str,
) -> dict[str, Any]:
    """The JSON header of the film.

    `shown` are the maps that have pictures; `maps` are these and the map that is thresholded.
    `counted` is the map of the histograms.
    """
    method = history.method
    pictures = method.pictures()
    shown = [one.name for one in pictures]
    return {
        "id": identity,
        "run": history.run,
        "shown": shown,
        "maps": list(dict.fromkeys([*shown, history.map])),
        "heads": ["I_in", *(one.short for one in pictures), "mask on I_in"],
        "counted": method.maps[0].name,
        "countedName": method.maps[0].short,
        "joint": method.two_cuts,
        "noJoint": "" if method.two_cuts else method.lacks("The joint histogram"),
        "map": history.map,
        "rule": history.rule,
        "size": size,
        "slices": [int(one) for one in slices],
        "frames": [frame_facts(history.points[index]) for index in kept],
        "course": [
            {
                "step": point.step,
                "index": point.separation_index,
                "stability": point.stability,
                "rank": None if point.rank_correlation is None else abs(point.rank_correlation),
            }
            for point in history.points
        ],
        "losses": list(losses),
        "colours": TRACK_COLOURS,
    }


def pack(header: Mapping[str, Any], datas: Sequence[SnapshotData], slices: Sequence[int]) -> bytes:
    """The block of bytes the browser reads.

    After the header (`components.block`) uint32 counts (N, 256), uint8 joint
    histograms (N, 64, 64) where there are any, the input (K, S, S), and for each frame the maps of
    the header, (K, S, S) each.
    """
    chosen = list(slices)
    parts = [np.asarray(data.counts, "<u4").tobytes() for data in datas]
    if header["joint"]:
        parts += [joint_picture(data.joint).tobytes() for data in datas if data.joint is not None]
    if datas:
        parts.append(datas[-1].watched_input[chosen].tobytes())
    for data in datas:
        parts += [data.levels(name)[chosen].tobytes() for name in header["maps"]]
    return components.block(header, parts)


def header_in(packed: bytes) -> dict[str, Any]:
    """The header of a block that `pack` made."""
    length = int.from_bytes(packed[:4], "little")
    return dict(json.loads(packed[4 : 4 + length]))


BROWSER = Path(__file__).with_name("film")  # .html, .css and .js
show = components.declare("run_film", BROWSER)
"""Shows as `data` what `pack` made, and reports as `frame` where the slider stopped."""
