"""ASC-Net's networks, and its steps: of D, of M, or of both jointly (paper, section 3.3)."""

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ascnet_core.network import losses
from ascnet_core.network.blocks import kernels_3x3
from ascnet_core.network.cutting import Cuts, CuttingModule
from ascnet_core.network.discriminator import Critic, Discriminator, PatchCritic
from ascnet_core.recipes.asc_net.adversary import (
    discriminator_of,
    discriminator_side,
    freeze,
    unfreeze,
)
from ascnet_core.recipes.asc_net.corruption import corrupt
from ascnet_core.recipes.asc_net.gauges import measure
from ascnet_core.recipes.asc_net.terms import Batch, terms_of
from ascnet_core.recipes.asc_net.views import viewed
from ascnet_core.segmentation.quantiser import joint_counts
from ascnet_core.settings.methods.asc_net import kinds_shown
from ascnet_core.settings.tables import Settings
from ascnet_core.training.device import autocast
from ascnet_core.training.learning import learn
from ascnet_core.training.recipe import Losses, Recipe, adam
from ascnet_core.training.sampling import (
    CORRUPT,
    FRESH,
    MORE,
    VIEW,
    Sets,
    draw,
    draw_more_references,
    draw_pairs,
    own_seed,
)
from ascnet_core.training.state import MODEL, TrainingState
from ascnet_core.training.timetable import Moment, seed_of

JOINT_BINS = 64


class AscNet(Recipe):
    """M and D in turns, or both in each step."""

    def build(self, settings: Settings) -> CuttingModule:
        """M."""
        network = settings.network
        return CuttingModule(
            network.width,
            network.dropout,
            network.decoder_dropout,
            network.norm_momentum,
            network.norm,
            network.cuts,
        )

    def others(self, settings: Settings) -> dict[str, nn.Module]:
        """D, where there is an adversary."""
        return {"discriminator": _new_d(settings, 0)} if settings.adversary.weight else {}

    def optimiser(self, name: str, network: nn.Module, settings: Settings) -> torch.optim.Optimizer:
        """Adam; R's three numbers are a group of their own, with a rate of their own."""
        schedule = settings.schedule
        if name != MODEL:
            return adam(network.parameters(), schedule.learning_rate_d, schedule)
        reconstructor = list(cast(CuttingModule, network).reconstructor.parameters())
        own = {id(parameter) for parameter in reconstructor}
        rest = [parameter for parameter in network.parameters() if id(parameter) not in own]
        groups = [{"params": rest, "factor": 1.0}]
        groups.append({"params": reconstructor, "factor": schedule.reconstructor_rate})
        return adam(groups, schedule.learning_rate, schedule)

    def begin_phase(self, state: TrainingState, settings: Settings, moment: Moment) -> None:
        """The released code's resets, if asked for: of Adam, and of D."""
        if settings.schedule.reset_adam:
            for name, network in state.networks.items():
                state.optimisers[name] = self.optimiser(name, network, settings)
        if settings.adversary.discarded and discriminator_of(state) is not None:
            seed = seed_of(moment.stage, moment.cycle, moment.phase == "M")
            state.put("discriminator", _new_d(settings, seed), settings)

    def step(self, state: TrainingState, settings: Settings, sets: Sets, moment: Moment) -> Losses:
        """Do the step of this moment; a phase M trains on inputs alone (the paper's order)."""
        if moment.phase == "D":
            return discriminator_step(state, settings, sets, moment)
        if moment.phase == "M":
            inputs = draw(settings, sets.inputs, moment, settings.schedule.batch_m)
            return _train_cutting(state, settings, moment, inputs, sets.references[:0])[0]
        return joint_step(state, settings, sets, moment)

    def gauges(self, state: TrainingState, settings: Settings, sets: Sets) -> dict[str, float]:
        """See `measure`."""
        return measure(state, settings, sets)

    def arrays(self, levels: dict[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.int64]]:
        """`joint` (64, 64): fence by rows, wild by columns, both from 0 to 1."""
        return {"joint": joint_counts(levels["fence"], levels["wild"], bins=JOINT_BINS)}


RECIPE = AscNet()


