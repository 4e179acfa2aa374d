"""One step of D, of M, or of both jointly.

Of several processes each does the step on its part of the batch; what it takes for it to be the
step of one process is in `network.sharding`, and in `average_gradients`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ascnet_core.imaging.reference import SliceSet
from ascnet_core.network import losses
from ascnet_core.network.blocks import kernels_3x3
from ascnet_core.network.cutting import Cuts
from ascnet_core.network.sharding import gathered, place
from ascnet_core.settings.tables import Settings
from ascnet_core.training.adversary import cutting_side, discriminator_side, freeze, unfreeze
from ascnet_core.training.corruption import corrupt
from ascnet_core.training.device import autocast, memory_format, threads
from ascnet_core.training.distributed import average_gradients
from ascnet_core.training.sampling import (
    AUGMENT,
    CORRUPT,
    DROPOUT,
    Moment,
    augment,
    input_indices,
    reference_indices,
)
from ascnet_core.training.self_training import SelfLabels, self_labels
from ascnet_core.training.state import TrainingState

Losses = dict[str, Tensor]


@dataclass(frozen=True)
class Sets:
    """Both sets as tensors (N, 1, S, S) on the device, with their slices' positions in [0, 1]."""

    inputs: Tensor
    references: Tensor
    input_positions: np.ndarray
    reference_positions: np.ndarray


def load_sets(
    inputs: SliceSet, reference: SliceSet, state: TrainingState, settings: Settings
) -> Sets:
    """Put both sets on the device once: an epoch then moves no data."""
    order = memory_format(state.device, settings.compute)

    def stack(one: SliceSet) -> Tensor:
        images = torch.from_numpy(np.array(one.images, dtype=np.float32))[:, None]
        return images.to(state.device, memory_format=order)

    return Sets(
        stack(inputs),
        stack(reference),
        np.asarray(inputs.positions, dtype=float),
        np.asarray(reference.positions, dtype=float),
    )


def run_step(state: TrainingState, settings: Settings, sets: Sets, moment: Moment) -> Losses:
    """Do the step of this moment and count it; returns its losses by name, on the device."""
    seed = moment.seed(settings.schedule.seed, DROPOUT)
    devices = [state.device] if state.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), threads(settings.compute):
        torch.manual_seed(seed)
        if moment.phase == "D":
            return discriminator_step(state, settings, sets, moment)
        if moment.phase == "M":
            return cutting_step(state, settings, sets, moment)
        return joint_step(state, settings, sets, moment)


