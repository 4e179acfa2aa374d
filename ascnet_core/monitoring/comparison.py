"""Comparing runs: common slices, equal moments, curves and settings.

Nothing here needs torch or masks drawn by people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core.monitoring.history import Point
from ascnet_core.runs.folder import SnapshotData

ALIKE = 0.99
"""Correlation inside the tissue from which two slices of one size are the same, scaled
differently. Neighbouring slices reach 0.95 where they are thick, and more where they are thin."""
OUTLINE = 0.01
"""Share of the tissue by which its outline may differ in the same slice: where a scaling cuts the
darkest values to 0, pixels leave the tissue."""
ROUNDING = 1
"""Levels of 255 by which a slice may differ from itself: devices round in different ways."""
MOST_VALUES = 300
"""Values of a curve that are kept."""

Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class Common:
    """Watched slices that runs have in common.

    `indices` has for each run the indices of these slices among its watched ones, in the same
    order. `scaled_alike` says whether their grey values are the same, too.
    """

    indices: tuple[tuple[int, ...], ...]
    scaled_alike: bool = True

    def __len__(self) -> int:
        return len(self.indices[0]) if self.indices else 0


@dataclass(frozen=True)
class Curve:
    """Values over training; `images` are slices that M was trained on, `cycles` as in `cycle_of`.

    A value that was not measured or is not defined is None.
    """

    images: tuple[float, ...]
    cycles: tuple[float, ...]
    values: tuple[float | None, ...]


def same_slice(one: Levels, other: Levels) -> tuple[bool, bool]:
    """Whether two slices (S, S) show the same, and whether their grey values are equal too."""
    if one.shape != other.shape:
        return False, False
    apart = int(np.abs(one.astype(np.int16) - other).max())
    if apart <= ROUNDING:
        return True, True
    held, seen = one > 0, other > 0
    both = held & seen
    if not both.any() or (held ^ seen).sum() > OUTLINE * both.sum():
        return False, False
    first, second = one[both].astype(float), other[both].astype(float)
    if first.std() == 0 or second.std() == 0:
        return False, False
    return bool(np.corrcoef(first, second)[0, 1] >= ALIKE), False


def common_slices(watched: Sequence[Levels]) -> Common:
    """The watched slices that all runs have, by their content.

    `watched` holds for each run its watched inputs (W, S, S), 255 for 1.0; W and S may differ.
    """
    indices: list[tuple[int, ...]] = []
    alike = True
    for start, one in enumerate(watched[0] if len(watched) else ()):
        found = [start]
        same_grey = True
        for other in watched[1:]:
            answers = [same_slice(one, candidate) for candidate in other]
            exact = [index for index, (_, grey) in enumerate(answers) if grey]
            near = [index for index, (same, _) in enumerate(answers) if same]
            if not near:
                break
            found.append((exact or near)[0])
            same_grey = same_grey and bool(exact)
        if len(found) == len(watched):
            indices.append(tuple(found))
            alike = alike and same_grey
    by_run = tuple(tuple(row[run] for row in indices) for run in range(len(watched)))
    return Common(by_run, alike)


def aligned(images: Sequence[Sequence[int]]) -> tuple[list[int], list[tuple[int, ...]]]:
    """Align the snapshots of runs by the number of slices seen.

    `images` says for each run, for each of its snapshots in order, how many slices M had been
    trained on. Returns every number that occurs, rising, and for each of them the index of the
    snapshot of every run that is nearest at or before it (its first one, where all come after).
    """
    moments = sorted({number for run in images for number in run})
    indices = [
        tuple(max(0, int(np.searchsorted(run, moment, "right")) - 1) for run in images)
        for moment in moments
    ]
    return moments, indices


def wild_split(point: Point, data: SnapshotData) -> tuple[float | None, float | None]:
    """Mean of the wild cut, 0 to 1, in the mask and in the rest of the tissue.

    Over the watched slices; None without a mask or a wild cut, or where no pixel is there.
    """
    wild = data.maps.get("wild")
    if point.mask is None or wild is None:
        return None, None
    tissue = data.watched_input > 0
    inside, outside = wild[point.mask], wild[tissue & ~point.mask]
    return (
        float(inside.mean()) / 255 if inside.size else None,
        float(outside.mean()) / 255 if outside.size else None,
    )


def shared(names: Sequence[Iterable[str]]) -> tuple[str, ...]:
    """Names that occur in at least two lists (all names if there is one list), in their order."""
    lists = [list(dict.fromkeys(one)) for one in names]
    needed = min(2, len(lists))
    everything = dict.fromkeys(name for one in lists for name in one)
    return tuple(name for name in everything if sum(name in one for one in lists) >= needed)


def course_curves(points: Sequence[Point]) -> dict[str, Curve]:
    """What each snapshot shows, as curves by name."""
    steps = [point.step for point in points]
    images, cycles = _images_of(steps, points), cycle_of(steps, points)
    ranks = [None if p.rank_correlation is None else abs(p.rank_correlation) for p in points]
    values: dict[str, list[float | None]] = {
        "separation_index": [p.separation_index for p in points],
        "separated": [float(p.separated) for p in points],
        "rank": ranks,
        "stability": [p.stability for p in points],
        "holes": [p.hole_share for p in points],
        "area": [p.area for p in points],
    }
    return {name: Curve(images, cycles, tuple(one)) for name, one in values.items()}


def event_curves(
    events: Sequence[Mapping[str, Any]],
    points: Sequence[Point],
    kind: str = "step",
    what: str = "losses",
) -> dict[str, Curve]:
    """Losses (of events `step`) or gauges (of events `epoch`) as curves by name.

    Long ones are thinned to every n-th value, the newest always kept.
    """
    found: dict[str, tuple[list[int], list[float]]] = {}
    for event in events:
        if event.get("kind") != kind:
            continue
        for name, value in (event.get(what) or {}).items():
            if isinstance(value, int | float):
                steps, values = found.setdefault(name, ([], []))
                steps.append(int(event.get("step", 0)))
                values.append(float(value))
    curves = {}
    for name, (steps, values) in found.items():
        every = -(-len(steps) // MOST_VALUES)
        kept = slice((len(steps) - 1) % every, None, every)
        steps = steps[kept]
        curves[name] = Curve(
            _images_of(steps, points), cycle_of(steps, points), tuple(values[kept])
        )
    return curves


def cycle_of(steps: Sequence[int], points: Sequence[Point]) -> tuple[float, ...]:
    """Training steps as cycles, counted over both stages: 1.5 is halfway through the second.

    Between the ends of cycles steps are spread evenly; after the last one their pace goes on.
    """
    ends = [point for point in points if point.ends_cycle or point.total_cycle == 0]
    return _through(steps, {0: 0.0} | {point.step: float(point.total_cycle) for point in ends})


def _images_of(steps: Sequence[int], points: Sequence[Point]) -> tuple[float, ...]:
    return _through(steps, {0: 0.0} | {point.step: float(point.images_seen) for point in points})


def _through(steps: Sequence[int], known: Mapping[int, float]) -> tuple[float, ...]:
    """Steps through a rising table: straight lines between its entries and beyond the last."""
    xs = sorted(known)
    ys = [known[x] for x in xs]
    slope = (ys[-1] - ys[-2]) / (xs[-1] - xs[-2]) if len(xs) > 1 else 1.0
    inner = np.interp(steps, xs, ys)
    beyond = np.maximum(0, np.asarray(steps, float) - xs[-1]) * slope
    return tuple(float(value) for value in inner + beyond)
