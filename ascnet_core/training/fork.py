"""A fork: a new run that begins with the network of a kept cycle of another one."""

from dataclasses import asdict
from pathlib import Path

from ascnet_core.files import write_json
from ascnet_core.places import TRAINING
from ascnet_core.runs.folder import Run
from ascnet_core.runs.parent import PARENT, Parent, check_sizes
from ascnet_core.runs.result import position_of, result_of
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


def write_fork(run: Path, parent: Run, cycle: int | None, settings: Settings) -> Parent:
    """Write a checkpoint of step 0 that begins with another run's network, and the run's parent.

    All other networks, the optimisers and the moving average come along if `parent` has a
    checkpoint of that very step and both runs have the same networks; else they begin anew. The
    other run is only read, and may be in training. `cycle` of it counts over both stages; None
    means its result. Raises UserError if that cycle kept no network, or the networks differ in
    size.
    """
    check_sizes(parent.name, parent.settings(), settings)
    model, _ = load_model(parent.path, cycle)
    moment, step = _moment(parent, cycle)
    state = _whole(parent, step, settings)
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
    made = Parent(parent.name, moment, step, whole, networks)
    write_json(run / PARENT, asdict(made))
    return made


def _moment(parent: Run, cycle: int | None) -> tuple[str, int | None]:
    """The moment in words, and the steps until then."""
    snapshot = result_of(parent) if cycle is None else parent.at_cycle(cycle)
    if snapshot is not None:
        return snapshot.label, snapshot.step
    step = position_of(parent).get("step")
    return ("its result" if step is None else f"step {step}"), step


def _whole(parent: Run, step: int | None, settings: Settings) -> TrainingState | None:
    """The state of the other run's checkpoint, with its schedule reset; None if it does not fit."""
    path = parent.path / TRAINING
    if step is None or not path.is_file():
        return None
    tensors, meta = load_training(path)
    if meta["state"]["step"] != step:
        return None
    wanted = {name: one.shape for name, one in weights_of(new_state(settings, "cpu")).items()}
    held = {name: one.shape for name, one in tensors.items() if not name.startswith("optimiser")}
    if wanted != held:
        return None
    # steps_m decides how slow the moving average is.
    counters = {**_NOT_BEGUN, "steps_m": meta["state"]["steps_m"]}
    return restore_state(settings, "cpu", tensors, counters)
