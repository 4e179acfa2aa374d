"""The input after histogram equalisation inside the region, under a threshold.

For FLAIR a strong baseline without any training (Meissen et al., 2021, "Challenging Current
Semi-Supervised Anomaly Segmentation Methods for Brain MRI").
"""

from collections.abc import Sequence

import numpy as np

from ascnet_core.imaging.intensity import equalise
from ascnet_core.imaging.prepare import Prepared
from ascnet_core.methods.base import Grey, Method, own_then_asked
from ascnet_core.segmentation.threshold import Rule, Side


def equalised_input(prepared: Prepared) -> Grey:
    """Return the equalised intensities, (X, Y, Z) float32 in [0, 1], 0 outside the region.

    Put on 256 levels that hold the same share each. Rounding to 255 steps instead would halve the
    outermost levels, and the brightest one alone is more than a small lesion.
    """
    share = equalise(prepared.scaled, prepared.region)
    level = np.minimum(np.floor(share * np.float32(256)), np.float32(255))
    return np.asarray(level / np.float32(255), np.float32)


def _accepts(rule: Rule) -> bool:
    # An equalised histogram is flat: whatever peaks it has are rounding.
    return "peak" not in rule.name and "valley" not in rule.name


def _rules(side: Side, asked: Sequence[str], reference: bool) -> tuple[str, ...]:
    return own_then_asked(("otsu",), asked, reference, _accepts)


METHOD = Method("equalised-input", None, "equalised", equalised_input, _rules)
