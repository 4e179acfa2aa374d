"""From levels to a mask: a threshold and the steps after it, the same for every verb and page."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ascnet_core.imaging.prepare import Floats, Mask
from ascnet_core.segmentation.postprocess import run_steps
from ascnet_core.segmentation.steps import Step
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, apply

Further = Callable[[str], Floats]


def segment(
    levels: NDArray[np.uint8],
    region: Mask,
    threshold: Threshold | NoThreshold,
    steps: Sequence[Step] | Sequence[str] = (),
    further: Further | None = None,
) -> Mask:
    """The mask of a threshold after its steps; without a threshold an empty one.

    Parameters
    ----------
    levels : (X, Y, Z) uint8
        The map on its 256 levels.
    region : (X, Y, Z) bool
    further : callable, optional
        Name of a further modality -> (X, Y, Z) on 0..255, see `on_levels`.

    Raises
    ------
    UserError
        If a step is unknown, or lacks its modality.
    """
    mask = apply(levels, region, threshold)
    if isinstance(threshold, NoThreshold) or not steps:
        return mask
    return run_steps(mask, steps, region, further)


def on_levels(read: Further) -> Further:
    """A reader of further modalities in [0, 1] -> one on 0..255, which reads each only once."""
    return functools.cache(lambda name: read(name) * np.float32(255))
