"""A training's events, checkpoints and snapshots, written to its run folder."""

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from ascnet_core.errors import UserError
from ascnet_core.files import write_bytes, write_json
from ascnet_core.imaging.reference import SliceSet
from ascnet_core.imaging.slices import evenly
from ascnet_core.monitoring.advisor import advise
from ascnet_core.monitoring.history import Point, read_history
from ascnet_core.network.blocks import Network
from ascnet_core.places import CONTROL, COUNTS, CUTS, EVENTS, MODEL, SNAPSHOTS, TRAINING
from ascnet_core.runs.events import last_event, read_events
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import lock_holder
from ascnet_core.runs.requests import read_request, signals_noted, take_request
from ascnet_core.segmentation.cuts import cut_slices
from ascnet_core.segmentation.histogram import count_levels, quantise, read_histogram
from ascnet_core.settings.tables import Settings
from ascnet_core.training.checkpoint import load_training, save_model, save_training
from ascnet_core.training.device import peak_memory
from ascnet_core.training.distributed import any_of, lost_told
from ascnet_core.training.follow import hand_out
from ascnet_core.training.slice_sets import describe
from ascnet_core.training.state import TrainingState, new_state, restore_state, state_tensors
from ascnet_core.training.trainer import Event, train

REFERENCE_SLICES = 128
"""Number of reference slices, evenly spread, that are counted for `reference-quantile`."""
_PAUSE_SECONDS = 0.1

Report = Callable[[dict[str, Any]], None]


def record(
    run: Path,
    settings: Settings,
    inputs: SliceSet,
    reference: SliceSet,
    watched: NDArray[np.float32],
    device: str = "cpu",
    report: Report | None = None,
) -> str:
    """Train, or resume at the last checkpoint, and keep everything in the run folder.

    The caller holds the run's lock; the folder is made by `prepare_run`. `watched`, (W, S, S)
    float32 in [0, 1], are the slices whose maps go into every snapshot. `report` is called with
    every event as it is written. A stop asked for through the folder, or by SIGINT or SIGTERM,
    takes effect at the next step and leaves a checkpoint. Of several processes only the first calls
    this; the others `follow`. Returns "finished" or "stopped".
    """
    if lock_holder(run) is None:
        raise UserError(f"{run} is not locked for writing; use `train --resume {run.name}`.")
    _forget_requests(run)
    recording = _Recording(run, settings, reference, device, report)
    state = recording.state
    with lost_told(), signals_noted() as signalled:
        hand_out(settings, inputs, reference, state)
        events = train(
            state,
            settings,
            inputs,
            reference,
            watched,
            lambda: any_of(recording.between_steps(signalled)),
            recording.wants_snapshot,
        )
        for event in events:
            recording.take(event)
    recording.save()
    _forget_requests(run)
    return "stopped" if recording.last_kind == "stop" else "finished"


