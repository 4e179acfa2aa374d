"""What the processes of one training tell each other; see `launch` for what they are.

Process 0 alone reads the scans, holds the run's lock, writes and prints. The others get from it
all that they need, so that they may be on machines that don't see the run's folder.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as distributed
from safetensors.torch import load, save
from torch import Tensor

from ascnet_core.errors import UserError
from ascnet_core.network.sharding import gathered, place
from ascnet_core.runs.launch import variable

# A pause may last: that a process is gone is told by its broken connection, not by the clock.
_PATIENCE = timedelta(days=365)
_PIECE = 1 << 26  # bytes sent at once


def together(device: str, lead: Callable[[str], None], follow: Callable[[str], None]) -> None:
    """Do `lead` in process 0 and `follow` in the others, joined so that they can talk.

    Process 0 ends first and alone says what went wrong: would another end before it, the launcher
    would end process 0 too, perhaps amid its last words.

    Parameters
    ----------
    device
        What `--device` says. GPUs talk by nccl, processors by gloo.
    lead, follow
        Called with the device of their process: each has a GPU of its own.

    Raises
    ------
    UserError
        If the processes cannot reach each other or some have no device.
    SystemExit
        In other processes than 0, instead of any error.
    """
    try:
        own = _join(device)
        (lead if place().rank == 0 else follow)(own)
        _last_word()
    except Exception as error:
        if variable("RANK") == 0:
            # The launcher sends it once another process has ended; the last words are unsaid yet.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            raise
        if isinstance(error, UserError):  # process 0 has come to the same and says it
            _last_word()
        elif not _is_broken_connection(error):
            _say_why(error)
        raise SystemExit(1) from None
    finally:
        with suppress(RuntimeError, ValueError, AssertionError):
            distributed.destroy_process_group()


@contextmanager
def lost_told() -> Iterator[None]:
    """Say in a user's words that another process of the training has ended amid it.

    Raises
    ------
    UserError
        Instead of the error of the connection that broke.
    """
    try:
        yield
    except Exception as error:
        if place().size == 1 or not _is_broken_connection(error):
            raise
        raise UserError(
            "Another process of this training has ended, see its message; go on from the last "
            "checkpoint by --resume."
        ) from error


def _join(name: str) -> str:
    """Meet the other processes; the device of this one."""
    gpus = torch.cuda.device_count() if name != "cpu" else 0
    if variable("LOCAL_WORLD_SIZE") == variable("WORLD_SIZE"):
        # One machine: its name need not lead anywhere, and nothing should leave it.
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
    # What is wrong must be known to process 0, which says it; the others then find it gone.
    found = torch.tensor([lacks, on_gpu, not on_gpu], dtype=torch.uint8)
    distributed.all_reduce(found, distributed.ReduceOp.MAX)
    some_lack, some_gpu, some_cpu = found.tolist()
    if place().rank == 0 and name not in ("auto", "cpu", "cuda"):
        raise UserError(
            f"--device is {name!r}; several processes on a machine take auto, cpu or cuda, which "
            "gives each a GPU of its own."
        )
    if place().rank == 0 and (some_lack or (some_gpu and some_cpu)):
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
    """Wait for process 0 to be through, or gone."""
    with suppress(RuntimeError, ValueError):  # it may be gone, or was never met
        distributed.broadcast(torch.zeros(1, dtype=torch.uint8), 0)


def _is_broken_connection(error: BaseException) -> bool:
    """Whether an error only says that another process of this training has ended."""
    told = str(error).lower()
    by_transport = isinstance(error, distributed.DistError)
    words = ("gloo", "nccl", "connection closed", "connection reset")
    return by_transport or (isinstance(error, RuntimeError) and any(word in told for word in words))


def _say_why(error: BaseException) -> None:
    """One line on stderr for an error that is not process 0's, which would else be lost."""
    which = f"process {place().rank + 1} of {place().size}"
    print(f"error: {which}: {type(error).__name__}: {_first_line(error)}", file=sys.stderr)


def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace every gradient by its mean over the processes.

    By hand and not by DistributedDataParallel: M is called several times in one step and without
    gradients in others, D is frozen and thawed, weights keep their names in checkpoints, and what
    is averaged can be read here. Networks of this size gain nothing by overlapping it.
    """
    count = place().size
    if count == 1:
        return
    gradients = [one.grad for one in parameters if one.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    distributed.all_reduce(flat)
    parts = (flat / count).split([gradient.numel() for gradient in gradients])  # type: ignore[no-untyped-call]
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view(gradient.shape))


def averaged(values: Tensor) -> Tensor:
    """Numbers (N,) averaged over the processes: a NaN of one is one of all."""
    return values if place().size == 1 else gathered(values[None].float()).mean(0)


def any_of(wish: bool) -> bool:
    """Whether any process wishes it; asked at the same moment by all, which then do the same.

    By way of the processors also where GPUs train, so that it does not wait for them.
    """
    if place().size == 1:
        return wish
    wishes = torch.tensor([wish], dtype=torch.uint8)
    distributed.all_reduce(wishes, distributed.ReduceOp.MAX)
    return bool(wishes)


def share_json(content: Any = None) -> Any:
    """What process 0 gives, in every process."""
    text = json.dumps(content).encode()
    return json.loads(share_array(np.frombuffer(text, np.uint8)).tobytes())


def share_array(array: np.ndarray | None = None) -> np.ndarray:
    """The array that process 0 gives, in every process; of numbers, any shape."""
    leads = place().rank == 0
    header = torch.zeros(256, dtype=torch.uint8)
    if leads:
        assert array is not None
        array = np.ascontiguousarray(array)
        words = json.dumps([array.dtype.str, array.shape]).encode()
        header[: len(words)] = torch.frombuffer(bytearray(words), dtype=torch.uint8)
    distributed.broadcast(header, 0)
    kind, shape = json.loads(header.numpy().tobytes().rstrip(b"\0"))
    if not leads:
        array = np.empty(shape, kind)
    assert array is not None
    if array.size == 0:
        return array
    # A copy where it may not be written: torch does not know read-only memory.
    flat = array if array.flags.writeable else array.copy()
    whole = torch.from_numpy(flat.reshape(-1).view(np.uint8))
    for piece in whole.split(_PIECE):  # type: ignore[no-untyped-call]
        distributed.broadcast(piece, 0)
    return array


def share_tensors(tensors: dict[str, torch.Tensor] | None = None) -> dict[str, torch.Tensor]:
    """The tensors by name that process 0 gives, on the CPU of every process."""
    if tensors is None:
        return load(share_array().tobytes())
    plain = {name: one.detach().cpu().contiguous().clone() for name, one in tensors.items()}
    share_array(np.frombuffer(save(plain), np.uint8))
    return tensors


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
