"""Smooth random blobs over reference slices: what a denoising recipe learns to take out."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

from ascnet_core.network.sharding import ALONE, Place
from ascnet_core.training.settings import Corruption

LEAST_COVER = 0.4
"""A blob with a brightness of its own hides at least this share of the tissue under it."""


class Corrupted(NamedTuple):
    """Slices (N, 1, H, W) in [0, 1] with blobs.

    `mask` is 1 where a blob that counts as anomaly lies, `excess` the positive part of the change.
    """

    slices: Tensor
    mask: Tensor
    excess: Tensor


def corrupt(slices: Tensor, settings: Corruption, seed: int, place: Place = ALONE) -> Corrupted:
    """Lay blobs over the tissue (values above 0) of some of the slices.

    For each slice a field of random numbers, from `coarse` to `fine` cells across, is enlarged
    smoothly and cut at the level that leaves the drawn share of the tissue. What lies above is
    brightened (or darkened) by the drawn amount, or brought to a brightness that lies so far from
    the slice's mean, with a soft edge and some grain.

    Parameters
    ----------
    slices
        (N, 1, H, W) float32 in [0, 1], 0 outside the region.
    settings
        The table `corruption`.
    seed
        Seed of the draws, which are made on the CPU whatever the device.
    place
        The process whose part of a batch the slices are; draws are made for the whole batch.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = slices.shape[2:]
    count = len(slices) * place.size
    draws = torch.rand(9 if settings.level else 7, count, generator=generator)
    grain = place.own(torch.randn(count, *slices.shape[1:], generator=generator)).to(slices)
    blends = []
    for one in range(count):
        cells = round(_log_between(settings.coarse, settings.fine, float(draws[0, one])))
        noises = [_noise(cells, generator)]
        if settings.roughness:
            noises.append(_noise(min(4 * cells, width), generator))
        if one % place.size != place.rank:
            continue
        field, *finer = (_field(noise, height, width).to(slices) for noise in noises)
        if finer:
            field = field + settings.roughness * finer[0]
        share = _log_between(max(settings.area_low, 1e-4), settings.area_high, draws[1, one].item())
        softness = 0.02 + 0.3 * draws[2, one].item()
        blends.append(_cut(field, slices[one // place.size, 0] > 0, share, softness))
    blend = torch.stack(blends)[:, None]
    draws = draws[:, place.rank :: place.size]
    draws = draws.to(slices)[:, :, None, None, None]
    blend = blend * (draws[3] < settings.share)
    inside = (slices > 0).sum((1, 2, 3), keepdim=True).clamp_min(1)
    mean = slices.sum((1, 2, 3), keepdim=True) / inside
    opaque = blend
    relative = slices / mean.clamp_min(1e-3)
    blend = torch.where(draws[6] < settings.multiply, blend * relative.clamp_max(1.5), blend)
    amount = settings.shift_low + (settings.shift_high - settings.shift_low) * draws[4]
    darkens = draws[5] < settings.dark
    if settings.dark_high:
        amount = torch.where(darkens, settings.dark_high * draws[4], amount)
    change = torch.where(darkens, -amount, amount) + settings.texture * grain
    corrupted = (slices + blend * change).clamp(0, 1)
    if settings.level:
        covering = opaque * (LEAST_COVER + (1 - LEAST_COVER) * draws[8])
        levelled = (slices + covering * (mean + change - slices)).clamp(0, 1)
        corrupted = torch.where(draws[7] < settings.level, levelled, corrupted)
    counts = blend > 0.5
    if not settings.dark_counts:
        counts = counts & ~darkens
    return Corrupted(corrupted, counts.to(slices), (corrupted - slices).clamp_min(0))


def _noise(cells: int, generator: torch.Generator) -> Tensor:
    """Random numbers (1, 1, C, C) with `cells` cells across what is seen of them."""
    # one cell more on each side than is seen, so that the border is like the middle
    return torch.randn(1, 1, cells + 3, cells + 3, generator=generator)


def _field(noise: Tensor, height: int, width: int) -> Tensor:
    """Such noise enlarged smoothly to (H, W), standard deviation about 1."""
    size = (height + 2, width + 2)
    smooth = functional.interpolate(noise, size, mode="bicubic", align_corners=False)
    return smooth[0, 0, 1:-1, 1:-1]


def _cut(field: Tensor, tissue: Tensor, share: float, softness: float) -> Tensor:
    """Where the field is above the level that leaves `share` of the tissue: (H, W) in [0, 1]."""
    inside = field[tissue]
    if inside.numel() < 2:
        return torch.zeros_like(field)
    keep = min(inside.numel(), max(1, round(inside.numel() * (1 - share))))
    level = inside.kthvalue(keep).values
    edge = softness * inside.std().clamp_min(1e-6)
    return ((field - level) / edge + 0.5).clamp(0, 1) * tissue


def _log_between(low: float, high: float, draw: float) -> float:
    return float(low * (high / low) ** draw)
