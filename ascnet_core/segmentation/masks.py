"""From levels to a mask: a threshold and the steps after it, the same for every verb and page."""

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ascnet_core.metrics.overlap import Counts, ThresholdTable, count
from ascnet_core.segmentation.pieces import Edit, edit_pieces
from ascnet_core.segmentation.postprocess import Further, Mask, run_steps
from ascnet_core.segmentation.steps import Step
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, apply


def segment(
    levels: NDArray[np.uint8],
    region: Mask,
    threshold: Threshold | NoThreshold,
    steps: Sequence[Step] | Sequence[str] = (),
    further: Further | None = None,
    edits: Sequence[Edit] = (),
) -> Mask:
    """The mask of a threshold after its steps and edits; without a threshold an empty one.

    `further` gives a further modality on 0..255 by its name (see `on_levels`), `edits` are those of
    this scan's pieces.

    Raises a UserError if a step is unknown, or lacks its modality, or an edit lies on no piece.
    """
    mask = apply(levels, region, threshold)
    if isinstance(threshold, NoThreshold):
        return mask
    if steps:
        mask = run_steps(mask, steps, region, further)
    return edit_pieces(mask, edits) if edits else mask


def numbers_at(
    table: ThresholdTable, threshold: Threshold | NoThreshold, ml: float
) -> dict[str, float | None]:
    """Volume in ml, Dice, sensitivity and precision of a threshold before any steps.

    Read from the table of a scan with voxels of `ml`; None without a truth, and where undefined.
    """
    first, last = threshold.kept
    volume = int(table.levels[first : last + 1].sum()) * ml
    return _numbers(volume, table.band(first, last) if table.has_truth else None)


def numbers_of(mask: Mask, truth: Mask | None, ml: float) -> dict[str, float | None]:
    """Volume in ml, Dice, sensitivity and precision of a mask; as for `numbers_at`."""
    return _numbers(np.count_nonzero(mask) * ml, None if truth is None else count(mask, truth))


def _numbers(volume: float, counts: Counts | None) -> dict[str, float | None]:
    scores = ("dice", "sensitivity", "precision")
    values = {name: np.nan if counts is None else getattr(counts, name) for name in scores}
    return {"volume": volume} | {n: None if np.isnan(v) else v for n, v in values.items()}


def on_levels(read: Further) -> Further:
    """Turn a reader of modalities in [0, 1] into one on 0..255 that reads each only once."""
    return functools.cache(lambda name: read(name) * np.float32(255))
