"""One scan through a run, as pages show it: made once, kept read-only; and the same over a cohort.

This is also the door to `cohorts` and `runs`. The core is imported inside the functions on purpose:
a page that shows no scan must not wait for torch. Arrays come from `st.cache_resource`, which hands
out the same object each time (no copies), so they are locked against writing.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

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
    from ascnet_core.segmentation.histogram import Range

__all__ = [
    "DEMOS",
    "DEMO_SUBJECTS",
    "Case",
    "cache_folder",
    "cohort_counts",
    "cohort_label",
    "cohort_limits",
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
    those of `run_maps`. `prepared` has region, truth and spacing; `key` tells this case from any
    other one.
    """

    key: str
    prepared: Prepared
    maps: dict[str, np.ndarray]
    ranges: dict[str, Range]


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


def _source(run: str, cycle: int | None, scan: Scan, flip: bool) -> _Source:
    path = run_path(run)
    changed = (_changed(path / "model.safetensors"), _changed(scan.image))
    return _Source(path, cycle, scan, flip, changed)


def _changed(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


@st.cache_resource(show_spinner="Cutting the scan in two", max_entries=2)
def _cut(source: _Source) -> dict[str, Any]:
    """The float maps of a scan; they are large, so few are kept. Pages ask `load_maps`."""
    from ascnet_core.segmentation.cuts import cut_scan

    network = load_model(str(source.run), source.cycle)
    return cut_scan(network, source.prepared(), device=device(), flip=source.flip)


@st.cache_resource(show_spinner=False, max_entries=12)
def _quantised(source: _Source, limits: tuple[Any, ...]) -> Case:
    from ascnet_core.segmentation.histogram import Range, quantise

    kind, given = limits
    maps, prepared = _cut(source), source.prepared()
    eight, ranges = {}, {}
    for name, values in maps.items():
        low, high = 0.0, 1.0
        if kind == "subject" and name != "input":
            low, high = _limits(values, prepared.region)
        elif kind == "cohort" and name in dict(given):
            low, high = dict(given)[name]
        ranges[name] = Range(low, high, kind if name != "input" else "raw")
        eight[name] = quantise(values, low, high)
        eight[name].setflags(write=False)
    scan = source.scan
    parts = [str(source.run), source.cycle, str(scan.image), scan.scan, source.flip, limits]
    key = json.dumps([*parts, source.changed])
    return Case(key, prepared, eight, ranges)


def _limits(values: np.ndarray, region: np.ndarray) -> tuple[float, float]:
    inside = values[region] if region.any() else values.ravel()
    return float(inside.min()), float(inside.max())


def load_maps(
    run: str,
    cycle: int | None,
    cohort: str,
    scan: str,
    kind: str = "raw",
    flip: bool = False,
) -> Case:
    """The 8-bit maps of one scan, on a raw, subject or cohort range. Raises UserError.

    A cohort range cuts every scan of the cohort first (with a progress bar, once).
    """
    found = find_scan(load_cohort(cohort), scan)
    given = cohort_limits(run, cycle, cohort, flip) if kind == "cohort" else ()
    return _quantised(_source(run, cycle, found, flip), (kind, given))


def _over_cohort(cohort: str, what: str, each: Callable[[Scan], Any]) -> list[Any]:
    """Call `each` for every scan with a progress bar; leaving the page or a click cancels it."""
    scans = load_cohort(cohort).scans
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


@st.cache_resource(show_spinner=False, max_entries=512)
def _scan_limits(source: _Source) -> dict[str, tuple[float, float]]:
    region = source.prepared().region
    maps = _cut(source)
    return {name: _limits(values, region) for name, values in maps.items() if name != "input"}


def cohort_limits(
    run: str, cycle: int | None, cohort: str, flip: bool = False
) -> tuple[tuple[str, tuple[float, float]], ...]:
    """The lowest and highest value of each map over a cohort, inside the regions."""
    each = _over_cohort(
        cohort,
        "Cutting the cohort for its range",
        lambda scan: _scan_limits(_source(run, cycle, scan, flip)),
    )
    return tuple(
        (name, (min(one[name][0] for one in each), max(one[name][1] for one in each)))
        for name in each[0]
    )


@st.cache_resource(show_spinner=False, max_entries=2048)
def _scan_table(source: _Source, limits: tuple[Any, ...], name: str) -> ThresholdTable:
    from ascnet_core.metrics.overlap import threshold_table

    case = _quantised(source, limits)
    return threshold_table(case.maps[name], case.prepared.truth, case.prepared.region)


def cohort_tables(
    run: str,
    cycle: int | None,
    cohort: str,
    name: str,
    kind: str = "raw",
    flip: bool = False,
    group: str | None = None,
) -> list[ThresholdTable]:
    """The table of thresholds of each scan of a cohort, or of one of its groups, in order."""
    given = cohort_limits(run, cycle, cohort, flip) if kind == "cohort" else ()

    def make(scan: Scan) -> ThresholdTable | None:
        if group is not None and scan.group != group:
            return None
        return _scan_table(_source(run, cycle, scan, flip), (kind, given), name)

    made = _over_cohort(cohort, "Cutting the cohort for its histogram", make)
    return [one for one in made if one is not None]


def cohort_counts(
    run: str,
    cycle: int | None,
    cohort: str,
    name: str,
    kind: str = "raw",
    flip: bool = False,
    group: str | None = None,
) -> np.ndarray:
    """Counts (256,) of a map inside the regions, over a cohort or one of its groups.

    Zeros where the group is empty. The reference of mask-free rules is group "normal".
    """
    tables = cohort_tables(run, cycle, cohort, name, kind, flip, group)
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
