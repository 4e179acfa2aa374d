"""The main module M: one encoder, two decoders that cut the image, one reconstructor."""

from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from ascnet_core.network.blocks import ConvPair, Encoder, Network, initialise

DECODER_DROPOUTS = ("none", "asymmetric")


class Cuts(NamedTuple):
    """What M makes of a batch of slices: I_fc, I_wc and I_ro, each (N, 1, H, W) in [0, 1].

    The fence should lie in the reference distribution, the wild cut holds what the fence cannot,
    and the reconstruction is made of both and gets thresholded.
    """

    fence: Tensor
    wild: Tensor
    reconstruction: Tensor


class Decoder(nn.Module):
    """Four steps up from level 5, each joined with the encoder's output of that level.

    `dropouts` are the shares of values dropped after each of the four joins, coarsest first.
    """

    def __init__(
        self,
        width: int,
        dropouts: tuple[float, float, float, float],
        momentum: float,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        pairs = list(pairwise([16 * width, 8 * width, 4 * width, 2 * width, width]))
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 2, stride=2) for before, after in pairs
        )
        self.dropouts = nn.ModuleList(nn.Dropout(share) for share in dropouts)
        self.convs = nn.ModuleList(ConvPair(2 * after, after, momentum, norm) for _, after in pairs)
        self.head = nn.Conv2d(width, 1, 1)

    def forward(self, levels: list[Tensor]) -> Tensor:
        """The encoder's five outputs -> the cut before its sigmoid, (N, 1, H, W)."""
        x, *skips = reversed(levels)
        for up, dropout, convs, skip in zip(self.up, self.dropouts, self.convs, skips, strict=True):
            x = convs(dropout(torch.cat([up(x), skip], dim=1)))
        return cast(Tensor, self.head(x))


class CuttingModule(Network):
    """M of the paper (section 3.1): fence cut, wild cut and reduced reconstruction of a slice.

    `width` is 32 in the paper (10,815,205 parameters), `dropout` that of the encoder. With
    `decoder_dropout` "asymmetric" the decoders drop the same share after each join but the fence
    decoder's last, as in the released code, with "none" (the paper) nothing.
    """

    def __init__(
        self,
        width: int = 32,
        dropout: float = 0.3,
        decoder_dropout: str = "none",
        norm_momentum: float = 0.01,
        norm: str = "batch",
    ) -> None:
        super().__init__()
        if decoder_dropout not in DECODER_DROPOUTS:
            raise ValueError(f"decoder_dropout is one of {DECODER_DROPOUTS}")
        share = dropout if decoder_dropout == "asymmetric" else 0.0
        self.width = width
        self.encoder = Encoder(width, dropout, norm_momentum, norm)
        self.fence_decoder = Decoder(width, (share, share, share, 0.0), norm_momentum, norm)
        self.wild_decoder = Decoder(width, (share, share, share, share), norm_momentum, norm)
        self.reconstructor = nn.Conv2d(2, 1, 1)
        initialise(self)

    def forward(self, x: Tensor) -> Cuts:
        """Slices (N, 1, H, W) in [0, 1], H and W multiples of 16 -> their three `Cuts`.

        The sigmoids and R work in float32 also under autocast: 8 bits of mantissa would show as
        combs in a histogram of 256 levels.
        """
        levels = self.encoder(x)
        fence = torch.sigmoid(self.fence_decoder(levels).float())
        wild = torch.sigmoid(self.wild_decoder(levels).float())
        return Cuts(fence, wild, self.reconstruct(fence, wild))

    def maps(self, slices: Tensor) -> dict[str, Tensor]:
        """The three cuts and `residual`; see `Network.maps`.

        `residual` is the positive part of I_in - I_fc. It is taken on the slices, where both are
        equally sharp: on the volume's grid every edge of the input would show in it.
        """
        cuts: dict[str, Tensor] = self(slices)._asdict()
        return cuts | {"residual": (slices.float() - cuts["fence"]).clamp(0, 1)}

    def averaged_maps(self, slices: Tensor) -> dict[str, Tensor]:
        """Maps averaged over the mirror image; the residual is that of the averaged fence."""
        maps = super().averaged_maps(slices)
        return maps | {"residual": (slices.float() - maps["fence"]).clamp(0, 1)}

    def reconstruct(self, fence: Tensor, wild: Tensor) -> Tensor:
        """R: a 1x1 convolution of both cuts and a sigmoid, in float32."""
        with torch.autocast(fence.device.type, enabled=False):
            both = torch.cat([fence.float(), wild.float()], dim=1)
            return torch.sigmoid(self.reconstructor(both))
