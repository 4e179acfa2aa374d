"""The pieces that the main module and the discriminator share."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

NORM_EPS = 1e-3  # the released code's batch norm (Keras' default)


class ConvPair(nn.Module):
    """[conv 3x3 same, ReLU, batch norm] x 2: (N, C, H, W) -> (N, out, H, W)."""

    def __init__(self, channels: int, out: int, momentum: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(out, eps=NORM_EPS, momentum=momentum)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(out, eps=NORM_EPS, momentum=momentum)

    def forward(self, x: Tensor) -> Tensor:
        """Two convolutions; ReLU comes before batch norm, as in the released code."""
        x = self.norm1(torch.relu(self.conv1(x)))
        return cast(Tensor, self.norm2(torch.relu(self.conv2(x))))


class Encoder(nn.Module):
    """Five levels of w, 2w, 4w, 8w and `last` maps, halving height and width four times.

    Parameters
    ----------
    width
        w: the number of maps of the first level.
    last
        The number of maps of level 5 (the paper: 16w).
    dropout
        Share of values dropped after each pooling.
    momentum
        Weight of the newest batch in batch norm's running statistics.
    """

    def __init__(self, width: int, last: int, dropout: float, momentum: float) -> None:
        super().__init__()
        maps = [1, width, 2 * width, 4 * width, 8 * width, last]
        self.levels = nn.ModuleList(
            ConvPair(before, after, momentum) for before, after in pairwise(maps)
        )
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 1, H, W) -> the five levels' outputs, each before pooling, finest first."""
        outputs: list[Tensor] = []
        for number, level in enumerate(self.levels):
            if number:
                x = self.dropout(self.pool(x))
            x = level(x)
            outputs.append(x)
        return outputs


def initialise(module: nn.Module) -> None:
    """Glorot-uniform kernels and zero biases, as the released code has them."""
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)


def kernels_3x3(module: nn.Module) -> list[Tensor]:
    """Every 3x3 convolution kernel of a network: what the released code's L2 term covers."""
    return [
        part.weight
        for part in module.modules()
        if isinstance(part, nn.Conv2d) and part.kernel_size == (3, 3)
    ]


def count_parameters(module: nn.Module, running: bool = False) -> int:
    """Trainable parameters; with `running`, batch norm's running mean and variance too.

    The latter is how Keras prints a model's total.
    """
    count = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    if running:
        count += sum(
            buffer.numel() for name, buffer in module.named_buffers() if "running_" in name
        )
    return count
