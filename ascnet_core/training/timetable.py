"""The schedule as steps: how many there are, and the moment of each. Needs no torch."""

from dataclasses import dataclass

import numpy as np

from ascnet_core.settings.method import Phase
from ascnet_core.settings.tables import Settings


@dataclass(frozen=True)
class Moment:
    """When a step comes; all counters from 0 but stage and cycle, from 1.

    `phase` and `number` are the name and the number of its phase.
    """

    stage: int
    cycle: int
    phase: str
    number: int
    epoch: int
    index: int
    first_of_phase: bool
    last_of_epoch: bool
    last_of_cycle: bool

    def seed(self, seed: int, purpose: int, whole_epoch: bool = False) -> int:
        """A seed for one purpose at this moment, or for its whole epoch."""
        index = 0 if whole_epoch else self.index
        return seed_of(seed, self.stage, self.cycle, self.number, self.epoch, index, purpose)


@dataclass(frozen=True)
class Segment:
    """One phase of one cycle."""

    stage: int
    cycle: int
    phase: Phase
    last_of_cycle: bool

    def __len__(self) -> int:
        return self.phase.epochs * self.phase.steps


def seed_of(*counters: int) -> int:
    """A 63-bit seed from counters, the same on every machine."""
    low, high = np.random.SeedSequence(counters).generate_state(2)
    return int(low) | (int(high) & 0x7FFFFFFF) << 32


def segments_of(settings: Settings, inputs: int, references: int) -> tuple[Segment, ...]:
    """The whole schedule for so many input and reference slices."""
    segments: list[Segment] = []
    for stage, cycles in ((1, settings.schedule.stage_1), (2, settings.schedule.stage_2)):
        phases = settings.method.phases(settings, stage, inputs, references)
        for cycle in range(1, cycles + 1):
            segments += [Segment(stage, cycle, one, one is phases[-1]) for one in phases]
    return tuple(segments)


def locate(segments: tuple[Segment, ...], step: int) -> Moment:
    """The moment of step number `step` (from 0)."""
    for segment in segments:
        if step < len(segment):
            phase = segment.phase
            epoch, index = divmod(step, phase.steps)
            ends = index == phase.steps - 1
            return Moment(
                segment.stage,
                segment.cycle,
                phase.name,
                phase.number,
                epoch,
                index,
                step == 0,
                ends,
                ends and segment.last_of_cycle and epoch == phase.epochs - 1,
            )
        step -= len(segment)
    raise IndexError("step lies after the end of the schedule")
