"""What the processes of one training tell each other; see `launch` for what they are.

Process 0 alone reads the scans, holds the run's lock, writes and prints. The others get from it
all that they need, so that they may be on machines that don't see the run's folder.
"""

import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as distributed
from torch import Tensor

from ascnet_core.errors import UserError
from ascnet_core.runs.launch import variable

# Pauses may be long; a broken connection, not this time limit, shows that a process has ended.
_PATIENCE = timedelta(days=365)


class Process(NamedTuple):
    """Which of how many processes this is; counted from 0."""

    rank: int = 0
    size: int = 1

    def part(self, whole: Any) -> Any:
        """The part of an array that is this process's: every n-th of its first axis."""
        return whole[self.rank :: self.size] if self.size > 1 else whole


def this_process() -> Process:
    """Which process of the training this is."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return Process()
    return Process(distributed.get_rank(), distributed.get_world_size())


def together(device: str, lead: Callable[[str], None], follow: Callable[[str], None]) -> None:
    """Run `lead` in process 0 and `follow` in the others, joined so that they can communicate.

    Each is called with the device of its process, a GPU of its own if `device` (as of `--device`)
    asks for one. GPUs communicate by nccl, processors by gloo.

    Process 0 ends first, and it alone reports errors: if another process ended before it, the
    launcher would end process 0 too, perhaps before it has printed. Raises UserError if the
    processes cannot reach each other or some have no device; in other processes than 0, SystemExit
    instead of any error.
    """
    try:
        own = _join(device)
        (lead if this_process().rank == 0 else follow)(own)
        _last_word()
    except Exception as error:
        if variable("RANK") == 0:
            # The launcher sends SIGTERM once another process has ended: print before that ends us.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            raise
        if isinstance(error, UserError):  # process 0 has come to the same and says it
            _last_word()
        elif not _is_broken_connection(error):
            # One line for an error that is not process 0's, which would else be lost.
            which = f"process {this_process().rank + 1} of {this_process().size}"
            print(f"error: {which}: {type(error).__name__}: {_first_line(error)}", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        with suppress(RuntimeError, ValueError, AssertionError):
            distributed.destroy_process_group()


@contextmanager
def lost_told() -> Iterator[None]:
    """Raise UserError instead of a connection's error where another process has ended."""
    try:
        yield
    except Exception as error:
        if this_process().size == 1 or not _is_broken_connection(error):
            raise
        raise UserError(
            "Another process of this training has ended, see its message; go on from the last "
            "checkpoint by --resume."
        ) from error


def _join(name: str) -> str:
    """Meet the other processes and choose the device of this one."""
    gpus = torch.cuda.device_count() if name != "cpu" else 0
    if variable("LOCAL_WORLD_SIZE") == variable("WORLD_SIZE"):
        # On one machine use the loopback: the host name may not resolve.
        loop = [found for _, found in socket.if_nameindex() if found.startswith("lo")]
        if loop:
            os.environ.setdefault("GLOO_SOCKET_IFNAME", loop[0])
    try:
        distributed.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo", timeout=_PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"The processes of this training cannot reach each other ({_first_line(error)}); "
            "check MASTER_ADDR, MASTER_PORT and the network."
        ) from error
    index, on_gpu = variable("LOCAL_RANK"), name == "cuda" or gpus > 0
    one = re.fullmatch(r"cuda:(\d+)", name)
    if one and variable("LOCAL_WORLD_SIZE") == 1:  # of several machines each
        index, name = int(one[1]), "cuda"
    lacks = on_gpu and index >= gpus
    # Process 0 must know what is wrong, since it alone reports it.
    found = torch.tensor([lacks, on_gpu, not on_gpu], dtype=torch.uint8)
    distributed.all_reduce(found, distributed.ReduceOp.MAX)
    some_lack, some_gpu, some_cpu = found.tolist()
    if this_process().rank == 0 and name not in ("auto", "cpu", "cuda"):
        raise UserError(
            f"--device is {name!r}; several processes on a machine take auto, cpu or cuda, which "
            "gives each a GPU of its own."
        )
    if this_process().rank == 0 and (some_lack or (some_gpu and some_cpu)):
        raise UserError(
            "There are more processes than GPUs, or machines without one; start one process a "
            "GPU, or use --device cpu."
        )
    if not on_gpu:
        return "cpu"
    if not lacks:
        torch.cuda.set_device(index)
    return f"cuda:{index}"


def _last_word() -> None:
    """Wait until process 0 has finished or is gone."""
    with suppress(RuntimeError, ValueError):  # it may be gone, or was never met
        distributed.broadcast(torch.zeros(1, dtype=torch.uint8), 0)


def _is_broken_connection(error: BaseException) -> bool:
    """Whether an error only says that another process of this training has ended."""
    told = str(error).lower()
    by_transport = isinstance(error, distributed.DistError)
    words = ("gloo", "nccl", "connection closed", "connection reset")
    return by_transport or (isinstance(error, RuntimeError) and any(word in told for word in words))


def averaged(values: Tensor) -> Tensor:
    """Numbers (N,) averaged over the processes; a NaN in one gives NaN in all."""
    size = this_process().size
    if size == 1:
        return values
    total = values.float().clone()
    distributed.all_reduce(total)
    return total / size


def any_of(wish: bool) -> bool:
    """Whether any process wishes it. All must call this at the same step.

    It is sent between the processors also where GPUs train, so that it does not wait for them.
    """
    if this_process().size == 1:
        return wish
    wishes = torch.tensor([wish], dtype=torch.uint8)
    distributed.all_reduce(wishes, distributed.ReduceOp.MAX)
    return bool(wishes)


def share(content: Any = None) -> Any:
    """The content that process 0 gives, in every process; for small objects."""
    held = [content]
    distributed.broadcast_object_list(held, 0)
    return held[0]


def share_array(array: np.ndarray | None = None) -> np.ndarray:
    """The array of numbers that process 0 gives, in every process, without a further copy."""
    kind, shape = share(None if array is None else (array.dtype.str, array.shape))
    held = np.empty(shape, kind) if array is None else np.require(array, requirements=("C", "W"))
    if held.size:
        distributed.broadcast(torch.from_numpy(held.reshape(-1).view(np.uint8)), 0)
    return held


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
