"""Several processes for one training, as their launcher numbers them. Needs no torch.

`torchrun --nproc-per-node N -m ascnet_core train ...` trains as N processes. A batch of the
settings is shared by all processes, of which each has every N-th slice; so one process may begin a
run, eight resume it and two end it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Settings


def launched() -> tuple[int, int]:
    """The process's number and how many there are, as the launcher says; (0, 1) without one.

    Raises UserError if the launcher's variables don't fit each other.
    """
    if "WORLD_SIZE" not in os.environ or os.environ["WORLD_SIZE"] == "1":
        return 0, 1
    rank, count = variable("RANK"), variable("WORLD_SIZE")
    local, here = variable("LOCAL_RANK"), variable("LOCAL_WORLD_SIZE")
    if not (0 <= rank < count and 0 <= local < here <= count):
        raise UserError(
            f"RANK={rank}, WORLD_SIZE={count}, LOCAL_RANK={local} and LOCAL_WORLD_SIZE={here} "
            "don't fit each other; start the processes by torchrun."
        )
    return rank, count


def variable(name: str) -> int:
    """A number that the launcher set in the environment."""
    text = os.environ.get(name, "")
    if not text.isdecimal():
        raise UserError(
            f"WORLD_SIZE says that there are several processes, but {name} is {text!r}; start "
            "them by torchrun, or unset WORLD_SIZE."
        )
    return int(text)


def launch_words(here: int, machines: int = 1) -> list[str]:
    """The words between `python` and `-m ascnet_core` that start `here` processes on a machine.

    Empty for one process on one machine.
    """
    if here * machines == 1:
        return []
    where = ["--standalone"] if machines == 1 else ["--nnodes", str(machines)]
    return ["-m", "torch.distributed.run", *where, "--nproc-per-node", str(here)]


def own_launch_words() -> list[str]:
    """These words for this process and those started with it."""
    if launched()[1] == 1:
        return []
    here = variable("LOCAL_WORLD_SIZE")
    return launch_words(here, variable("WORLD_SIZE") // here)


def processes_of(command: str) -> int:
    """How many processes a command line starts on a machine; 1 where it says nothing of it."""
    found = re.search(r" torch\.distributed\.run .*--nproc-per-node (\d+) ", command)
    return int(found[1]) if found else 1


def check_processes(settings: Settings, count: int, on_gpus: bool) -> None:
    """Raise UserError, with better values, for settings that `count` processes cannot share."""
    from ascnet_core.settings.text import value_of

    if count == 1:
        return
    for key, parts in settings.method.batches(settings).items():
        value = value_of(settings, key)
        if value // parts % count:
            step = parts * count
            below = value // step * step
            near = " or ".join(str(one) for one in (below, below + step) if one)
            what = "slices" if parts == 1 else "halves"
            raise UserError(
                f"{key} is {value}, whose {what} {count} processes cannot share equally (it is the "
                "batch of all of them); use another number of processes, or begin with "
                f"{key}={near}."
            )
    for learner in settings.method.learners(settings):
        if value_of(settings, learner.norm) != "batch":
            continue
        if not on_gpus:
            raise UserError(
                f"Several processes share batch norm on GPUs only; set {learner.norm}=group, or "
                "train as one process."
            )
        if learner.derived_twice:
            raise UserError(
                "Several processes cannot share a batch norm that a gradient penalty "
                f"(adversary.r1) derives twice; set {learner.norm}=group, or train as one process."
            )
