"""Volumes: read in any orientation, worked on in RAS order, written back to the grid they had."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
from PIL import Image

from ascnet_core import files
from ascnet_core.errors import UserError
from ascnet_core.imaging.formats import (
    LOSSY_SUFFIXES,
    NIFTI_SUFFIXES,
    PICTURE_SUFFIXES,
    STACK_SUFFIXES,
    Grid,
    load_stored,
    suffix_of,
)

__all__ = [
    "Grid",
    "Volume",
    "ras_affine",
    "read_mask",
    "read_volume",
    "same_grid",
    "to_ras",
    "to_stored",
    "write_picture",
    "write_volume",
]

# nibabel carries no types of its own that hold.
_nib: Any = nib

# Corners of two grids that lie closer than this are the same corner.
GRID_TOLERANCE_MM = 1e-3


@dataclass(frozen=True, eq=False)
class Volume:
    """An image in RAS order.

    Attributes
    ----------
    data
        float32 (X, Y, Z), read-only, real units of the file. X runs towards the patient's right,
        Y to anterior, Z to superior, each by the stored axis that lies closest to it.
    affine
        4 x 4 float64: indices of `data` to mm.
    grid
        How the file stores it.
    path
        Where it was read from.
    """

    data: npt.NDArray[np.float32]
    affine: npt.NDArray[np.float64]
    grid: Grid
    path: Path | None = None

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
        """Volume of one voxel in millilitres."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000


