"""The maps of a cohort on disk while it is evaluated, one small file a scan and map.

A rule with scope cohort needs every histogram before the first mask, and a volume may come from
a network: recomputing is slow, holding all in memory is not possible. So each map is reduced to
the voxels of its region, on 256 levels where the range is raw (nothing else is needed of it), in
float32 until the range is known where it isn't, and written to a temporary folder.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, Prepared, prepare_scan
from ascnet_core.methods.base import Method
from ascnet_core.metrics.overlap import ThresholdTable, threshold_table
from ascnet_core.names import RangeKind
from ascnet_core.segmentation.histogram import RAW, Range, quantise

Key = tuple[str, str, str]


@dataclass
class Stored:
    """What is kept of one scan.

    Attributes
    ----------
    shape, spacing
        Of the volume: (X, Y, Z) voxels, mm.
    files : dict
        Name of each map's file.
    extremes : dict
        Smallest and largest value of each map inside the region.
    ranges : dict
        What the levels of each map stand for; filled when the range is known.
    """

    scan: Scan
    place: Path
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    has_truth: bool
    files: dict[Key, str] = field(default_factory=dict)
    extremes: dict[Key, tuple[float, float]] = field(default_factory=dict)
    ranges: dict[Key, Range] = field(default_factory=dict)

    def _bits(self, name: str) -> NDArray[np.bool_]:
        size = int(np.prod(self.shape))
        packed = np.load(self.place / f"{name}.npy", allow_pickle=False)
        return np.unpackbits(packed, count=size).astype(bool).reshape(self.shape)

    def region(self) -> NDArray[np.bool_]:
        """Return the region, (X, Y, Z) bool."""
        return self._bits("region")

    def truth(self) -> NDArray[np.bool_] | None:
        """Return the truth, (X, Y, Z) bool, or None."""
        return self._bits("truth") if self.has_truth else None

    def levels(self, key: Key) -> NDArray[np.uint8]:
        """Return a map's levels at the region's voxels, (n,) uint8, in the order of indexing."""
        values = np.load(self.place / self.files[key], allow_pickle=False)
        if values.dtype == np.uint8:
            return values  # type: ignore[no-any-return]
        range_ = self.ranges[key]
        return quantise(values, range_.low, range_.high)

    def level_volume(self, key: Key, region: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Return a map's levels on the volume's grid, (X, Y, Z) uint8, 0 outside the region."""
        volume = np.zeros(self.shape, np.uint8)
        volume[region] = self.levels(key)
        return volume

    def table(self, key: Key) -> ThresholdTable:
        """Return the table of all thresholds of a map inside the region."""
        region, truth = self.region(), self.truth()
        levels = self.levels(key)
        outside = int(region.size) - levels.size
        if truth is None:
            return ThresholdTable(threshold_table(levels, None).levels, None, 0, outside)
        inside = threshold_table(levels, truth[region])
        missed = int(np.count_nonzero(truth & ~region))
        return ThresholdTable(inside.levels, inside.lesion, missed, outside - missed)

    def normal_counts(self, key: Key) -> NDArray[np.int64]:
        """Count the levels on slices without lesion (all slices where there is no truth)."""
        levels, truth = self.levels(key), self.truth()
        if truth is not None and truth.any():
            region = self.region()
            free = np.broadcast_to(~truth.any(axis=(0, 1)), region.shape)
            levels = levels[free[region]]
        return threshold_table(levels, None).levels


def store_scan(
    scan: Scan,
    methods: Sequence[Method],
    preparation: Preparation,
    range_kind: RangeKind,
    place: Path,
) -> Stored:
    """Prepare a scan, compute the methods' maps once each and write what is needed of them.

    Parameters
    ----------
    place : Path
        A folder of this scan's own; it is made.

    Raises
    ------
    UserError
        If the scan can't be prepared.
    """
    place.mkdir(parents=True)
    ready: dict[Preparation, Prepared] = {preparation: prepare_scan(scan, preparation)}
    base = ready[preparation]
    np.save(place / "region.npy", np.packbits(base.region))
    if base.truth is not None:
        np.save(place / "truth.npy", np.packbits(base.truth))
    stored = Stored(
        scan=scan,
        place=place,
        shape=base.region.shape,
        spacing=tuple(float(length) for length in base.spacing),
        has_truth=base.truth is not None,
    )
    for method in methods:
        if method.key in stored.extremes:
            continue
        adapted = method.adapt(preparation)
        if adapted not in ready:
            ready[adapted] = prepare_scan(scan, adapted)
        inside: NDArray[Any] = method.grey(ready[adapted])[base.region]
        # A slice of a series may lie beyond the region: it says nothing about the range.
        low, high = (inside.min(), inside.max()) if inside.size else (np.inf, -np.inf)
        stored.extremes[method.key] = (float(low), float(high))
        if range_kind == "raw":
            inside = quantise(inside)
            stored.ranges[method.key] = RAW
        stored.files[method.key] = f"map-{len(stored.files)}.npy"
        np.save(place / stored.files[method.key], inside)
    return stored


def settle_ranges(
    stored: Sequence[Stored], keys: Sequence[Key], kind: RangeKind, unit: Callable[[Scan], str]
) -> None:
    """State what the levels mean, once all scans are stored: per unit or over the cohort."""
    if kind == "raw":
        return
    for key in keys:
        ends: dict[str, tuple[float, float]] = {}
        for one in stored:
            name = unit(one.scan) if kind == "subject" else ""
            low, high = one.extremes[key]
            known = ends.get(name, (low, high))
            ends[name] = (min(low, known[0]), max(high, known[1]))
        for one in stored:
            low, high = ends[unit(one.scan) if kind == "subject" else ""]
            one.ranges[key] = Range(low, high, kind)
