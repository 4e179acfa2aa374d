"""The two sets that a run learns from, as its settings ask for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ascnet_core.imaging.cohort import Cohort
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.imaging.reference import SliceSet, reference_pools
from ascnet_core.imaging.reference_draw import Draw, draw_reference
from ascnet_core.training.settings import Settings

Progress = Callable[[int, int], None]


def preparation_of(settings: Settings) -> Preparation:
    """How the settings say a scan is prepared."""
    data = settings.data
    return Preparation(
        size=data.size,
        scaling=data.scaling,
        low=data.low,
        high=data.high,
        region=data.region,
        channel=data.channel,
        frame=data.frame,
        nan=data.nan,
    )


def draw_of(settings: Settings) -> Draw:
    """What of the reference the settings ask for; drawn by `schedule.seed`."""
    asked = settings.reference
    return Draw(
        asked.share,
        asked.contamination,
        asked.level_low,
        asked.level_high,
        settings.schedule.seed,
    )


def sets_of(
    settings: Settings,
    cohort: Cohort,
    reference: str | Path,
    progress: Progress | None = None,
) -> tuple[SliceSet, SliceSet]:
    """The inputs, and the reference as it is drawn from; see `reference_pools`. Raises UserError.

    The inputs are the same whatever is asked of the reference, so that two runs differ by that
    alone; a slice with lesion may then be in both.
    """
    pools = reference_pools(cohort, preparation_of(settings), reference, progress)
    return pools.inputs, draw_reference(pools.reference, pools.lesions, draw_of(settings))


def describe(reference: SliceSet) -> dict[str, int | float]:
    """What a reference holds, as `reference.json` keeps it under "set".

    `with_lesion` counts by masks and is 0 where there are none; levels are positions in the head.
    """
    return {
        "slices": len(reference),
        "subjects": len(np.unique(reference.subjects)),
        "with_lesion": int(reference.lesion.sum()),
        "level_low": round(float(reference.positions.min(initial=1)), 3),
        "level_high": round(float(reference.positions.max(initial=0)), 3),
    }