def discriminator_step(
    state: TrainingState, settings: Settings, sets: Sets, moment: Moment
) -> Losses:
    """Train D once on fences of inputs and references, in stage 2 also fences of references.

    M is in its inference mode here, as in the released code.
    """
    half = settings.schedule.batch_d // 2
    inputs, references = _draw(settings, sets, moment, half, half)
    state.model.eval()
    with torch.no_grad(), autocast(state.device, settings.compute):
        if moment.stage == 2:
            fresh = len(place().own(np.empty(half - half // 2)))
            real, own = references[:fresh], references[fresh:]
            fences = state.model(torch.cat([inputs, own])).fence
            fences, references = fences[: len(inputs)], torch.cat([real, fences[len(inputs) :]])
        else:
            fences = state.model(inputs).fence
    return _train_discriminator(state, settings, fences, references)


def cutting_step(state: TrainingState, settings: Settings, sets: Sets, moment: Moment) -> Losses:
    """Train M once on inputs, against a frozen D (the paper's order)."""
    inputs, _ = _draw(settings, sets, moment, settings.schedule.batch_m, 0)
    state.model.train()
    with autocast(state.device, settings.compute):
        cuts = state.model(inputs)
        terms = _input_terms(state, settings, cuts, inputs, moment.stage)
    _train_cutting(state, settings, terms, settings.schedule.batch_m)
    return {name: value for name, (value, _) in terms.items()}


def joint_step(state: TrainingState, settings: Settings, sets: Sets, moment: Moment) -> Losses:
    """Train M once on corrupted references (and inputs, plain references if asked), then D once.

    All kinds of slices go through M in one batch, so that batch norm's statistics fit them all.
    """
    wanted, adversary = settings.losses, settings.adversary
    batch = settings.schedule.batch_m
    teaches = bool(wanted.self_training and moment.stage == 2)
    needs_inputs = bool(adversary.weight or wanted.disjointness or wanted.reconstruction or teaches)
    needs_plain = bool(wanted.identity or wanted.wild_reference or adversary.weight)
    needs_corrupted = bool(wanted.denoise_fence or wanted.denoise_wild or wanted.tie)
    inputs, references = _draw(settings, sets, moment, batch, batch)
    parts: list[Tensor] = []
    if needs_corrupted:
        seed = moment.seed(settings.schedule.seed, CORRUPT)
        corrupted = corrupt(references, settings.corruption, seed, place())
        parts.append(corrupted.slices)
    if needs_plain:
        parts.append(references)
    if needs_inputs:
        parts.append(inputs)
    state.model.train()
    terms: dict[str, tuple[Tensor, float]] = {}
    with autocast(state.device, settings.compute):
        split = iter(_split(state.model(torch.cat(parts)), len(parts)))
        if needs_corrupted:
            cuts = next(split)
            target = corrupted.mask if wanted.wild_target == "mask" else corrupted.excess
            weights = 1 + (wanted.focus - 1) * corrupted.mask
            if wanted.denoise_fence:
                error = losses.absolute_error(cuts.fence, references, weights)
                terms["denoise_fence"] = (error, wanted.denoise_fence)
            if wanted.denoise_wild:
                measure = (
                    losses.cross_entropy
                    if wanted.wild_loss == "cross-entropy"
                    else losses.absolute_error
                )
                with torch.autocast(state.device.type, enabled=False):
                    error = measure(cuts.wild, target, weights)
                terms["denoise_wild"] = (error, wanted.denoise_wild)
            if wanted.tie:
                aim = losses.tie_target(
                    references,
                    corrupted.mask,
                    wanted.tie_share,
                    wanted.tie_side,
                    wanted.tie_to,
                )
                tied = state.model.reconstruct(cuts.fence.detach(), cuts.wild.detach())
                terms["tie"] = (losses.squared_error(tied, aim, weights), wanted.tie)
        if needs_plain:
            plain = next(split)
            if wanted.identity:
                error = losses.absolute_error(plain.fence, references)
                terms["identity"] = (error, wanted.identity)
            if wanted.wild_reference:
                filled = (
                    losses.cross_entropy(plain.wild, torch.zeros_like(plain.wild))
                    if wanted.wild_loss == "cross-entropy"
                    else plain.wild.mean()
                )
                terms["wild_reference"] = (filled, wanted.wild_reference)
        if needs_inputs:
            of_inputs = next(split)
            if adversary.weight and state.discriminator is not None:
                freeze(state.discriminator, adversary)
            if teaches:
                labels = _own_labels(state, settings, inputs, references)
                error = losses.cross_entropy(of_inputs.wild, labels.target, labels.weights)
                terms["self_training"] = (error, wanted.self_training)
            terms |= _input_terms(state, settings, of_inputs, inputs, moment.stage)
    _train_cutting(state, settings, terms, len(parts) * batch)
    report = {name: value for name, (value, _) in terms.items()}
    if adversary.weight and state.discriminator is not None:
        unfreeze(state.discriminator, settings.network.norm_momentum)
        real = references
        if moment.stage == 2:
            real = torch.cat([references, plain.fence.detach()])
        report |= _train_discriminator(state, settings, of_inputs.fence.detach(), real)
    return report


def _own_labels(
    state: TrainingState, settings: Settings, inputs: Tensor, references: Tensor
) -> SelfLabels:
    """What M's moving average takes for anomaly on these inputs, averaged over a mirrored look."""
    teacher = state.kept.eval()
    both = torch.cat([inputs, references])
    with torch.no_grad(), autocast(state.device, settings.compute):
        wild = (teacher(both).wild + teacher(both.flip(-1)).wild.flip(-1)) / 2
    found, normal = wild[: len(inputs)].float(), wild[len(inputs) :].float()
    # the level is one of the whole batch's reference
    normal, references = gathered(normal), gathered(references)
    wanted = settings.losses
    return self_labels(found, normal, references > 0, wanted.self_quantile, wanted.focus)


def _draw(
    settings: Settings, sets: Sets, moment: Moment, inputs: int, references: int
) -> tuple[Tensor, Tensor]:
    """Input and reference slices of this step, mirrored and brightened as the settings ask.

    Of several processes each gets its part of so many.
    """
    device, here = sets.inputs.device, place()
    chosen = input_indices(settings.schedule, moment, len(sets.inputs), inputs)
    drawn = sets.inputs[torch.from_numpy(here.own(chosen)).to(device)]
    seed = moment.seed(settings.schedule.seed, AUGMENT)
    drawn = augment(drawn, settings.data, seed, here)
    if not references:
        return drawn, sets.references[:0]
    partners = reference_indices(
        settings, moment, chosen, sets.input_positions, sets.reference_positions, references
    )
    others = sets.references[torch.from_numpy(here.own(partners)).to(device)]
    return drawn, augment(others, settings.data, seed + 1, here)


def _input_terms(
    state: TrainingState, settings: Settings, cuts: Cuts, inputs: Tensor, stage: int
) -> dict[str, tuple[Tensor, float]]:
    """The method's own three terms on inputs, each with its weight."""
    wanted = settings.losses
    terms: dict[str, tuple[Tensor, float]] = {}
    if settings.adversary.weight and state.discriminator is not None:
        adversarial = cutting_side(state.discriminator, cuts.fence, settings.adversary)
        terms["fence"] = (adversarial, settings.adversary.weight)
    if wanted.disjointness and (stage == 1 or wanted.disjointness_in_stage_2):
        overlap = losses.disjointness_loss(
            cuts.fence, cuts.wild, wanted.disjointness_smoothing, wanted.disjointness_over
        )
        terms["disjointness"] = (overlap, wanted.disjointness)
    if wanted.reconstruction:
        error = losses.reconstruction_loss(
            cuts.reconstruction, inputs, wanted.reconstruction_reduce
        )
        terms["reconstruction"] = (error, wanted.reconstruction)
    return terms


def _train_cutting(
    state: TrainingState,
    settings: Settings,
    terms: dict[str, tuple[Tensor, float]],
    images: int,
) -> None:
    factor = settings.losses.weight_decay
    if factor:
        terms["weight_decay"] = (losses.weight_decay(kernels_3x3(state.model), factor), 1.0)
    total = torch.stack([weight * value for value, weight in terms.values()]).sum()
    state.optimiser.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    average_gradients(state.model.parameters())
    state.optimiser.step()
    state.steps_m += 1
    state.images_seen += images
    for name, (value, weight) in terms.items():
        terms[name] = (value.detach(), weight)
    terms["total"] = (total.detach(), 0.0)


def _train_discriminator(
    state: TrainingState, settings: Settings, fences: Tensor, references: Tensor
) -> Losses:
    if state.discriminator is None or state.optimiser_d is None:
        return {}
    with autocast(state.device, settings.compute):
        loss = discriminator_side(state.discriminator, fences, references, settings.adversary)
    total = loss
    if settings.losses.weight_decay:
        kernels = kernels_3x3(state.discriminator)
        total = loss + losses.weight_decay(kernels, settings.losses.weight_decay)
    state.optimiser_d.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    average_gradients(state.discriminator.parameters())
    state.optimiser_d.step()
    return {"discriminator": loss.detach()}


def _split(cuts: Cuts, parts: int) -> list[Cuts]:
    chunks = [one.chunk(parts) for one in cuts]
    return [Cuts(fence, wild, made) for fence, wild, made in zip(*chunks, strict=True)]
