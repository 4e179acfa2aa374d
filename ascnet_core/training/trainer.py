"""Training as a generator of events (paper, section 3.3).

    state = new_state(settings, "cpu")
    for event in train(state, settings, inputs, reference, watched, lambda: False):
        ...

Between two events the state is whole: it may be saved at any of them, and training restored from it
goes on exactly as it would have (on a CPU bit by bit). Each of several processes runs this. The
losses in the events are means over all of them; the first alone makes gauges and snapshots.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ascnet_core.errors import UserError
from ascnet_core.imaging.reference import SliceSet
from ascnet_core.settings.tables import Settings
from ascnet_core.training.device import threads
from ascnet_core.training.distributed import averaged, this_process
from ascnet_core.training.gauges import snapshot_arrays
from ascnet_core.training.recipe import Losses, Recipe, recipe_of
from ascnet_core.training.sampling import DROPOUT, Sets, load_sets, own_seed
from ascnet_core.training.state import TrainingState, set_rate, update_average
from ascnet_core.training.timetable import Moment, locate, segments_of


@dataclass(frozen=True)
class Event:
    """Something that happened in training.

    `kind` is start, step, epoch (with gauges), snapshot (with `arrays`), cycle, stop or end.
    `stage` and `cycle` count from 1, `epoch` from 1 within its phase; `step` counts finished steps
    of `steps_total`. `losses` are means since the last step event. `ends_cycle` is False for a
    snapshot within a cycle.
    """

    kind: str
    stage: int = 1
    cycle: int = 0
    phase: str = ""
    epoch: int = 0
    step: int = 0
    steps_total: int = 0
    images_seen: int = 0
    losses: dict[str, float] = field(default_factory=dict)
    gauges: dict[str, float] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    ends_cycle: bool = True

    def to_json(self) -> dict[str, Any]:
        """The event without its arrays, as JSON has it; NaN and infinity become null."""
        left_out = ("arrays", "ends_cycle")
        content = {name: value for name, value in vars(self).items() if name not in left_out}
        for name in ("losses", "gauges"):
            content[name] = {
                key: value if math.isfinite(value) else None for key, value in content[name].items()
            }
        return content


def train(
    state: TrainingState,
    settings: Settings,
    inputs: SliceSet,
    reference: SliceSet,
    watched: np.ndarray,
    should_stop: Callable[[], bool],
    wants_snapshot: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Train from where `state` is to the end of the schedule, or until asked to stop.

    `state` is changed in place. The sets hold slices (N, S, S) float32 in [0, 1], S = data.size;
    `watched` (W, S, S) are those whose maps go into snapshots. `should_stop` and `wants_snapshot`
    are asked before each step, the latter of the first process alone; a snapshot changes nothing in
    the training.

    Yields events in order; a snapshot comes before anything is trained and at each cycle's end.
    Raises UserError if a set is empty or of another size, or a loss is NaN or infinite.
    """
    _check(settings, inputs, "input")
    _check(settings, reference, "reference")
    sets = load_sets(inputs, reference, state.device, settings)
    segments = segments_of(settings, len(sets.inputs), len(sets.references))
    total = sum(map(len, segments))
    leads = this_process().rank == 0
    recipe = recipe_of(settings)

    def event(kind: str, moment: Moment | None = None, **more: Any) -> Event:
        stage, cycle, phase, epoch = (1, 0, "", 0)
        if moment is not None:
            stage, cycle, phase, epoch = moment.stage, moment.cycle, moment.phase, moment.epoch + 1
        return Event(kind, stage, cycle, phase, epoch, state.step, total, state.images_seen, **more)

    def seen() -> dict[str, np.ndarray]:
        return snapshot_arrays(state, settings, sets, watched) if leads else {}

    yield event("start")
    if state.step == 0:
        yield event("snapshot", arrays=seen())
    window: list[dict[str, Tensor]] = []
    while state.step < total:
        moment = locate(segments, state.step)
        if leads and wants_snapshot():
            done = locate(segments, max(state.step - 1, 0))
            yield event("snapshot", done, arrays=seen(), ends_cycle=done.last_of_cycle)
        if should_stop():
            yield event("stop", moment)
            return
        if moment.first_of_phase:
            recipe.begin_phase(state, settings, moment)
        state.stage, state.cycle = moment.stage, moment.cycle
        set_rate(state, settings.schedule, total)
        steps_before = state.steps_m
        window.append(run_step(recipe, state, settings, sets, moment))
        if state.step % settings.schedule.log_every == 0 or moment.last_of_epoch:
            means = _means(window, state.step)
            window = []
            yield event("step", moment, losses=means)
        if moment.last_of_epoch:
            yield event(
                "epoch", moment, gauges=recipe.gauges(state, settings, sets) if leads else {}
            )
            every = settings.schedule.snapshot_epochs
            moved = state.steps_m > steps_before
            between = every and moved and (moment.epoch + 1) % every == 0
            if between or moment.last_of_cycle:
                yield event("snapshot", moment, arrays=seen(), ends_cycle=moment.last_of_cycle)
        if moment.last_of_cycle:
            yield event("cycle", moment)
    yield event("end", locate(segments, total - 1))


def run_step(
    recipe: Recipe, state: TrainingState, settings: Settings, sets: Sets, moment: Moment
) -> Losses:
    """Do and count the step of this moment, with torch's random state seeded for it."""
    devices = [state.device] if state.device.type == "cuda" else []
    steps_before = state.steps_m
    with torch.random.fork_rng(devices=devices), threads(settings.compute):
        torch.manual_seed(own_seed(settings, moment, DROPOUT))
        found = recipe.step(state, settings, sets, moment)
    state.step += 1
    if state.steps_m > steps_before:
        update_average(state, settings.schedule)
    return found


def _means(window: list[dict[str, Tensor]], step: int) -> dict[str, float]:
    names = list(dict.fromkeys(name for losses in window for name in losses))
    found = [torch.stack([one[name] for one in window if name in one]).mean() for name in names]
    means = dict(zip(names, averaged(torch.stack(found)).tolist(), strict=True))
    if not all(math.isfinite(value) for value in means.values()):
        raise UserError(
            f"Training left the numbers at step {step}: a loss is NaN or infinite; begin "
            "anew with a lower schedule.learning_rate, or go on with compute.autocast=off."
        )
    return means


def _check(settings: Settings, slices: SliceSet, what: str) -> None:
    size = settings.data.size
    if len(slices.images) == 0:
        raise UserError(f"The {what} set has no slices; choose other scans or another reference.")
    if slices.images.shape[1:] != (size, size):
        raise UserError(
            f"The {what} slices are {slices.images.shape[1]}x{slices.images.shape[2]} but "
            f"data.size is {size}; prepare them with that size."
        )
