"""A scan through a network: its slices in batches, the maps that are asked for back on its grid."""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ascnet_core.imaging.prepare import Prepared
from ascnet_core.imaging.slices import box_of, from_slices, to_slices
from ascnet_core.names import Tell, tell_nobody
from ascnet_core.network.blocks import Network

PRECISIONS = ("float32", "bfloat16")
PIXELS = {"cpu": 2**18, "cuda": 2**20}
"""What a batch may hold. On a processor 64 slices of 96x96 leave the cache, which costs a quarter;
with few slices threads wait for each other too often. Width 32 at 240x240 stays below 1.5 GiB."""

Slices = NDArray[np.float32]
Maps = dict[str, NDArray[np.float32]]


class Ready(NamedTuple):
    """A network that is used as it is, on its device: make it once (`ready`), cut many scans."""

    network: Network
    device: torch.device


def ready(model: Network | Ready, device: str | torch.device = "cpu") -> Ready:
    """Copy a network, in evaluation mode and channels-last: one in training must not notice.

    Channels-last is what oneDNN and tensor cores work in. `device` is a name of torch's or `auto`
    (a GPU where there is one). What is ready stays as it is.
    """
    if isinstance(model, Ready):
        return model
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    place = torch.device(device)
    network = copy.deepcopy(model).eval().requires_grad_(False)
    # stubs of torch know no memory_format beside device
    return Ready(network.to(place).to(memory_format=torch.channels_last), place)  # type: ignore[call-overload]


def batch_for(size: int, device: str = "cpu") -> int:
    """How many size x size slices (1 to 64) are cut at once."""
    return int(min(64, max(1, PIXELS.get(device, PIXELS["cuda"]) // size**2)))


def map_names(model: Network | Ready) -> tuple[str, ...]:
    """The names of the maps that a network gives, in its order."""
    network, device = ready(model)
    with torch.inference_mode():
        return tuple(network.maps(torch.zeros(1, 1, 16, 16, device=device)))


def cut_slices(
    model: Network | Ready,
    slices: Slices,
    device: str | torch.device = "cpu",
    batch: int | None = None,
    flip: bool = False,
    precision: str = "float32",
    progress: Tell = tell_nobody,
    names: Sequence[str] | None = None,
) -> Maps:
    """Cut slices (N, S, S) float32 in [0, 1], S a multiple of 16, in batches.

    Returns maps (N, S, S) float32 in [0, 1] by name, in the network's order.

    Parameters
    ----------
    model, device : A `Ready` network stays on its own device, another one is copied (see `ready`).
    batch : Slices at a time; None: `batch_for`.
    flip : Average over the slice and its left-right mirror image: twice the time, steadier maps.
    precision : `float32`, or `bfloat16` autocast: half the time where the device has it, but up to
        half of the levels move, nearly all by one or two of 255. For previews, not for masks.
    progress : Told (slices done, slices in all) after every batch.
    names : The maps wanted; None: all.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision is one of {PRECISIONS}, not {precision!r}")
    network, place = ready(model, device)
    make = network.averaged_maps if flip else network.maps
    count, *plane = slices.shape
    step = batch or batch_for(max(plane), place.type)
    result: Maps = {}
    if count == 0:
        result = {name: np.empty(slices.shape, np.float32) for name in map_names(model)}
    with (
        torch.inference_mode(),
        torch.autocast(place.type, torch.bfloat16, enabled=precision == "bfloat16"),
    ):
        for start in range(0, count, step):
            part = np.ascontiguousarray(slices[start : start + step], np.float32)
            # (n, S, S) -> (n, 1, S, S)
            images = torch.from_numpy(part).unsqueeze(1).to(place)
            for name, values in make(images).items():
                if names is None or name in names:
                    whole = result.setdefault(name, np.empty(slices.shape, np.float32))
                    whole[start : start + step] = values[:, 0].float().cpu().numpy()
            progress(min(start + step, count), count)
    return result


def cut_scan(
    model: Network | Ready,
    prepared: Prepared,
    batch: int | None = None,
    flip: bool = False,
    progress: Tell = tell_nobody,
    names: Sequence[str] | None = None,
) -> Maps:
    """Cut a scan: maps (X, Y, Z) float32 in [0, 1] on the volume's grid, 0 outside the region.

    Slices without any voxel of the region are not cut. Parameters are those of `cut_slices`; among
    the `names` may be `input`, the scan as scaled, which comes first.
    """
    region = prepared.region
    box = box_of(region)
    inside = region[box]
    held = inside.any(axis=(0, 1))
    slices = to_slices(prepared.scaled, prepared.placement, box=box)
    cuts = cut_slices(model, slices[held], batch=batch, flip=flip, progress=progress, names=names)
    maps: Maps = {}
    if names is None or "input" in names:
        maps["input"] = np.where(region, prepared.scaled, np.float32(0))
    whole = np.zeros_like(slices)
    for name, cut in cuts.items():
        whole[held] = cut
        maps[name] = np.zeros(region.shape, np.float32)
        values = from_slices(whole, prepared.placement, box=box)
        # linear weights add up to 1 only to rounding
        np.clip(values, 0, 1, out=values)
        np.copyto(maps[name][box], values, where=inside)
    return maps
