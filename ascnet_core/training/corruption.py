"""Smooth random blobs over reference slices: what a denoising recipe learns to take out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ascnet_core.network.sharding import ALONE, Place
from ascnet_core.training.blobs import cut_field, draw_noise, radii_from, room_of, smooth_field
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
    """Lay blobs over the tissue (values above 0, inside `margin`) of some of the slices.

    For each slice a field of random numbers, from `coarse` to `fine` cells across, is enlarged
    smoothly, made to fall off around one place where blobs are to be `compact`, and cut at the
    level that leaves the drawn share of the tissue. What lies above is brightened (or darkened) by
    the drawn amount, or brought to a brightness that lies so far from that tissue's mean, with a
    soft edge and some grain.

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
    centres = torch.rand(3, count, generator=generator) if settings.compact else None
    grain = place.own(torch.randn(count, *slices.shape[1:], generator=generator)).to(slices)
    blends, rooms = [], []
    for number in range(count):
        cells = round(_log_between(settings.coarse, settings.fine, float(draws[0, number])))
        noises = [draw_noise(cells, generator)]
        if settings.roughness:
            noises.append(draw_noise(min(4 * cells, width), generator))
        if number % place.size != place.rank:
            continue
        field, *finer = (smooth_field(one, height, width).to(slices) for one in noises)
        if finer:
            field = field + settings.roughness * finer[0]
        share = _log_between(
            max(settings.area_low, 1e-4), settings.area_high, draws[1, number].item()
        )
        softness = 0.02 + 0.3 * draws[2, number].item()
        room = room_of(slices[number // place.size, 0], settings.margin)
        rooms.append(room)
        if centres is not None:
            field = field - settings.compact * radii_from(room, share, centres[:, number])
        blends.append(cut_field(field, room, share, softness))
    blend = torch.stack(blends)[:, None]
    draws = draws[:, place.rank :: place.size]
    draws = draws.to(slices)[:, :, None, None, None]
    blend = blend * (draws[3] < settings.share)
    inside = torch.stack(rooms)[:, None]
    mean = (slices * inside).sum((1, 2, 3), keepdim=True)
    mean = mean / inside.sum((1, 2, 3), keepdim=True).clamp_min(1)
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


def _log_between(low: float, high: float, draw: float) -> float:
    return float(low * (high / low) ** draw)
