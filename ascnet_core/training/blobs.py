"""Where blobs lie and what shape they have: fields of smooth noise, cut at a level."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as functional
from torch import Tensor


def draw_noise(cells: int, generator: torch.Generator) -> Tensor:
    """Random numbers (1, 1, C, C) with `cells` cells across what is seen of them."""
    # one cell more on each side than is seen, so that the border is like the middle
    return torch.randn(1, 1, cells + 3, cells + 3, generator=generator)


def smooth_field(noise: Tensor, height: int, width: int) -> Tensor:
    """Such noise enlarged smoothly to (H, W), standard deviation about 1."""
    size = (height + 2, width + 2)
    smooth = functional.interpolate(noise, size, mode="bicubic", align_corners=False)
    return smooth[0, 0, 1:-1, 1:-1]


def room_of(slice_: Tensor, margin: float) -> Tensor:
    """Where blobs may lie in a slice (H, W): its tissue, `margin` widths inside the head's border.

    The head is what is not much darker than the slice's mean, with its dark parts inside filled:
    air may be a little above 0.
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
    """The largest value (1, 1, H, W) in the square that reaches so far; rows, then columns."""
    rows = functional.max_pool2d(image, (2 * reach + 1, 1), 1, (reach, 0))
    return functional.max_pool2d(rows, (1, 2 * reach + 1), 1, (0, reach))


def radii_from(room: Tensor, share: float, draws: Tensor) -> Tensor:
    """Distance (H, W) from a place drawn inside `room`, in radii of a disc of that share of it.

    Parameters
    ----------
    draws
        Three numbers in [0, 1): the place, the direction along which it is stretched, and how much
        (up to twofold).
    """
    places = room.nonzero()
    if not len(places):
        return torch.zeros_like(room, dtype=torch.float32)
    row, column = places[min(len(places) - 1, int(draws[0] * len(places)))]
    radius = math.sqrt(max(1.0, share * len(places)) / math.pi)
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
