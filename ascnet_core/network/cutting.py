"""The main module M: one encoder, two decoders that cut the image, one reconstructor."""

from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from ascnet_core.network.blocks import ConvPair, Encoder, Network, initialise

DECODER_DROPOUTS = ("none", "asymmetric")
CUTS = ("free", "conserved")
EMPTY = -3.0
"""Bias at which a decoder without weights begins to ask: softplus makes it 0.05."""
DARK = 1e-3
"""Brightness below which a pixel has nothing to take out; keeps a division finite."""


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


def take(asked: Tensor, slices: Tensor) -> Tensor:
    """How much of `slices` (N, 1, H, W) in [0, 1] is taken out where `asked` >= 0 was asked for.

    slice x (1 - exp(-asked / slice)): what was asked for while that is little, never more than is
    there. Unlike the smaller of both it keeps a slope everywhere, so that too much can be given
    back.
    """
    return slices * -torch.expm1(-asked / slices.clamp_min(DARK))


class CuttingModule(Network):
    """M of the paper (section 3.1): fence cut, wild cut and reduced reconstruction of a slice.

    `width` is 32 in the paper (10,815,205 parameters), `dropout` that of the encoder. With
    `decoder_dropout` "asymmetric" the decoders drop the same share after each join but the fence
    decoder's last, as in the released code, with "none" (the paper) nothing.

    With `cuts` "free" (the paper) each cut has a decoder of its own. "conserved" (not in the paper)
    ties them: a decoder asks for brightness to take out of each pixel. The wild cut is what was
    taken (see `take`), the fence what is left, so that fence + wild = slice. It begins with an
    almost empty wild cut, M near the identity.
    """

    def __init__(
        self,
        width: int = 32,
        dropout: float = 0.3,
        decoder_dropout: str = "none",
        norm_momentum: float = 0.01,
        norm: str = "batch",
        cuts: str = "free",
    ) -> None:
        super().__init__()
        if cuts not in CUTS:
            raise ValueError(f"cuts is one of {CUTS}")
        if decoder_dropout not in DECODER_DROPOUTS:
            raise ValueError(f"decoder_dropout is one of {DECODER_DROPOUTS}")
        share = dropout if decoder_dropout == "asymmetric" else 0.0
        self.width = width
        self.encoder = Encoder(width, dropout, norm_momentum, norm)
        self.fence_decoder: Decoder | None = None
        if cuts == "free":
            self.fence_decoder = Decoder(width, (share, share, share, 0.0), norm_momentum, norm)
        self.wild_decoder = Decoder(width, (share, share, share, share), norm_momentum, norm)
        self.reconstructor = nn.Conv2d(2, 1, 1)
        initialise(self)
        if cuts == "conserved":
            nn.init.zeros_(self.wild_decoder.head.weight)
            nn.init.constant_(cast(Tensor, self.wild_decoder.head.bias), EMPTY)

    def forward(self, x: Tensor) -> Cuts:
        """Slices (N, 1, H, W) in [0, 1], H and W multiples of 16 -> their three `Cuts`.

        The sigmoids and R work in float32 also under autocast: 8 bits of mantissa would show as
        combs in a histogram of 256 levels.
        """
        levels = self.encoder(x)
        wild = self.wild_decoder(levels).float()
        if self.fence_decoder is None:
            wild = take(nn.functional.softplus(wild), x.float())
            fence = x.float() - wild
        else:
            wild = torch.sigmoid(wild)
            fence = torch.sigmoid(self.fence_decoder(levels).float())
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
