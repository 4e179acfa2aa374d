"""A volume as S x S axial slices, and exactly back.

Slices keep the proportions of the anatomy in mm: the larger in-plane side fills the square, the
other is centred. Everything is one linear map per axis, so both ways are small matrix products.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ascnet_core.errors import UserError

Numbers = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Box = tuple[slice, slice, slice]
"""A part of a volume: slices along X, Y and Z."""
EVERYWHERE: Box = (slice(None), slice(None), slice(None))
_MOST_VOXELS = 10_000


def evenly(number: int, count: int) -> npt.NDArray[np.int64]:
    """`count` of so many indices (or all, if fewer) spread evenly, both ends included."""
    return np.unique(np.linspace(0, number - 1, min(count, number)).round().astype(np.int64))


@dataclass(frozen=True)
class Placement:
    """Where the S x S pixels (`size`) of a slice lie in a RAS volume (X, Y, Z) of `spacing` mm.

    Along X and Y the centre of pixel k lies at voxel `scale * k + start`.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    size: int
    scale: tuple[float, float]
    start: tuple[float, float]

    @property
    def covered(self) -> tuple[slice, slice]:
        """Columns (x) and rows (y) of a slice whose centres lie in the volume."""
        return self._covered(0), self._covered(1)

    def _covered(self, axis: int) -> slice:
        at = self.scale[axis] * np.arange(self.size) + self.start[axis]
        inside = np.flatnonzero((at > -0.5 - 1e-9) & (at < self.shape[axis] - 0.5 + 1e-9))
        if not inside.size:  # thinner than a pixel: the one in the middle
            inside = np.array([np.abs(at - (self.shape[axis] - 1) / 2).argmin()])
        return slice(int(inside[0]), int(inside[-1]) + 1)


def placement(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    size: int,
    what: str = "The image",
) -> Placement:
    """Place a volume of `shape` and `spacing` (mm) into slices of `size` x `size`.

    The outer edges of the larger side coincide with the edges of the square. Raises a UserError if
    size is no positive multiple of 16 (the network halves it four times), or if the spacing along
    one side is so small beside the other that a pixel would hold `_MOST_VOXELS` of its voxels.
    """
    if size < 16 or size % 16:
        raise UserError(f"A slice size of {size} does not fit; choose a multiple of 16.")
    pixel = max(shape[0] * spacing[0], shape[1] * spacing[1]) / size
    scale = (pixel / spacing[0], pixel / spacing[1])
    if not max(scale) < _MOST_VOXELS:
        sides = f"{spacing[0]:.3g} x {spacing[1]:.3g} mm"
        raise UserError(
            f"{what} has voxels of {sides}, which cannot lie in one slice; repair its spacing."
        )
    # Centre on centre: ((size - 1) / 2) pixels go to ((n - 1) / 2) voxels.
    x, y = ((shape[axis] - 1) / 2 - scale[axis] * (size - 1) / 2 for axis in (0, 1))
    return Placement(shape, spacing, size, scale, (x, y))


def _weights(centres: Numbers, count: int, scale: float) -> Floats:
    """Resampling as a matrix (len(centres), count): samples at 0 .. count - 1, steps of `scale`.

    Linear interpolation, averaged over a box about each centre where steps are coarser than the
    samples: sqrt(scale^2 - 1) wide, so that nothing jumps at scale 1. Linear ramps are kept, which
    a sampled triangle kernel does not do.
    """
    box = float(np.sqrt(max(scale * scale - 1, 0)))
    pad = int(np.ceil(box / 2)) + 2
    samples = np.arange(-pad, count + pad)
    away = centres[:, None] - samples
    if box < 1e-3:
        weights = np.clip(1 - np.abs(away), 0, None)
    else:
        weights = (_hat_integral(away + box / 2) - _hat_integral(away - box / 2)) / box
    weights[:, pad] += weights[:, :pad].sum(1)
    weights[:, -pad - 1] += weights[:, -pad:].sum(1)
    inner = weights[:, pad:-pad]
    return np.asarray(inner / inner.sum(1, keepdims=True), np.float32)


def _hat_integral(x: Numbers) -> Numbers:
    """Integrate the hat function 1 - |t| from -1 to x."""
    t = np.clip(x, -1, 1)
    return np.asarray(np.where(t < 0, (1 + t) ** 2 / 2, 1 - (1 - t) ** 2 / 2))


