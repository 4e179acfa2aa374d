"""Intensity: from real units to [0, 1], inside a region of interest."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ascnet_core.errors import UserError

Numbers = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
METHODS = ("percentile", "min-max")


@dataclass(frozen=True)
class Scaled:
    """What became 0 and 1 (real units), and the share of the region's voxels that was cut off."""

    low: float
    high: float
    clipped: float


_LEAST_RANGE = float(np.finfo(np.float32).tiny)  # of a narrower one, 1 / range overflows


def automatic_level(values: Numbers) -> float:
    """Return the value above which voxels belong to the automatic region.

    5 % of the 99th percentile, both taken from the minimum up where it is negative (CT in HU,
    standardised MR).
    """
    return level_between(min(float(values.min()), 0.0), float(np.percentile(values, 99)))


def level_between(lowest: float, top: float) -> float:
    """Return the automatic level of an image whose air is `lowest` and whose brightest is `top`."""
    return lowest + 0.05 * (top - lowest)


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

    Raises a UserError if that cannot be said (an empty region, a constant volume, ...).
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
    if top - bottom < _LEAST_RANGE:
        raise UserError(
            f"{what} is constant ({bottom:g} everywhere in its region), so there is nothing to "
            "segment; check the file, or its channel or frame."
        )
    if method == "percentile":
        inner = np.percentile(values, [low, high])
        # Nearly all voxels the same (a mask given as an image, say): fall back to the whole range.
        if inner[1] - inner[0] >= _LEAST_RANGE:
            bottom, top = float(inner[0]), float(inner[1])
    return bottom, top


def scale_volume(
    data: Numbers,
    region: Mask | None = None,
    method: str = "percentile",
    low: float = 0.1,
    high: float = 99.9,
    what: str = "The image",
    known: tuple[float, float] | None = None,
) -> tuple[Floats, Scaled]:
    """Scale a volume to float32 in [0, 1] by the values in its region (None: everywhere), else 0.

    Other arguments and errors are those of `limits`, unless what becomes 0 and 1 is `known`.
    """
    values = data if region is None else data[region]
    bottom, top = known or limits(values, method, low, high, what)
    clipped = float(np.mean((values < bottom) | (values > top))) if values.size else 0.0
    scaled = np.asarray(data, np.float32) - np.float32(bottom)
    with np.errstate(over="ignore"):  # far above a narrow range; it becomes 1
        scaled *= np.float32(1 / (top - bottom))
    np.clip(scaled, 0, 1, out=scaled)
    if region is not None:
        scaled[~region] = 0
    return scaled, Scaled(bottom, top, clipped)


def equalise(scaled: Floats, region: Mask | None = None) -> Floats:
    """Equalise the histogram inside the region; float32 in [0, 1], 0 outside.

    Each voxel gets the share of the region's voxels that are not brighter, by 256 levels.
    """
    from skimage import exposure  # slow to import, and only baselines ask

    inside = np.ones(scaled.shape, np.bool_) if region is None else region
    out = np.zeros(scaled.shape, np.float32)
    if inside.any():
        levels = np.rint(np.clip(scaled[inside], 0, 1) * 255).astype(np.uint8)
        # without types; from the least level on
        shares, _ = cast(Any, exposure).cumulative_distribution(levels)
        out[inside] = shares.astype(np.float32)[levels - levels.min()]
    return out
