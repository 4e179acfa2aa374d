"""Where the slices of a series lie: their order, frames and affine, and what was mended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ascnet_core.errors import UserError
from ascnet_core.imaging.dicom.planes import Plane
from ascnet_core.imaging.dicom.series import Series

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

# Slices may lie this far from an even row, in parts of their distance: positions are rounded.
_UNEVEN = 0.1
_UNEVEN_UNSAID = 0.01
# Positions that differ by less than this part of a pixel are the same place.
_SAME_PLACE = 0.01
_SAME_FRAME = 0.1
# Slices further apart than so many of their thickness are as if every other one were missing.
_SPARSE = 1.9


@dataclass(frozen=True, eq=False)
class Laid:
    """Frames of planes in order along the normal, and the affine (4 x 4) of stored voxels.

    Voxels are stored by column, row and slice; the affine takes them to mm in RAS order.
    """

    frames: tuple[tuple[Plane, ...], ...]
    affine: Floats
    remarks: tuple[str, ...]


def lay_out(path: Path, series: Series, same_pixels: Callable[[Plane, Plane], bool]) -> Laid:
    """Put the planes of a series in order; `same_pixels` says whether two hold the same values.

    Copies of a slice are dropped, and several slices at every place become frames.

    Raises a UserError if slices are missing or unevenly placed, or directions make no sense.
    """
    import numpy as np

    first = series.planes[0]
    remarks: list[str] = []
    spacing = first.spacing
    if spacing is None or not min(spacing) > 0:
        spacing = (1.0, 1.0)
        remarks.append("The DICOM header names no pixel spacing; 1 mm is taken.")
    placeless = sum(plane.position is None for plane in series.planes)
    if first.orientation is None or placeless == len(series.planes):
        return _without_positions(series, spacing, remarks)
    if placeless:
        raise UserError(
            f"{path} has slices that say where they lie, and {placeless} that do not; export the "
            "series again, or leave those out."
        )
    along_row, along_column = np.reshape(first.orientation, (2, 3)).astype(np.float64)
    lengths = np.linalg.norm([along_row, along_column], axis=1)
    if not (np.abs(lengths - 1) < 0.01).all() or abs(float(along_row @ along_column)) > 0.01:
        raise UserError(
            f"{path} has slices whose directions make no sense in its DICOM header; export the "
            "series again."
        )
    normal = np.cross(along_row, along_column)
    places = _places(series.planes, normal, _SAME_PLACE * min(spacing))
    frames = _frames(path, places, same_pixels, remarks)
    positions = np.array([plane.position for plane in frames[0]], np.float64)
    if not np.isfinite(positions).all():
        raise UserError(f"{path} has slices without a place; export the series again.")
    for frame in frames[1:]:
        others = np.array([plane.position for plane in frame], np.float64)
        if np.abs(others - positions).max() > _SAME_FRAME * min(spacing):
            raise UserError(
                f"{path} has slices that lie beside each other at one depth; export them as series "
                "of their own."
            )
    if len(positions) > 1:
        step = _even_step(path, positions, positions @ normal, remarks)
        apart = float(np.linalg.norm(step))
        if first.gap and apart > _SPARSE * first.gap:
            remarks.append(
                f"Slices lie {apart:.4g} mm apart, where the DICOM header says {first.gap:.4g} mm "
                "(of their distance or thickness); look whether files are missing."
            )
    else:
        step = normal * _gap(first, remarks)
        if first.frames == 1 and len(series.planes) == 1:
            remarks.append("It is a single slice; for more, name the folder or zip of the series.")
    affine = np.eye(4)
    # Along a row the column counts up, by the distance between columns.
    affine[:3, :4] = np.column_stack(
        [along_row * spacing[1], along_column * spacing[0], step, positions[0]]
    )
    return Laid(tuple(map(tuple, frames)), np.diag([-1.0, -1, 1, 1]) @ affine, tuple(remarks))


def _without_positions(series: Series, spacing: tuple[float, ...], remarks: list[str]) -> Laid:
    """Lay slices on each other as they are numbered: anterior up, the patient's right left."""
    import numpy as np

    planes = sorted(series.planes, key=lambda plane: plane.order[-3:])
    remarks.append(
        "The DICOM header does not say where slices lie; they are taken as axial, as numbered."
    )
    gap = _gap(planes[0], remarks)
    rows, columns = planes[0].size
    affine = np.diag([-spacing[1], -spacing[0], gap, 1.0])
    affine[:2, 3] = (columns - 1) * spacing[1], (rows - 1) * spacing[0]
    return Laid((tuple(planes),), affine, tuple(remarks))


