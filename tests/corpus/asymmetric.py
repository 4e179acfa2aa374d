"""A head that nobody can turn round without its being seen: a lesion right, a nose, a bun on top.

Stored in any axis order by nibabel alone, and read back by nibabel alone.
"""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np

SHAPE = (32, 40, 12)
SPACING = (1.5, 1.2, 4.0)
RIGHT = (slice(22, 26), slice(16, 21), slice(4, 7))
"""The lesion, in voxels of the RAS grid: x is high, so it is on the patient's right."""


def head() -> np.ndarray:
    """Grey values (X, Y, Z) in RAS order: tissue 60 to 120, nose and bun 150, lesion 250, air 0."""
    x, y, z = np.indices(SHAPE)
    inside = ((x - 15.5) / 14) ** 2 + ((y - 19) / 17) ** 2 + ((z - 5) / 6) ** 2 < 1
    noise = np.random.default_rng(0).integers(60, 120, SHAPE)
    data = np.where(inside, noise, 0).astype(np.float32)
    data[14:18, 34:39, 4:7] = 150  # the nose, to the front
    data[14:18, 16:22, 10:12] = 150  # the bun, on top
    data[RIGHT] = 250
    return data


def lesion() -> np.ndarray:
    """The lesion as bool (X, Y, Z) in RAS order."""
    mask = np.zeros(SHAPE, bool)
    mask[RIGHT] = True
    return mask


def affine(turned: float = 0.0, sheared: float = 0.0) -> np.ndarray:
    """The RAS grid's affine with its middle at 0, 0, 0.

    `turned` in degrees about an axis askew; `sheared` mm of y for each mm of z, as a gantry's tilt.
    """
    from tests.helpers import rotation

    shear = np.eye(3)
    shear[1, 2] = sheared
    whole = np.eye(4)
    whole[:3, :3] = rotation(turned) @ shear @ np.diag(SPACING)
    whole[:3, 3] = -whole[:3, :3] @ (np.subtract(SHAPE, 1) / 2)
    return whole


def store(
    path: Path, data: np.ndarray, axcodes: str, at: np.ndarray, dtype: type = np.int16
) -> Path:
    """Write a RAS array whose affine is `at` in the axis order `axcodes`, such as "PIR"."""
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(axcodes)
    )
    stored = nib.orientations.apply_orientation(data, turn)
    image = nib.Nifti1Image(
        stored.astype(dtype), at @ nib.orientations.inv_ornt_aff(turn, data.shape)
    )
    image.header.set_xyzt_units("mm")
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(image, path)
    return path


def in_world(path: Path, at: np.ndarray) -> np.ndarray:
    """A file's values where they lie in the world, brought to the grid of `at` (X, Y, Z)."""
    image = nib.load(path)
    values = np.asanyarray(image.dataobj)
    places = np.indices(values.shape[:3]).reshape(3, -1)
    world = image.affine[:3, :3] @ places + image.affine[:3, 3:]
    voxels = np.linalg.solve(at[:3, :3], world - at[:3, 3:])
    index = np.rint(voxels).astype(int)
    assert np.abs(voxels - index).max() < 0.01, "the grid is another one"
    found = np.full(SHAPE, -1.0)
    found[tuple(index)] = values.ravel()
    return found
