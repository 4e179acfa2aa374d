"""The pieces that the main module and the discriminator share."""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

NORM_EPS = 1e-3  # the released code's batch norm (Keras' default)
NORMS = ("batch", "group")
GROUP = 8  # maps in a group of group norm


class Network(nn.Module):
    """A network that makes maps of slices; its first level has `width` of them."""

    width: int

    def maps(self, slices: Tensor) -> dict[str, Tensor]:
        """Slices (N, 1, H, W) in [0, 1] -> maps by name, each (N, 1, H, W) float32 in [0, 1]."""
        raise NotImplementedError

    def averaged_maps(self, slices: Tensor) -> dict[str, Tensor]:
        """Maps averaged over the slices and their left-right mirror images."""
        mirrored = self.maps(slices.flip(3))
        return {name: (one + mirrored[name].flip(3)) / 2 for name, one in self.maps(slices).items()}


class GroupNorm(nn.GroupNorm):
    """Group norm that on a CPU turns channels-last maps to the plain memory order and back.

    On bfloat16 torch's own takes ten times as long in channels-last, a quarter of a training step.
    On float32 the turning takes twice as long as the norm itself. Training does it all the same:
    torch's two ways round differently, and a run must go on as it began.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), in the memory order in which it comes."""
        cutting = torch.is_inference_mode_enabled() and x.dtype == torch.float32
        if cutting or x.device.type != "cpu" or x.is_contiguous():
            return super().forward(x)
        normed = super().forward(x.contiguous())
        return normed.contiguous(memory_format=torch.channels_last)


def normalisation(maps: int, kind: str, momentum: float) -> nn.Module:
    """The layer that brings feature maps to a common scale.

    "batch" (the paper): over the batch while training, by running statistics afterwards, in which
    the newest batch weighs `momentum`. "group": over groups of at most 8 neighbouring maps of each
    slice by itself, so that no statistics of other slices are carried along.
    """
    if kind not in NORMS:
        raise ValueError(f"norm is one of {NORMS}")
    if kind == "batch":
        return nn.BatchNorm2d(maps, eps=NORM_EPS, momentum=momentum)
    return GroupNorm(max(1, maps // GROUP), maps, eps=NORM_EPS)


class ConvPair(nn.Module):
    """[conv 3x3 same, ReLU, normalisation] x 2: (N, C, H, W) -> (N, out, H, W)."""

    def __init__(self, channels: int, out: int, momentum: float, norm: str = "batch") -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1)
        self.norm1 = normalisation(out, norm, momentum)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.norm2 = normalisation(out, norm, momentum)

    def forward(self, x: Tensor) -> Tensor:
        """Two convolutions; ReLU comes before the normalisation, as in the released code."""
        x = self.norm1(torch.relu_(self.conv1(x)))
        return cast(Tensor, self.norm2(torch.relu_(self.conv2(x))))


class Encoder(nn.Module):
    """Levels of w, 2w, 4w, 8w and 16w maps (`width` is w), each of half the height and width.

    `dropout` is the share of values dropped after each pooling.
    """

    def __init__(self, width: int, dropout: float, momentum: float, norm: str = "batch") -> None:
        super().__init__()
        maps = [1, width, 2 * width, 4 * width, 8 * width, 16 * width]
        self.levels = nn.ModuleList(
            ConvPair(before, after, momentum, norm) for before, after in pairwise(maps)
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
    """Every 3x3 convolution kernel of a network, which the released code's L2 term covers."""
    return [
        part.weight
        for part in module.modules()
        if isinstance(part, nn.Conv2d) and part.kernel_size == (3, 3)
    ]
