"""Stacks of slices as numpy arrays, (N, H, W) or (N, H, W, 1); (H, W) is one slice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core import files
from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import (
    UNSIZED,
    Format,
    Grid,
    damage_told,
    one_channel,
    sizes,
    to_float32,
)
from ascnet_core.imaging.memory import check_memory

if TYPE_CHECKING:
    import numpy.typing as npt

    from ascnet_core.imaging.image_format import Stored


def _head(path: Path) -> Grid:
    return _grid(path, _opened(path).shape)


def _opened(path: Path) -> npt.NDArray[Any]:
    import numpy as np

    # A damaged head may raise anything; objects are not mapped, so nothing is unpickled.
    with damage_told(path, Exception):
        return np.lib.format.open_memmap(path, mode="r")


def _grid(path: Path, full: tuple[int, ...]) -> Grid:
    """Place slices on each other at 1 mm, rows from anterior down, columns from the right."""
    import numpy as np

    if min(full, default=0) < 1 or len(full) not in (2, 3, 4) or (len(full) == 4 and full[3] > 4):
        raise UserError(f"{path} has shape {sizes(full)}; a stack is (N, H, W) or (N, H, W, 1).")
    count, rows, columns = (1, *full) if len(full) == 2 else full[:3]
    affine = [[0, 0, -1, columns - 1], [0, -1, 0, rows - 1], [1, 0, 0, 0], [0, 0, 0, 1]]
    shape, place = (count, rows, columns), np.array(affine, np.float64)
    return Grid(shape, place, None, "stack", full, remarks=(UNSIZED,))


def _load(path: Path, frame: int | None, channel: int | None) -> tuple[Stored, Grid]:
    stack = _opened(path)
    if stack.dtype.kind not in "buif":
        raise UserError(f"{path} holds {stack.dtype} values; save real numbers.")
    grid = _grid(path, stack.shape)
    check_memory(path, grid.shape)
    if stack.ndim == 4:
        if stack.shape[3] > 1:
            grid = replace(grid, full_shape=grid.shape)
        stack = one_channel(path, stack, channel)
    with damage_told(path):
        return to_float32(stack, grid)


def _write(path: Path, stored: npt.NDArray[Any], grid: Grid, dtype: npt.DTypeLike) -> None:
    import numpy as np

    with files.replacing(path) as temporary:
        np.save(temporary, stored.astype(dtype).reshape(grid.full_shape or grid.shape))


FORMAT = Format(
    name="stack",
    suffixes=(".npy",),
    short=".npy",
    long="a numpy stack (.npy)",
    files=".npy stacks",
    output=".npy",
    load=_load,
    head=_head,
    write=_write,
)
