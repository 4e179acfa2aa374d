"""Several processes that talk by gloo, for tests: each does a function on its part.

They are forked from a server that has torch loaded: starting a pair costs no import of it.
"""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as distributed

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["ascnet_core.training.recorder", "ascnet_core.commands.train", "tests.unit.several"]
)
PATIENCE = 300  # seconds; only what hangs takes so long


def on_each(
    folder: Path, function: Callable[..., Any], *arguments: Any, count: int = 2, join: bool = True
) -> list[Any]:
    """What `function(rank, *arguments)` gives in each of `count` joined processes.

    Parameters
    ----------
    folder
        An empty place for the processes to meet, and for what they give: tensors, numbers, texts
        in dicts and lists; None where a process ended before.
    join
        False: they are not joined; `function` does that itself.
    """
    folder.mkdir(parents=True)
    processes = [
        CONTEXT.Process(target=_do, args=(folder, rank, count, join, function, arguments))
        for rank in range(count)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    late = [process for process in processes if process.is_alive()]
    for process in late:
        process.kill()
        process.join()
    assert not late, "the processes wait for each other"
    files = [folder / f"{rank}.pt" for rank in range(count)]
    return [torch.load(one, weights_only=True) if one.exists() else None for one in files]


def _do(
    folder: Path,
    rank: int,
    count: int,
    join: bool,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
) -> None:
    torch.set_num_threads(1)
    if join:
        os.environ["GLOO_SOCKET_IFNAME"] = "lo"
        meeting = f"file://{folder / 'meeting'}"
        distributed.init_process_group("gloo", meeting, rank=rank, world_size=count)
    found = function(rank, *arguments)
    temporary = folder / f"{rank}.tmp"
    torch.save(found, temporary)
    temporary.rename(folder / f"{rank}.pt")
    if join:
        distributed.destroy_process_group()
