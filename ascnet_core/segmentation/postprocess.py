"""Steps that clean a mask after the threshold, in any order the user gives.

Squares lie in the axial plane and work slice by slice, as in the paper. What is outside the volume
neither erodes nor fills: an opening never adds a voxel, a closing never removes one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.metrics.lesions import components as connected

Mask = NDArray[np.bool_]
Packed = NDArray[np.uint8]

STEPS: dict[str, str] = {
    "open:K": "erode, then dilate with a K x K square, slice by slice: removes what is narrower",
    "close:K": "dilate, then erode with a K x K square, slice by slice: fills gaps narrower than K",
    "open-close:K": "open, then close (the paper: 5 for MS and liver, 9 for BraTS)",
    "median:K": "majority in a K x K square, slice by slice",
    "components:N": "drop connected pieces (26 neighbours) of fewer than N voxels",
    "components:largest": "keep the largest connected piece",
    "gate:MODALITY:VALUE": "keep where another modality, on 0..255, exceeds VALUE (the paper: 50)",
    "roi": "keep what lies inside the region of interest",
}
LARGEST = 0
MAX_SQUARE = 99


@dataclass(frozen=True)
class Step:
    """One parsed step. `str()` gives the text back.

    Attributes
    ----------
    name : str
        `open`, `close`, `open-close`, `median`, `components`, `gate` or `roi`.
    value : float
        K, N (0 = only the largest piece) or the gate's VALUE.
    modality : str
        The gate's modality.
    """

    name: str
    value: float = 0.0
    modality: str = ""

    def __str__(self) -> str:
        if self.name == "roi":
            return self.name
        if self.name == "gate":
            return f"gate:{self.modality}:{self.value:g}"
        if self.name == "components" and self.value == LARGEST:
            return "components:largest"
        return f"{self.name}:{self.value:g}"


def parse_steps(texts: Sequence[str]) -> tuple[Step, ...]:
    """Read steps as typed, in their order; empty texts and `none` are no step.

    Raises
    ------
    UserError
        If a text is none of STEPS.
    """
    return tuple(
        _parse(text.strip()) for text in texts if text.strip() and text.strip().lower() != "none"
    )


def _parse(text: str) -> Step:
    name, *arguments = text.split(":")
    name = name.lower()
    if name == "roi" and not arguments:
        return Step("roi")
    if name in ("open", "close", "open-close", "median") and len(arguments) == 1:
        size = _number(arguments[0])
        if size is None or not size.is_integer() or not 1 <= size <= MAX_SQUARE or size % 2 == 0:
            raise _unknown(text, f"the square's side must be odd, from 1 to {MAX_SQUARE}")
        return Step(name, size)
    if name == "components" and len(arguments) == 1:
        if arguments[0].lower() == "largest":
            return Step(name, LARGEST)
        number = _number(arguments[0])
        if number is None or not number.is_integer() or number < 1:
            raise _unknown(text, "write a number of voxels from 1, or components:largest")
        return Step(name, number)
    if name == "gate" and len(arguments) == 2 and arguments[0]:
        value = _number(arguments[1])
        if value is None or not 0 <= value <= 255:
            raise _unknown(text, "the gate's value must lie in 0..255")
        return Step(name, value, arguments[0])
    raise _unknown(text, "it is not among the steps")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _unknown(text: str, why: str) -> UserError:
    return UserError(
        f"Post-processing step '{text}' cannot be used: {why}. Steps: {', '.join(STEPS)}."
    )


def run_steps(
    mask: Mask,
    steps: Sequence[Step] | Sequence[str],
    region: Mask | None = None,
    further: Callable[[str], NDArray[np.number]] | None = None,
) -> Mask:
    """Run the steps one after the other.

    Parameters
    ----------
    mask : (X, Y, Z) bool
        Axes as in the volumes: the last one goes through the axial slices.
    steps : sequence of Step or of text
        In the order in which they run.
    region : (X, Y, Z) bool, optional
        For `roi`.
    further : callable, optional
        For `gate`: gives the modality of a name on 0..255, shape (X, Y, Z).

    Returns
    -------
    (X, Y, Z) bool, a new array.

    Raises
    ------
    UserError
        If a step is unknown, or lacks its region or modality.
    """
    result = np.array(mask, dtype=bool)
    parsed = [step if isinstance(step, Step) else _parse(step.strip()) for step in steps]
    for step in parsed:
        if step.name == "roi":
            if region is None:
                raise UserError("Step 'roi' needs a region of interest, and there is none.")
            result &= region
        elif step.name == "gate":
            if further is None:
                raise UserError(
                    f"Step '{step}' needs the modality {step.modality}, and there is none: give "
                    f"it in the manifest's column image:{step.modality}."
                )
            result &= further(step.modality) > step.value
        elif step.name == "components":
            result = components(result, int(step.value))
        else:
            result = _in_slices(result, step.name, int(step.value))
    return result


def _in_slices(mask: Mask, name: str, size: int) -> Mask:
    """A step with a square, on the box around the mask and as far as the square reaches."""
    if size == 1 or not mask.any():
        return mask.copy()
    box = _box(mask, size - 1)
    inner = mask[box]
    if name == "median":
        done = _majority(inner, size)
    else:
        # eight slices to a byte: a shift and an AND then work on all of them at once
        packed = np.packbits(inner, axis=2)
        if name != "close":
            packed = _filter(_filter(packed, size, np.bitwise_and), size, np.bitwise_or)
        if name != "open":
            packed = _filter(_filter(packed, size, np.bitwise_or), size, np.bitwise_and)
        done = np.unpackbits(packed, axis=2, count=inner.shape[2]).astype(bool)
    result = np.zeros_like(mask)
    result[box] = done
    return result


def _box(mask: Mask, margin: int) -> tuple[slice, slice, slice]:
    """The box around the mask, wider by `margin` voxels in the axial plane."""
    bounds = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        held = np.flatnonzero(mask.any(axis=others))
        extra = margin if axis < 2 else 0
        bounds.append(
            slice(max(0, int(held[0]) - extra), min(mask.shape[axis], int(held[-1]) + 1 + extra))
        )
    return bounds[0], bounds[1], bounds[2]


def _filter(packed: Packed, size: int, combine: np.ufunc) -> Packed:
    """AND (erosion) or OR (dilation) over a square in the first two axes.

    Doubling: a run of 2n is two runs of n side by side, so the cost grows with log(size).
    """
    neutral = 255 if combine is np.bitwise_and else 0
    for axis in (0, 1):
        reach = size // 2
        padding = [(0, 0)] * 3
        padding[axis] = (reach, reach)
        runs = np.pad(packed, padding, constant_values=neutral)
        if axis == 1:
            runs = runs.swapaxes(0, 1)
        length = 1
        while length < size:
            step = min(length, size - length)
            runs = combine(runs[:-step], runs[step:])
            length += step
        packed = runs.swapaxes(0, 1) if axis == 1 else runs
    return packed


def _majority(mask: Mask, size: int) -> Mask:
    """Whether more than half of the square around each voxel is set; outside is not."""
    sums = mask.astype(np.int16)
    for axis in (0, 1):
        padding = [(0, 0)] * 3
        padding[axis] = (size // 2 + 1, size // 2)
        # int32: a running sum may exceed 16 bits, a difference may not
        running = np.cumsum(np.pad(sums, padding), axis=axis, dtype=np.int32)
        length = mask.shape[axis]
        upper = np.take(running, range(size, size + length), axis=axis)
        sums = (upper - np.take(running, range(length), axis=axis)).astype(np.int16)
    return np.asarray(sums > (size * size) // 2)


def components(mask: Mask, least: int) -> Mask:
    """Drop connected pieces (26 neighbours) of fewer than `least` voxels.

    Parameters
    ----------
    mask : (X, Y, Z) bool
    least : int
        Voxels; 0 keeps only the largest piece (the first in array order among equals).

    Returns
    -------
    (X, Y, Z) bool, a new array.
    """
    if not mask.any() or least == 1:
        return mask.copy()
    box, pieces, _ = connected(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    keep = np.arange(sizes.size) == sizes.argmax() if least == LARGEST else sizes >= least
    result = np.zeros_like(mask)
    result[box] = keep[pieces]
    return result
