"""Random smooth fields and simple shapes, from which the demo cohort's anatomy is made.

Everything works on points in millimetres, so that a subject looks the same on any grid.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float32]
Triple: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True)
class Waves:
    """A sum of plane waves: a smooth random field with a standard deviation of about 1.

    `vectors` (3, W) are wave vectors in rad/mm, `phases` (W,) in radians; all are float32.
    """

    vectors: Floats
    phases: Floats
    amplitudes: Floats

    def at(self, points: Floats) -> Floats:
        """Give the field (P,) at `points` (P, 3) mm."""
        field = np.empty(len(points), np.float32)
        for part in _chunks(len(points)):
            field[part] = np.cos(points[part] @ self.vectors + self.phases) @ self.amplitudes
        return field

    def with_gradient(self, points: Floats) -> tuple[Floats, Floats]:
        """Give the field (P,) and its gradient (P, 3) per mm at `points` (P, 3) mm."""
        field = np.empty(len(points), np.float32)
        gradient = np.empty((len(points), 3), np.float32)
        for part in _chunks(len(points)):
            angles = points[part] @ self.vectors + self.phases
            field[part] = np.cos(angles) @ self.amplitudes
            gradient[part] = (np.sin(angles) * -self.amplitudes) @ self.vectors.T
        return field, gradient


def _chunks(count: int) -> list[slice]:
    """Cut 0..count into pieces whose waves fit the processor's cache."""
    return [slice(start, start + 8192) for start in range(0, count, 8192)]


def random_waves(rng: np.random.Generator, count: int, shortest: float, longest: float) -> Waves:
    """Draw `count` plane waves, any direction, wavelengths from `shortest` to `longest` mm."""
    directions = rng.normal(size=(3, count))
    directions /= np.linalg.norm(directions, axis=0)
    wavelengths = np.exp(rng.uniform(np.log(shortest), np.log(longest), count))
    phases = rng.uniform(0, 2 * np.pi, count)
    amplitudes = np.full(count, np.sqrt(2 / count))
    return Waves(
        (directions * 2 * np.pi / wavelengths).astype(np.float32),
        phases.astype(np.float32),
        amplitudes.astype(np.float32),
    )


def grid_points(size: tuple[int, int, int], field_of_view: Triple, centre: Triple) -> NDArray[Any]:
    """Give the centres (P, 3) float32 mm of a volume's voxels, P = X Y Z in C order."""
    axes = [
        ((np.arange(n) - (n - 1) / 2) * (side / n) + middle).astype(np.float32)
        for n, side, middle in zip(size, field_of_view, centre, strict=True)
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def as_floats(values: NDArray[np.floating]) -> Floats:
    """Give `values` as float32, without a copy where they are."""
    return values.astype(np.float32, copy=False)


def length(vectors: Floats) -> Floats:
    """Give the length (P,) of each row of `vectors` (P, 3)."""
    return as_floats(np.sqrt(np.einsum("ij,ij->i", vectors, vectors)))


def within(columns: Floats, centre: ArrayLike, reach: float) -> NDArray[np.intp]:
    """Give the indices of the points (3, P) in a cube of half-width `reach` mm around `centre`."""
    middle = np.asarray(centre, np.float32)
    x, y, z = (np.abs(axis - at) < reach for axis, at in zip(columns, middle, strict=True))
    return np.flatnonzero(x & y & z)


def inside(distance: NDArray[np.floating], softness: float) -> Floats:
    """Turn a signed distance (mm, negative inside) into a share in [0, 1] with a soft edge.

    The share is 0.5 at the edge and reaches 0 and 1 `softness` mm from it.
    """
    return as_floats(np.clip(0.5 - distance / np.float32(2 * softness), 0, 1))


def ellipsoid(points: Floats, centre: Triple, axes: Triple, power: float = 2.0) -> Floats:
    """Give the signed distance (P,) mm to a superellipsoid, exact to first order at its surface."""
    width = np.asarray(axes, np.float32)
    scaled = (points - np.asarray(centre, np.float32)) / width
    if power == 2.0:
        level = length(scaled)
        steepness = length(scaled / width) / np.maximum(level, np.float32(1e-4))
    else:
        scaled = np.maximum(np.abs(scaled), np.float32(1e-4))
        lower = scaled ** np.float32(power - 1)
        level = np.einsum("ij,ij->i", lower, scaled) ** np.float32(1 / power)
        steepness = length(lower / width) * level ** np.float32(1 - power)
    return as_floats((level - 1) / np.maximum(steepness, np.float32(1e-4)))


def tube(points: Floats, path: list[tuple[Triple, float]]) -> Floats:
    """Give the signed distance (P,) mm to a tube along `path`: [((x, y, z), radius), ...] mm."""
    nearest = np.full(len(points), np.inf, np.float32)
    for (start, radius), (end, next_radius) in pairwise(path):
        origin = np.asarray(start, np.float32)
        along = np.asarray(end, np.float32) - origin
        offset = points - origin
        share = np.clip(offset @ along / np.float32(along @ along), 0, 1)
        gap = offset - share[:, None] * along
        width = radius + share * np.float32(next_radius - radius)
        nearest = np.minimum(nearest, as_floats(length(gap) - width))
    return nearest


def blend(first: NDArray[np.floating], second: NDArray[np.floating], width: float) -> Floats:
    """Join two shapes given as signed distances, rounding the seam over `width` mm."""
    overlap = np.maximum(np.float32(width) - np.abs(first - second), 0)
    return as_floats(np.minimum(first, second) - overlap**2 / np.float32(4 * width))


def carve(first: NDArray[np.floating], second: NDArray[np.floating], width: float) -> Floats:
    """Keep where both shapes (signed distances) are, rounding the seam over `width` mm."""
    return as_floats(-blend(-first, -second, width))