@lru_cache(maxsize=64)
def _matrices(place: Placement, axis: int, back: bool) -> Floats:
    """Return the matrix along an axis: (S, n) to slices, (n, S) back; zero where not covered."""
    inside = np.arange(place.size)[place.covered[axis]]
    count, scale = place.shape[axis], place.scale[axis]
    if back:
        centres = (np.arange(count) - place.start[axis]) / scale - inside[0]
        matrix = np.zeros((count, place.size), np.float32)
        matrix[:, inside] = _weights(centres, len(inside), 1 / scale)
    else:
        matrix = np.zeros((place.size, count), np.float32)
        matrix[inside] = _weights(scale * inside + place.start[axis], count, scale)
    matrix.flags.writeable = False
    return matrix


def box_of(mask: npt.NDArray[np.bool_], margin: tuple[int, int, int] = (0, 0, 0)) -> Box:
    """Return the smallest box that holds a mask (X, Y, Z) and a margin of voxels along each axis.

    For an empty mask it is the whole volume.
    """
    bounds = []
    for axes, extra, length in zip(((1, 2), (0, 2), (0, 1)), margin, mask.shape, strict=True):
        held = np.flatnonzero(mask.any(axis=axes))
        first, last = (int(held[0]), int(held[-1])) if held.size else (0, length)
        bounds.append(slice(max(0, first - extra), min(length, last + 1 + extra)))
    return bounds[0], bounds[1], bounds[2]


def to_slices(data: Numbers, place: Placement, order: int = 1, box: Box = EVERYWHERE) -> Floats:
    """Resample a RAS volume (X, Y, Z) to float32 slices (Z, S, S); in plane only.

    `slices[z, row, col]`: row runs with Y from posterior up, col with X from left up. Order 1 is
    linear, averaging where the slices are coarser; order 0 takes the nearest voxel (for masks).
    Outside the volume is 0. With `box` (order 1 only) the volume counts as 0 outside it, and only
    the slices along its Z come back.
    """
    if tuple(data.shape) != place.shape:
        raise ValueError(f"shape {data.shape} is not the placement's {place.shape}")
    size = place.size
    if order == 0:
        columns, rows = place.covered
        out = np.zeros((place.shape[2], size, size), np.float32)
        x, y = (
            # ties go down
            np.floor(place.scale[axis] * np.arange(size)[part] + place.start[axis] + 0.5 - 1e-9)
            .astype(np.intp)
            .clip(0, place.shape[axis] - 1)
            for axis, part in enumerate(place.covered)
        )
        out[:, rows, columns] = data[np.ix_(x, y)].transpose(2, 1, 0)
        return out
    along_x, along_y = (_matrices(place, axis, False)[:, box[axis]] for axis in (0, 1))
    values = np.ascontiguousarray(data[box], np.float32)
    first = (along_x @ values.reshape(len(values), -1)).reshape(size, *values.shape[1:])
    # (S_y, Y) @ (S_x, Y, Z) -> (S_x, S_y, Z)
    return np.ascontiguousarray(np.matmul(along_y, first).transpose(2, 1, 0))


def from_slices(slices: Numbers, place: Placement, box: Box = EVERYWHERE) -> Floats:
    """Bring slices (Z, S, S) back to the RAS volume (X, Y, Z), float32; undoes `to_slices`.

    Pixels outside the volume never mix into it. With `box` the slices are those along its Z, and
    only that part of the volume comes back.
    """
    size = place.size
    depth = len(range(place.shape[2])[box[2]])
    if tuple(slices.shape) != (depth, size, size):
        raise ValueError(f"shape {slices.shape} is not {(depth, size, size)}")
    along_x, along_y = (_matrices(place, axis, True)[box[axis]] for axis in (0, 1))
    values = np.ascontiguousarray(slices, np.float32)
    # (Y, S_y) @ (Z, S_y, S_x) -> (Z, Y, S_x), then (Z, Y, S_x) @ (S_x, X) -> (Z, Y, X)
    both: Floats = np.matmul(along_y, values) @ along_x.T
    return both.transpose(2, 1, 0)
