"""A threshold proposed from a region that somebody drew on a slice.

The level is the one at which the share of the drawn region that is kept exceeds the share of the
rest that is kept by most (Youden's index). Normal tissue inside the drawn region lowers that
difference at every level by the same factor, so the line around a lesion need not be careful.
"""

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.metrics.overlap import kept_counts
from ascnet_core.names import Side
from ascnet_core.segmentation.histogram import count_levels
from ascnet_core.segmentation.threshold import Threshold

FEWEST = 5


def propose_from_region(
    levels: NDArray[np.uint8],
    drawn: NDArray[np.bool_],
    region: NDArray[np.bool_] | None = None,
    side: Side = "bright",
) -> Threshold:
    """The threshold that best tells a drawn region from the rest of the region of interest.

    Its kind is `manual`, its rule the number itself.

    Raises a UserError if fewer than five voxels are drawn or left, or those drawn aren't on that
    side.
    """
    everywhere = np.ones(drawn.shape, np.bool_) if region is None else region
    inside, outside = drawn & everywhere, ~drawn & everywhere
    marked, rest = int(inside.sum()), int(outside.sum())
    if marked < FEWEST:
        raise UserError(
            f"The drawn region holds {marked} voxels of the region of interest; draw a larger one."
        )
    if rest < FEWEST:
        raise UserError("The drawn region leaves nothing to compare with; draw a smaller one.")
    kept_inside = kept_counts(count_levels(levels, inside), side) / marked
    kept_outside = kept_counts(count_levels(levels, outside), side) / rest
    gain = kept_inside - kept_outside
    if gain.max() <= 1e-9:
        other = "darker" if side == "bright" else "brighter"
        raise UserError(
            f"The drawn region is {other} than the rest at every level: switch the side, "
            "take another map or draw elsewhere."
        )
    best = np.flatnonzero(gain >= gain.max() - 1e-9)
    level = int(best[(best.size - 1) // 2])
    sentence = (
        f"Tells the drawn region ({marked} voxels) best from the rest of the slice: keeps "
        f"{kept_inside[level]:.0%} of it and {kept_outside[level]:.0%} of the rest."
    )
    return Threshold(level, None, side, str(level), sentence, "manual")
