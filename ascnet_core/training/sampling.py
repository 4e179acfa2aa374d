"""Which slices come when: every draw is made from counters, so no generator needs saving.

A run restored at any step draws exactly what it would have drawn without the stop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ascnet_core.imaging.reference import balance, match_positions
from ascnet_core.training.settings import Data, Schedule, Settings

# What a draw is for: two draws of the same step must not be the same numbers.
ORDER, MATCH, AUGMENT, CORRUPT, DROPOUT, FRESH = range(6)
PHASES = {"D": 0, "M": 1, "joint": 2}


@dataclass(frozen=True)
class Moment:
    """Where in the schedule a step lies; all counters from 0 but stage and cycle, from 1."""

    stage: int
    cycle: int
    phase: str
    epoch: int
    index: int
    first_of_phase: bool
    last_of_epoch: bool
    last_of_cycle: bool

    def seed(self, seed: int, purpose: int, whole_epoch: bool = False) -> int:
        """A seed for one purpose at this moment, or for its whole epoch."""
        index = 0 if whole_epoch else self.index
        return seed_of(seed, self.stage, self.cycle, PHASES[self.phase], self.epoch, index, purpose)


@dataclass(frozen=True)
class Segment:
    """One phase of one cycle: `epochs` times `steps` steps."""

    stage: int
    cycle: int
    phase: str
    epochs: int
    steps: int
    last_of_cycle: bool


def seed_of(*counters: int) -> int:
    """A 63-bit seed from counters, the same on every machine."""
    low, high = np.random.SeedSequence(counters).generate_state(2)
    return int(low) | (int(high) & 0x7FFFFFFF) << 32


def plan(settings: Settings, inputs: int, references: int) -> tuple[Segment, ...]:
    """The whole schedule for so many input and reference slices.

    An epoch shows every slice of the larger set once, the smaller being filled up by duplication
    (D: fences of the inputs against references, in stage 2 also against fences of references).
    """
    schedule = settings.schedule
    segments: list[Segment] = []
    for stage, cycles in ((1, schedule.stage_1), (2, schedule.stage_2)):
        for cycle in range(1, cycles + 1):
            if schedule.order == "joint":
                steps = schedule.steps or _ceil(inputs, schedule.batch_m)
                segments.append(Segment(stage, cycle, "joint", schedule.epochs_m, steps, True))
                continue
            if schedule.epochs_d and settings.adversary.weight:
                larger = max(inputs, stage * references)
                steps = schedule.steps or _ceil(larger, schedule.batch_d // 2)
                segments.append(Segment(stage, cycle, "D", schedule.epochs_d, steps, False))
            passes = 2 if stage == 2 and schedule.inputs_twice else 1
            steps = schedule.steps or _ceil(passes * inputs, schedule.batch_m)
            segments.append(Segment(stage, cycle, "M", schedule.epochs_m, steps, True))
    return tuple(segments)


def steps_of(segments: tuple[Segment, ...]) -> int:
    """Number of steps of a schedule."""
    return sum(segment.epochs * segment.steps for segment in segments)


def locate(segments: tuple[Segment, ...], step: int) -> Moment:
    """Where step number `step` (from 0) lies."""
    for segment in segments:
        length = segment.epochs * segment.steps
        if step < length:
            epoch, index = divmod(step, segment.steps)
            ends = index == segment.steps - 1
            return Moment(
                segment.stage,
                segment.cycle,
                segment.phase,
                epoch,
                index,
                step == 0,
                ends,
                ends and segment.last_of_cycle and epoch == segment.epochs - 1,
            )
        step -= length
    raise IndexError("step lies after the end of the schedule")


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


def augment(slices: Tensor, data: Data, seed: int) -> Tensor:
    """Slices (N, 1, H, W) mirrored and brightened at random as the settings ask, in [0, 1].

    The draws come from the CPU whatever the device, so that they are the same everywhere.
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


def _ceil(number: int, by: int) -> int:
    return max(1, -(-number // by))
