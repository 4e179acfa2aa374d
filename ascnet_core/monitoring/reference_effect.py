"""How the reference changes the wild cut: two runs on the same slices.

The reference says what is normal: what it lacks should be in the wild cut, and what it holds by
mistake will not be. So two runs that differ in the reference alone cut the same slices, and their
wild cuts are shown side by side.
"""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort, Scan
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.imaging.reference import slices_of
from ascnet_core.imaging.slices import evenly
from ascnet_core.names import Tell, tell_nobody
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import differing

ABOVE = 0.5
"""A pixel of the wild cut above this counts as clearly in it."""
SCANS = 12
"""Slices are taken from so many scans at most."""
WITHOUT_EFFECT = ("compute.", "segmentation.", "schedule.log_every", "schedule.checkpoint_seconds")
"""Settings that change nothing in the cuts, as these keys begin."""

Cuts = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """N slices that both runs are cut on.

    `images` are float32 (N, S, S) in [0, 1], `tissue` bool (N, S, S). `truth`, bool (N, S, S), are
    the masks, which the method does not have; None if a scan has none. `labels` are "scan, slice
    z".
    """

    images: NDArray[np.float32]
    tissue: Bools
    truth: Bools | None
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Figures:
    """Where the wild cut of a run lies, pooled over the pixels of a sample; each from 0 to 1.

    `mean` and `above` (share of pixels above 0.5) are over the tissue and need no mask. `inside`
    and `outside` are means in and out of lesions: oracle knowledge, None without masks or lesions.
    """

    mean: float
    above: float
    inside: float | None
    outside: float | None


def sample_slices(
    cohort: Cohort, how: Preparation, count: int = 48, progress: Tell = tell_nobody
) -> Sample:
    """At most `count` slices with tissue, evenly spread over at most 12 scans.

    The scans are of another group than normal, if there are such. `progress` is called with (scans
    done, scans in all). Raises UserError if there are none, or a scan cannot be prepared.
    """
    scans = [scan for scan in cohort.scans if scan.group != "normal"] or list(cohort.scans)
    scans = [scans[i] for i in evenly(len(scans), SCANS)]
    parts = []
    for done, scan in enumerate(scans):
        progress(done, len(scans))
        parts.append(_slices(scan, how, -(-count // len(scans))))
    progress(len(scans), len(scans))
    parts = [part for part in parts if part.labels]
    if not parts:
        raise UserError(f"{cohort.manifest} has no slices with tissue; check its regions.")
    truths = [part.truth for part in parts if part.truth is not None]
    return Sample(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.tissue for part in parts]),
        np.concatenate(truths) if len(truths) == len(parts) else None,
        tuple(label for part in parts for label in part.labels),
    )


def figures_of(wild: Cuts, sample: Sample) -> Figures:
    """Where a wild cut (N, S, S) in [0, 1] lies."""
    tissue = sample.tissue
    held = wild[tissue]
    inside = outside = None
    if sample.truth is not None:
        lesion = sample.truth & tissue
        if lesion.any() and not lesion[tissue].all():
            inside, outside = float(wild[lesion].mean()), float(wild[tissue & ~lesion].mean())
    return Figures(float(held.mean()), float((held > ABOVE).mean()), inside, outside)


def most_changed(one: Cuts, other: Cuts, tissue: Bools) -> NDArray[np.int64]:
    """The slices' indices by how much the wild cuts differ (mean over their tissue), falling."""
    area = np.maximum(1, tissue.sum(axis=(1, 2)))
    change = (np.abs(one - other) * tissue).sum(axis=(1, 2)) / area
    return np.argsort(-change, kind="stable").astype(np.int64)


def need_same_slices(one: Settings, other: Settings) -> Preparation:
    """How both runs prepare a scan; UserError if differently, so that slices do not match."""
    how, its = asdict(preparation_of(one)), asdict(preparation_of(other))
    keys = [f"data.{name}" for name, value in how.items() if its[name] != value]
    if keys:
        raise UserError(
            f"These runs make different slices of a scan ({', '.join(keys)}); choose two with the "
            "same settings of data."
        )
    return preparation_of(one)


def other_differences(one: Settings, other: Settings) -> tuple[str, ...]:
    """The other keys that differ between two runs and may change the wild cut."""
    return tuple(
        key for key in differing(one, other) if not key.startswith(("reference.", *WITHOUT_EFFECT))
    )


def _slices(scan: Scan, how: Preparation, count: int) -> Sample:
    prepared = prepare_scan(scan, how)
    found = slices_of(prepared)
    chosen = found.take(evenly(len(found), count))
    # a picture of a series is a single slice, at any position in the series
    indices = chosen.z if prepared.series_place is None else np.zeros(len(chosen), np.int64)
    truth = prepared.truth_slices()
    return Sample(
        chosen.images,
        prepared.region_slices()[indices],
        None if truth is None else truth[indices],
        tuple(f"{scan.scan}, slice {z}" for z in chosen.z),
    )
