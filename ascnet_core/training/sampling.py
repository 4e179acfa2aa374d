"""Which slices a step draws: every draw is made from counters, so no generator is saved.

A run restored at any step draws exactly what it would have drawn without the stop. The slices of a
batch are drawn for all processes together, and each takes its part of them; mirroring, corruption
and dropout each process draws for itself.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ascnet_core.imaging.reference import SliceSet, balance, match_positions
from ascnet_core.settings.data import Data
from ascnet_core.settings.schedule import Schedule
from ascnet_core.settings.tables import Settings
from ascnet_core.training.device import memory_format
from ascnet_core.training.distributed import this_process
from ascnet_core.training.timetable import Moment

# Purposes of draws: those of one step must not give the same numbers.
ORDER, MATCH, AUGMENT, CORRUPT, DROPOUT, FRESH, VIEW = range(7)
MORE = 100
"""Added to a purpose, and a counter to that, for what a step draws several times."""


@dataclass(frozen=True)
class Sets:
    """Both sets as tensors (N, 1, S, S) on the device, with their slices' positions in [0, 1]."""

    inputs: Tensor
    references: Tensor
    input_positions: np.ndarray
    reference_positions: np.ndarray


def load_sets(
    inputs: SliceSet, reference: SliceSet, device: torch.device, settings: Settings
) -> Sets:
    """Put both sets on the device once, so that an epoch moves no data."""
    order = memory_format(device, settings.compute)

    def stack(one: SliceSet) -> Tensor:
        images = torch.from_numpy(np.array(one.images, dtype=np.float32))[:, None]
        return images.to(device, memory_format=order)

    return Sets(stack(inputs), stack(reference), inputs.positions, reference.positions)


def own_seed(settings: Settings, moment: Moment, purpose: int) -> int:
    """A seed for what this process alone draws; the number after it is free for another draw."""
    return moment.seed(settings.schedule.seed, purpose) + 2 * this_process().rank


def draw(settings: Settings, slices: Tensor, moment: Moment, batch: int) -> Tensor:
    """A process's part of a batch of one set, mirrored and brightened as the settings ask.

    Over an epoch every slice of the set comes once before any comes twice.
    """
    chosen = input_indices(settings.schedule, moment, len(slices), batch)
    return _taken(slices, chosen, settings, own_seed(settings, moment, AUGMENT))


def draw_pairs(settings: Settings, sets: Sets, moment: Moment, batch: int) -> tuple[Tensor, Tensor]:
    """As `draw` for the inputs, and as many references that go with them."""
    chosen = input_indices(settings.schedule, moment, len(sets.inputs), batch)
    partners = reference_indices(settings, sets, moment, chosen)
    seed = own_seed(settings, moment, AUGMENT)
    inputs = _taken(sets.inputs, chosen, settings, seed)
    return inputs, _taken(sets.references, partners, settings, seed + 1)


def draw_more_references(
    settings: Settings, sets: Sets, moment: Moment, batch: int, number: int
) -> Tensor:
    """Further references that go with this step's inputs, the same for the same `number`."""
    chosen = input_indices(settings.schedule, moment, len(sets.inputs), batch)
    partners = reference_indices(settings, sets, moment, chosen, MATCH + MORE * number)
    seed = own_seed(settings, moment, AUGMENT + MORE * number)
    return _taken(sets.references, partners, settings, seed)


def _taken(slices: Tensor, chosen: np.ndarray, settings: Settings, seed: int) -> Tensor:
    own = torch.from_numpy(this_process().part(chosen)).to(slices.device)
    return augment(slices[own], settings.data, seed)


def input_indices(settings: Schedule, moment: Moment, count: int, batch: int) -> np.ndarray:
    """Which of `count` input slices make up this step's batch, (batch,) int.

    The sequence of an epoch is a chain of permutations, so a batch is always full and every slice
    comes once before any comes twice.
    """
    start = moment.index * batch
    rounds = range(start // count, (start + batch - 1) // count + 1)
    seed = moment.seed(settings.seed, ORDER, whole_epoch=True)
    chain = np.concatenate(
        [np.random.default_rng([seed, one]).permutation(count) for one in rounds]
    )
    first = start - rounds[0] * count
    return chain[first : first + batch]


def reference_indices(
    settings: Settings, sets: Sets, moment: Moment, chosen: np.ndarray, purpose: int = MATCH
) -> np.ndarray:
    """Which reference slices go with this step's input slices, (batch,) int.

    With `data.match` = "position" each is of about the level of an input slice of the batch;
    otherwise they are drawn like the inputs, the set filled up by duplication (the paper).
    """
    seed, batch = settings.schedule.seed, len(chosen)
    if settings.data.match == "position":
        rng = np.random.default_rng(moment.seed(seed, purpose))
        return match_positions(sets.input_positions[chosen], sets.reference_positions, rng)
    rng = np.random.default_rng([moment.seed(seed, purpose, whole_epoch=True), 1])
    count = len(sets.references)
    order = rng.permutation(balance(count, max(count, len(sets.inputs)), rng))
    return np.resize(np.roll(order, -moment.index * batch), batch)


def augment(slices: Tensor, data: Data, seed: int) -> Tensor:
    """Slices (N, 1, H, W) mirrored and brightened at random as the settings ask, in [0, 1].

    The draws are made on the CPU, so they are the same on every device.
    """
    if not (data.flips or data.brightness):
        return slices
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(2, len(slices), 1, 1, 1, generator=generator).to(slices.device)
    if data.flips:
        slices = torch.where(draws[0] < 0.5, slices.flip(-1), slices)
    if data.brightness:
        slices = (slices * (1 + data.brightness * (2 * draws[1] - 1))).clamp(0, 1)
    return slices