def discriminator_step(
    state: TrainingState, settings: Settings, sets: Sets, moment: Moment
) -> Losses:
    """Train D once on fences of inputs and references, in stage 2 also fences of references.

    M is in its inference mode here, as in the released code.
    """
    inputs, references = draw_pairs(settings, sets, moment, settings.schedule.batch_d // 2)
    model = cast(CuttingModule, state.model).eval()
    with torch.no_grad(), autocast(state.device, settings.compute):
        if moment.stage == 2:
            fresh = len(references) - len(references) // 2
            real, own = references[:fresh], references[fresh:]
            fences = model(torch.cat([inputs, own])).fence
            fences, references = fences[: len(inputs)], torch.cat([real, fences[len(inputs) :]])
        else:
            fences = model(inputs).fence
    return _train_discriminator(state, settings, moment, fences, references)


def joint_step(state: TrainingState, settings: Settings, sets: Sets, moment: Moment) -> Losses:
    """Train M once on every kind of slices that its terms need, then D `adversary.steps` times.

    All kinds go through M in one batch, so that batch norm's statistics fit them all.
    """
    inputs, references = draw_pairs(settings, sets, moment, settings.schedule.batch_m)
    report, cuts = _train_cutting(state, settings, moment, inputs, references)
    if discriminator_of(state) is not None:
        fences, real = cuts["inputs"].fence.detach(), references
        for number in range(settings.adversary.steps):
            if number:
                batch = settings.schedule.batch_m
                real = draw_more_references(settings, sets, moment, batch, number)
            if moment.stage == 2:
                real = torch.cat([real, cuts["references"].fence.detach()])
            report |= _train_discriminator(state, settings, moment, fences, real, number)
    return report


def _new_d(settings: Settings, seed: int) -> Critic:
    """A freshly initialised D."""
    network = settings.network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(settings.schedule.seed, FRESH, seed, 1))
        if network.discriminator == "patches":
            return PatchCritic(
                network.discriminator_width, network.discriminator_depth, network.discriminator_pool
            )
        return Discriminator(
            settings.data.size,
            network.discriminator_width,
            network.dropout,
            network.norm_momentum,
            network.discriminator_norm,
        )


def _train_cutting(
    state: TrainingState, settings: Settings, moment: Moment, inputs: Tensor, references: Tensor
) -> tuple[Losses, dict[str, Cuts]]:
    """A step of M: its terms and their sum, and what M made of each kind of slices."""
    kinds = kinds_shown(settings, moment.stage)
    corrupted = None
    shown = {"references": references, "inputs": inputs}
    if "corrupted" in kinds:
        corrupted = corrupt(references, settings.corruption, own_seed(settings, moment, CORRUPT))
        shown["corrupted"] = corrupted.slices
    discriminator = discriminator_of(state)
    if discriminator is not None:
        freeze(discriminator, settings.adversary)
    model = cast(CuttingModule, state.model).train()
    cuts: dict[str, Cuts] = {}

    def loss() -> tuple[Tensor, Losses]:
        with autocast(state.device, settings.compute):
            made = model(torch.cat([shown[kind] for kind in kinds]))
            parts = zip(*(one.chunk(len(kinds)) for one in made), strict=True)
            cuts.update(zip(kinds, (Cuts(*part) for part in parts), strict=True))
            view = own_seed(settings, moment, VIEW)
            batch = Batch(state, settings, moment.stage, inputs, references, corrupted, cuts, view)
            terms = terms_of(batch)
        factor = settings.losses.weight_decay
        if factor:
            terms["weight_decay"] = (losses.weight_decay(kernels_3x3(model), factor), 1.0)
        total = torch.stack([weight * value for value, weight in terms.values()]).sum()
        return total, {name: value for name, (value, _) in terms.items()} | {"total": total}

    report = learn(state, MODEL, loss)
    state.count(len(kinds) * settings.schedule.batch_m)
    return report, cuts


def _train_discriminator(
    state: TrainingState,
    settings: Settings,
    moment: Moment,
    fences: Tensor,
    references: Tensor,
    number: int = 0,
) -> Losses:
    """A step of D on random views of both; `number` tells the steps at one moment apart."""
    discriminator = cast(Critic, discriminator_of(state))
    seed = own_seed(settings, moment, VIEW + MORE * (number + 1))
    fences = viewed(fences, settings.adversary, seed)
    references = viewed(references, settings.adversary, seed + 1)
    unfreeze(discriminator, settings.network.norm_momentum)

    def loss() -> tuple[Tensor, Losses]:
        with autocast(state.device, settings.compute):
            own = discriminator_side(discriminator, fences, references, settings.adversary)
        total = own
        if settings.losses.weight_decay:
            kernels = kernels_3x3(discriminator)
            total = own + losses.weight_decay(kernels, settings.losses.weight_decay)
        return total, {"discriminator": own}

    return learn(state, "discriminator", loss)
