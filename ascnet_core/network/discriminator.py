"""The discriminator D, which tells reference images from fence cuts of the inputs."""

from typing import cast

import torch
from torch import Tensor, nn

from ascnet_core.network.blocks import Encoder, initialise


class Discriminator(nn.Module):
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
        """s, the number before the tanh: images (N, 1, H, W) -> (N,) float32."""
        last = self.encoder(x)[-1]
        with torch.autocast(x.device.type, enabled=False):
            return cast(Tensor, self.dense(last.float().flatten(1)))[:, 0]

    def forward(self, x: Tensor) -> Tensor:
        """tanh(s): images (N, 1, H, W) in [0, 1] -> (N,) in (-1, 1)."""
        return torch.tanh(self.score(x))
