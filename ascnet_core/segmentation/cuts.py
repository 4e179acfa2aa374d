"""A scan through a network: its slices in batches, their maps back on the scan's own grid."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ascnet_core.imaging.prepare import Prepared
from ascnet_core.imaging.slices import from_slices
from ascnet_core.network.blocks import Network
from ascnet_core.segmentation.histogram import quantise

MAPS = ("input", "fence", "wild", "reconstruction", "residual")
PRECISIONS = ("float32", "bfloat16")
BATCH_BYTES = 512 * 2**20
"""What the activations of a batch may take; weights and the libraries come on top."""
_FLOATS_PER_PIXEL_AND_MAP = 9
"""Peak of the forward pass: 8 float32 per pixel and first-level map were measured; 9 is safe."""

Slices = NDArray[np.float32]
Maps = dict[str, NDArray[np.float32]]
LevelMaps = dict[str, NDArray[np.uint8]]
Progress = Callable[[int, int], None]


class CutSlices(NamedTuple):
    """The cuts of slices, each (N, S, S) float32 in [0, 1]."""

    fence: Slices
    wild: Slices
    reconstruction: Slices


def batch_for(width: int, size: int) -> int:
    """The largest batch (1 to 64) of size x size slices that stays within `BATCH_BYTES`."""
    each = 4 * _FLOATS_PER_PIXEL_AND_MAP * width * size * size
    return int(min(64, max(1, BATCH_BYTES // each)))


def map_slices(
    model: Network,
    slices: Slices,
    device: str | torch.device = "cpu",
    batch: int | None = None,
    flip: bool = False,
    precision: str = "float32",
    progress: Progress | None = None,
) -> Maps:
    """Maps of slices by name, in batches. The model given is left as it is, also on its device.

    Parameters
    ----------
    model : Network
    slices : (N, S, S) float32
        In [0, 1]; S a multiple of 16.
    device : str
        `cpu`, `cuda`, `cuda:1`, or `auto` (a GPU where there is one).
    batch : int, optional
        Slices at a time; None chooses by memory (`batch_for`).
    flip : bool
        Average over the slice and its left-right mirror image: twice the time, steadier maps.
    precision : str
        `float32`, or `bfloat16` autocast: half the time where the device has it, but on trained
        networks a sixth to a half of the levels move, nearly all by one or two of 255, a few
        voxels at the rims of a near-binary wild cut by far more. For previews, not for masks.
    progress : callable, optional
        Told (slices done, slices in all) after every batch.

    Returns
    -------
    dict of (N, S, S) float32 in [0, 1]
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision is one of {PRECISIONS}, not {precision!r}")
    place = _device(device)
    count, height, width = slices.shape
    found: Maps = {}
    step = batch or batch_for(model.width, max(height, width))
    ready = _ready(model, place)
    make = ready.averaged_maps if flip else ready.maps
    with (
        torch.inference_mode(),
        torch.autocast(place.type, torch.bfloat16, enabled=precision == "bfloat16"),
    ):
        # of no slices, too, the names are known
        for start in range(0, max(1, count), step):
            part = np.ascontiguousarray(slices[start : start + step], np.float32)
            # (n, S, S) -> (n, 1, S, S)
            images = torch.from_numpy(part).unsqueeze(1).to(place)
            for name, made in make(images).items():
                target = found.setdefault(name, np.empty(slices.shape, np.float32))
                target[start : start + step] = made[:, 0].float().cpu().numpy()
            if progress is not None:
                progress(min(start + step, count), count)
    return found


def cut_slices(model: Network, slices: Slices, *more: Any, **options: Any) -> CutSlices:
    """The cuts of slices by ASC-Net; as `map_slices`."""
    maps = map_slices(model, slices, *more, **options)
    return CutSlices(*(maps[name] for name in CutSlices._fields))


def _device(name: str | torch.device) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _ready(model: Network, device: torch.device) -> Network:
    """A copy in eval mode and channels-last: a model in training must not notice that it is used.

    Channels-last is what oneDNN and tensor cores work in; one copy of the weights is small beside
    a batch's activations.
    """
    ready = copy.deepcopy(model).eval().requires_grad_(False)
    # stubs of torch know no memory_format beside device
    return ready.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def cut_scan(
    model: Network,
    prepared: Prepared,
    device: str | torch.device = "cpu",
    batch: int | None = None,
    flip: bool = False,
    precision: str = "float32",
    progress: Progress | None = None,
) -> Maps:
    """Maps of a whole scan, on the volume's grid.

    Slices without any voxel of the region are left out. Parameters are those of `map_slices`.

    Returns
    -------
    dict of (X, Y, Z) float32 in [0, 1], RAS as the prepared volume, 0 outside the region: `input`
    (I_in as scaled), and the network's maps by their names.
    """
    slices = prepared.slices()
    held = np.flatnonzero(prepared.region.any(axis=(0, 1)))
    parts = map_slices(model, slices[held], device, batch, flip, precision, progress)
    maps: Maps = {"input": np.where(prepared.region, prepared.scaled, np.float32(0))}
    whole = np.zeros_like(slices)
    for name, part in parts.items():
        whole[held] = part
        maps[name] = from_slices(whole, prepared.placement)
        # linear weights add up to 1 only to rounding
        np.clip(maps[name], 0, 1, out=maps[name])
        maps[name][~prepared.region] = 0
    return maps


def as_levels(maps: Maps) -> LevelMaps:
    """Maps on 256 levels of the raw range [0, 1]: a quarter of the memory."""
    return {name: quantise(values) for name, values in maps.items()}
