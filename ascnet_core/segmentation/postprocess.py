"""Masks cleaned after the threshold, by steps in any order the user gives (`steps.STEPS`).

Squares lie in the axial plane and work slice by slice, as in the paper. Voxels beyond the volume's
edge neither erode nor fill: an opening never adds a voxel, a closing never removes one.

Pieces are labelled by SciPy: scikit-image's `label` takes 236 ms where SciPy's takes 108.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ascnet_core.imaging.slices import box_of
from ascnet_core.metrics.lesions import components as connected
from ascnet_core.segmentation.steps import Step, parse_steps

Mask = NDArray[np.bool_]
Packed = NDArray[np.uint8]
Further = Callable[[str], NDArray[np.float32]]
"""Name of a further modality -> (X, Y, Z) on 0..255."""


def run_steps(
    mask: Mask,
    steps: Sequence[Step] | Sequence[str],
    region: Mask | None = None,
    further: Further | None = None,
) -> Mask:
    """Run the steps one after the other on a mask (X, Y, Z); a new array.

    Raises a UserError if a step is unknown, or lacks its region (`roi`) or modality (`gate`).
    """
    result = np.array(mask, dtype=bool)
    for step in parse_steps([str(one) for one in steps]):
        result = step.entry.run(result, step, region, further)
    return result


def in_slices(mask: Mask, filters: str, size: int) -> Mask:
    """Filter slice by slice with a square: `open`, `close`, `open-close` or `median`."""
    if size == 1 or not mask.any():
        return mask.copy()
    box = box_of(mask, (size - 1, size - 1, 0))
    inner = mask[box]
    if filters == "median":
        done = _majority(inner, size)
    else:
        # eight slices to a byte: a shift and an AND then work on all of them at once
        packed = np.packbits(inner, axis=2)
        if "open" in filters:
            packed = _filter(_filter(packed, size, np.bitwise_and), size, np.bitwise_or)
        if "close" in filters:
            packed = _filter(_filter(packed, size, np.bitwise_or), size, np.bitwise_and)
        done = np.unpackbits(packed, axis=2, count=inner.shape[2]).astype(bool)
    result = np.zeros_like(mask)
    result[box] = done
    return result


def _filter(packed: Packed, size: int, combine: np.ufunc) -> Packed:
    """AND (erosion) or OR (dilation) over a square in the first two axes.

    Doubling: a run of 2n is two runs of n side by side, so the cost grows with log(size).
    """
    neutral = 255 if combine is np.bitwise_and else 0
    reach = size // 2
    for _ in (0, 1):
        packed = np.pad(packed, [(reach, reach), (0, 0), (0, 0)], constant_values=neutral)
        length = 1
        while length < size:
            step = min(length, size - length)
            packed = combine(packed[:-step], packed[step:])
            length += step
        packed = packed.swapaxes(0, 1)
    return packed


def _majority(mask: Mask, size: int) -> Mask:
    """Whether more than half of the square around each voxel is set; outside is not."""
    sums = mask.astype(np.int16)
    for _ in (0, 1):
        padded = np.pad(sums, [(size // 2 + 1, size // 2), (0, 0), (0, 0)])
        # int32: a running sum may exceed 16 bits, a difference may not
        running = np.cumsum(padded, axis=0, dtype=np.int32)
        sums = (running[size:] - running[:-size]).astype(np.int16).swapaxes(0, 1)
    return np.asarray(sums > (size * size) // 2)


def components(mask: Mask, least: float | Literal["largest"]) -> Mask:
    """Drop connected pieces (26 neighbours) of fewer than `least` voxels; a new array.

    "largest" keeps only the largest piece (the first in array order among equals).
    """
    if not mask.any() or least == 1:
        return mask.copy()
    box, pieces, _ = connected(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    keep = np.arange(sizes.size) == sizes.argmax() if least == "largest" else sizes >= least
    result = np.zeros_like(mask)
    result[box] = keep[pieces]
    return result
