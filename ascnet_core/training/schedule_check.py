"""Whether a schedule fits the size of the data: warnings in words, and how long it takes.

The limits are the numbers below. "Run 5" and the like are rows of `checkpoints/README.md`. A
warning is no error: a schedule may be odd on purpose.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ascnet_core.monitoring.stop_rules import HOLD
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import value_of
from ascnet_core.training.timetable import Segment, segments_of

SEEN_LEAST = 1.0
"""Times that M sees each slice in all. Below it some are never seen; the paper shows all of them
in every epoch."""
SEEN_MOST = 100.0
"""The same, above which M learns the slices by heart. Runs here were at their best after each
slice was seen 9 times (the shipped run 8) to 20 times (run 7); run 5 lost Dice between 14 and 34
times. Three times that is far outside of what was ever tried."""
COVERED = 3.0
"""Momentum of batch norm times the steps of the first cycle: so many time constants until 95 % of
the running statistics are the data's (1 - exp(-3)). With Keras' momentum 0.01 that is 300 steps.
After 22 such steps D took every image for a fence (run P1)."""
TRAVEL = 0.05
"""Learning rate times steps: a weight goes about one learning rate a step under Adam, and starts
within about 1/sqrt(9 * 32) = 0.06 of zero (a 3x3 kernel over the paper's 32 maps), so below this
it hardly leaves where it began. With the paper's 5e-5 it takes 1000 steps; P1 and P2, with 850
steps, were given 3e-4."""
LONG = 24 * 3600.0
"""Seconds after which a run is called long."""

# Processor seconds of a step on one thread, a slice and pixel: width and its square. Fitted to
# steps of M at width 8, 16 and 32, at 96x96 and 160x160, with 4, 8 and 16 slices (bfloat16 and
# channels-last on a server processor with avx512_bf16), within 10 %.
_PER_WIDTH = 1.27e-7
_PER_WIDTH_SQUARED = 7.6e-9
_FLOAT32 = 1.35  # times as long without bfloat16
_THREADS = 0.7  # speed grows with this power of the threads: 1.6 for two


@dataclass(frozen=True)
class Concern:
    """One thing that does not fit; `key` is the setting that mends it first."""

    key: str
    sentence: str


def check_schedule(settings: Settings, inputs: int, references: int) -> list[Concern]:
    """What is odd about a schedule for so many input and reference slices, at least 1 each."""
    segments = segments_of(settings, inputs, references)
    return [
        *_seen(settings, inputs, references),
        *_batches(settings, inputs, references),
        *_statistics(settings, segments),
        *_rates(settings, segments),
        *_stopping(settings),
    ]


def slices_shown(settings: Settings, inputs: int, references: int) -> dict[str, int]:
    """How many slices M learns from in all, by set: "input" and "reference"."""
    shown: dict[str, int] = {}
    for one in segments_of(settings, inputs, references):
        for name in sorted(set(one.phase.shows)):
            shown[name] = shown.get(name, 0) + len(one) * settings.schedule.batch_m
    return shown


def times_seen(settings: Settings, inputs: int, references: int) -> dict[str, float]:
    """How many times M sees a slice on average, by set."""
    sets = {"input": inputs, "reference": references}
    shown = slices_shown(settings, inputs, references)
    return {name: count / sets[name] for name, count in shown.items()}


def seconds_of(
    settings: Settings, inputs: int, references: int, threads: int, bfloat16: bool = True
) -> float:
    """Roughly how long training takes on an idle processor, without snapshots and gauges.

    `threads` is what torch would use, unless `compute.threads` says another number; `bfloat16` is
    whether the processor gains by it (`training.device.gains_by_bfloat16`).
    """
    seconds = 0.0
    for one in segments_of(settings, inputs, references):
        for learner in settings.method.learners(settings):
            slices = len(one) * one.phase.trains.get(learner.name, 0)
            width = value_of(settings, learner.width)
            per_pixel = _PER_WIDTH * width + _PER_WIDTH_SQUARED * width**2
            seconds += settings.data.size**2 * slices * (learner.cost * per_pixel)
    if settings.compute.autocast == "off" or not bfloat16:
        seconds *= _FLOAT32
    return float(seconds / max(1, settings.compute.threads or threads) ** _THREADS)


def check_time(seconds: float) -> list[Concern]:
    """A concern where training takes longer than a day on a processor."""
    if seconds <= LONG:
        return []
    sentence = (
        f"This takes {time_in_words(seconds)} on this processor: use a GPU, or lower "
        "data.size, network.width or the schedule."
    )
    return [Concern("network.width", sentence)]


def time_in_words(seconds: float) -> str:
    """A rough time in its largest unit, rounded."""
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 0.95 * unit:
            count = max(1, round(seconds / unit))
            return f"about {count} {name}" + ("" if count == 1 else "s")
    return "less than a minute"


def _steps(segments: tuple[Segment, ...], learner: str, first_cycle: bool = False) -> int:
    """Steps in which a learner is trained."""
    first = (segments[0].stage, segments[0].cycle)
    return sum(
        len(one)
        for one in segments
        if learner in one.phase.trains and (not first_cycle or (one.stage, one.cycle) == first)
    )


def _seen(settings: Settings, inputs: int, references: int) -> Iterator[Concern]:
    key = "schedule.steps" if settings.schedule.steps else "schedule.epochs_m"
    sets = {"input": inputs, "reference": references}
    shown = slices_shown(settings, inputs, references)
    for name, times in times_seen(settings, inputs, references).items():
        if times < SEEN_LEAST:
            sentence = (
                f"M sees {shown[name]} {name} slices of {sets[name]} in all, so some are never "
                f"seen; raise {key} or the number of cycles."
            )
            yield Concern(key, sentence)
        elif times > SEEN_MOST:
            sentence = (
                f"M sees each {name} slice about {times:.0f} times; beyond {SEEN_MOST:.0f} it "
                f"learns them by heart. Lower {key}, or add slices."
            )
            yield Concern(key, sentence)


def _batches(settings: Settings, inputs: int, references: int) -> Iterator[Concern]:
    schedule = settings.schedule
    sets = {"input": inputs, "reference": references}
    for name in slices_shown(settings, inputs, references):
        if schedule.batch_m > sets[name]:
            sentence = (
                f"A batch of M has {schedule.batch_m} slices, the {name} set {sets[name]}: every "
                "batch shows some twice; lower schedule.batch_m."
            )
            yield Concern("schedule.batch_m", sentence)
    half = schedule.batch_d // 2
    smaller = min(sets, key=lambda name: sets[name])
    if "schedule.batch_d" in settings.method.batches(settings) and half > sets[smaller]:
        sentence = (
            f"Half a batch of D has {half} slices, the {smaller} set {sets[smaller]}; lower "
            "schedule.batch_d."
        )
        yield Concern("schedule.batch_d", sentence)


def _statistics(settings: Settings, segments: tuple[Segment, ...]) -> Iterator[Concern]:
    network = settings.network
    found = {
        one.name: _steps(segments, one.name, first_cycle=True)
        for one in settings.method.learners(settings)
        if value_of(settings, one.norm) == "batch" and one.running and _steps(segments, one.name)
    }
    short = {name: n for name, n in found.items() if network.norm_momentum * n < COVERED}
    if not short:
        return
    counts = " and ".join(f"{n} steps of {name}" for name, n in short.items())
    needed = math.ceil(round(COVERED / network.norm_momentum, 6))
    sentence = (
        f"Batch norm's momentum {network.norm_momentum:g} needs about {needed} steps in the "
        f"first cycle to know the data, which has {counts}; raise network.norm_momentum."
    )
    yield Concern("network.norm_momentum", sentence)


def _rates(settings: Settings, segments: tuple[Segment, ...]) -> Iterator[Concern]:
    for learner in settings.method.learners(settings):
        steps, rate = _steps(segments, learner.name), value_of(settings, learner.rate)
        if steps and rate * steps < TRAVEL:
            needed = f"{TRAVEL / rate:.0f} or more" if rate else "more than 0"
            sentence = (
                f"{steps} steps of {learner.name} at a learning rate of {rate:g} hardly move its "
                f"weights ({needed} steps would); raise {learner.rate} or train longer."
            )
            yield Concern(learner.rate, sentence)


def _stopping(settings: Settings) -> Iterator[Concern]:
    schedule = settings.schedule
    cycles = schedule.stage_1 + schedule.stage_2
    if schedule.stop_when != "never" and cycles <= HOLD:
        sentence = (
            f"Stopping when the peaks are separated needs them to hold for {HOLD} cycles, and the "
            f"schedule has {cycles}: it would never stop early; add cycles."
        )
        yield Concern("schedule.stage_1", sentence)
