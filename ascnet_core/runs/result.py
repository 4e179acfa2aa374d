"""A run's result, which may be the network of any kept cycle."""

import json
from typing import Any

from safetensors import SafetensorError, safe_open

from ascnet_core.errors import UserError
from ascnet_core.files import write_bytes
from ascnet_core.places import COUNTS, MODEL
from ascnet_core.runs.folder import Run, Snapshot
from ascnet_core.runs.lock import hold_lock, lock_holder


def position_of(run: Run) -> dict[str, Any]:
    """Where in the training the result's network was saved; empty if it does not say."""
    try:
        with safe_open(run.path / MODEL, framework="numpy") as opened:
            position: dict[str, Any] = json.loads((opened.metadata() or {}).get("position", "{}"))
            return position
    except (SafetensorError, OSError, ValueError):  # no file, or a damaged one
        return {}


def result_of(run: Run) -> Snapshot | None:
    """The snapshot whose network is the run's result; None if none is.

    A run that stopped between two snapshots has a result of its own.
    """
    step = position_of(run).get("step")
    return next((s for s in run.snapshots() if s.step == step and step is not None), None)


def make_result(run: Run, snapshot: Snapshot) -> None:
    """Make a kept cycle's network, and its reference counts, the run's result.

    The files for resuming stay as they are: a resumed run continues from its last step, and its
    next checkpoint is the result again. Any kept cycle can be made the result at any time. Raises
    UserError if the run is being trained, or the snapshot keeps no network.
    """
    if lock_holder(run.path) is not None:
        raise UserError(f"Run {run.name} is being trained; stop it before choosing its result.")
    source = snapshot.path / MODEL
    if not source.is_file():
        raise UserError(
            f"{snapshot.label.capitalize()} of run {run.name} keeps no network; choose a cycle "
            "that has one."
        )
    with hold_lock(run.path):
        counts = snapshot.path / COUNTS
        if counts.is_file():
            write_bytes(run.path / COUNTS, counts.read_bytes())
        else:
            # Counts of another network would give wrong reference quantiles.
            (run.path / COUNTS).unlink(missing_ok=True)
        write_bytes(run.path / MODEL, source.read_bytes())
