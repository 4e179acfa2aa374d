"""Peaks followed from snapshot to snapshot: when each was born, where it went, when it was lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.optimize import linear_sum_assignment

from ascnet_core.monitoring.history import Point

FARTHEST = 32
"""A peak is the same as one of the snapshot before if it moved by at most so many levels."""


@dataclass(frozen=True)
class TrackPoint:
    """A peak at one snapshot.

    `index` is the snapshot's in the history, `height` in voxels a level, `share` of all
    voxels (0..1), `separation` from its nearer neighbour (0..1, the smaller of the two sides;
    0 for a lone peak).
    """

    index: int
    position: int
    height: float
    share: float
    separation: float


@dataclass(frozen=True)
class Track:
    """One peak over time, without gaps; `number` counts tracks by birth, then from dark to bright.

    `lost` tells whether it ended before the last snapshot.
    """

    number: int
    points: tuple[TrackPoint, ...]
    lost: bool

    @property
    def born(self) -> int:
        """Index of the first snapshot that shows it."""
        return self.points[0].index


def track_peaks(points: Sequence[Point], farthest: int = FARTHEST) -> tuple[Track, ...]:
    """Follow peaks through a history.

    From snapshot to snapshot peaks are paired so that the positions change by the smallest sum;
    pairs farther apart than `farthest` levels are a loss and a birth.
    """
    open_tracks: list[list[TrackPoint]] = []
    finished: list[tuple[list[TrackPoint], bool]] = []
    for index, point in enumerate(points):
        now = [
            TrackPoint(index, peak.position, peak.height, peak.share, separation)
            for peak, separation in zip(point.peaks, _nearest_gaps(point), strict=True)
        ]
        pairs = _pair([track[-1].position for track in open_tracks], now, farthest)
        going_on = []
        for number, track in enumerate(open_tracks):
            if number in pairs:
                track.append(now[pairs[number]])
                going_on.append(track)
            else:
                finished.append((track, True))
        taken = set(pairs.values())
        born = [[peak] for number, peak in enumerate(now) if number not in taken]
        open_tracks = going_on + born
    finished += [(track, False) for track in open_tracks]
    finished.sort(key=lambda one: (one[0][0].index, one[0][0].position))
    return tuple(
        Track(number, tuple(track), lost) for number, (track, lost) in enumerate(finished, 1)
    )


def _nearest_gaps(point: Point) -> list[float]:
    if len(point.peaks) < 2:
        return [0.0] * len(point.peaks)
    gaps = [1.0, *point.separations, 1.0]
    return [min(left, right) for left, right in pairwise(gaps)]


def _pair(before: list[int], now: list[TrackPoint], farthest: int) -> dict[int, int]:
    if not before or not now:
        return {}
    away = np.abs(np.subtract.outer(before, [peak.position for peak in now])).astype(float)
    # Beyond the limit a pair must cost more than any that is allowed, however many there are.
    cost = np.where(away <= farthest, away, 1e6)
    rows, columns = linear_sum_assignment(cost)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if away[row, column] <= farthest
    }