def read_volume(
    path: str | Path,
    *,
    frame: int | None = None,
    channel: int | None = None,
    nan: float | None = None,
) -> Volume:
    """Read an image and turn it to RAS order.

    Parameters
    ----------
    path
        NIfTI-1/2 (.nii, .nii.gz, .hdr + .img), a .npy stack (N, H, W[, 1]) whose slices become Z,
        or a PNG, TIF or JPEG picture (Z = 1; spacing 1 mm, nominal).
    frame
        Frame of a 4-D file, from 0.
    channel
        Channel of a colour picture, from 0.
    nan
        The value that NaN and infinite values become.

    Raises
    ------
    UserError
        Missing, damaged or unsuitable file; several frames or channels and no choice; NaN or
        infinite values and no value given for them.
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


def read_mask(
    path: str | Path, like: Volume, *, frame: int | None = None, channel: int | None = None
) -> npt.NDArray[np.bool_]:
    """Read a mask for `like`, as bool (X, Y, Z) in RAS order.

    It may be stored in another axis order than the image, as long as its voxels are the same.
    Voxels above 0.5 are in; in pictures those above the middle of the scale (127 of 255), or above
    0 where a lossless picture uses low labels only.

    Raises
    ------
    UserError
        Missing or damaged file, NaN, or another grid than that of `like`.
    """
    path = Path(path)
    stored, grid = load_stored(path, frame, channel)
    if not np.isfinite(stored).all():
        raise UserError(f"{path} is to be a mask but holds NaN; save it with 0 and 1.")
    reason = grid_difference(grid, like.grid)
    if reason:
        image = like.path or "its image"
        raise UserError(
            f"{path} is on another grid than {image} ({reason}); resample it onto the image."
        )
    return to_ras(stored > _mask_level(path, stored), grid)


def _mask_level(path: Path, stored: npt.NDArray[np.float32]) -> float:
    """Return the value above which a stored mask value is in."""
    if suffix_of(path) not in PICTURE_SUFFIXES:
        return 0.5
    highest = float(stored.max())
    if suffix_of(path) in LOSSY_SUFFIXES:
        return 127  # compression leaves low values around edges and in empty masks
    if highest <= 127:
        return 0
    return 127 if highest <= 255 else highest / 2


def grid_difference(one: Grid, other: Grid) -> str:
    """Say in what two grids differ once both are in RAS order; empty where they do not."""
    shape_one, shape_other = _ras_shape(one), _ras_shape(other)
    if shape_one != shape_other:
        names = [" x ".join(map(str, shape)) for shape in (shape_one, shape_other)]
        return f"{names[0]} against {names[1]} voxels"
    corners = np.array(
        [[x, y, z, 1] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float64
    ) * [*(np.array(shape_one) - 1), 1]
    apart = (ras_affine(one) - ras_affine(other)) @ corners.T
    distance = float(np.linalg.norm(apart[:3], axis=0).max())
    return f"corners {distance:.3g} mm apart" if distance > GRID_TOLERANCE_MM else ""


def same_grid(one: Grid, other: Grid) -> bool:
    """Say whether two grids hold the same voxels, however they are stored."""
    return not grid_difference(one, other)


def _turn(grid: Grid) -> tuple[tuple[int, ...], tuple[bool, ...]]:
    """Return for X, Y and Z the stored axis that lies closest, and whether it runs backwards."""
    nearest = np.asarray(_nib.orientations.io_orientation(grid.affine))
    stored_axis = np.argsort(nearest[:, 0])
    return tuple(map(int, stored_axis)), tuple(nearest[axis, 1] < 0 for axis in stored_axis)


def _ras_shape(grid: Grid) -> tuple[int, ...]:
    return tuple(grid.shape[axis] for axis in _turn(grid)[0])


def to_ras(stored: npt.NDArray[Any], grid: Grid) -> npt.NDArray[Any]:
    """Permute and flip a stored array (three axes) to RAS order; a contiguous copy."""
    axes, backwards = _turn(grid)
    flips = tuple(slice(None, None, -1 if back else 1) for back in backwards)
    return np.array(stored.transpose(axes)[flips], order="C")


def ras_affine(grid: Grid) -> npt.NDArray[np.float64]:
    """Return the 4 x 4 affine of the RAS-ordered array."""
    turn = np.zeros((4, 4))
    turn[3, 3] = 1
    for ras, (axis, back) in enumerate(zip(*_turn(grid), strict=True)):
        turn[axis, ras] = -1 if back else 1
        turn[axis, 3] = grid.shape[axis] - 1 if back else 0
    return np.asarray(grid.affine @ turn, np.float64)


def to_stored(array_ras: npt.NDArray[Any], grid: Grid) -> npt.NDArray[Any]:
    """Permute and flip a RAS array (X, Y, Z) to the stored order; the inverse of `to_ras`.

    Raises
    ------
    ValueError
        If the array is not of the grid's shape.
    """
    if tuple(array_ras.shape) != _ras_shape(grid):
        raise ValueError(f"shape {array_ras.shape} is not the grid's {_ras_shape(grid)}")
    axes, backwards = _turn(grid)
    flips = tuple(slice(None, None, -1 if back else 1) for back in backwards)
    return np.array(array_ras[flips].transpose(np.argsort(axes)), order="C")


def write_volume(
    path: str | Path, array_ras: npt.NDArray[Any], grid: Grid, dtype: npt.DTypeLike = np.float32
) -> None:
    """Write a RAS array (X, Y, Z) on the grid that its image was read from.

    A NIfTI file gets the grid's shape, affine, qform and sform with their codes bit for bit (for
    pictures and stacks their nominal grid); `.npy` gets the stack's shape; a picture suffix goes to
    `write_picture`. The file appears whole or not at all.

    Raises
    ------
    UserError
        If the suffix is of no format that is written, or the place cannot be written.
    """
    path = Path(path)
    suffix = suffix_of(path)
    if suffix in PICTURE_SUFFIXES:
        write_picture(path, array_ras, grid)
        return
    if suffix not in NIFTI_SUFFIXES + STACK_SUFFIXES:
        raise UserError(f"{path} cannot be written; name it .nii.gz, .nii, .npy or .png.")
    kind = np.dtype(np.uint8) if np.dtype(dtype) == np.bool_ else np.dtype(dtype)
    stored = to_stored(array_ras, grid).astype(kind)
    if suffix in STACK_SUFFIXES:
        with files.replacing(path) as temporary:
            np.save(temporary, stored.reshape(grid.full_shape or grid.shape))
        return
    image = _nifti(stored, grid)
    with files.replacing(path) as temporary:
        _nib.save(image, temporary)


def _nifti(stored: npt.NDArray[Any], grid: Grid) -> Any:
    if grid.header is None:
        return _nib.Nifti1Image(stored, grid.affine)
    header = grid.header.copy()
    wide = isinstance(header, _nib.Nifti2Header)
    kind = _nib.Nifti2Image if wide else _nib.Nifti1Image
    # A header of an .hdr + .img pair, turned into that of a single file.
    header = (_nib.Nifti2Header if wide else _nib.Nifti1Header).from_header(header)
    header.set_data_dtype(stored.dtype)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0  # the image's display window is not the map's
    header["intent_code"] = 0
    if grid.full_shape and len(grid.full_shape) != stored.ndim:
        stored = stored.reshape(grid.full_shape)
    # nibabel leaves qform and sform alone when it is given the very affine that they say.
    image = kind(stored, header.get_best_affine(), header)
    image.header.extensions.clear()
    return image


def write_picture(path: str | Path, array_ras: npt.NDArray[Any], grid: Grid) -> None:
    """Write one RAS slice (X, Y, 1) as a picture in the orientation of the picture it came from.

    bool becomes 0 and 255, floats in [0, 1] 0 to 255, uint8 stays. PNG and TIF only: JPEG would
    blur a mask.

    Raises
    ------
    UserError
        If the grid is no picture's, or the suffix that of a lossy format.
    """
    path = Path(path)
    if suffix_of(path) in LOSSY_SUFFIXES:
        raise UserError(f"{path} would blur what is written; name it .png.")
    if grid.shape[2] != 1 or grid.kind != "picture":
        raise UserError(f"{path} can hold one slice of a picture only; name it .nii.gz.")
    stored = to_stored(array_ras, grid)[:, :, 0]
    if stored.dtype == np.bool_:
        stored = stored.astype(np.uint8) * np.uint8(255)
    elif stored.dtype != np.uint8:
        stored = np.rint(np.clip(stored, 0, 1) * 255).astype(np.uint8)
    with files.replacing(path) as temporary:
        Image.fromarray(stored).save(temporary)
