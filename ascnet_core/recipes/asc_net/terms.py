"""The terms of M's loss, one function each; a step of training loops over those that are on.

To add a term, write its function here and mark it with the key of its weight; the weight, and the
kinds of slices that the term needs, stand in `settings.losses`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from ascnet_core.network import losses
from ascnet_core.network.cutting import DARK, Cuts, CuttingModule
from ascnet_core.network.discriminator import Critic
from ascnet_core.recipes.asc_net.adversary import cutting_side, discriminator_of
from ascnet_core.recipes.asc_net.corruption import Corrupted
from ascnet_core.recipes.asc_net.self_training import self_labels
from ascnet_core.recipes.asc_net.views import viewed
from ascnet_core.settings.losses import weight_of
from ascnet_core.settings.methods.asc_net import is_on
from ascnet_core.settings.tables import Settings
from ascnet_core.training.device import autocast
from ascnet_core.training.state import TrainingState

LEAST_LEVEL = 1 / 255
"""I_ro is lifted only where the wild cut holds more than a grey level: an empty one is noise."""


@dataclass(frozen=True)
class Batch:
    """The slices (N, 1, S, S) of a step, and the cuts that M made of each kind it was shown.

    `corrupted` is None where no term needs it; `view_seed` draws how D sees the fences.
    """

    state: TrainingState
    settings: Settings
    stage: int
    inputs: Tensor
    references: Tensor
    corrupted: Corrupted | None
    cuts: dict[str, Cuts]
    view_seed: int = 0


Function = Callable[[Batch], Tensor | None]

TERMS: dict[str, tuple[str, Function]] = {}
"""Name of each term -> the key of its weight, and its function, in the order of their sum."""


def term(weight: str) -> Callable[[Function], Function]:
    """Make a function a term of M with its name; `weight` is the key of its weight.

    The function gives one number, or None where the term does not apply.
    """

    def register(function: Function) -> Function:
        TERMS[function.__name__] = (weight, function)
        return function

    return register


def terms_of(batch: Batch) -> dict[str, tuple[Tensor, float]]:
    """Value and weight of every term that is on, by name."""
    found: dict[str, tuple[Tensor, float]] = {}
    for name, (weight, function) in TERMS.items():
        if is_on(batch.settings, weight, batch.stage):
            value = function(batch)
            if value is not None:
                found[name] = (value, weight_of(batch.settings, weight))
    return found


@term("losses.denoise_fence")
def denoise_fence(batch: Batch) -> Tensor:
    """The fence gives the clean slice back."""
    cuts = batch.cuts["corrupted"]
    return losses.absolute_error(cuts.fence, batch.references, _focus(batch))


@term("losses.denoise_wild")
def denoise_wild(batch: Batch) -> Tensor:
    """The wild cut holds the corruption: its excess of brightness, or its mask."""
    corrupted, wanted = _corrupted(batch), batch.settings.losses
    target = corrupted.mask if wanted.wild_target == "mask" else corrupted.excess
    if wanted.wild_loss == "absolute":
        return losses.absolute_error(batch.cuts["corrupted"].wild, target, _focus(batch))
    return _crossed(batch, "corrupted", corrupted.slices, target, _focus(batch))


@term("losses.tie")
def tie(batch: Batch) -> Tensor:
    """I_ro makes the corruption its brightest (or darkest) values; trains R alone."""
    wanted, cuts = batch.settings.losses, batch.cuts["corrupted"]
    aim = losses.tie_target(
        batch.references,
        _corrupted(batch).mask,
        wanted.tie_share,
        wanted.tie_side,
        wanted.tie_to,
    )
    model = cast(CuttingModule, batch.state.model)
    tied = model.reconstruct(cuts.fence.detach(), cuts.wild.detach())
    return losses.squared_error(tied, aim, _focus(batch))


def _corrupted(batch: Batch) -> Corrupted:
    assert batch.corrupted is not None
    return batch.corrupted


def _focus(batch: Batch) -> Tensor:
    """How much each pixel counts: more under the corruption."""
    return 1 + (batch.settings.losses.focus - 1) * _corrupted(batch).mask


def _crossed(
    batch: Batch, kind: str, slices: Tensor, target: Tensor, weights: Tensor | None = None
) -> Tensor:
    """Cross-entropy of the wild cut of slices of a kind against 0 and 1.

    A conserved wild cut is at most as bright as its slice, so its share of that is meant.
    """
    wild = batch.cuts[kind].wild
    with torch.autocast(batch.state.device.type, enabled=False):
        if batch.settings.network.cuts == "conserved":
            wild = wild / slices.clamp_min(DARK)
            tissue = (slices > 0).to(wild)
            weights = tissue if weights is None else weights * tissue
        return losses.cross_entropy(wild, target, weights)


@term("losses.identity")
def identity(batch: Batch) -> Tensor:
    """The fence of a reference is the reference."""
    return losses.absolute_error(batch.cuts["references"].fence, batch.references)


@term("losses.wild_reference")
def wild_reference(batch: Batch) -> Tensor:
    """The wild cut of a reference is empty."""
    wild = batch.cuts["references"].wild
    crossed = batch.settings.losses.wild_loss == "cross-entropy"
    held = (
        _crossed(batch, "references", batch.references, torch.zeros_like(wild))
        if crossed
        else wild.mean()
    )
    return _risen(batch) * held


@term("losses.sparsity")
def sparsity(batch: Batch) -> Tensor:
    """The wild cut of an input is small: taking out has a price."""
    return _risen(batch) * batch.cuts["inputs"].wild.mean()


def _risen(batch: Batch) -> float:
    """The share of its full height, 0 to 1, that the price of the wild cut has by now."""
    over = batch.settings.losses.price_over
    return min(1.0, batch.state.steps_m / over) if over else 1.0


@term("losses.lift")
def lift(batch: Batch) -> Tensor:
    """I_ro is the fence, what the wild cut holds beyond the reference lifted; trains R alone.

    So the histogram of I_ro gets the peak that the paper clicks, without a lesion of our own.
    """
    wanted = batch.settings.losses
    inputs, references = batch.cuts["inputs"], batch.cuts["references"]
    fence = torch.cat([inputs.fence, references.fence]).detach()
    wild = torch.cat([inputs.wild, references.wild]).detach()
    normal = references.wild.detach()[batch.references > 0]
    if not len(normal):
        return fence.new_zeros(())
    level = torch.quantile(normal, wanted.lift_quantile).clamp_min(LEAST_LEVEL)
    beyond = (wild > level).to(fence)
    aim = losses.tie_target(fence, beyond, wanted.tie_share, wanted.tie_side, wanted.tie_to)
    model = cast(CuttingModule, batch.state.model)
    weights = 1 + (wanted.focus - 1) * beyond
    return losses.squared_error(model.reconstruct(fence, wild), aim, weights)


@term("losses.self_training")
def self_training(batch: Batch) -> Tensor:
    """The wild cut of an input is what M's moving average takes for anomaly there.

    The average looks at each slice and at its mirror image.
    """
    state, wanted = batch.state, batch.settings.losses
    teacher = cast(CuttingModule, state.kept).eval()
    both = torch.cat([batch.inputs, batch.references])
    with torch.no_grad(), autocast(state.device, batch.settings.compute):
        wild = (teacher(both).wild + teacher(both.flip(-1)).wild.flip(-1)) / 2
    found, normal = wild[: len(batch.inputs)].float(), wild[len(batch.inputs) :].float()
    tissue = batch.references > 0
    labels = self_labels(found, normal, tissue, wanted.self_quantile, wanted.focus)
    return _crossed(batch, "inputs", batch.inputs, labels.target, labels.weights)


@term("adversary.weight")
def fence(batch: Batch) -> Tensor:
    """D takes the fences of inputs for references (paper, section 3.2)."""
    discriminator, adversary = cast(Critic, discriminator_of(batch.state)), batch.settings.adversary
    fences = viewed(batch.cuts["inputs"].fence, adversary, batch.view_seed)
    return cutting_side(discriminator, fences, adversary)


@term("losses.disjointness")
def disjointness(batch: Batch) -> Tensor | None:
    """Both cuts of an input do not overlap (paper, section 3.2)."""
    wanted, cuts = batch.settings.losses, batch.cuts["inputs"]
    if batch.stage == 2 and not wanted.disjointness_in_stage_2:
        return None
    return losses.disjointness_loss(
        cuts.fence, cuts.wild, wanted.disjointness_smoothing, wanted.disjointness_over
    )


@term("losses.reconstruction")
def reconstruction(batch: Batch) -> Tensor:
    """I_ro is the input (paper, section 3.2)."""
    made = batch.cuts["inputs"].reconstruction
    return losses.reconstruction_loss(
        made, batch.inputs, batch.settings.losses.reconstruction_reduce
    )
