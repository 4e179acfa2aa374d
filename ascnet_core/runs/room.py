"""Whether the disk has room for a run, before anything of it is made."""

import shutil
from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.runs.events import memory_in_words
from ascnet_core.settings.tables import Settings

_NETWORK = 43_000
"""Bytes of the cutting network for each square of its width: 2.7 MB at width 8."""
_STATES = 4
"""Networks' worth of bytes in a checkpoint: weights, two moments of Adam, the moving average."""
_KEPT_MAPS = 4


def bytes_of(settings: Settings) -> int:
    """About how many bytes a run keeps: its snapshots, its result, and a checkpoint twice.

    Of a checkpoint the new one lies beside the old one while it is written.
    """
    schedule, asked = settings.schedule, settings.data.watched
    cycles = schedule.stage_1 + schedule.stage_2
    snapshots = 1 + cycles
    if schedule.snapshot_epochs:
        snapshots += cycles * (schedule.epochs_m // schedule.snapshot_epochs)
    watched = int(asked[0]) if len(asked) == 1 and asked[0].isdecimal() else len(asked)
    maps = watched * _KEPT_MAPS * settings.data.size**2
    network = _NETWORK * settings.network.width**2
    return snapshots * (network + maps) + network * (1 + 2 * _STATES)


def check_room(run: Path, settings: Settings) -> None:
    """Raise UserError if the disk on which a run will lie has too little room for it."""
    there = next(one for one in (run, *run.absolute().parents) if one.is_dir())
    free, needed = shutil.disk_usage(there).free, bytes_of(settings)
    if needed > free:
        wanted, left = memory_in_words(needed), memory_in_words(free)
        raise UserError(
            f"The run needs about {wanted}, and {there} has {left} left; "
            "make room, or lower network.width or the number of cycles (schedule.stage_1)."
        )
