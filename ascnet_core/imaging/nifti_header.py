"""What a NIfTI header says of places and sizes, in millimetres, and what it leaves unsure."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel.spatialimages import HeaderDataError

from ascnet_core.imaging.image_format import size_mm

Affine = npt.NDArray[np.float64]
# The lowest three bits of `xyzt_units` are the unit of length.
_UNITS = {1: ("metres", 1000.0), 2: ("millimetres", 1.0), 3: ("micrometres", 0.001)}
_LIKELY_MM = (0.01, 50)
# Text fields of NIfTI-1 and NIfTI-2; some programs write a patient's name into them.
_TEXTS = ("descrip", "aux_file", "intent_name", "db_name", "data_type")


@np.errstate(all="ignore")  # numbers that are none are looked for
def affine_mm(header: Any, pixdim: npt.NDArray[Any]) -> tuple[Affine, list[str]]:
    """Return the header's affine (4 x 4) in mm, and remarks on what was unsure about it.

    A form of the header that places voxels nowhere, beside a good one, is marked as not there, so
    that what is written with the header says one thing. `pixdim` (8 values) is the header's own as
    stored: nibabel mends zero and negative ones.
    """
    affine, remarks = _best(header)
    code = int(header["xyzt_units"]) & 7
    unit, factor = _UNITS.get(code, ("", 1.0))
    affine[:3] *= factor
    if not unit:
        remarks.append("The header names no unit of length; millimetres are taken.")
    remarks += [] if remarks else _contradictions(header, affine, pixdim, factor)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    said = "says that" if factor == 1 else f"counts in {unit}:"
    likely = _LIKELY_MM[0] <= spacing[spacing > 0].min(initial=1) and spacing.max() <= _LIKELY_MM[1]
    unlikely = "" if likely else ", which is unlikely; check its unit of length"
    if factor != 1 or unlikely:
        remarks.append(f"The header {said} a voxel is {size_mm(spacing)}{unlikely}.")
    return affine, remarks


def _best(header: Any) -> tuple[Affine, list[str]]:
    """Return the sform, else the qform, else what the voxel sizes say; in the header's unit.

    A sform that places voxels nowhere is taken out where the qform can stand for it.
    """
    affine = np.array(header.get_best_affine(), np.float64)
    if int(header["sform_code"]) <= 0 or int(header["qform_code"]) <= 0 or _places(affine):
        return affine, []
    qform = _qform(header)
    if qform is None:
        return affine, []
    header["sform_code"] = 0
    return qform, ["The header's sform places voxels nowhere; the qform is taken."]


def _qform(header: Any) -> Affine | None:
    """Return the qform (4 x 4), None if it cannot be read or places voxels nowhere."""
    try:
        qform = np.array(header.get_qform(), np.float64)
    except (HeaderDataError, ValueError):  # the latter of a quaternion that is none
        return None
    return qform if _places(qform) else None


def _places(affine: Affine) -> bool:
    """Say whether an affine spreads at least the voxels of a slice."""
    across = np.cross(affine[:3, 0], affine[:3, 1])
    return bool(np.isfinite(affine).all() and across.any())


def _contradictions(
    header: Any, affine: Affine, pixdim: npt.NDArray[Any], factor: float
) -> list[str]:
    """Say what of qform, sform and pixdim is missing or says something else than the affine."""
    qform, sform = int(header["qform_code"]), int(header["sform_code"])
    axes = min(int(header["dim"][0]), 3)
    sizes = np.asarray(pixdim[1 : axes + 1], np.float64)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)[:axes]
    remarks = []
    if sform <= 0 and qform <= 0:
        remarks.append(
            "The header has neither qform nor sform: its first axis is taken to run to the "
            "patient's left, so left and right are not sure."
        )
    if sform <= 0:
        if not (sizes > 0).all():
            remarks.append(
                f"The header says voxel sizes (pixdim) of {_numbers(sizes)}; "
                f"{size_mm(spacing)} is taken."
            )
        return remarks
    if spacing.all() and not np.allclose(np.abs(sizes) * factor, spacing, rtol=0.01):
        remarks.append(
            f"The header's voxel sizes (pixdim, {_numbers(sizes)}) are not those of its sform "
            f"({size_mm(spacing)}); the sform is taken."
        )
    if qform > 0:
        remarks += _forms_apart(header, affine, factor)
    return remarks


def _forms_apart(header: Any, affine: Affine, factor: float) -> list[str]:
    """Say how far qform and sform place a voxel apart, where that is over half a voxel."""
    other = _qform(header)
    if other is None:
        header["qform_code"] = 0
        return ["The header's qform cannot be read; the sform is taken."]
    other[:3] *= factor
    shape = (*header.get_data_shape(), 1, 1)[:3]
    apart = corner_distance(affine, other, shape)
    smallest = float(np.linalg.norm(affine[:3, :3], axis=0).min())
    if apart <= 0.5 * smallest:
        return []
    return [
        f"The header's qform and sform place voxels up to {apart:.3g} mm apart; the sform is taken."
    ]


@np.errstate(all="ignore")  # nan and infinity say that they are far apart
def corner_distance(one: Affine, other: Affine, shape: tuple[int, ...]) -> float:
    """Return by how many mm two affines place a corner of a grid apart at most."""
    corners = np.indices((2, 2, 2)).reshape(3, 8).T * np.subtract(shape, 1)
    apart = (one - other) @ np.c_[corners, np.ones(8)].T
    return float(np.linalg.norm(apart[:3], axis=0).max())


def empty_texts(header: Any) -> None:
    """Empty the header's text fields, which may hold names."""
    for name in _TEXTS:
        if name in header:
            header[name] = b""


def _numbers(values: npt.NDArray[Any]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
