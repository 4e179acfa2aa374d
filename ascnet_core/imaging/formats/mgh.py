"""FreeSurfer's MGH and MGZ."""

from __future__ import annotations

import gzip
import math
import struct
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import (
    Format,
    Grid,
    choose,
    damage_told,
    quiet_nibabel,
    suffix_of,
)
from ascnet_core.imaging.memory import check_memory, check_promise

if TYPE_CHECKING:
    from ascnet_core.imaging.image_format import Stored

# Bytes of a voxel by the header's code: unsigned char, int, float, short.
_BYTES = {0: 1, 1: 4, 3: 4, 4: 2}


def _opened(path: Path) -> tuple[Any, Grid]:
    """Open a file whose data are not read yet."""
    import numpy as np

    nib = quiet_nibabel()
    errors = (nib.filebasedimages.ImageFileError, nib.spatialimages.HeaderDataError)
    with damage_told(path, *errors):
        says_where = _checked(path)
        image = nib.MGHImage.from_filename(path)
        full = tuple(int(n) for n in image.shape)
        affine = np.array(image.affine, np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine)) < 1e-12:
        raise UserError(f"{path} has a header that places voxels nowhere; convert it again.")
    remarks: tuple[str, ...] = ()
    if not says_where:
        remarks = ("The header does not say how the head lies; FreeSurfer's default is taken.",)
    frames = full[3] if len(full) > 3 else 1
    return image, Grid((full[0], full[1], full[2]), affine, None, "mgh", full, frames, remarks)


def _checked(path: Path) -> bool:
    """Say whether a header says how the head lies; ValueError if it asks for more than is there."""
    packed = suffix_of(path) == ".mgz"
    with gzip.open(path) if packed else path.open("rb") as stream:
        *shape, kind, _, flag = struct.unpack(">4x6ih", stream.read(30))
    if min(shape) < 1:
        raise ValueError("an axis has no length")
    check_promise(math.prod(shape) * _BYTES.get(kind, 1), path.stat().st_size, packed)
    return bool(flag == 1)


def _head(path: Path) -> Grid:
    return _opened(path)[1]


def _load(path: Path, frame: int | None, channel: int | None) -> tuple[Stored, Grid]:
    import numpy as np

    image, grid = _opened(path)
    check_memory(path, grid.shape)
    chosen = 0 if grid.frames == 1 else choose(path, "frame", grid.frames, frame)
    with damage_told(path):
        further = (chosen,) * (len(grid.full_shape) - 3)
        stored = np.array(image.dataobj[(..., *further)], np.float32).reshape(grid.shape)
    return stored, replace(grid, full_shape=grid.shape)


FORMAT = Format(
    name="mgh",
    suffixes=(".mgz", ".mgh"),
    short="MGZ",
    long="MGH (.mgz, .mgh)",
    files="MGH files",
    output=".nii.gz",
    load=_load,
    head=_head,
)
