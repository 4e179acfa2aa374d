"""Sets of slices: the inputs, and the reference that says what is normal."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort, Scan, read_manifest
from ascnet_core.imaging.prepare import Preparation, Prepared, prepare_scan
from ascnet_core.names import OWN_REFERENCES, OwnReference, Tell, tell_nobody

# A slice with less of the region than this share of the largest slice's is empty.
EMPTY_SHARE = 0.05
# Slices within this part of the head's height are neighbours.
NEAR = 0.05

Indices = npt.NDArray[np.int64]
Look = Callable[[Prepared], object]


def look_at_nothing(prepared: Prepared) -> None:
    """Leave a scan that was made ready as it is."""


@dataclass(frozen=True, eq=False)
class SliceSet:
    """N slices `images` (N, S, S) in [0, 1] and where they come from; other arrays are (N,).

    `positions` run from 0 (the lowest slice with tissue of its scan) to 1 (the highest). `z` is the
    index along Z of the scan (for pictures of a series: in the series). `labelled` says whether the
    scan has a mask, `lesion` whether it has voxels in the slice.
    """

    images: npt.NDArray[np.float32]
    positions: npt.NDArray[np.float64]
    subjects: npt.NDArray[np.str_]
    scans: npt.NDArray[np.str_]
    z: Indices
    lesion: npt.NDArray[np.bool_]
    labelled: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> "SliceSet":
        """Return the slices at `indices` (or where a bool array is True)."""
        return SliceSet(*(getattr(self, one.name)[indices] for one in fields(self)))


def join(sets: Sequence[SliceSet]) -> SliceSet:
    """Put sets of one slice size one after the other."""
    return SliceSet(
        *(np.concatenate([getattr(s, one.name) for s in sets]) for one in fields(SliceSet))
    )


def slices_of(prepared: Prepared) -> SliceSet:
    """Return the slices of one scan that are not empty, with their positions.

    A slice is empty when its region is under 5 % of the scan's largest slice's. A scan of a single
    slice lies in the middle (0.5); a picture of a series at its place in the series.
    """
    areas = prepared.region.sum(axis=(0, 1)).astype(np.int64)
    if prepared.series_place is None:
        kept, positions = _kept(areas)
        z = kept
    else:
        index, series_areas = prepared.series_place
        in_series, in_head = _kept(np.array(series_areas, np.int64))
        here = in_series == index
        kept = np.zeros(int(here.any()), np.int64)
        z, positions = in_series[here], in_head[here]
    truth = prepared.truth
    no_lesion = np.zeros(len(areas), np.bool_)
    lesion = no_lesion if truth is None else np.asarray(truth.any(axis=(0, 1)))
    return SliceSet(
        prepared.slices()[kept],
        positions,
        np.full(len(kept), prepared.scan.subject),
        np.full(len(kept), prepared.scan.scan),
        z,
        lesion[kept],
        np.full(len(kept), truth is not None),
    )


def _kept(areas: Indices) -> tuple[Indices, npt.NDArray[np.float64]]:
    """Return the indices of slices with tissue and their positions from 0 to 1."""
    kept = np.flatnonzero(areas > EMPTY_SHARE * areas.max(initial=0)).astype(np.int64)
    if len(kept) < 2:
        return kept, np.full(len(kept), 0.5)
    return kept, (kept - kept[0]) / (kept[-1] - kept[0])


class Pools(NamedTuple):
    """The inputs, the whole reference, and slices with lesion that a user might leave in it."""

    inputs: SliceSet
    reference: SliceSet
    lesions: SliceSet


def proposed_reference(cohort: Cohort) -> OwnReference | None:
    """The reference that suits a cohort: its normal group, else its lesion-free slices.

    None where neither can be told: it has no other scans beside normal ones, and no masks.
    """
    groups = {scan.group == "normal" for scan in cohort.scans}
    if len(groups) > 1:
        return "normal"
    return "lesion-free" if any(scan.mask for scan in cohort.scans) else None


def check_reference(cohort: Cohort, reference: str | Path | Cohort) -> None:
    """Raise UserError where a cohort's manifest says that such a reference would be empty.

    It takes what `reference_pools` takes, and reads no scan.
    """
    if reference not in OWN_REFERENCES:
        if not isinstance(reference, Cohort):
            read_manifest(reference)
        return
    fitting = proposed_reference(cohort)
    normal = [scan for scan in cohort.scans if scan.group == "normal"]
    if reference == "lesion-free":
        if any(scan.mask for scan in cohort.scans):
            return
        missing = "no masks, so nothing says which slices are lesion-free slices"
    elif not normal:
        missing = "no normal group"
    elif len(normal) == len(cohort.scans):
        raise UserError(
            f"{cohort.manifest} has no other scans than its normal group; train on another cohort, "
            "and take this one as its reference."
        )
    else:
        return
    ways = {
        "normal": "take its normal group as reference",
        "lesion-free": "take its lesion-free slices as reference (by its masks)",
        None: "fill its column `group` with normal and anomalous, or take another cohort of normal "
        "images as reference",
    }
    raise UserError(f"{cohort.manifest} has {missing}; {ways[fitting]}.")


def reference_pools(
    cohort: Cohort,
    preparation: Preparation,
    reference: str | Path | Cohort,
    progress: Tell = tell_nobody,
    look: Look = look_at_nothing,
) -> Pools:
    """Make the inputs of a training, all slices of its reference, and lesions to spoil it with.

    `reference` is one of
    - "normal": the cohort's normal group; inputs are the slices of all other scans;
    - "lesion-free": the lesion-free slices of scans with a mask; inputs are all other slices;
    - a manifest or cohort: its normal group (where it has none, all its scans) without slices that
      have a lesion; inputs are all slices of the cohort.

    The slices with lesion come from the reference's manifest; from the cohort where that one knows
    of none. `progress` is told (scans done, scans in all), `look` gets each scan once it is ready.

    Raises a UserError if one of them would be empty, or a scan cannot be made ready.
    """
    check_reference(cohort, reference)
    scans = list(cohort.scans)
    if reference == "lesion-free":
        both = _all(_sets(scans, preparation, progress, look), cohort)
        free = both.labelled & ~both.lesion
        if not free.any() or free.all():
            what = "slices with lesion" if free.any() else "lesion-free slices with a mask"
            raise UserError(
                f"{cohort.manifest} has no {what}; choose its normal group or another manifest as "
                "reference."
            )
        return Pools(both.take(~free), both.take(free), both.take(both.lesion))
    own = reference == "normal"
    other = cohort if own else reference
    if not isinstance(other, Cohort):
        other = read_manifest(other)
    normal = [scan for scan in other.scans if scan.group == "normal"]
    if own:
        scans = [scan for scan in scans if scan.group != "normal"]
    sets = _sets([*scans, *(normal or other.scans)], preparation, progress, look)
    inputs, found = _all(sets[: len(scans)], cohort), _all(sets[len(scans) :], other)
    lesions = inputs.take(inputs.lesion)
    if own:
        return Pools(inputs, found, lesions)
    clean = found.take(~found.lesion)
    if not len(clean):
        raise UserError(f"{other.manifest} has no lesion-free slices; choose another reference.")
    return Pools(inputs, clean, found.take(found.lesion) if found.lesion.any() else lesions)


def _sets(scans: list[Scan], preparation: Preparation, tell: Tell, look: Look) -> list[SliceSet]:
    sets = []
    for done, scan in enumerate(scans):
        tell(done, len(scans))
        prepared = prepare_scan(scan, preparation)
        look(prepared)
        sets.append(slices_of(prepared))
    tell(len(scans), len(scans))
    return sets


def _all(sets: list[SliceSet], cohort: Cohort) -> SliceSet:
    filled = [found for found in sets if len(found)]
    if not filled:
        raise UserError(f"{cohort.manifest} has no slices with tissue; check its regions.")
    return join(filled)


def balance(n: int, target: int, rng: np.random.Generator) -> Indices:
    """Fill `n` items up to `target` by random duplication; int64 indices.

    Every item comes at least once; nothing is dropped where n is the larger.
    """
    more = rng.integers(0, n, max(0, target - n))
    return np.concatenate([np.arange(n), more]).astype(np.int64)


def match_positions(
    inputs: npt.NDArray[np.float64], references: npt.NDArray[np.float64], rng: np.random.Generator
) -> Indices:
    """Draw for each input slice a reference slice that lies near in the head, by its index.

    A critic that sees inputs and references from different heights learns height before lesions.
    Both are positions in [0, 1]. `rng` draws among the references within 0.05; where there are
    none, the nearest is taken.
    """
    order = np.argsort(references, kind="stable")
    ranked = references[order]
    first = np.searchsorted(ranked, inputs - NEAR, side="left")
    last = np.searchsorted(ranked, inputs + NEAR, side="right")
    drawn = first + np.floor(rng.random(len(inputs)) * (last - first)).astype(np.int64)
    right = np.clip(np.searchsorted(ranked, inputs), 0, len(ranked) - 1)
    left = np.maximum(right - 1, 0)
    closer_left = np.abs(ranked[left] - inputs) <= np.abs(ranked[right] - inputs)
    nearest = np.where(closer_left, left, right)
    return np.asarray(order[np.where(last > first, drawn, nearest)], np.int64)
