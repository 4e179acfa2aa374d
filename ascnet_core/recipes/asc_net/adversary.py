"""The adversary: D's loss, M's term against D, and D's modes."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ascnet_core.network import losses
from ascnet_core.network.discriminator import Critic
from ascnet_core.settings.network import Adversary
from ascnet_core.training.state import TrainingState


def discriminator_of(state: TrainingState) -> Critic | None:
    """D, where there is an adversary."""
    return cast("Critic | None", state.networks.get("discriminator"))


def discriminator_side(
    discriminator: Critic, fences: Tensor, references: Tensor, adversary: Adversary
) -> Tensor:
    """D's loss on fences of inputs (n, 1, H, W) and on what it should take for references.

    Both go through D in one batch, so that batch norm sees the mixture.
    """
    if adversary.r1:
        references = references.detach().requires_grad_(True)
    scores = discriminator.score(torch.cat([fences, references]))
    of_fences, of_references = scores[: len(fences)], scores[len(fences) :]
    if adversary.mirrored and adversary.loss != "tanh-mae":
        of_fences, of_references = -of_fences, -of_references
    if adversary.loss == "tanh-mae":
        loss = losses.discriminator_loss(
            torch.tanh(of_fences), torch.tanh(of_references), adversary.mirrored
        )
    elif adversary.loss == "hinge":
        loss = losses.hinge_discriminator_loss(of_fences, of_references)
    else:
        loss = losses.least_squares(of_fences, -1.0) + losses.least_squares(of_references, 1.0)
    if adversary.r1:
        loss = loss + adversary.r1 * losses.r1_penalty(of_references, references)
    return loss


def cutting_side(discriminator: Critic, fences: Tensor, adversary: Adversary) -> Tensor:
    """M's adversarial term, unweighted: how far D is from taking the fences for references."""
    scores = discriminator.score(fences)
    target = -1.0 if adversary.mirrored else 1.0
    if adversary.loss == "tanh-mae":
        return losses.fence_loss(torch.tanh(scores), target)
    if adversary.loss == "hinge":
        return -target * scores.mean()
    return losses.least_squares(scores, target)


def freeze(discriminator: Critic, adversary: Adversary) -> None:
    """Set D up for M's turn: no gradients for it, and running statistics that stay.

    The released code's frozen D (`frozen_uses_batches`) still normalises by the batch and drops
    values; the paper's works in inference mode.
    """
    discriminator.requires_grad_(False)
    discriminator.train(adversary.frozen_uses_batches)
    for norm in norms(discriminator):
        norm.momentum = 0.0


def unfreeze(discriminator: Critic, momentum: float) -> None:
    """Set D up for its own turn."""
    discriminator.requires_grad_(True)
    discriminator.train()
    for norm in norms(discriminator):
        norm.momentum = momentum


def norms(module: nn.Module) -> list[_BatchNorm]:
    """All batch norms of a network, those that several processes share among them."""
    return [part for part in module.modules() if isinstance(part, _BatchNorm)]
