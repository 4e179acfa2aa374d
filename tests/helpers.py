"""Tiny awkward volumes for tests; made with nibabel's own orientation functions."""

from __future__ import annotations

import itertools
from pathlib import Path

import nibabel as nib
import numpy as np

# All 48 ways to store three axes: 6 orders, each axis forwards or backwards.
ORIENTATIONS = tuple(
    "".join(signs[axis] for axis in order)
    for order in itertools.permutations(range(3))
    for signs in itertools.product("RL", "AP", "SI")
)


def rotation(degrees: float) -> np.ndarray:
    """Turn by an angle about an axis that is none of the three."""
    axis = np.array([1.0, 2.0, 3.0]) / np.sqrt(14)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    angle = np.deg2rad(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def make_nifti(
    path: Path,
    data: np.ndarray | None = None,
    *,
    shape: tuple[int, ...] = (5, 7, 4),
    axcodes: str = "RAS",
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    oblique: float = 0.0,
    dtype: type | str = np.float32,
    slope: tuple[float, float] | None = None,
    codes: tuple[int, int] = (1, 1),
    nifti2: bool = False,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Write a NIfTI file and return its data and affine in RAS order.

    Parameters
    ----------
    path
        .nii, .nii.gz or .img.
    data
        (X, Y, Z[, T]) in RAS order; random values 0 to 99 of `shape` if not given.
    axcodes
        How the file stores it, such as "LPS" or "SAR".
    spacing
        In mm along X, Y, Z (RAS).
    oblique
        Degrees by which the whole grid is turned.
    dtype, slope
        Type on disk; (slope, intercept) of the header.
    codes
        qform and sform code; 0 leaves that form out.
    """
    if data is None:
        data = np.random.default_rng(seed).integers(0, 100, shape).astype(np.float32)
    affine = np.eye(4)
    affine[:3, :3] = rotation(oblique) @ np.diag(spacing)
    affine[:3, 3] = (-11.5, 7.25, 3.0)
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(axcodes)
    )
    stored = nib.orientations.apply_orientation(data, turn)
    stored_affine = affine @ nib.orientations.inv_ornt_aff(turn, data.shape[:3])
    pair = str(path).endswith((".img", ".hdr"))
    single = nib.Nifti2Image if nifti2 else nib.Nifti1Image
    kind = (nib.Nifti2Pair if nifti2 else nib.Nifti1Pair) if pair else single
    if slope:
        stored = (stored - slope[1]) / slope[0]
    image = kind(stored.astype(dtype), stored_affine)
    image.set_qform(stored_affine if codes[0] else None, int(codes[0]))
    image.set_sform(stored_affine if codes[1] else None, int(codes[1]))
    if slope:
        image.header.set_slope_inter(*slope)
        # nibabel writes the raw numbers as they are once slope and intercept are in the header.
        image = kind(_Raw(stored.astype(dtype), slope), None, image.header)
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return np.asarray(data), affine


class _Raw:
    """Numbers that nibabel scales itself, so that it stores the raw ones."""

    def __init__(self, raw: np.ndarray, slope: tuple[float, float]) -> None:
        self.raw, self.slope = raw, slope
        self.shape, self.ndim = raw.shape, raw.ndim

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.raw * self.slope[0] + self.slope[1], dtype)
