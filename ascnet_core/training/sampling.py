"""Which slices come when: every draw is made from counters, so no generator needs saving.

A run restored at any step draws exactly what it would have drawn without the stop.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ascnet_core.imaging.reference import balance, match_positions
from ascnet_core.network.sharding import ALONE, Place
from ascnet_core.settings.tables import Data, Schedule, Settings
from ascnet_core.training.timetable import Moment

# What a draw is for: two draws of the same step must not be the same numbers.
ORDER, MATCH, AUGMENT, CORRUPT, DROPOUT, FRESH = range(6)


def input_indices(settings: Schedule, moment: Moment, count: int, batch: int) -> np.ndarray:
    """Which of `count` input slices make up this step's batch of `batch`, (batch,) int.

    The sequence of an epoch is a chain of permutations, so that a batch is always full and, over
    an epoch, every slice comes once before any comes twice.
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
    settings: Settings,
    moment: Moment,
    chosen: np.ndarray,
    input_positions: np.ndarray,
    reference_positions: np.ndarray,
    batch: int,
) -> np.ndarray:
    """Which reference slices go with this step's input slices, (batch,) int.

    With `data.match` = "position" each is of about the level of an input slice of the batch;
    otherwise they are drawn like the inputs, the set filled up by duplication (the paper).
    """
    seed = moment.seed(settings.schedule.seed, MATCH)
    rng = np.random.default_rng(seed)
    if settings.data.match == "position":
        levels = input_positions[np.resize(chosen, batch)]
        return np.asarray(match_positions(levels, reference_positions, rng))
    count = len(reference_positions)
    target = max(count, len(input_positions))
    epoch_rng = np.random.default_rng(
        [moment.seed(settings.schedule.seed, MATCH, whole_epoch=True), 1]
    )
    order = epoch_rng.permutation(np.asarray(balance(count, target, epoch_rng)))
    return np.asarray(np.resize(np.roll(order, -moment.index * batch), batch))


def augment(slices: Tensor, data: Data, seed: int, place: Place = ALONE) -> Tensor:
    """Slices (N, 1, H, W) mirrored and brightened at random as the settings ask, in [0, 1].

    The draws come from the CPU whatever the device, so that they are the same everywhere; and for
    the whole batch, of which `slices` may be the part of one process.
    """
    if not (data.flips or data.brightness):
        return slices
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(2, len(slices) * place.size, 1, 1, 1, generator=generator)
    draws = draws[:, place.rank :: place.size].to(slices.device)
    if data.flips:
        slices = torch.where(draws[0] < 0.5, slices.flip(-1), slices)
    if data.brightness:
        slices = (slices * (1 + data.brightness * (2 * draws[1] - 1))).clamp(0, 1)
    return slices
