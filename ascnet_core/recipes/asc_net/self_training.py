"""What M itself takes for anomaly on the inputs: the target of self-training.

The reference is known to be normal. So a level of the wild cut that hardly any reference pixel
reaches tells anomaly from normal without a mask, as in the threshold rule `reference-quantile`.
Self-training (stage 2 of a variant, not in the paper) pushes the wild cut of inputs to 1 above that
level and to 0 clearly below it; pixels between count for nothing.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as functional
from torch import Tensor

UNSURE = 4.0
"""Up to this many times the share of reference pixels above the level, a pixel is undecided."""


class SelfLabels(NamedTuple):
    """Targets (N, 1, H, W), 0 or 1, and how much each pixel counts: 0 where undecided."""

    target: Tensor
    weights: Tensor


@torch.no_grad()
def self_labels(
    found: Tensor, normal: Tensor, tissue: Tensor, quantile: float, focus: float
) -> SelfLabels:
    """Label the pixels of inputs by the level that 1 - `quantile` of the reference exceeds.

    `found` are wild cuts of inputs (N, 1, H, W) in [0, 1], `normal` those of reference slices (R,
    1, H, W), and `tissue`, bool, the reference's pixels that count. Pixels above the level are
    anomaly where most of their 3x3 neighbours are too, else undecided; anomaly counts `focus`
    times.
    """
    values = normal[tissue] if bool(tissue.any()) else normal.flatten()
    # clamped: at 0 an empty wild cut would make everything anomaly, at 1 nothing could be
    level = torch.quantile(values, quantile).clamp(0.02, 0.98)
    lower = torch.quantile(values, max(0.0, 1 - UNSURE * (1 - quantile))).minimum(level)
    above = (found >= level).to(found)
    target = (functional.avg_pool2d(above, 3, stride=1, padding=1) > 0.5).to(found)
    undecided = (found >= lower) & (target < 0.5)
    weights = torch.where(undecided, torch.zeros_like(target), 1 + (focus - 1) * target)
    return SelfLabels(target, weights)
