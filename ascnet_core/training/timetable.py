"""The schedule as steps: how many there are, and where each lies. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ascnet_core.settings.tables import Settings

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


def _ceil(number: int, by: int) -> int:
    return max(1, -(-number // by))
