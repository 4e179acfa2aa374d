"""One scan through a run, as pages show it: made once, kept read-only; and the same over a cohort.

This is also the door to `cohorts` and `runs`. The core is imported inside the functions on purpose:
a page that shows no scan must not wait for torch. Arrays come from `st.cache_resource`, which hands
out the same object each time (no copies), so they are locked against writing.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from ascnet_core.errors import UserError
from pages.parts.shared.cohorts import (
    DEMO_SUBJECTS,
    DEMOS,
    cache_folder,
    cohort_label,
    demo_manifest,
    ensure_demo,
    find_scan,
    known_cohorts,
    load_cohort,
    manifest_of,
    open_cohort,
    show_user_errors,
)
from pages.parts.shared.runs import (
    complete,
    device,
    known_runs,
    load_model,
    method_of,
    preparation_of,
    run_cycles,
    run_maps,
    run_path,
    run_settings,
)

if TYPE_CHECKING:
    from ascnet_core.imaging.cohort import Scan
    from ascnet_core.imaging.prepare import Preparation, Prepared
    from ascnet_core.metrics.overlap import ThresholdTable
    from ascnet_core.segmentation.cuts import Ready
    from ascnet_core.segmentation.histogram import Range
    from ascnet_core.segmentation.levels import Kept

__all__ = [
    "DEMOS",
    "DEMO_SUBJECTS",
    "Case",
    "cache_folder",
    "cohort_counts",
    "cohort_label",
    "cohort_tables",
    "complete",
    "demo_manifest",
    "device",
    "ensure_demo",
    "find_scan",
    "known_cohorts",
    "known_runs",
    "load_case",
    "load_cohort",
    "load_maps",
    "load_model",
    "manifest_of",
    "method_of",
    "open_cohort",
    "preparation_of",
    "reference_counts",
    "run_cycles",
    "run_maps",
    "run_path",
    "run_settings",
    "show_user_errors",
]

PATIENCE = 0.4  # seconds before a wait gets a progress bar; cached work shows none


@st.cache_resource(show_spinner="Reading the scan", max_entries=6)
def _prepare(scan: Scan, preparation: Preparation, changed: float) -> Prepared:
    from ascnet_core.imaging.prepare import prepare_scan

    prepared = prepare_scan(scan, preparation)
    for field in dataclasses.fields(prepared):
        value = getattr(prepared, field.name)
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return prepared


def load_case(cohort: str, scan: str, preparation: Preparation) -> Prepared:
    """A scan, scaled, with its region and truth on the volume's grid. Raises UserError."""
    found = find_scan(load_cohort(cohort), scan)
    changed = found.image.stat().st_mtime if found.image.exists() else 0.0
    return _prepare(found, preparation, changed)


@dataclasses.dataclass(frozen=True)
class Case:
    """A scan through a run's network, 8 bits a voxel.

    `maps[name]` is uint8 (X, Y, Z) in RAS on the scan's grid, 0..255 over `ranges[name]`; names are
    those of `run_maps`, the range of `input` is always raw. `prepared` has region, truth and
    spacing; `key` tells this case from any other one.
    """

    key: str
    prepared: Prepared
    maps: dict[str, np.ndarray]
    ranges: dict[str, Range]

    def map(self, name: str) -> np.ndarray:
        """One of the maps. Raises UserError where the network gives no such map."""
        if name not in self.maps:
            has = ", ".join(self.maps)
            raise UserError(f"This run's network has no map '{name}'; it has: {has}.")
        return self.maps[name]


@dataclasses.dataclass(frozen=True)
class _Source:
    """What the maps of a scan are made of; `changed` differs when a file behind it does."""

    run: Path
    cycle: int | None
    scan: Scan
    flip: bool
    changed: tuple[float, float]

    def prepared(self) -> Prepared:
        return _prepare(self.scan, preparation_of(str(self.run)), self.changed[1])


Ranges = tuple[tuple[str, "Range"], ...]
"""What levels stand for, by map; a map that is not named has the raw range."""


def _source(run: str, cycle: int | None, scan: Scan, flip: bool) -> _Source:
    path = run_path(run)
    changed = (_changed(path / "model.safetensors"), _changed(scan.image))
    return _Source(path, cycle, scan, flip, changed)


