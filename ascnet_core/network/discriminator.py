"""The discriminator D, which tells reference images from fence cuts of the inputs."""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from ascnet_core.network.blocks import Encoder, initialise

POOLS = ("mean", "least")


class Critic(nn.Module):
    """A network that gives each image one number, the higher the more it takes it for normal."""

    def score(self, x: Tensor) -> Tensor:
        """s, the number before the tanh: images (N, 1, H, W) -> (N,) float32."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """tanh(s): images (N, 1, H, W) in [0, 1] -> (N,) in (-1, 1)."""
        return torch.tanh(self.score(x))


class Discriminator(Critic):
    """D of the paper (section 3.1): the encoder's design, then one number through a tanh.

    `size` is (H, W) of the images, or one number for both, multiples of 16: the last layer is dense
    over the whole of level 5. At 160x160 and width 32 (the paper) it has 4,766,817 parameters.
    """

    def __init__(
        self,
        size: int | tuple[int, int],
        width: int = 32,
        dropout: float = 0.3,
        norm_momentum: float = 0.01,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        height, across = (size, size) if isinstance(size, int) else size
        self.encoder = Encoder(width, dropout, norm_momentum, norm)
        self.dense = nn.Linear(16 * width * (height // 16) * (across // 16), 1)
        initialise(self)

    def score(self, x: Tensor) -> Tensor:
        """See `Critic.score`."""
        last = self.encoder(x)[-1]
        with torch.autocast(x.device.type, enabled=False):
            return cast(Tensor, self.dense(last.float().flatten(1)))[:, 0]


class PatchCritic(Critic):
    """A critic that judges overlapping patches (Isola et al. 2017, section 3.2.2), without norms.

    `depth` convolutions of 4x4 halve the image one after the other; the first has `width` maps,
    each further one twice as many, up to 16 times; a 1x1 convolution scores each patch. A patch is
    `patch` pixels wide. The image's score is the mean over its patches, or with `pool` "least"
    that of the patch that looks least normal, so that one small lesion tells.
    """

    def __init__(self, width: int = 16, depth: int = 5, pool: str = "mean") -> None:
        super().__init__()
        if pool not in POOLS:
            raise ValueError(f"pool is one of {POOLS}")
        self.pool = pool
        maps = [1, *(width * 2 ** min(number, 4) for number in range(depth))]
        self.convs = nn.ModuleList(
            nn.Conv2d(before, after, 4, stride=2, padding=1) for before, after in pairwise(maps)
        )
        self.head = nn.Conv2d(maps[-1], 1, 1)
        self.patch = 3 * 2**depth - 2
        initialise(self)

    def score(self, x: Tensor) -> Tensor:
        """See `Critic.score`; H and W are at least 2 ** depth."""
        for conv in self.convs:
            x = nn.functional.leaky_relu(conv(x), 0.2)
        with torch.autocast(x.device.type, enabled=False):
            patches = cast(Tensor, self.head(x.float())).flatten(1)
        return patches.mean(1) if self.pool == "mean" else patches.amin(1)
