"""Intensity: from real units to [0, 1], inside a region of interest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ascnet_core.errors import UserError

Numbers = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
METHODS = ("percentile", "min-max")


@dataclass(frozen=True)
class Scaled:
    """How a volume was scaled.

    `low` and `high` (real units) became 0 and 1; `clipped` is the share of the region's voxels that
    lay outside and were cut off.
    """

    low: float
    high: float
    method: str
    clipped: float


def automatic_level(values: Numbers) -> float:
    """Return the value above which voxels belong to the automatic region.

    5 % of the 99th percentile, both taken from the minimum up where it is negative (CT in HU,
    standardised MR).
    """
    lowest = min(float(values.min()), 0.0)
    return lowest + 0.05 * (float(np.percentile(values, 99)) - lowest)


def limits(
    values: Numbers,
    method: str = "percentile",
    low: float = 0.1,
    high: float = 99.9,
    what: str = "The image",
) -> tuple[float, float]:
    """Return which of the region's `values` (real units) become 0 and 1.

    Their smallest and largest ("min-max", the paper), or those at the percentiles `low` and `high`
    (0 to 100). `what` is the image's name in errors.

    Raises a UserError for an unknown method, percentiles out of order, an empty region, or a
    constant volume.
    """
    if method not in METHODS:
        raise UserError(f"Scaling {method!r} is unknown; choose {' or '.join(METHODS)}.")
    if not 0 <= low < high <= 100:
        raise UserError(
            f"Scaling percentiles {low} and {high} do not fit; choose 0 <= low < high <= 100."
        )
    if values.size == 0:
        raise UserError(f"{what} has an empty region; give another region or none.")
    bottom, top = float(values.min()), float(values.max())
    if bottom == top:
        raise UserError(
            f"{what} is constant ({bottom:g} everywhere in its region), so there is nothing to "
            "segment; check the file, or its channel or frame."
        )
    if method == "percentile":
        inner = np.percentile(values, [low, high])
        # Nearly all voxels the same (a mask given as an image, say): fall back to the whole range.
        if inner[1] > inner[0]:
            bottom, top = float(inner[0]), float(inner[1])
    return bottom, top


def scale_between(data: Numbers, region: Mask | None, low: float, high: float) -> Floats:
    """Map [low, high] to [0, 1], cut off what lies beyond, and set 0 outside the region."""
    scaled = np.asarray(data, np.float32) - np.float32(low)
    scaled *= np.float32(1 / (high - low))
    np.clip(scaled, 0, 1, out=scaled)
    if region is not None:
        scaled[~region] = 0
    return scaled


def scale_volume(
    data: Numbers,
    region: Mask | None = None,
    method: str = "percentile",
    low: float = 0.1,
    high: float = 99.9,
    what: str = "The image",
) -> tuple[Floats, Scaled]:
    """Scale a volume to float32 in [0, 1] by the values in its region (None: everywhere), else 0.

    The other arguments and the errors are those of `limits`.
    """
    values = data if region is None else data[region]
    bottom, top = limits(values, method, low, high, what)
    clipped = float(np.mean((values < bottom) | (values > top)))
    return scale_between(data, region, bottom, top), Scaled(bottom, top, method, clipped)


def equalise(scaled: Floats, region: Mask | None = None) -> Floats:
    """Equalise the histogram inside the region; float32 in [0, 1], 0 outside.

    Each voxel gets the share of the region's voxels that are not brighter, by 256 levels.
    """
    inside = np.ones(scaled.shape, np.bool_) if region is None else region
    out = np.zeros(scaled.shape, np.float32)
    if not inside.any():
        return out
    levels = np.rint(np.clip(scaled[inside], 0, 1) * 255).astype(np.uint8)
    counts = np.bincount(levels, minlength=256)
    out[inside] = (np.cumsum(counts) / levels.size).astype(np.float32)[levels]
    return out
