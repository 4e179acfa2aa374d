"""Tiny trainings that run as one process or as one of several; `test_distributed` compares them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor

from ascnet_core.errors import UserError
from ascnet_core.imaging.reference import SliceSet
from ascnet_core.recipes.asc_net.recipe import AscNet
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from ascnet_core.runs.requests import ask
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import to_toml
from ascnet_core.training import follow as follow_module
from ascnet_core.training import trainer
from ascnet_core.training.distributed import any_of, lost_told, share, share_array, together
from ascnet_core.training.follow import follow
from ascnet_core.training.recorder import record
from ascnet_core.training.sampling import Sets, load_sets
from ascnet_core.training.state import TrainingState, new_state, state_tensors
from ascnet_core.training.trainer import Event, train
from tests.unit.training import tiny

INPUTS = tiny.slices(8, 1)  # two batches of four: an epoch shows each once
REFERENCE = tiny.slices(6, 2, "r")

# One thread: two that wait for each other are slow where other tests run beside.
_PLAIN = [
    "schedule.stage_1=1", "schedule.stage_2=1", "schedule.log_every=1", "compute.autocast=off",
    "compute.threads=1", "network.norm=group", "network.discriminator_norm=group",
]  # fmt: skip
# Nothing is drawn at random but which slices come: several processes then learn what one does.
_UNDRAWN = ["network.dropout=0", "data.flips=false", "data.brightness=0"]
PAPER = tiny.settings(*_PLAIN, *_UNDRAWN, "schedule.steps=0", "schedule.batch_d=8")
GAME = tiny.settings(
    *_PLAIN, *_UNDRAWN, "schedule.steps=1", "adversary.weight=0.1", "adversary.loss=hinge",
    "adversary.r1=1", "losses.identity=1", "losses.wild_reference=1", "losses.disjointness=0.1",
    "losses.reconstruction=1", "losses.denoise_fence=0", "losses.denoise_wild=0", "losses.tie=0",
    preset="teaching",
)  # fmt: skip
RELEASED = tiny.settings(
    *_PLAIN, "data.size=32", "schedule.steps=1", "schedule.batch_d=8", "schedule.average=0",
    preset="released-code",
)  # fmt: skip
TAUGHT = tiny.settings(
    *_PLAIN, "schedule.steps=1", "data.brightness=0.2", "network.dropout=0.3",
    "corruption.dark=0.3", preset="two-cut-self-training",
)  # fmt: skip
DENOISING = tiny.settings(*_PLAIN, "schedule.steps=1", preset="denoising-autoencoder")
EXACT = {"paper": PAPER, "game": GAME}
DRAWN = {"released": RELEASED, "taught": TAUGHT, "denoising": DENOISING}


def sized(settings: Settings, slices: SliceSet) -> SliceSet:
    """The set at the settings' size, by repetition."""
    times = settings.data.size // tiny.SIZE
    images = np.kron(slices.images, np.ones((1, times, times), np.float32))
    return SliceSet(**{**vars(slices), "images": np.ascontiguousarray(images)})


@contextmanager
def in_float64() -> Iterator[None]:
    """Training in double precision; nothing is measured.

    In networks so tiny float32's rounding grows by a thousand in a few steps, and could hide a
    real difference.
    """

    def doubled_sets(*arguments: Any) -> Sets:
        sets = load_sets(*arguments)
        return replace(sets, inputs=sets.inputs.double(), references=sets.references.double())

    with ExitStack() as stack:
        for owner, name, instead in (
            (torch.Tensor, "float", torch.Tensor.double),
            (trainer, "load_sets", doubled_sets),
            (trainer, "snapshot_arrays", lambda *_: {}),
            (AscNet, "gauges", lambda *_: {}),
        ):
            stack.enter_context(patch.object(owner, name, instead))
        yield


def exact_course(settings: Settings) -> dict[str, Any]:
    """As `course`, in float64."""
    with in_float64():
        state = new_state(settings, "cpu")
        for part in (*state.networks.values(), state.average):
            if part is not None:
                part.double()
        return course(settings, state)


