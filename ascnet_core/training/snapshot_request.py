"""A snapshot on demand: asked for by a file in the run folder, taken between two steps."""

from pathlib import Path

from ascnet_core.files import write_json
from ascnet_core.training.run_lock import lock_holder

WANTED = "snapshot.json"
"""A file of its own beside `control.json`, so that it takes back neither a pause nor a stop."""


def request_snapshot(run: Path) -> bool:
    """Ask the process that trains for a snapshot; False if none is training.

    It is one more kept moment and ends no cycle. A paused process takes it when it goes on.
    """
    if lock_holder(run) is None:
        return False
    write_json(run / WANTED, {"request": "snapshot"})
    return True


def take_request(run: Path) -> bool:
    """Whether a snapshot was asked for since the last call."""
    wanted = run / WANTED
    if not wanted.exists():
        return False
    wanted.unlink(missing_ok=True)
    return True
