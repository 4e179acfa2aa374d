"""What D sees of an image: a random view, through which M learns as well.

A critic that sees a few dozen patients learns them by heart. So references and fences alike come
before it mirrored, turned, scaled, shifted and brightened at random (Karras et al. 2020, Zhao et
al. 2020: differentiable augmentation).
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from ascnet_core.settings.network import Adversary


def viewed(images: Tensor, adversary: Adversary, seed: int) -> Tensor:
    """Random views of images (N, 1, H, W), one of each; gradients pass through.

    0 comes in from outside. Values may rise above 1 by `view_brightness`: cut off there, the
    brightest tissue would get no gradient. The draws are made on the CPU on every device.
    """
    if not _asked(adversary):
        return images
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(6, len(images), generator=generator)
    signed = 2 * draws[1:] - 1
    angle = signed[0] * math.radians(adversary.view_turn)
    size = 1 + signed[1] * adversary.view_scale
    shift = 2 * signed[2:4] * adversary.view_shift  # the grid is 2 wide
    mirror = torch.where((draws[0] < 0.5) & torch.tensor(adversary.view_flips), -1.0, 1.0)
    height, width = images.shape[2:]
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    matrix = torch.stack(
        [
            torch.stack([mirror * cos, -sin * height / width, shift[0]], dim=1),
            torch.stack([mirror * sin * width / height, cos, shift[1]], dim=1),
        ],
        dim=1,
    ).to(images)
    brightness = (1 + signed[4] * adversary.view_brightness).to(images)[:, None, None, None]
    with torch.autocast(images.device.type, enabled=False):
        grid = functional.affine_grid(matrix.float(), list(images.shape), align_corners=False)
        seen = functional.grid_sample(images.float(), grid, align_corners=False)
    return seen * brightness


def _asked(adversary: Adversary) -> bool:
    return bool(
        adversary.view_flips
        or adversary.view_turn
        or adversary.view_scale
        or adversary.view_shift
        or adversary.view_brightness
    )
