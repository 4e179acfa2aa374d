"""DICOM: a folder or a zip of a series, or a file of it.

Of several series one is chosen by its number: `FOLDER#2`. Masks are written as NIfTI.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ascnet_core.imaging.dicom.source import ENDINGS, holds_dicom, split_series
from ascnet_core.imaging.image_format import Format, Grid, choose, extra_told, one_channel
from ascnet_core.imaging.memory import check_memory

if TYPE_CHECKING:
    from ascnet_core.imaging.dicom.geometry import Laid
    from ascnet_core.imaging.image_format import Stored


def laid_out(path: Path) -> tuple[Laid, Grid]:
    """Return the slices of a series in order, and the grid they lie on, with remarks."""
    from ascnet_core.imaging.dicom.geometry import lay_out
    from ascnet_core.imaging.dicom.pixels import same_pixels
    from ascnet_core.imaging.dicom.series import choose_series

    place, _ = split_series(path)
    series, remarks = choose_series(path)
    laid = lay_out(path, series, partial(same_pixels, place))
    rows, columns = series.planes[0].size
    shape, frames = (columns, rows, len(laid.frames[0])), len(laid.frames)
    full = (*shape, frames) if frames > 1 else shape
    return laid, Grid(shape, laid.affine, None, "dicom", full, frames, remarks + laid.remarks)


def _head(path: Path) -> Grid:
    with extra_told(path):
        return laid_out(path)[1]


def _load(path: Path, frame: int | None, channel: int | None) -> tuple[Stored, Grid]:
    import numpy as np

    from ascnet_core.imaging.dicom.pixels import each_plane

    with extra_told(path):
        laid, grid = laid_out(path)
        check_memory(path, grid.shape)
        chosen = 0 if grid.frames == 1 else choose(path, "frame", grid.frames, frame)
        stored: Stored | None = None
        for index, values in each_plane(split_series(path)[0], laid.frames[chosen]):
            if stored is None:  # only now is it known that a slice of that size is there
                stored = np.empty(grid.shape, np.float32, order="F")
            grey = values if values.ndim == 2 else one_channel(path, values, channel)
            stored[:, :, index] = grey.T
    assert stored is not None
    return stored, replace(grid, full_shape=grid.shape)


FORMAT = Format(
    name="dicom",
    suffixes=(*ENDINGS, ".zip"),
    short="DICOM (a folder or zip of a series)",
    long="a folder or zip of a DICOM series",
    files="DICOM series",
    output=".nii.gz",
    load=_load,
    head=_head,
    holds=holds_dicom,
)
