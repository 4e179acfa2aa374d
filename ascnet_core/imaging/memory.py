"""Whether what a file promises fits into this machine, asked before anything of it is read."""

from __future__ import annotations

import math
import os
from pathlib import Path

from ascnet_core.errors import UserError
from ascnet_core.imaging.image_format import sizes

# While a scan is made ready each of its voxels is held so often: as stored, as float32, turned,
# scaled.
_BYTES_A_VOXEL = 16
# Deflate, which .gz and .png use, makes nothing smaller than by this factor.
MOST_COMPRESSED = 1032


def check_memory(path: Path, shape: tuple[int, ...]) -> None:
    """Raise a UserError if a volume of that shape cannot be worked on in this machine's memory."""
    needed, there = math.prod(shape) * _BYTES_A_VOXEL, _memory()
    if there is not None and needed > there:
        raise UserError(
            f"{path} says it holds {sizes(shape)} voxels, which take {needed / 1e9:.3g} GB of "
            f"memory here, and this machine has {there / 1e9:.3g} GB; crop it, or save it coarser."
        )


def check_promise(promised: int, there: int, compressed: bool) -> None:
    """Raise a ValueError if the bytes that are `there` are too few for those of the header."""
    if promised > there * (MOST_COMPRESSED if compressed else 1):
        raise ValueError(f"its header promises {promised} bytes, the file holds {there}")


def _memory() -> int | None:
    """Return the bytes of memory that this process may have; None where the system does not say."""
    found = []
    try:
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return None
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text().strip()
        except OSError:
            continue
        if text.isdecimal():
            found.append(int(text))
    try:
        import resource

        soft = resource.getrlimit(resource.RLIMIT_AS)[0]
        if soft != resource.RLIM_INFINITY:
            found.append(soft)
    except ImportError:  # Windows
        pass
    return min(found)
