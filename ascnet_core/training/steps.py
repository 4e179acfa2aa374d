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
from ascnet_core.network.sharding import place
from ascnet_core.settings.methods.asc_net import kinds_shown
from ascnet_core.settings.tables import Settings
from ascnet_core.training.adversary import discriminator_side, freeze, unfreeze
from ascnet_core.training.corruption import corrupt
from ascnet_core.training.device import autocast, memory_format, threads
from ascnet_core.training.distributed import average_gradients
from ascnet_core.training.sampling import (
    AUGMENT,
    CORRUPT,
    DROPOUT,
    augment,
    input_indices,
    reference_indices,
)
from ascnet_core.training.state import TrainingState
from ascnet_core.training.terms import Batch, terms_of
from ascnet_core.training.timetable import Moment

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
    return _train_cutting(state, settings, moment, inputs, sets.references[:0])[0]


def joint_step(state: TrainingState, settings: Settings, sets: Sets, moment: Moment) -> Losses:
    """Train M once on every kind of slices that its terms need, then D once.

    All kinds go through M in one batch, so that batch norm's statistics fit them all.
    """
    batch = settings.schedule.batch_m
    inputs, references = _draw(settings, sets, moment, batch, batch)
    if state.discriminator is not None:
        freeze(state.discriminator, settings.adversary)
    report, cuts = _train_cutting(state, settings, moment, inputs, references)
    if state.discriminator is not None:
        unfreeze(state.discriminator, settings.network.norm_momentum)
        real = references
        if moment.stage == 2:
            real = torch.cat([references, cuts["references"].fence.detach()])
        fences = cuts["inputs"].fence.detach()
        report |= _train_discriminator(state, settings, fences, real)
    return report


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


def _train_cutting(
    state: TrainingState,
    settings: Settings,
    moment: Moment,
    inputs: Tensor,
    references: Tensor,
) -> tuple[Losses, dict[str, Cuts]]:
    """A step of M: its terms and their sum, and what M made of each kind of slices."""
    kinds = kinds_shown(settings, moment.stage)
    corrupted = None
    shown = {"references": references, "inputs": inputs}
    if "corrupted" in kinds:
        seed = moment.seed(settings.schedule.seed, CORRUPT)
        corrupted = corrupt(references, settings.corruption, seed, place())
        shown["corrupted"] = corrupted.slices
    state.model.train()
    with autocast(state.device, settings.compute):
        made = state.model(torch.cat([shown[kind] for kind in kinds]))
        cuts = dict(zip(kinds, _split(made, len(kinds)), strict=True))
        batch = Batch(state, settings, moment.stage, inputs, references, corrupted, cuts)
        terms = terms_of(batch)
    factor = settings.losses.weight_decay
    if factor:
        terms["weight_decay"] = (losses.weight_decay(kernels_3x3(state.model), factor), 1.0)
    total = torch.stack([weight * value for value, weight in terms.values()]).sum()
    state.optimiser.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    average_gradients(state.model.parameters())
    state.optimiser.step()
    state.steps_m += 1
    state.images_seen += len(kinds) * settings.schedule.batch_m
    report = {name: value.detach() for name, (value, _) in terms.items()}
    return report | {"total": total.detach()}, cuts


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
