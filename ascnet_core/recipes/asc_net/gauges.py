"""Whether the adversary is alive, and whether M does more than quantise brightness."""

import copy

import torch
from torch import Tensor

from ascnet_core.network.discriminator import Critic
from ascnet_core.recipes.asc_net.adversary import cutting_side, discriminator_of
from ascnet_core.settings.tables import Settings
from ascnet_core.training.device import autocast
from ascnet_core.training.gauges import SAMPLE, maps_of, mean_inside, rank_with_input, spread
from ascnet_core.training.sampling import Sets
from ascnet_core.training.state import TrainingState

FAR = 0.1
"""A fence off its input by more than this share of the scale differs from it to the eye."""


def measure(state: TrainingState, settings: Settings, sets: Sets) -> dict[str, float]:
    """Gauges on a fixed sample of both sets; `settings.methods.asc_net` says what each means.

    `rank_correlation` is of I_ro with I_in, both on 256 levels, and 0 if one of them is constant.
    The wild cut's means are inside the region. `gradient` is that of M's adversarial term at I_fc.
    """
    inputs, references = spread(sets.inputs, SAMPLE), spread(sets.references, SAMPLE)
    maps = maps_of(state.kept, inputs, settings)
    of_references = maps_of(state.kept, references, settings)
    found = {
        "rank_correlation": rank_with_input(maps["reconstruction"], inputs),
        "wild_input": mean_inside(maps["wild"], inputs),
        "wild_reference": mean_inside(of_references["wild"], references),
        "fence_differs": share_differing(maps["fence"], inputs),
    }
    discriminator = discriminator_of(state)
    if discriminator is not None:
        found |= _of_adversary(state, discriminator, settings, inputs, references)
    return found


def share_differing(fences: Tensor, inputs: Tensor) -> float:
    """Share of the region's pixels (input above 0) whose fence is off the input by over `FAR`."""
    tissue = inputs > 0
    if not bool(tissue.any()):
        return 0.0
    return float(((fences - inputs).abs() > FAR)[tissue].float().mean())


def _of_adversary(
    state: TrainingState,
    discriminator: Critic,
    settings: Settings,
    inputs: Tensor,
    references: Tensor,
) -> dict[str, float]:
    """The gauges of D, taken on a copy of it."""
    adversary = settings.adversary
    fences = maps_of(state.model, inputs, settings)["fence"]
    discriminator = copy.deepcopy(discriminator).requires_grad_(False).eval()
    with autocast(state.device, settings.compute):
        with torch.no_grad():
            of_references = discriminator.score(references)
        fences.requires_grad_(True)
        of_fences = discriminator.score(fences)
        loss = cutting_side(discriminator, fences, adversary)
    (gradient,) = torch.autograd.grad(loss * len(fences), fences)
    scores = torch.cat([of_fences.detach(), of_references])
    sign = -1.0 if adversary.mirrored else 1.0
    return {
        "gap": float(sign * (of_references.mean() - of_fences.detach().mean())),
        "score": float(scores.abs().mean()),
        "saturated": float((torch.tanh(scores).abs() > 0.999).float().mean()),
        "gradient": float(gradient.flatten(1).norm(dim=1).mean()),
        "accuracy_fence": float((sign * of_fences < 0).float().mean()),
        "accuracy_reference": float((sign * of_references > 0).float().mean()),
    }
