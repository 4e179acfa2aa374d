"""What the device does well: arithmetic, memory order."""

import resource
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import torch

from ascnet_core.errors import UserError
from ascnet_core.settings.schedule import Compute


def pick_device(name: str) -> torch.device:
    """Device by name: "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1".

    Raises UserError if there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"There is no device {name!r}; use auto, cpu, cuda or cuda:N.") from error
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"The device {name!r} is not supported; use auto, cpu, cuda or cuda:N.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"This machine has no device {name!r}; use --device cpu.")
    return device


def gains_by_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: native support on GPU and CPU alike.

    On a CPU with avx512_bf16 a training step takes two thirds of its float32 time; without such
    instructions bfloat16 is emulated and several times slower.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def autocast(device: torch.device, compute: Compute) -> AbstractContextManager[None]:
    """Context in which convolutions run in bfloat16, if the settings and the device say so."""
    enabled = compute.autocast == "on" or (compute.autocast == "auto" and gains_by_bfloat16(device))
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)


def memory_format(device: torch.device, compute: Compute) -> torch.memory_format:
    """Channels-last unless the settings say off: it was faster on every device measured."""
    return torch.contiguous_format if compute.channels_last == "off" else torch.channels_last


@contextmanager
def threads(compute: Compute) -> Iterator[None]:
    """Within it, torch uses as many processor threads as the settings say (0: as it did)."""
    before = torch.get_num_threads()
    if compute.threads:
        torch.set_num_threads(compute.threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def peak_memory(device: torch.device) -> int:
    """Bytes that this process held at most: tensors on its GPU, or on a CPU its resident memory."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        # getrusage's maximum includes that of the process that started this one
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return 1024 * int(status.split("VmHWM:")[1].split()[0])
    except (OSError, IndexError, ValueError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else 1024 * most
