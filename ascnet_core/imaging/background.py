"""What of an image is padding or background, and which voxels are its automatic region."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from ascnet_core.imaging.intensity import automatic_level, level_between

Numbers = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

# So many of the corners hold one value where it is padding; all of them, and so much of the image,
# if it is not far from all others.
_OF_CORNERS, _OF_IMAGE = 0.5, 0.05
# Air is at least so much of what is not padding.
_AIR = 0.15
# Air of CT, in Hounsfield units: as a background it is just that.
_AIR_HU = (-1024, -900)
_MOST_SLICES = 16


@dataclass(frozen=True)
class Background:
    """The automatic region is what lies above `level` and is not `padding` (None: has none).

    `level` is in the image's units, minus infinity where all but the padding is tissue. `remark`
    says what was found, "" where that is plain. Where `filled`, tissue may have the padding's value
    too (water in CT): what it surrounds belongs to it.
    """

    level: float
    padding: float | None = None
    remark: str = ""
    filled: bool = False

    def region(self, data: Numbers) -> Mask:
        """Return the automatic region, bool of the data's shape."""
        region: Mask = data > self.level
        if self.padding is not None:
            region &= data != self.padding
        if self.filled:
            region = np.asarray(ndimage.binary_fill_holes(region), np.bool_)
        return region


def find_background(volumes: Sequence[Numbers]) -> Background:
    """Find the background of a volume, or of the slices of a series together.

    Padding is one exact value in the corners that lies beyond all others (-3024 around the round
    field of view of a CT, 65535) or that the automatic level would take for tissue (0 around a
    standardised brain or one of CT, 20 around one of MR). If air lies around it, the automatic
    level is taken of what is not padding; else all that is not padding is tissue. `volumes` are
    real numbers (X, Y, Z) without NaN.
    """
    values = np.concatenate([one.ravel() for one in volumes]) if len(volumes) > 1 else volumes[0]
    plain = automatic_level(values)
    value = _padding(volumes, values, plain)
    if value is None:
        return Background(plain)
    parts = [_inside(one, value) for one in volumes]
    inside, rim = (np.concatenate(part) for part in zip(*parts, strict=True))
    level, air = -np.inf, False
    if inside.size:
        floor, top = (float(one) for one in np.percentile(inside, [1, 99]))
        found = level_between(min(floor, 0.0), top)
        beside = rim.size == 0 or np.median(rim) <= found  # whole slices of padding have no rim
        air = bool(beside and np.mean(inside <= found) >= _AIR)
        level = found if air else level
    if value == values.min() and value <= plain and not air:
        return Background(plain)
    share = float(np.mean(values == value))
    remark = (
        f"{value:g}, which fills the corners and {share:.0%} of the image, is taken as padding and "
        "left out of the automatic region."
    )
    # fractions, of a standardised image say, hardly meet the very value
    filled = not air and value > values.min() and bool((inside == np.rint(inside)).all())
    return Background(level, value, remark, filled)


def _padding(volumes: Sequence[Numbers], values: Numbers, level: float) -> float | None:
    """Return a value of padding that the automatic `level` may not keep out, else None.

    Corners come first, so that most images cost no pass over their voxels.
    """
    corners = np.concatenate([_corners(one) for one in volumes])
    found, counts = np.unique(corners, return_counts=True)
    value, share = float(found[np.argmax(counts)]), float(counts.max() / corners.size)
    if share < _OF_CORNERS or _AIR_HU[0] <= value <= _AIR_HU[1]:
        return None
    if 0 <= value <= level:
        return None
    lowest, highest = float(values.min()), float(values.max())
    if value == lowest < 0 or lowest == highest:
        return value if lowest < highest else None
    here = values == value
    if value == highest:  # without a gap it may be tissue, shown at the end of the scale
        rest = float(values[~here].max())
        return value if value - rest > rest - lowest else None
    rest = values[~here]
    if rest.min() == rest.max():
        return None  # nothing would be left to tell apart
    return value if value > level and share == 1 and here.mean() >= _OF_IMAGE else None


def _corners(data: Numbers) -> Numbers:
    ends = (slice(None, None, max(1, length - 1)) for length in data.shape)
    corners: Numbers = data[tuple(ends)].ravel()
    return corners


def _inside(data: Numbers, padding: float) -> tuple[Numbers, Numbers]:
    """Return the values away from padding, and those of them next to it, in a few of the slices.

    Two voxels are left between, where resampling blends both.
    """
    some = data[:, :, :: -(-data.shape[2] // _MOST_SLICES)]
    cross = ndimage.generate_binary_structure(2, 1)[:, :, np.newaxis]
    near = ndimage.binary_dilation(some == padding, cross, iterations=2)
    rim = ndimage.binary_dilation(near, cross, iterations=2) & ~near
    return some[~near], some[rim]