def _changed(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


@st.cache_resource(show_spinner=False, max_entries=4)
def _network(run: str, cycle: int | None, changed: float) -> Ready:
    """A run's network, ready to cut one scan after the other."""
    from ascnet_core.segmentation.cuts import ready

    return ready(load_model(run, cycle), device())


@st.cache_resource(show_spinner="Cutting the scan in two", max_entries=2)
def _cut(source: _Source) -> Kept:
    """The maps of a scan inside its region; as floats they are large, so few are kept."""
    from ascnet_core.segmentation.cuts import cut_scan
    from ascnet_core.segmentation.levels import keep

    prepared = source.prepared()
    network = _network(str(source.run), source.cycle, source.changed[0])
    return keep(prepared, cut_scan(network, prepared, flip=source.flip).items(), {})


@st.cache_resource(show_spinner=False, max_entries=12)
def _quantised(source: _Source, ranges: Ranges) -> Case:
    from ascnet_core.segmentation.histogram import RAW

    kept, prepared = _cut(source), source.prepared()
    by_map = dict.fromkeys(kept.files, RAW) | dict(ranges)
    maps = {name: kept.volume(name, prepared.region, by_map[name]) for name in kept.files}
    for array in maps.values():
        array.setflags(write=False)
    scan = source.scan
    parts = [source.run, source.cycle, scan.image, scan.scan, source.flip, ranges, source.changed]
    return Case(json.dumps(list(map(str, parts))), prepared, maps, by_map)


@st.cache_resource(show_spinner=False, max_entries=512)
def _extremes(source: _Source) -> dict[str, tuple[float, float] | None]:
    return dict(_cut(source).extremes)


def _ranges(
    run: str, cycle: int | None, cohort: str, subject: str, kind: str, flip: bool
) -> Ranges:
    """What levels stand for over a subject's scans or the cohort's; these are cut first, once."""
    from ascnet_core.segmentation.histogram import measure_range

    if kind == "raw":
        return ()
    scans = [s for s in load_cohort(cohort).scans if kind == "cohort" or s.subject == subject]
    each = _over(
        scans,
        "Cutting the cohort for its range",
        lambda scan: _extremes(_source(run, cycle, scan, flip)),
    )
    return tuple(
        (name, measure_range([one[name] for one in each], kind))
        for name in each[0]
        if name != "input"
    )


def load_maps(
    run: str,
    cycle: int | None,
    cohort: str,
    scan: str,
    kind: str = "raw",
    flip: bool = False,
) -> Case:
    """The 8-bit maps of one scan, on a raw, subject or cohort range. Raises UserError.

    For another range than raw the scans it spans are cut first (with a progress bar, once).
    """
    found = find_scan(load_cohort(cohort), scan)
    ranges = _ranges(run, cycle, cohort, found.subject, kind, flip)
    return _quantised(_source(run, cycle, found, flip), ranges)


def _over(scans: Sequence[Scan], what: str, each: Callable[[Scan], Any]) -> list[Any]:
    """Call `each` for every scan with a progress bar; leaving the page or a click cancels it."""
    begun, bar = time.monotonic(), None
    results = []
    try:
        for number, scan in enumerate(scans):
            if bar is None and time.monotonic() - begun > PATIENCE:
                bar = st.progress(0.0, text=what)
            if bar is not None:
                text = f"{what}: {scan.scan}, {number + 1} of {len(scans)}"
                bar.progress(number / len(scans), text=text)
            results.append(each(scan))
        return results
    finally:
        if bar is not None:
            bar.empty()


@st.cache_resource(show_spinner=False, max_entries=2048)
def _scan_table(source: _Source, ranges: Ranges, name: str) -> ThresholdTable:
    from ascnet_core.metrics.overlap import threshold_table

    case = _quantised(source, ranges)
    return threshold_table(case.map(name), case.prepared.truth, case.prepared.region)


def cohort_tables(
    run: str,
    cycle: int | None,
    cohort: str,
    name: str,
    kind: str = "raw",
    flip: bool = False,
    *,
    group: str | None = None,
    subject: str | None = None,
) -> list[ThresholdTable]:
    """The table of thresholds of each scan of a cohort, or of one group or subject, in order."""
    ranges: dict[str, Ranges] = {}

    def make(scan: Scan) -> ThresholdTable:
        unit = scan.subject if kind == "subject" else ""
        if unit not in ranges:
            ranges[unit] = _ranges(run, cycle, cohort, unit, kind, flip)
        return _scan_table(_source(run, cycle, scan, flip), ranges[unit], name)

    scans = [
        scan
        for scan in load_cohort(cohort).scans
        if group in (None, scan.group) and subject in (None, scan.subject)
    ]
    return _over(scans, "Cutting the cohort for its histogram", make)


def cohort_counts(*which: Any, **part: Any) -> np.ndarray:
    """Counts (256,) of a map inside the regions, over the scans of `cohort_tables`.

    Zeros where there is none. The reference of mask-free rules is group "normal".
    """
    tables = cohort_tables(*which, **part)
    return np.sum([one.levels for one in tables], axis=0, dtype=np.int64) + np.zeros(256, np.int64)


def reference_counts(
    run: str, cycle: int | None, cohort: str, name: str, kind: str = "raw", flip: bool = False
) -> np.ndarray | None:
    """Counts (256,) of a map over the normal reference; None where none is known.

    What the run kept of its own reference, on the raw scale; on other scales the cohort's group
    "normal".
    """
    from ascnet_core.runs.folder import Run

    kept = Run(run_path(run)).reference_counts(name, cycle) if kind == "raw" else None
    if kept is not None:
        return kept
    counts = cohort_counts(run, cycle, cohort, name, kind, flip, group="normal")
    return counts if counts.any() else None
