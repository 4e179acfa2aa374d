"""Settings: the terms of M, and the corruption that some of them need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ascnet_core.errors import UserError
from ascnet_core.settings.field import Checked, setting

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Settings

KINDS = ("corrupted", "references", "inputs")
"""Kinds of slices that M may be shown in one batch, in this order: references with blobs laid over
them, references as they are, inputs."""


class Needs(NamedTuple):
    """What a term of M needs: kinds of slices in M's batch, and the stages in which it is on.

    `looks_at_references`: its function reads the step's references, also where M is not shown them.
    """

    kinds: tuple[str, ...]
    stages: tuple[int, ...] = (1, 2)
    looks_at_references: bool = False

    @property
    def inputs_suffice(self) -> bool:
        """Whether it works in the paper's order, which shows M the inputs only."""
        return "inputs" in self.kinds and not self.looks_at_references


NEEDS: dict[str, Needs] = {
    "losses.denoise_fence": Needs(("corrupted",)),
    "losses.denoise_wild": Needs(("corrupted",)),
    "losses.tie": Needs(("corrupted",)),
    "losses.identity": Needs(("references",)),
    "losses.wild_reference": Needs(("references",)),
    "losses.self_training": Needs(("inputs",), stages=(2,), looks_at_references=True),
    "adversary.weight": Needs(("references", "inputs")),
    "losses.disjointness": Needs(("inputs",)),
    "losses.reconstruction": Needs(("inputs",)),
}
"""What each term of M needs, by the key of its weight."""


def weight_of(settings: Settings, key: str) -> float:
    """The weight of a term by its key."""
    table, _, name = key.partition(".")
    return float(getattr(getattr(settings, table), name))


@dataclass(frozen=True)
class Losses(Checked):
    """Terms of M besides the adversary's. The first four are the method's, the rest are extra."""

    table = "losses"
    disjointness: float = setting(1.0, "Weight of the overlap of fence and wild cut.", low=0)
    disjointness_smoothing: float = setting(
        0.0, "Added above and below the overlap's fraction (1 in the released code).", low=0
    )
    disjointness_over: str = setting(
        "image",
        "Whether the overlap is one fraction an image, or "
        "one over the flattened batch, as in the released code.",
        "image",
        "batch",
    )
    disjointness_in_stage_2: bool = setting(
        True, "Off in the released code, where an inverted comparison makes the term a constant 1."
    )
    reconstruction: float = setting(1.0, "Weight of the squared error of I_ro.", low=0)
    reconstruction_reduce: str = setting(
        "sum",
        "Squared error summed over an image's pixels (the "
        "paper) or their mean (the released code).",
        "sum",
        "mean",
    )
    weight_decay: float = setting(
        0.0,
        "Factor of the summed squares of every 3x3 kernel of M and "
        "of D (2e-4 in the released code).",
        low=0,
    )
    denoise_fence: float = setting(
        0.0, "Weight of abs(fence - clean slice) on corrupted reference slices.", low=0
    )
    denoise_wild: float = setting(
        0.0, "Weight of abs(wild - what was added) on corrupted reference slices.", low=0
    )
    wild_target: str = setting(
        "excess",
        "What the wild cut is to hold: the positive part of the "
        "corruption, or the mask of where it lies.",
        "excess",
        "mask",
    )
    wild_loss: str = setting(
        "absolute",
        "Error of the wild cut against its target: absolute, or cross-entropy, which keeps its "
        "slope where the cut is sure and wrong.",
        "absolute",
        "cross-entropy",
    )
    focus: float = setting(
        1.0,
        "Pixels under corruption count this many times in the denoising terms and the tie.",
        low=0,
    )
    tie: float = setting(
        0.0,
        "Weight of the squared error between I_ro and the tie's target on "
        "corrupted reference slices; it trains R alone.",
        low=0,
    )
    tie_side: str = setting(
        "bright",
        "Corruption is to make the brightest values of I_ro, or the darkest.",
        "bright",
        "dark",
    )
    tie_to: str = setting(
        "lifted",
        "Inside the corruption I_ro is to be the slice moved by the mask's share, or the very end "
        "of the scale, which makes one narrow peak of all anomalies.",
        "lifted",
        "end",
    )
    tie_share: float = setting(
        0.5,
        "Share of I_ro's range kept for the corruption; the slice has the rest.",
        low=0,
        high=1,
    )
    identity: float = setting(
        0.0, "Weight of abs(fence - slice) on uncorrupted reference slices.", low=0
    )
    wild_reference: float = setting(
        0.0,
        "Weight of the wild cut on uncorrupted reference slices, where it should be empty.",
        low=0,
    )
    self_training: float = setting(
        0.0,
        "Weight, in stage 2, of the wild cut on inputs against what the averaged M itself takes "
        "for anomaly there, by the level that hardly any reference pixel reaches.",
        low=0,
    )
    self_quantile: float = setting(
        0.998,
        "Share of the reference's pixels below the level from which self-training takes a pixel "
        "for anomaly.",
        low=0.5,
        high=0.99999,
    )


@dataclass(frozen=True)
class Corruption(Checked):
    """Smooth random blobs laid over reference slices (denoising recipes only)."""

    table = "corruption"
    share: float = setting(
        1.0, "Share of the reference slices in a batch that are corrupted.", low=0, high=1
    )
    coarse: int = setting(
        4, "Cells across the slice of the coarsest noise field: large blobs.", low=2, high=64
    )
    fine: int = setting(
        16, "Cells across the slice of the finest noise field: small blobs.", low=2, high=64
    )
    roughness: float = setting(
        0.0,
        "Height of four times finer noise on the field: ragged borders and holes.",
        low=0,
        high=2,
    )
    area_low: float = setting(0.002, "Least share of the tissue that blobs cover.", low=0, high=1)
    area_high: float = setting(0.3, "Largest share of the tissue that blobs cover.", low=0, high=1)
    shift_low: float = setting(0.1, "Least change of brightness.", low=0, high=1)
    shift_high: float = setting(0.7, "Largest change of brightness.", low=0, high=1)
    dark: float = setting(0.0, "Share of the blobs that darken instead.", low=0, high=1)
    dark_high: float = setting(
        0.0, "Largest change of blobs that darken; 0: as of those that brighten.", low=0, high=1
    )
    dark_counts: bool = setting(
        False,
        "Whether what darkens is anomaly too (wild cut and tie) or "
        "only something to be repaired in the fence.",
    )
    multiply: float = setting(
        0.0,
        "Share of the blobs that scale the tissue instead of shifting it, so that what is dark "
        "inside them stays dark and is no anomaly.",
        low=0,
        high=1,
    )
    level: float = setting(
        0.0,
        "Share of the blobs that bring the tissue to a brightness of their own, as a tumour that "
        "hides what was there, instead of changing it.",
        low=0,
        high=1,
    )
    compact: float = setting(
        0.0,
        "How strongly a blob gathers round one place: 0 lets it lie in pieces anywhere, from about "
        "2 on it is one piece with an uneven border.",
        low=0,
        high=10,
    )
    margin: float = setting(
        0.0,
        "Blobs keep this share of the slice's width away from the tissue's outer border, as the "
        "scalp is no place for them; 0: none.",
        low=0,
        high=0.2,
    )
    texture: float = setting(0.05, "Standard deviation of the grain inside blobs.", low=0, high=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("area", "shift"):
            if getattr(self, f"{name}_low") > getattr(self, f"{name}_high"):
                raise UserError(f"corruption.{name}_low is above corruption.{name}_high.")
        if self.coarse > self.fine:
            raise UserError("corruption.coarse has more cells than corruption.fine.")
