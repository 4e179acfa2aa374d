"""Volumes: read in any orientation, worked on in RAS order, written back to the grid they had."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel import orientations

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import OtherMasks
from ascnet_core.imaging.formats import FORMATS, check_file, format_of, load_stored
from ascnet_core.imaging.image_format import (
    BEYOND,
    NOMINAL,
    ChoiceNeeded,
    Grid,
    either,
    sizes,
    suffix_of,
)
from ascnet_core.imaging.mask import colours_as_labels, meant
from ascnet_core.imaging.mask_background import usual_background
from ascnet_core.imaging.nifti_header import corner_distance

_orientations: Any = orientations  # nibabel has no types that hold

# Corners of two grids that lie closer than this are the same corner; further apart they may be by
# rounding, to a hundredth of a voxel, or over a wide grid to a quarter.
ROUNDING_MM = 1e-3
_SHARE_OF_VOXEL, _MOST_OF_VOXEL, _SHARE_OF_EXTENT = 0.01, 0.25, 5e-4


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
                f"{path} holds NaN or infinite values ({odd.mean():.1%} of its voxels"
                f"{'; those beyond 3.4e38 are taken as infinite' * (BEYOND in grid.remarks)}); "
                "choose the value they become (option --nan, or on the Data page)."
            )
        stored[odd] = nan
    data = to_ras(stored, grid)
    data.flags.writeable = False
    return Volume(data, ras_affine(grid), grid, path)


def read_mask(
    path: str | Path,
    like: Volume,
    *,
    labels: Sequence[int] = (),
    frame: int | None = None,
    lesion: bool = True,
) -> npt.NDArray[np.bool_]:
    """Read a mask as `read_mask_and_remarks`, without the remarks."""
    return read_mask_and_remarks(path, like, labels=labels, frame=frame, lesion=lesion)[0]


def read_mask_and_remarks(
    path: str | Path,
    like: Volume,
    *,
    labels: Sequence[int] = (),
    frame: int | None = None,
    lesion: bool = True,
    others: OtherMasks = ((), ()),
) -> tuple[npt.NDArray[np.bool_], tuple[str, ...]]:
    """Read a mask for `like`, as bool (X, Y, Z) in RAS order, with remarks on what was unsure.

    It may be stored in another axis order than the image, as long as its voxels are the same. Which
    values are meant, and what `labels` and `lesion` do, says `mask.meant`; colours are numbered.
    `frame` is chosen where the file holds several. `others` are masks of its subject and of
    all, which are asked what background is where this one does not tell.

    Raises a UserError if the file is missing, damaged, holds NaN, has another grid than `like`, or
    does not say which voxels are meant.
    """
    path = Path(path)
    colours: list[str] = []
    try:
        stored, grid = load_stored(path, frame)
    except ChoiceNeeded as error:
        if error.what == "frame":
            raise UserError(
                f"{path} is a mask of {error.count} frames; save the frame that is meant as a file "
                "of its own, or choose it, for the image and the mask alike (option --frame, or on "
                "the Data page)."
            ) from error
        channels = [load_stored(path, frame, channel) for channel in range(error.count)]
        grid = channels[0][1]
        every = np.stack([one for one, _ in channels], axis=-1)
        stored, colours = colours_as_labels(every, path, labels)
    if not np.isfinite(stored).all():
        raise UserError(f"{path} is to be a mask but holds NaN; save it with 0 and 1.")
    remarks = _check_grid(path, grid, like)
    if colours and not labels:
        return to_ras(stored > 0, grid), (*remarks, *colours)
    level = 0 if colours else check_file(path).mask_level(path, stored)

    def usual(subject_alone: bool) -> float | None:
        groups = [[one for one in group if one != path] for group in others]
        return usual_background(groups[:1] if subject_alone else groups, frame)

    mask, further = meant(stored, path, labels, level, lesion, usual)
    return to_ras(mask, grid), (*remarks, *colours, *further)


def _check_grid(path: Path, grid: Grid, like: Volume) -> list[str]:
    """Remark a mask's grid that differs by rounding from the image's; refuse one that does more."""
    reason = grid_difference(grid, like.grid)
    if not reason:
        apart = corner_distance(ras_affine(grid), ras_affine(like.grid), _ras_shape(grid))
        if apart <= ROUNDING_MM:
            return []
        return [f"The corners of {path.name} lie {apart:.2g} mm from the image's, as by rounding."]
    said, of_image = (
        one.kind not in NOMINAL and not np.array_equal(one.affine, np.eye(4))
        for one in (grid, like.grid)
    )
    if grid.shape == like.grid.shape and said != of_image:
        silent, other = (like.path, path) if said else (path, like.path)
        raise UserError(
            f"{silent} does not say where its voxels lie, {other} does ({reason}); save the mask "
            "with the image's affine, after looking that left and right are the same in both."
        )
    raise UserError(
        f"{path} is on another grid than {like.path} ({reason}); resample it onto the image."
    )


def grid_difference(one: Grid, other: Grid) -> str:
    """Say in what two grids differ once both are in RAS order; empty where they do not.

    Rounding in a header is no difference.
    """
    shape, other_shape = _ras_shape(one), _ras_shape(other)
    if shape != other_shape:
        return f"{sizes(shape)} against {sizes(other_shape)} voxels"
    affine, other_affine = ras_affine(one), ras_affine(other)
    distance = corner_distance(affine, other_affine, shape)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    extent = float(np.linalg.norm(spacing * shape))
    smallest = float(spacing.min())
    wide = min(_MOST_OF_VOXEL * smallest, _SHARE_OF_EXTENT * extent)
    tolerance = max(ROUNDING_MM, _SHARE_OF_VOXEL * smallest, wide)
    return f"corners {distance:.3g} mm apart" if distance > tolerance else ""


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
