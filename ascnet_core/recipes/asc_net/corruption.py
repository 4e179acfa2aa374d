"""Smooth random blobs over reference slices: what a denoising recipe learns to take out."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

from ascnet_core.settings.losses import Corruption

LEAST_COVER = 0.4
"""A blob with a brightness of its own hides at least this share of the tissue under it."""


class Corrupted(NamedTuple):
    """Slices (N, 1, H, W) in [0, 1] with blobs.

    `mask` is 1 where a blob that counts as anomaly lies, `excess` the positive part of the change.
    """

    slices: Tensor
    mask: Tensor
    excess: Tensor


def corrupt(slices: Tensor, settings: Corruption, seed: int) -> Corrupted:
    """Lay blobs over the tissue of some of the slices (N, 1, H, W) in [0, 1]; 0 is no tissue.

    For each slice a field of random numbers, from `coarse` to `fine` cells across, is enlarged
    smoothly, made to fall off around one point if blobs are to be `compact`, and cut at the level
    that leaves the drawn share of the tissue. Tissue above that level is brightened (or darkened)
    by the drawn amount, or brought to a brightness that differs by it from the tissue's mean, with
    a soft edge and some grain. The draws are made on the CPU on every device.
    """
    generator = torch.Generator().manual_seed(seed)
    height, width = slices.shape[2:]
    count = len(slices)
    draws = torch.rand(9 if settings.level else 7, count, generator=generator)
    centres = torch.rand(3, count, generator=generator) if settings.compact else None
    grain = torch.randn(slices.shape, generator=generator).to(slices)
    blends, rooms = [], []
    for number in range(count):
        cells = round(_log_between(settings.coarse, settings.fine, float(draws[0, number])))
        noises = [draw_noise(cells, generator)]
        if settings.roughness:
            noises.append(draw_noise(min(4 * cells, width), generator))
        field, *finer = (smooth_field(one, height, width).to(slices) for one in noises)
        if finer:
            field = field + settings.roughness * finer[0]
        share = _log_between(
            max(settings.area_low, 1e-4), settings.area_high, draws[1, number].item()
        )
        softness = 0.02 + 0.3 * draws[2, number].item()
        room = room_of(slices[number, 0], settings.margin)
        rooms.append(room)
        if centres is not None:
            field = field - settings.compact * radii_from(room, share, centres[:, number])
        blends.append(cut_field(field, room, share, softness))
    blend = torch.stack(blends)[:, None]
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


def draw_noise(cells: int, generator: torch.Generator) -> Tensor:
    """Random numbers (1, 1, C, C) with `cells` cells across the visible part."""
    # one cell more on each side than is seen, so that the border is like the middle
    return torch.randn(1, 1, cells + 3, cells + 3, generator=generator)


def smooth_field(noise: Tensor, height: int, width: int) -> Tensor:
    """That noise enlarged smoothly to (H, W), standard deviation about 1."""
    size = (height + 2, width + 2)
    smooth = functional.interpolate(noise, size, mode="bicubic", align_corners=False)
    return smooth[0, 0, 1:-1, 1:-1]


def room_of(slice_: Tensor, margin: float) -> Tensor:
    """Where blobs may lie in a slice (H, W): its tissue, `margin` widths inside the head's border.

    The head is all that is not much darker than the slice's mean, its dark parts inside filled: air
    may be a little above 0.
    """
    tissue = slice_ > 0
    width = round(margin * slice_.shape[-1])
    if width == 0 or not bool(tissue.any()):
        return tissue
    solid = (slice_ > slice_[tissue].mean() / 2)[None, None].float()
    grown = _dilate(solid, 2 * width)
    # what lies outside the slice is outside the head
    outside = functional.pad(1 - grown, (3 * width,) * 4, value=1.0)
    inner = _dilate(outside, 3 * width)[0, 0, 3 * width : -3 * width, 3 * width : -3 * width]
    room = (inner < 0.5) & tissue
    return room if bool(room.any()) else tissue


def _dilate(image: Tensor, reach: int) -> Tensor:
    """The largest value (1, 1, H, W) in the square of that reach; rows, then columns."""
    rows = functional.max_pool2d(image, (2 * reach + 1, 1), 1, (reach, 0))
    return functional.max_pool2d(rows, (1, 2 * reach + 1), 1, (0, reach))


def radii_from(room: Tensor, share: float, draws: Tensor) -> Tensor:
    """Distance (H, W) from a random point of `room`, in radii of a disc of that share of its area.

    The three `draws` in [0, 1) choose the point, the direction along which the disc is stretched,
    and how much (up to twofold).
    """
    points = room.nonzero()
    if not len(points):
        return torch.zeros_like(room, dtype=torch.float32)
    row, column = points[min(len(points) - 1, int(draws[0] * len(points)))]
    radius = math.sqrt(max(1.0, share * len(points)) / math.pi)
    angle, stretch = math.pi * float(draws[1]), 2.0 ** float(draws[2] - 0.5)
    down = torch.arange(room.shape[0], device=room.device)[:, None] - row
    across = torch.arange(room.shape[1], device=room.device)[None] - column
    along = math.cos(angle) * down + math.sin(angle) * across
    beside = math.cos(angle) * across - math.sin(angle) * down
    return torch.hypot(along / stretch, beside * stretch) / radius


def cut_field(field: Tensor, tissue: Tensor, share: float, softness: float) -> Tensor:
    """Where the field is above the level that leaves `share` of the tissue: (H, W) in [0, 1]."""
    inside = field[tissue]
    if inside.numel() < 2:
        return torch.zeros_like(field)
    keep = min(inside.numel(), max(1, round(inside.numel() * (1 - share))))
    level = inside.kthvalue(keep).values
    edge = softness * inside.std().clamp_min(1e-6)
    return ((field - level) / edge + 0.5).clamp(0, 1) * tissue