def course(settings: Settings, state: TrainingState | None = None) -> dict[str, Any]:
    """Train to the end: weights and all, losses, what M was shown while it learnt, the events."""
    state = state or new_state(settings, "cpu")
    shown: list[Tensor] = []

    def see(module: Any, given: tuple[Tensor]) -> None:
        if module.training:
            shown.append(given[0].detach()[:, 0].clone())

    state.model.register_forward_pre_hook(see)
    inputs, reference = sized(settings, INPUTS), sized(settings, REFERENCE)
    events = list(train(state, settings, inputs, reference, inputs.images[:2], lambda: False))
    tensors, counters = state_tensors(state)
    return {
        "tensors": tensors,
        "counters": counters,
        "losses": [event.losses for event in events if event.kind == "step"],
        "shown": shown,
        "kinds": [event.kind for event in events],
        "looked": any(event.gauges or event.arrays for event in events),
    }


def courses(rank: int) -> dict[str, Any]:
    """All courses, and what processes tell each other."""
    array = np.arange(6.0).reshape(2, 3)
    array.flags.writeable = False
    tensors = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.zeros(0, 2)}
    return {
        "exact": {name: exact_course(settings) for name, settings in EXACT.items()},
        "courses": {name: course(settings) for name, settings in {**EXACT, **DRAWN}.items()},
        "array": torch.from_numpy(share_array(array if rank == 0 else None).copy()),
        "tensors": share(tensors if rank == 0 else None),
        "json": share({"a": [1, "ä"]} if rank == 0 else None),
        "any": [any_of(False), any_of(rank == 1)],
    }


def new_run(folder: Path, settings: Settings) -> Path:
    """A folder that `record` takes."""
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text(to_toml(settings))
    return folder


def go(run: Path, stop_at: int = -1) -> str:
    """Train in a run folder, as one process or with others that `follow`; how it ended."""

    def report(event: dict[str, Any]) -> None:
        if event["step"] == stop_at:
            ask(run, "stop")

    settings = Run(run).settings()
    with hold_lock(run):
        return record(run, settings, INPUTS, REFERENCE, tiny.WATCHED, report=report)


def go_or_follow(rank: int, run: Path, stop_at: int = -1) -> str:
    """One of several processes of a training in a run folder."""
    return go(run, stop_at) if rank == 0 else (follow("cpu") or "followed")


def go_or_die(rank: int, run: Path) -> str:
    """Such a training of which process 1 dies after two steps."""
    if rank == 0:
        try:
            return go(run)
        except UserError as error:
            return str(error)

    def train_until_death(*arguments: Any) -> Iterator[Event]:
        for event in train(*arguments):
            if event.kind == "step":
                os._exit(3)
            yield event

    follow_module.train = train_until_death  # type: ignore[attr-defined]
    return go_or_follow(rank, run)


def launched(rank: int, ports: Sequence[int]) -> list[list[Any]]:
    """How `together` ends where something is wrong, as processes that a launcher started."""

    def wrong(device: str) -> None:
        raise UserError("both have come to this")

    def wait(device: str) -> None:
        with lost_told():
            any_of(False)

    def fault(device: str) -> None:
        raise ValueError("process 1 alone has come to this")

    torch.cuda.device_count = lambda: 0
    cases = [
        ("cuda", wait, wait), ("cuda:1", wait, wait), ("cpu", wrong, wrong), ("cpu", wait, fault),
        ("auto", wait, wait),
    ]  # fmt: skip
    found = []
    for port, case in zip(ports, cases, strict=True):
        numbers = {"RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": 2}
        os.environ |= {name: str(number) for name, number in numbers.items()}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        how: list[Any] = ["", ""]
        with redirect_stderr(StringIO()) as said:
            try:
                together(*case)
            except (UserError, SystemExit) as error:
                how = [type(error).__name__, str(error)]
        found.append([*how, said.getvalue()])
    return found
