"""Scans between cutting and thresholding: of each map the voxels of the region, and their range.

A rule for a cohort needs every histogram before the first mask. To cut anew is slow, and all
volumes at once fit no memory. So of a map only the voxels of its region are kept: on 256 levels
where the range is raw, in float32 where the range is not known yet. They lie in memory, or in a
folder where there are many scans.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.image_format import Grid
from ascnet_core.imaging.prepare import Floats, Mask, Preparation, Prepared, further_image
from ascnet_core.metrics.overlap import ThresholdTable, threshold_table
from ascnet_core.names import RangeKind
from ascnet_core.segmentation.histogram import (
    RAW,
    Range,
    count_levels,
    extremes,
    measure_range,
    quantise,
)

Key = Hashable
"""What a map is called: its name, or all that it depends on."""
SEPARATOR = " | "
"""Between sentences in one cell of a table."""


class Arrays(Protocol):
    """Arrays by name."""

    def __setitem__(self, name: str, array: NDArray[Any], /) -> None: ...

    def __getitem__(self, name: str, /) -> NDArray[Any]: ...


class Folder:
    """Arrays in a folder of their own, a file each; a UserError where they cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._told():
            path.mkdir(parents=True)

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        with self._told():
            np.save(self._path / f"{name}.npy", array)

    def __getitem__(self, name: str) -> NDArray[Any]:
        array: NDArray[Any] = np.load(self._path / f"{name}.npy", allow_pickle=False)
        return array

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # where the disk is full numpy says no reason
            reason = error.strerror or "the disk is full"
            raise UserError(
                f"{self._path} cannot be written ({reason}); make room or choose another place."
            ) from error


@dataclass
class Kept:
    """What is kept of one prepared scan.

    `files` holds each map's name among the arrays, `extremes` its smallest and largest value inside
    the region (None where that is empty), `ranges` what its levels stand for, once that is known.
    `remarks` are those of the prepared scan, and what made one doubt it since; `doubts` hold for
    one map alone.
    """

    scan: Scan
    how: Preparation
    grid: Grid
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    voxel_ml: float
    has_truth: bool
    arrays: Arrays
    files: dict[Key, str] = field(default_factory=dict)
    extremes: dict[Key, tuple[float, float] | None] = field(default_factory=dict)
    ranges: dict[Key, Range] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    doubts: dict[Key, tuple[str, ...]] = field(default_factory=dict)

    def _bits(self, name: str) -> Mask:
        bits = np.unpackbits(self.arrays[name], count=math.prod(self.shape))
        return bits.view(np.bool_).reshape(self.shape)

    def region(self) -> Mask:
        """The region, (X, Y, Z) bool."""
        return self._bits("region")

    def truth(self) -> Mask | None:
        """The truth, (X, Y, Z) bool, or None."""
        return self._bits("truth") if self.has_truth else None

    def levels(self, key: Key, range_: Range | None = None) -> NDArray[np.uint8]:
        """A map's levels at the region's voxels, (n,) uint8.

        `range_` replaces the one that was settled; it has no effect on maps kept as levels.
        """
        values = self.arrays[self.files[key]]
        if values.dtype == np.uint8:
            return values
        range_ = range_ or self.ranges[key]
        return quantise(values, range_.low, range_.high)

    def volume(self, key: Key, region: Mask, range_: Range | None = None) -> NDArray[np.uint8]:
        """A map's levels on the volume's grid, (X, Y, Z) uint8, 0 outside the region."""
        volume = np.zeros(self.shape, np.uint8)
        volume[region] = self.levels(key, range_)
        return volume

    def table(self, key: Key) -> ThresholdTable:
        """What every threshold of a map would score inside the region."""
        region = self.region()
        return threshold_table(self.volume(key, region), self.truth(), region)

    def counts(self, key: Key) -> NDArray[np.int64]:
        """How many of the region's voxels lie at each level, (256,)."""
        return count_levels(self.levels(key))

    def normal_counts(self, key: Key) -> NDArray[np.int64]:
        """The counts of slices without lesion (of all slices where there is no truth)."""
        levels, truth = self.levels(key), self.truth()
        if truth is not None and truth.any():
            region = self.region()
            free = np.broadcast_to(~truth.any(axis=(0, 1)), region.shape)
            levels = levels[free[region]]
        return count_levels(levels)

    def further(self, name: str) -> Floats:
        """The further image of a name, as `Prepared.further`; the scan is not prepared again."""
        return further_image(self.scan, self.how, self.grid, self.region(), name)


def keep(
    prepared: Prepared,
    maps: Iterable[tuple[Key, NDArray[np.float32]]],
    arrays: Arrays,
    kind: RangeKind | None = None,
) -> Kept:
    """Keep in `arrays` what thresholds need of a scan.

    `maps` (X, Y, Z) are read once, so that one volume at a time may be made. The range `kind` `raw`
    is settled at once.
    """
    volume = prepared.volume
    kept = Kept(
        prepared.scan,
        prepared.preparation,
        volume.grid,
        volume.shape,
        volume.spacing,
        volume.voxel_ml,
        prepared.truth is not None,
        arrays,
        remarks=prepared.remarks,
    )
    arrays["region"] = np.packbits(prepared.region)
    if prepared.truth is not None:
        arrays["truth"] = np.packbits(prepared.truth)
    for key, values in maps:
        inside: NDArray[Any] = values[prepared.region]
        kept.extremes[key] = extremes(inside)
        if kind == "raw":
            inside = quantise(inside)
            kept.ranges[key] = RAW
        kept.files[key] = f"map-{len(kept.files)}"
        arrays[kept.files[key]] = inside
    return kept


def by_name(several: Sequence[Kept], name: Callable[[Scan], str]) -> dict[str, list[Kept]]:
    """The scans of each subject (or other name), in order."""
    together: dict[str, list[Kept]] = {}
    for one in several:
        together.setdefault(name(one.scan), []).append(one)
    return together


def settle_ranges(several: Sequence[Kept], kind: RangeKind, name: Callable[[Scan], str]) -> None:
    """Set what levels mean, once all scans are kept: raw, a range for each name, or one for all."""
    if kind == "raw":
        return
    for scans in by_name(several, name if kind == "subject" else lambda scan: "").values():
        for key in scans[0].files:
            ends = [one.extremes[key] for one in scans]
            # A slice of a series may lie beyond the region: it says nothing about the range.
            range_ = measure_range(ends, kind) if any(ends) else RAW
            for one in scans:
                one.ranges[key] = range_


def pooled_counts(several: Mapping[str, Sequence[Kept]], key: Key) -> dict[str, NDArray[np.int64]]:
    """The histogram (256,) of each subject (or other name): that of all its scans together."""
    return {
        name: np.sum([one.counts(key) for one in scans], axis=0) for name, scans in several.items()
    }
