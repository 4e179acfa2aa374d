"""A fork: a new run that begins with the network of a kept cycle of another one."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open

from ascnet_core.places import MODEL, TRAINING
from ascnet_core.runs.folder import Run
from ascnet_core.runs.parent import Parent, check_sizes, write_parent
from ascnet_core.settings.tables import Settings
from ascnet_core.training.checkpoint import load_model, load_training, save_training
from ascnet_core.training.state import (
    TrainingState,
    new_state,
    restore_state,
    state_tensors,
    weights_of,
)

_NOT_BEGUN = {"stage": 1, "cycle": 0, "step": 0, "steps_m": 0, "images_seen": 0}


def write_fork(run: Path, origin: Run, cycle: int | None, settings: Settings) -> Parent:
    """Write a checkpoint of step 0 that begins with another run's network, and the run's parent.

    All other networks, the optimisers and the moving average come along if `origin` has a
    checkpoint of that very step and both runs have the same networks; else they begin anew. The
    other run is only read, and may be in training. `cycle` of it counts over both stages; None
    means its result. Raises UserError if that cycle kept no network, or the networks differ in
    size.
    """
    check_sizes(origin.name, origin.settings(), settings)
    model, _ = load_model(origin.path, cycle)
    moment, step = _moment(origin, cycle)
    state = _whole(origin, step, settings)
    whole = state is not None
    if state is None:
        state = new_state(settings, "cpu")
        for module in (state.model, state.average):
            if module is not None:
                module.load_state_dict(model.state_dict())
    tensors, counters = state_tensors(state)
    save_training(run / TRAINING, tensors, {"events_bytes": 0, "state": counters})
    learners = settings.method.learners(settings)
    networks = ", ".join(one.name for one in learners) or "the network"
    made = Parent(origin.name, moment, step, whole, networks)
    write_parent(run, made)
    return made


def _moment(origin: Run, cycle: int | None) -> tuple[str, int | None]:
    """The moment in words, and the steps until then."""
    if cycle is not None:
        snapshot = origin.at_cycle(cycle)
        return snapshot.label, snapshot.step
    try:
        with safe_open(origin.path / MODEL, framework="numpy") as opened:
            position = json.loads((opened.metadata() or {}).get("position", "{}"))
    except (SafetensorError, OSError, ValueError):
        position = {}
    step = position.get("step")
    for snapshot in origin.snapshots():
        if snapshot.step == step:
            return snapshot.label, snapshot.step
    return ("its result" if step is None else f"step {step}"), step


def _whole(origin: Run, step: int | None, settings: Settings) -> TrainingState | None:
    """The state of the other run's checkpoint, with its schedule reset; None if it does not fit."""
    path = origin.path / TRAINING
    if step is None or not path.is_file():
        return None
    tensors, meta = load_training(path)
    if meta["state"]["step"] != step:
        return None
    wanted = {name: one.shape for name, one in weights_of(new_state(settings, "cpu")).items()}
    held = {name: one.shape for name, one in tensors.items() if not name.startswith("optimiser")}
    if wanted != held:
        return None
    # The moving average stays as slow as it has become.
    counters = {**_NOT_BEGUN, "steps_m": meta["state"]["steps_m"]}
    return restore_state(settings, "cpu", tensors, counters)
