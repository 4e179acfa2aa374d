"""The viewer: three planes, the histogram with its line, and the panel of numbers beside them.

Three components share one store in the browser. `show_volumes` sends a case's volumes once
(gzipped, outside the fragment, so that a click neither hashes nor resends them); `show_viewer`
draws and sets the threshold; `show_numbers` writes the numbers that follow it. While the line
moves, the browser makes masks and scores itself. Python hears of a threshold when the pointer is
let go, and answers with what post-processing makes of it.
"""

import base64
import gzip
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ascnet_core.imaging.slices import box_of
from pages.parts.shared import components

Levels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

REGION, TRUTH = 1, 2
MARGIN = 2  # voxels of black kept around the region
SMALL = 100_000  # bytes of a mask that are sent as they are
LARGE = 30_000_000  # voxels from which only the input and the shown map are sent

_HERE = Path(__file__).parent
_VIEWER = components.declare("ascnet_viewer", _HERE / "viewer")
_NUMBERS = components.declare("ascnet_numbers", _HERE / "numbers")
_VOLUMES = components.declare("ascnet_volumes", _HERE / "volumes")


def maps_to_send(voxels: int, chosen: str, known: Iterable[str]) -> tuple[str, ...]:
    """Which maps a case sends: all known ones, but of a very large volume input and chosen one.

    The residual, the difference of two maps, is sent only where it is chosen.
    """
    others = (name for name in known if name != "residual" and voxels <= LARGE)
    return tuple(dict.fromkeys(("input", *others, chosen)))


def pack_volumes(
    key: str,
    maps: Mapping[str, Levels],
    region: Mask,
    truth: Mask | None,
    spacing: Sequence[float],
) -> bytes:
    """A case as one block: after the header each volume gzipped, x fastest.

    The volumes are cropped to region and truth; `labels` has bit 1 for the one, 2 for the other.
    """
    return components.block(*packed_parts(key, maps, region, truth, spacing))


def packed_parts(
    key: str,
    maps: Mapping[str, Levels],
    region: Mask,
    truth: Mask | None,
    spacing: Sequence[float],
) -> tuple[dict[str, Any], list[bytes]]:
    """The header and the parts of `pack_volumes`."""
    box = box_of(region if truth is None else region | truth, (MARGIN,) * 3)
    labels = region[box].astype(np.uint8) * REGION
    if truth is not None:
        labels |= truth[box].astype(np.uint8) * TRUTH
    parts = {name: values[box] for name, values in maps.items()} | {"labels": labels}
    packed = [(name, gzip.compress(values.tobytes(order="F"), 1)) for name, values in parts.items()]
    header = {
        "key": key,
        "shape": list(labels.shape),
        "full": list(region.shape),
        "offset": [one.start for one in box],
        "spacing": [float(mm) for mm in spacing],
        "parts": [(name, len(part)) for name, part in packed],
    }
    return header, [part for _, part in packed]


def pack_mask(mask: Mask) -> dict[str, Any]:
    """A mask's bits inside its own box, x fastest, highest bit first, as base64.

    `offset` is where the box begins in the whole grid; an empty mask has an empty box. Only large
    blocks are gzipped: unpacking a small one takes longer than sending it.
    """
    box = box_of(mask)
    inner = mask[box] if mask.any() else np.zeros((0, 0, 0), bool)
    bits = np.packbits(inner.transpose(2, 1, 0)).tobytes()
    zipped = len(bits) > SMALL
    if zipped:
        # Huffman coding alone takes a third less time, and masks get no larger by it.
        packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS, 9, zlib.Z_HUFFMAN_ONLY)
        bits = packer.compress(bits) + packer.flush()
    return {
        "shape": list(inner.shape),
        "offset": [one.start for one in box],
        "bits": base64.b64encode(bits).decode("ascii"),
        "gzip": zipped,
    }


def rounded(values: Iterable[float]) -> list[float | None]:
    """Numbers for JSON: rounded to 4 places, NaN as null."""
    return [None if np.isnan(v) else round(float(v), 4) for v in values]


def show_volumes(blob: bytes, name: str = "volumes") -> None:
    """Send a case's volumes to the browser; draws nothing. Several at once need several names."""
    with st.container(key=name):
        _VOLUMES(key=f"ascnet {name}", data=blob, height=1)


def show_viewer(data: Mapping[str, Any], key: str, on_told: Callable[[], None]) -> None:
    """Draw planes and histogram. `on_told` is called when the viewer's `told` changed."""
    _VIEWER(key=key, data=dict(data), on_told_change=on_told)


def show_at_desk() -> None:
    """Draw planes and histogram of the subject that lies on the desk in the browser."""
    _VIEWER(key="ascnet viewer at desk", data={"desk": True})


def show_numbers() -> None:
    """Draw the numbers of what the viewer shows."""
    _NUMBERS(key="ascnet numbers", data={})
