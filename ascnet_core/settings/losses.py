"""Settings: the terms of M, and the corruption that some of them need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from ascnet_core.errors import UserError
from ascnet_core.names import Side
from ascnet_core.settings.checked import table

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Settings

KINDS = ("corrupted", "references", "inputs")
"""Kinds of slices that M may be shown in one batch, in this order: references with blobs laid over
them, references as they are, inputs."""


class Needs(NamedTuple):
    """What a term of M needs: kinds of slices in M's batch, and the stages in which it is on.

    `looks_at_references`: its function reads the step's references, also if M is not shown them.
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
    "losses.sparsity": Needs(("inputs",)),
    "losses.lift": Needs(("references", "inputs")),
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


@table
class Losses:
    """Terms of M besides the adversary's. The first four are the method's, the rest are extra."""

    disjointness: float = Field(1.0, ge=0, le=1e6)
    """Weight of the overlap of fence and wild cut."""
    disjointness_smoothing: float = Field(0.0, ge=0, le=1e6)
    """Added above and below the overlap's fraction (1 in the released code)."""
    disjointness_over: Literal["image", "batch"] = "image"
    """Whether the overlap is one fraction an image, or one over the flattened batch, as in the
    released code."""
    disjointness_in_stage_2: bool = True
    """Off in the released code, where an inverted comparison makes the term a constant 1."""
    reconstruction: float = Field(1.0, ge=0, le=1e6)
    """Weight of the squared error of I_ro."""
    reconstruction_reduce: Literal["sum", "mean"] = "sum"
    """Squared error summed over an image's pixels (the paper) or their mean (the released code)."""
    weight_decay: float = Field(0.0, ge=0, le=1e6)
    """Factor of the summed squares of every 3x3 kernel of M and of D (2e-4 in the released
    code)."""
    denoise_fence: float = Field(0.0, ge=0, le=1e6)
    """Weight of abs(fence - clean slice) on corrupted reference slices."""
    denoise_wild: float = Field(0.0, ge=0, le=1e6)
    """Weight of abs(wild - what was added) on corrupted reference slices."""
    wild_target: Literal["excess", "mask"] = "excess"
    """What the wild cut is to hold: the positive part of the corruption, or the mask of where it
    lies."""
    wild_loss: Literal["absolute", "cross-entropy"] = "absolute"
    """Error of the wild cut against its target: absolute, or cross-entropy, which keeps its slope
    where the cut is sure and wrong. Of conserved cuts it takes the share of the slice."""
    focus: float = Field(1.0, ge=0, le=1e6)
    """Pixels under corruption count this many times in the denoising terms and the tie."""
    tie: float = Field(0.0, ge=0, le=1e6)
    """Weight of the squared error between I_ro and the tie's target on corrupted reference slices;
    it trains R alone."""
    tie_side: Side = "bright"
    """Corruption is to make the brightest values of I_ro, or the darkest."""
    tie_to: Literal["lifted", "end"] = "lifted"
    """Inside the corruption I_ro is to be the slice moved by the mask's share, or the very end of
    the scale, which makes one narrow peak of all anomalies."""
    tie_share: float = Field(0.5, ge=0, le=1)
    """Share of I_ro's range kept for the corruption; the slice has the rest."""
    identity: float = Field(0.0, ge=0, le=1e6)
    """Weight of abs(fence - slice) on uncorrupted reference slices."""
    wild_reference: float = Field(0.0, ge=0, le=1e6)
    """Weight of the wild cut on uncorrupted reference slices, where it should be empty."""
    sparsity: float = Field(0.0, ge=0, le=1e6)
    """Weight of the mean wild cut on inputs: what is taken out has a price, so that the fence stays
    the input where nothing is wrong."""
    price_over: int = Field(0, ge=0, le=10_000_000)
    """Steps of M over which sparsity and wild_reference rise from 0 to their weights, so that the
    wild cut is not emptied before D has learnt anything."""
    lift: float = Field(0.0, ge=0, le=1e6)
    """Weight of the squared error between I_ro and the fence in which what the wild cut holds
    beyond the reference is lifted (see losses.tie_to, tie_share, tie_side); it trains R alone."""
    lift_quantile: float = Field(0.995, ge=0.5, le=0.99999)
    """Share of the reference's pixels below the level of the wild cut above which I_ro is
    lifted."""
    self_training: float = Field(0.0, ge=0, le=1e6)
    """Weight, in stage 2, of the wild cut's error on inputs against labels of M itself: anomaly is
    what its moving average puts above a level that hardly any reference pixel reaches."""
    self_quantile: float = Field(0.998, ge=0.5, le=0.99999)
    """Share of the reference's pixels below the level from which self-training takes a pixel for
    anomaly."""


@table
class Corruption:
    """Smooth random blobs laid over reference slices (denoising recipes only)."""

    share: float = Field(1.0, ge=0, le=1)
    """Share of the reference slices in a batch that are corrupted."""
    coarse: int = Field(4, ge=2, le=64)
    """Cells across the slice of the coarsest noise field: large blobs."""
    fine: int = Field(16, ge=2, le=64)
    """Cells across the slice of the finest noise field: small blobs."""
    roughness: float = Field(0.0, ge=0, le=2)
    """Height of four times finer noise on the field: ragged borders and holes."""
    area_low: float = Field(0.002, ge=0, le=1)
    """Least share of the tissue that blobs cover."""
    area_high: float = Field(0.3, ge=0, le=1)
    """Largest share of the tissue that blobs cover."""
    shift_low: float = Field(0.1, ge=0, le=1)
    """Least change of brightness."""
    shift_high: float = Field(0.7, ge=0, le=1)
    """Largest change of brightness."""
    dark: float = Field(0.0, ge=0, le=1)
    """Share of the blobs that darken instead."""
    dark_high: float = Field(0.0, ge=0, le=1)
    """Largest change of blobs that darken; 0: as of those that brighten."""
    dark_counts: bool = False
    """Whether what darkens is anomaly too (wild cut and tie) or only something to be repaired in
    the fence."""
    multiply: float = Field(0.0, ge=0, le=1)
    """Share of the blobs that scale the tissue instead of shifting it, so that what is dark inside
    them stays dark and is no anomaly."""
    level: float = Field(0.0, ge=0, le=1)
    """Share of the blobs that bring the tissue to a brightness of their own, as a tumour that hides
    what was there, instead of changing it."""
    compact: float = Field(0.0, ge=0, le=10)
    """How strongly a blob gathers round one point: 0 lets it lie in pieces anywhere, from about 2
    on it is one piece with an uneven border."""
    margin: float = Field(0.0, ge=0, le=0.2)
    """Blobs keep this share of the slice's width away from the tissue's outer border, as the scalp
    is no place for them; 0: none."""
    texture: float = Field(0.05, ge=0, le=1)
    """Standard deviation of the grain inside blobs."""

    def __post_init__(self) -> None:
        for name in ("area", "shift"):
            if getattr(self, f"{name}_low") > getattr(self, f"{name}_high"):
                raise UserError(f"corruption.{name}_low is above corruption.{name}_high.")
        if self.coarse > self.fine:
            raise UserError("corruption.coarse has more cells than corruption.fine.")
