"""The two sets that a run learns from, and the slices that it watches."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort
from ascnet_core.imaging.reference import Look, SliceSet, look_at_nothing, reference_pools
from ascnet_core.imaging.reference_draw import draw_reference
from ascnet_core.names import Tell, tell_nobody
from ascnet_core.settings.preparation import draw_of, preparation_of
from ascnet_core.settings.tables import Settings


def sets_of(
    settings: Settings,
    cohort: Cohort,
    reference: str | Path,
    progress: Tell = tell_nobody,
    look: Look = look_at_nothing,
) -> tuple[SliceSet, SliceSet]:
    """The inputs, and the reference as the settings draw it; `look` as in `reference_pools`.

    The inputs do not depend on the settings of the reference, so that two runs can differ by the
    reference alone; a slice with lesion may then be in both.
    """
    pools = reference_pools(cohort, preparation_of(settings), reference, progress, look)
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


class Watched(NamedTuple):
    """Slices (W, S, S) float32 in [0, 1], and where each is from, as `scan:z`."""

    images: NDArray[np.float32]
    names: tuple[str, ...]


def watched_of(asked: tuple[str, ...], inputs: SliceSet, reference: SliceSet) -> Watched:
    """The slices that `data.watched` asks for.

    `asked` is one number, of slices that `choose_watched` picks from the inputs; or texts `scan:z`,
    the slice z of a scan of either set. Raises UserError if a slice is in neither set.
    """
    if len(asked) == 1 and asked[0].isdecimal():
        chosen = inputs.take(choose_watched(inputs, int(asked[0])))
        names = tuple(f"{scan}:{z}" for scan, z in zip(chosen.scans, chosen.z, strict=True))
        return Watched(np.ascontiguousarray(chosen.images), names)
    found = [_find(text, inputs, reference) for text in asked]
    return Watched(np.ascontiguousarray(np.stack(found)), asked)


def choose_watched(inputs: SliceSet, count: int = 4) -> NDArray[np.int64]:
    """Indices (W,) of slices to watch: of many subjects, at mid height of the tissue.

    Slices with lesion, by their masks, come first, since it is lesions that one wants to see.
    Nothing is learnt from the choice.
    """
    chosen: list[int] = []
    subjects = list(dict.fromkeys(inputs.subjects.tolist()))
    for number in range(min(count, len(inputs.images))):
        subject = subjects[number * max(len(subjects) // count, 1) % len(subjects)]
        own = np.flatnonzero(inputs.subjects == subject)
        own = own[~np.isin(own, chosen)]
        if own.size == 0:
            own = np.setdiff1d(np.arange(len(inputs.images)), chosen)
        own = own[inputs.lesion[own]] if inputs.lesion[own].any() else own
        chosen.append(int(own[np.abs(inputs.positions[own] - 0.5).argmin()]))
    return np.array(chosen, np.int64)


def _find(text: str, inputs: SliceSet, reference: SliceSet) -> NDArray[np.float32]:
    scan, _, z = text.rpartition(":")
    there: list[int] = []
    for one in (inputs, reference):
        own = one.scans == scan
        found = np.flatnonzero(own & (one.z == int(z)))
        if found.size:
            return np.asarray(one.images[found[0]], np.float32)
        there += one.z[own].tolist()
    if not there:
        raise UserError(
            f"data.watched names {text}, but this training has no scan {scan!r}; name one of the "
            "manifest's column scan (or subject)."
        )
    raise UserError(
        f"data.watched names {text}, but slice {z} of {scan} is not in this training, which has "
        f"slices {min(there)} to {max(there)} of it; choose another."
    )
