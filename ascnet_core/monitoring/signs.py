"""Signs that need no true mask: what the fence does where the mask is.

In a run that works the fence is the slice without its anomaly: in the mask it is nearer to normal
tissue than the input, elsewhere it is the input. A mask where the fence is as bright as the input
marks what the network takes for normal.
"""

import numpy as np
from numpy.typing import NDArray

from ascnet_core.names import Side

Levels = NDArray[np.uint8]
Bools = NDArray[np.bool_]


def fence_kept(held: Levels, fence: Levels, mask: Bools, side: Side) -> float | None:
    """Share of the mask (W, S, S) in which the fence keeps the anomaly, 0 to 1; None if empty.

    It is kept where the fence is at least as bright as the input `held`, or at least as dark for
    `side` dark; all in levels, 255 for 1.0.
    """
    before, after = held[mask], fence[mask]
    if not before.size:
        return None
    kept = after >= before if side == "bright" else after <= before
    return float(kept.mean())
