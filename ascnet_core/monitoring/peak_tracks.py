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


def track_peaks(points: Sequence[Point]) -> tuple[Track, ...]:
    """Follow peaks through a history.

    From snapshot to snapshot peaks are paired so that the positions change by the smallest sum;
    pairs farther apart than `FARTHEST` levels are a loss and a birth.
    """
    tracks: list[list[TrackPoint]] = []
    for index, point in enumerate(points):
        now = [
            TrackPoint(index, peak.position, peak.height, peak.share, separation)
            for peak, separation in zip(point.peaks, _nearest_gaps(point), strict=True)
        ]
        going_on = [track for track in tracks if track[-1].index == index - 1]
        pairs = _pair([track[-1].position for track in going_on], now)
        for before, after in pairs.items():
            going_on[before].append(now[after])
        tracks += [[peak] for number, peak in enumerate(now) if number not in pairs.values()]
    tracks.sort(key=lambda track: (track[0].index, track[0].position))
    newest = len(points) - 1
    return tuple(
        Track(number, tuple(track), lost=track[-1].index < newest)
        for number, track in enumerate(tracks, 1)
    )


def _nearest_gaps(point: Point) -> list[float]:
    if len(point.peaks) < 2:
        return [0.0] * len(point.peaks)
    gaps = [1.0, *point.separations, 1.0]
    return [min(left, right) for left, right in pairwise(gaps)]


def _pair(before: list[int], now: list[TrackPoint]) -> dict[int, int]:
    if not before or not now:
        return {}
    away = np.abs(np.subtract.outer(before, [peak.position for peak in now])).astype(float)
    # A pair beyond the limit must cost more than any number of allowed ones.
    cost = np.where(away <= FARTHEST, away, 1e6)
    rows, columns = linear_sum_assignment(cost)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if away[row, column] <= FARTHEST
    }
