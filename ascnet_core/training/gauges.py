"""What the kept network makes of sample slices, for snapshots and gauges."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ascnet_core.imaging.slices import evenly
from ascnet_core.network.blocks import Network
from ascnet_core.segmentation.quantiser import rank_correlation
from ascnet_core.settings.tables import Settings
from ascnet_core.training.device import autocast, threads
from ascnet_core.training.recipe import recipe_of
from ascnet_core.training.sampling import Sets
from ascnet_core.training.state import TrainingState

SAMPLE = 16  # slices of each set that gauges are measured on
HISTOGRAM_SAMPLE = 48  # input slices whose first map is counted in a snapshot
BATCH = 16  # slices that go through the network at once


@torch.no_grad()
def maps_of(network: Network, slices: Tensor, settings: Settings) -> dict[str, Tensor]:
    """Maps of slices (N, 1, S, S) in inference mode, in batches."""
    network.eval()
    with autocast(slices.device, settings.compute), threads(settings.compute):
        parts = [network.maps(slices[at : at + BATCH]) for at in range(0, len(slices), BATCH)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def spread(slices: Tensor, count: int) -> Tensor:
    """`count` slices (or all, if fewer) spread evenly over the set."""
    return slices[torch.from_numpy(evenly(len(slices), count)).to(slices.device)]


def rank_with_input(map_: Tensor, slices: Tensor) -> float:
    """Spearman's rank correlation of a map with its slices where these are above 0.

    Both are on 256 levels; 0 where one of them is constant there.
    """
    inside = (slices > 0).cpu().numpy()
    found = rank_correlation(_bytes(map_), _bytes(slices), inside)
    return 0.0 if np.isnan(found) else found


def mean_inside(map_: Tensor, slices: Tensor) -> float:
    """Mean of a map where its slices are above 0."""
    return float(map_[slices > 0].mean())


def snapshot_arrays(
    state: TrainingState, settings: Settings, sets: Sets, watched: NDArray[np.float32]
) -> dict[str, NDArray[np.generic]]:
    """The arrays of a snapshot: maps of the watched slices (W, S, S), counts over sample inputs.

    These are `watched_input` and each map that the method keeps, (W, S, S) uint8 with 255 for 1.0;
    `counts` (256,) int64, the method's first map of the sample inside the region; and what the
    method's recipe adds.
    """
    method = settings.method
    slices = torch.from_numpy(np.array(watched, dtype=np.float32))[:, None].to(state.device)
    of_watched = maps_of(state.kept, slices, settings)
    sample = spread(sets.inputs, HISTOGRAM_SAMPLE)
    inside = (sample > 0).cpu().numpy()
    of_sample = maps_of(state.kept, sample, settings)
    levels = {name: _bytes(map_)[inside] for name, map_ in of_sample.items()}
    arrays: dict[str, NDArray[np.generic]] = {"watched_input": _bytes(slices)[:, 0]}
    arrays |= {one.name: _bytes(of_watched[one.name])[:, 0] for one in method.maps if one.kept}
    arrays["counts"] = np.bincount(levels[method.maps[0].name], minlength=256).astype(np.int64)
    return arrays | recipe_of(settings).arrays(levels)


def _bytes(values: Tensor) -> NDArray[np.uint8]:
    """[0, 1] -> 0..255, rounded."""
    return (values.float() * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