def _gap(plane: Plane, remarks: list[str]) -> float:
    if plane.gap:
        return plane.gap
    remarks.append("The DICOM header names no distance of slices; 1 mm is taken.")
    return 1.0


def _places(planes: Sequence[Plane], normal: Floats, tolerance: float) -> list[list[Plane]]:
    """Group planes by their place along the normal, lowest first."""
    import numpy as np

    depths = np.array([plane.position for plane in planes], np.float64) @ normal
    places: list[list[Plane]] = []
    last = -np.inf
    for index in np.argsort(depths, kind="stable"):
        if depths[index] - last > tolerance:
            places.append([])
            last = depths[index]
        places[-1].append(planes[index])
    return places


def _frames(
    path: Path,
    places: list[list[Plane]],
    same_pixels: Callable[[Plane, Plane], bool],
    remarks: list[str],
) -> list[list[Plane]]:
    """Drop copies of a slice, and make frames of what several slices at each place leave."""
    if all(len(place) == 1 for place in places):
        return [[place[0] for place in places]]
    ordered = [sorted(place, key=lambda plane: plane.order) for place in places]
    counts = {len(place) for place in ordered}
    dropped = 0
    if len(counts) > 1 or same_pixels(*ordered[0][:2]):
        for place in ordered:
            kept: list[Plane] = []
            for plane in place:
                if any(same_pixels(plane, other) for other in kept):
                    dropped += 1
                else:
                    kept.append(plane)
            place[:] = kept
        counts = {len(place) for place in ordered}
    if dropped:
        remarks.append(f"{dropped} cop{'y' if dropped == 1 else 'ies'} of slices left out.")
    if len(counts) > 1:
        usual, most = min(counts), max(counts)
        raise UserError(
            f"{path} has {most} slices that differ at one place and {usual} at another; files of "
            "the series are missing, or of another one among them."
        )
    return [list(frame) for frame in zip(*ordered, strict=True)]


def _even_step(path: Path, positions: Floats, depths: Floats, remarks: list[str]) -> Floats:
    """Return the vector from slice to slice, or raise a UserError where they lie unevenly."""
    import numpy as np

    count = len(positions)
    step: Floats = (positions[-1] - positions[0]) / (count - 1)
    even = positions[0] + np.arange(count)[:, None] * step
    off = float(np.linalg.norm(positions - even, axis=1).max() / np.linalg.norm(step))
    if off > _UNEVEN:
        gaps = np.diff(depths)
        usual, widest = float(np.sort(gaps)[(len(gaps) - 1) // 2]), int(gaps.argmax())
        if gaps[widest] > 1.5 * usual:
            raise UserError(
                f"{path} lacks slices: {gaps[widest]:.4g} mm lie between slices {widest + 1} and "
                f"{widest + 2}, where {usual:.4g} mm are usual; copy the missing files, or "
                "resample the series."
            )
        raise UserError(
            f"{path} has slices at uneven distances ({gaps.min():.4g} to {gaps.max():.4g} mm); "
            "resample the series to even ones."
        )
    if off > _UNEVEN_UNSAID:
        remarks.append(
            f"Slices lie up to {off:.0%} of their distance off an even row; an even one is taken."
        )
    return step
