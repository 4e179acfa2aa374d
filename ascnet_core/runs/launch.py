"""Which process of a training this is, as its launcher says. Needs no torch.

`torchrun --nproc-per-node N -m ascnet_core train ...` is the same training as one process. A batch
of the settings is the batch of all processes together, each has every N-th slice of it, and all
draws are made for the whole batch; so a run may be begun on one process, gone on with on eight and
ended on two.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Settings

_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


def launched() -> tuple[int, int]:
    """The process's number and how many there are, as its launcher says; (0, 1) without one.

    Raises
    ------
    UserError
        If the launcher's variables don't fit each other.
    """
    if "WORLD_SIZE" not in os.environ or os.environ["WORLD_SIZE"] == "1":
        return 0, 1
    rank, count, local, here = (variable(name) for name in _VARIABLES)
    if not (0 <= rank < count and 0 <= local < here <= count):
        raise UserError(
            f"RANK={rank}, WORLD_SIZE={count}, LOCAL_RANK={local} and LOCAL_WORLD_SIZE={here} "
            "don't fit each other; start the processes by torchrun."
        )
    return rank, count


def variable(name: str) -> int:
    """A number that the launcher gave."""
    text = os.environ.get(name, "")
    if not text.isdecimal():
        raise UserError(
            f"WORLD_SIZE says that there are several processes, but {name} is {text!r}; start "
            "them by torchrun, or unset WORLD_SIZE."
        )
    return int(text)


def launch_words(here: int, machines: int = 1) -> list[str]:
    """The words between `python` and `-m ascnet_core` that start `here` processes on a machine.

    None for one process on one machine.
    """
    if here * machines == 1:
        return []
    where = ["--standalone"] if machines == 1 else ["--nnodes", str(machines)]
    return ["-m", "torch.distributed.run", *where, "--nproc-per-node", str(here)]


def own_launch_words() -> list[str]:
    """Such words for this process and those started with it."""
    if launched()[1] == 1:
        return []
    here = variable("LOCAL_WORLD_SIZE")
    return launch_words(here, variable("WORLD_SIZE") // here)


def processes_of(command: str) -> int:
    """How many processes a command line starts on a machine; 1 where it says nothing of it."""
    found = re.search(r" torch\.distributed\.run .*--nproc-per-node (\d+) ", command)
    return int(found[1]) if found else 1


def check_batches(settings: Settings, count: int) -> None:
    """Refuse batches that so many processes cannot share equally.

    Raises
    ------
    UserError
        Naming the setting, and values near it that would do.
    """
    schedule = settings.schedule
    if schedule.batch_m % count:
        raise _uneven("schedule.batch_m", schedule.batch_m, count, count)
    alternates = schedule.order == "alternate" and settings.adversary.weight and schedule.epochs_d
    if alternates and schedule.batch_d // 2 % count:
        raise _uneven("schedule.batch_d", schedule.batch_d, count, 2 * count)


def _uneven(key: str, value: int, count: int, step: int) -> UserError:
    below = value // step * step
    near = " or ".join(str(one) for one in (below, below + step) if one)
    what = "halves" if step != count else "slices"
    return UserError(
        f"{key} is {value}, whose {what} {count} processes cannot share equally (it is the batch "
        f"of all of them); use another number of processes, or begin with {key}={near}."
    )
