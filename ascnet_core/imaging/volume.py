"""Volumes: read in any orientation, worked on in RAS order, written back to the grid they had."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel import orientations

from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import FORMATS, check_file, format_of, load_stored
from ascnet_core.imaging.image_format import Grid, either, sizes, suffix_of

_orientations: Any = orientations  # nibabel has no types that hold

# Corners of two grids that lie closer than this are the same corner.
GRID_TOLERANCE_MM = 1e-3


@dataclass(frozen=True, eq=False)
class Volume:
    """An image in RAS order: X runs towards the patient's right, Y to anterior, Z to superior.

    `data` is float32 (X, Y, Z), read-only, in real units; each axis is the stored one that lies
    closest to it. `affine` (4 x 4) takes its indices to mm, `grid` says how the file stores it.
    """

    data: npt.NDArray[np.float32]
    affine: npt.NDArray[np.float64]
    grid: Grid
    path: Path

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance of neighbouring voxels in mm along X, Y and Z."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along X, Y and Z."""
        x, y, z = self.data.shape
        return x, y, z

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres, also where the axes are sheared."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000


def read_volume(
    path: str | Path,
    *,
    frame: int | None = None,
    channel: int | None = None,
    nan: float | None = None,
) -> Volume:
    """Read an image of one of the `FORMATS` and turn it to RAS order.

    The slices of a stack become Z; a picture has Z = 1. NaN and infinite values become `nan`.

    Raises a UserError as `load_stored`, or if the image holds such values and `nan` is None.
    """
    path = Path(path)
    stored, grid = load_stored(path, frame, channel)
    odd = ~np.isfinite(stored)
    if odd.any():
        if nan is None:
            raise UserError(
                f"{path} holds NaN or infinite values ({odd.mean():.1%} of its voxels); choose the "
                "value they become (option --nan, or on the Data page)."
            )
        stored[odd] = nan
    data = to_ras(stored, grid)
    data.flags.writeable = False
    return Volume(data, ras_affine(grid), grid, path)


def read_mask(path: str | Path, like: Volume) -> npt.NDArray[np.bool_]:
    """Read a mask for `like`, as bool (X, Y, Z) in RAS order.

    It may be stored in another axis order than the image, as long as its voxels are the same.

    Raises a UserError if the file is missing, damaged, holds NaN, or has another grid than `like`.
    """
    path = Path(path)
    stored, grid = load_stored(path)
    if not np.isfinite(stored).all():
        raise UserError(f"{path} is to be a mask but holds NaN; save it with 0 and 1.")
    reason = grid_difference(grid, like.grid)
    if reason:
        raise UserError(
            f"{path} is on another grid than {like.path} ({reason}); resample it onto the image."
        )
    return to_ras(stored > check_file(path).mask_level(path, stored), grid)


def grid_difference(one: Grid, other: Grid) -> str:
    """Say in what two grids differ once both are in RAS order; empty where they do not."""
    shape, other_shape = _ras_shape(one), _ras_shape(other)
    if shape != other_shape:
        return f"{sizes(shape)} against {sizes(other_shape)} voxels"
    corners = np.indices((2, 2, 2)).reshape(3, 8).T * np.subtract(shape, 1)
    apart = (ras_affine(one) - ras_affine(other)) @ np.c_[corners, np.ones(8)].T
    distance = float(np.linalg.norm(apart[:3], axis=0).max())
    return f"corners {distance:.3g} mm apart" if distance > GRID_TOLERANCE_MM else ""


def _orientation(grid: Grid) -> npt.NDArray[np.float64]:
    return np.asarray(_orientations.io_orientation(grid.affine))


def _ras_shape(grid: Grid) -> tuple[int, ...]:
    return tuple(grid.shape[axis] for axis in np.argsort(_orientation(grid)[:, 0]))


def to_ras(stored: npt.NDArray[Any], grid: Grid) -> npt.NDArray[Any]:
    """Permute and flip a stored array (three axes) to RAS order; a contiguous copy."""
    return np.array(_orientations.apply_orientation(stored, _orientation(grid)), order="C")


def ras_affine(grid: Grid) -> npt.NDArray[np.float64]:
    """Return the 4 x 4 affine of the RAS-ordered array."""
    turn = _orientations.inv_ornt_aff(_orientation(grid), grid.shape)
    return np.asarray(grid.affine @ turn, np.float64)


def to_stored(array_ras: npt.NDArray[Any], grid: Grid) -> npt.NDArray[Any]:
    """Permute and flip a RAS array (X, Y, Z) to the stored order; the inverse of `to_ras`."""
    if tuple(array_ras.shape) != _ras_shape(grid):
        raise ValueError(f"shape {array_ras.shape} is not the grid's {_ras_shape(grid)}")
    ras = _orientations.axcodes2ornt("RAS")
    back = _orientations.ornt_transform(ras, _orientation(grid))
    return np.array(_orientations.apply_orientation(array_ras, back), order="C")


def write_volume(
    path: str | Path, array_ras: npt.NDArray[Any], grid: Grid, dtype: npt.DTypeLike = np.float32
) -> None:
    """Write a RAS array (X, Y, Z) on the grid that its image was read from, whole or not at all.

    A NIfTI file gets the grid's shape, affine, qform and sform with their codes bit for bit, a
    stack the shape that was read. A picture gets bool as 0 and 255, floats in [0, 1] as 0 to 255,
    uint8 as it is, whatever `dtype`.

    Raises a UserError if the suffix is of no format that is written, or the file cannot be written.
    """
    path = Path(path)
    found = format_of(path)
    if found is None or found.write is None or suffix_of(path) in found.pair:
        known = either(dict.fromkeys(one.output for one in FORMATS))
        raise UserError(f"{path} cannot be written; name it {known}.")
    kind = np.dtype(np.uint8) if np.dtype(dtype) == np.bool_ else np.dtype(dtype)
    found.write(path, to_stored(array_ras, grid), grid, kind)
