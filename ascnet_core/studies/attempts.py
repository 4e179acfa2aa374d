"""What rules find in a histogram, remembered: pages ask for the same at every click."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ascnet_core.names import Side
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, attempt

Counts = NDArray[np.int64]


def attempts(
    rules: Sequence[str], counts: Counts, side: Side, reference: Counts | None = None
) -> tuple[Threshold | NoThreshold, ...]:
    """As `attempt` by each rule; counts and, where there is one, the reference's are (256,)."""
    known = b"" if reference is None else reference.tobytes()
    return _attempts(tuple(rules), counts.tobytes(), side, known)


@lru_cache(maxsize=4096)
def _attempts(
    rules: tuple[str, ...], counts: bytes, side: Side, reference: bytes
) -> tuple[Threshold | NoThreshold, ...]:
    own, other = (np.frombuffer(one, np.int64) for one in (counts, reference))
    return tuple(attempt(rule, own, side, other if other.size else None) for rule in rules)