class _Recording:
    """Writes a run's files, and knows when the last checkpoint was."""

    def __init__(
        self,
        run: Path,
        settings: Settings,
        reference: SliceSet,
        device: str,
        report: Report | None,
    ) -> None:
        self.run = run
        self.settings = settings
        self.samples = reference.images[evenly(len(reference.images), REFERENCE_SLICES)]
        self.about = describe(reference)
        self.report = report
        self.last_kind = ""
        self.due = False
        self.enough = False
        self.points: dict[Path, Point] = {}
        self.saved_at = time.monotonic()
        self.state = self._restore(device)

    def _restore(self, device: str) -> TrainingState:
        """The state of the last checkpoint; what was written after it is removed."""
        path = self.run / TRAINING
        if not path.is_file():
            self._refuse_to_forget()
            self._truncate(0)
            return new_state(self.settings, device)
        tensors, meta = load_training(path)
        state = restore_state(self.settings, device, tensors, meta["state"])
        if state.step == 0:  # not yet trained: a fork, or stopped before its first step
            self._truncate(0)
            return state
        self._truncate(int(meta["events_bytes"]))
        self._append({"kind": "resume", **_position(state)})
        return state

    def _refuse_to_forget(self) -> None:
        """Refuse to train a result without a checkpoint from scratch: it would be lost."""
        last = last_event(self.run / EVENTS)
        ended = last is None or last.get("kind") in ("end", "stop")
        if ended and (self.run / MODEL).is_file():
            raise UserError(
                f"Run {self.run.name} has a result but no {TRAINING}, so it cannot go on; "
                "start a new run under another name."
            )

    def between_steps(self, signalled: Callable[[], bool]) -> bool:
        """Save if it is time, wait while paused; whether to stop.

        The trainer calls this before each step, after it has yielded all events: only here a
        checkpoint and the events up to it fit each other exactly.
        """
        seconds = self.settings.schedule.checkpoint_seconds
        if self.due or time.monotonic() - self.saved_at >= seconds:
            self.save()
        request = read_request(self.run)
        if request == "pause":
            self.save()
            self._append({"kind": "pause", **_position(self.state)})
            while request == "pause" and not signalled():
                time.sleep(_PAUSE_SECONDS)
                request = read_request(self.run)
            if request != "stop" and not signalled():
                self._append({"kind": "go", **_position(self.state)})
        return request == "stop" or signalled() or self.enough

    def wants_snapshot(self) -> bool:
        """Whether a snapshot was asked for, and none of this step is kept already."""
        if not take_request(self.run):
            return False
        if any(one.step == self.state.step for one in Run(self.run).snapshots()):
            return False
        # Save a checkpoint soon: resuming from an older one would remove the snapshot.
        self.due = True
        return True

    def take(self, event: Event) -> None:
        """Write one event, and its snapshot if it is one."""
        line = event.to_json()
        if event.kind == "snapshot":
            line |= self._write_snapshot(event)
        elif event.kind == "step":
            line["memory"] = peak_memory(self.state.device)
            line["device"] = str(self.state.device)
        self._append(line)
        self.due = self.due or event.kind == "cycle"
        if event.kind == "cycle" and self.settings.schedule.stop_when == "separated":
            self._ask_advisor()

    def _ask_advisor(self) -> None:
        """Write down the advisor's advice on the complete cycles; stop if it says so."""
        advice = advise(read_history(Run(self.run), self.points))
        said = {"sentence": advice.sentence, "best_cycle": advice.best_cycle}
        self._append({"kind": "advice", **_position(self.state), "advice": advice.kind, **said})
        self.enough = advice.kind == "stop"

    def save(self) -> None:
        """Write the network, then what resuming needs, which names where the events end."""
        model = self.state.kept
        save_model(self.run / MODEL, model, self.settings, _position(self.state))
        if self.due or not (self.run / COUNTS).is_file() or self.last_kind in ("end", "stop"):
            write_json(self.run / COUNTS, self._reference(model), indent=None)
        tensors, meta = state_tensors(self.state)
        path = self.run / EVENTS
        size = path.stat().st_size if path.is_file() else 0
        save_training(self.run / TRAINING, tensors, {"events_bytes": size, "state": meta})
        self.due = False
        self.saved_at = time.monotonic()

    def _reference(self, model: Network) -> dict[str, Any]:
        """What the reference holds, and the counts of its maps."""
        return {"set": self.about, **reference_counts(model, self.samples)}

    def _append(self, event: Mapping[str, Any]) -> None:
        line = {"time": round(time.time(), 3), **event}
        with (self.run / EVENTS).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        self.last_kind = str(event["kind"])
        if self.report is not None:
            self.report(line)

    def _truncate(self, size: int) -> None:
        """Remove events after `size` bytes, and the snapshots that no remaining event names."""
        path = self.run / EVENTS
        if path.is_file() and path.stat().st_size > size:
            os.truncate(path, size)
        kept = {event.get("snapshot") for event in read_events(path)[0]}
        folder = self.run / SNAPSHOTS
        for found in folder.iterdir() if folder.is_dir() else ():
            if found.name not in kept:
                shutil.rmtree(found)

    def _write_snapshot(self, event: Event) -> dict[str, Any]:
        folder = self.run / SNAPSHOTS
        folder.mkdir(exist_ok=True)
        index = 1 + max(
            (int(p.name[:3]) for p in folder.iterdir() if p.name[:3].isdigit()), default=-1
        )
        name = f"{index:03d}-s{event.stage}-c{event.cycle}"
        temporary = folder / f".tmp-{name}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        arrays = {name: np.ascontiguousarray(one) for name, one in event.arrays.items()}
        write_bytes(temporary / CUTS, save(arrays))
        model = self.state.kept
        save_model(temporary / MODEL, model, self.settings, _position(self.state))
        write_json(temporary / COUNTS, self._reference(model), indent=None)
        seen = read_histogram(arrays["counts"].astype(np.int64))
        found = {
            "peaks": [dataclasses.asdict(peak) for peak in seen.peaks],
            "separations": list(seen.separations),
            "verdict": seen.verdict,
        }
        position = _position(self.state) | {
            "stage": event.stage,
            "cycle": event.cycle,
            "epoch": event.epoch,
            "ends_cycle": event.ends_cycle,
            "total_cycle": event.cycle
            + (self.settings.schedule.stage_1 if event.stage == 2 else 0),
        }
        info = position | {"counts": arrays["counts"].tolist()} | found
        write_json(temporary / "info.json", info, indent=None)
        temporary.rename(folder / name)
        return {"snapshot": name, **found}


def reference_counts(model: Network, images: NDArray[np.float32]) -> dict[str, list[int]]:
    """Counts (256) of each map over reference slices (N, S, S), where there is tissue.

    Levels are on the raw scale: 255 stands for 1.0.
    """
    device = str(next(iter(model.state_dict().values())).device)
    maps = {"input": images, **cut_slices(model, images, device=device)}
    tissue = images > 0
    return {name: count_levels(quantise(m), tissue).tolist() for name, m in maps.items()}


def _forget_requests(run: Path) -> None:
    (run / CONTROL).unlink(missing_ok=True)
    take_request(run)


def _position(state: TrainingState) -> dict[str, int]:
    return {name: getattr(state, name) for name in ("stage", "cycle", "step", "images_seen")}
