"""One scan through a run, as pages show it: made once, kept read-only; and the same over a cohort.

Arrays come from `st.cache_resource`, which hands out the same object each time (no copies), so they
are locked against writing.
"""

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, Prepared, prepare_scan
from ascnet_core.metrics.overlap import ThresholdTable, threshold_table
from ascnet_core.runs.folder import Run
from ascnet_core.segmentation.histogram import RAW, Range, measure_range
from ascnet_core.segmentation.levels import Kept, keep
from pages.parts.shared import disk, remarks
from pages.parts.shared.cohorts import find_scan, load_cohort
from pages.parts.shared.feedback import plain, progress_bar
from pages.parts.shared.runs import load_model, preparation_of, run_folder, run_stamp
from pages.parts.shared.state import View
from pages.parts.shared.tables import counted

T = TypeVar("T")
MOST_NAMED = 5  # scans whose fault is said
PATIENCE = 0.4  # seconds before a wait gets a progress bar; cached work shows none


@st.cache_resource(show_spinner="Reading the scan", max_entries=6)
def _prepare(scan: Scan, preparation: Preparation, changed: str) -> Prepared:
    return prepare_scan(scan, preparation)


@st.cache_resource(show_spinner=False, max_entries=4096)
def _why_unreadable(scan: Scan, preparation: Preparation, changed: str) -> str:
    """Why a scan cannot be read, or nothing: a damaged one is not read again at each rerun."""
    try:
        _prepare(scan, preparation, changed)
    except UserError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class Case:
    """A scan through a run's network, 8 bits a voxel.

    `maps[name]` is uint8 (X, Y, Z) in RAS on the scan's grid, 0..255 over `ranges[name]`; names are
    those of `run_maps`, the range of `input` is always raw. `prepared` has region, truth and
    spacing; `key` tells this case from any other one.
    """

    key: str
    prepared: Prepared
    maps: dict[str, NDArray[np.uint8]]
    ranges: dict[str, Range]

    def map(self, name: str) -> NDArray[np.uint8]:
        """One of the maps. Raises UserError where the network gives no such map."""
        if name not in self.maps:
            has = ", ".join(self.maps)
            raise UserError(f"This run's network has no map '{name}'; it has: {has}.")
        return self.maps[name]


@dataclass(frozen=True)
class _Source:
    """What the maps of a scan are made of; the stamps of both differ when a file of theirs does."""

    run: Path
    cycle: int | None
    scan: Scan
    flip: bool
    run_stamp: str
    scan_stamp: str

    def prepared(self) -> Prepared:
        return _prepare(self.scan, preparation_of(str(self.run)), self.scan_stamp)


Ranges = tuple[tuple[str, Range], ...]
"""What levels stand for, by map; a map that is not named has the raw range."""


def _sources(view: View, scans: Iterable[Scan]) -> list[_Source]:
    run, stamp = run_folder(view.run), run_stamp(view.run, view.cycle)
    return [
        _Source(run, view.cycle, scan, view.flip, stamp, disk.scan_stamp(scan)) for scan in scans
    ]


@st.cache_resource(show_spinner="Cutting the scan in two", max_entries=2)
def _cut(source: _Source) -> Kept:
    """The maps of a scan inside its region; as floats they are large, so few are kept."""
    from ascnet_core.segmentation.cuts import cut_scan

    prepared, network = source.prepared(), load_model(str(source.run), source.cycle)
    return keep(prepared, cut_scan(network, prepared, flip=source.flip).items(), {})


@st.cache_resource(show_spinner=False, max_entries=12)
def _quantised(source: _Source, ranges: Ranges) -> Case:
    kept, prepared = _cut(source), source.prepared()
    by_map = dict.fromkeys(map(str, kept.files), RAW) | dict(ranges)
    maps = {name: kept.volume(name, prepared.region, range_) for name, range_ in by_map.items()}
    for array in maps.values():
        array.setflags(write=False)
    scan = source.scan
    stamps = source.run_stamp, source.scan_stamp
    parts = [source.run, source.cycle, scan.image, scan.scan, source.flip, ranges, *stamps]
    return Case(json.dumps(list(map(str, parts))), prepared, maps, by_map)


@st.cache_resource(show_spinner=False, max_entries=512)
def _extremes(source: _Source) -> dict[str, tuple[float, float] | None]:
    return {str(name): ends for name, ends in _cut(source).extremes.items()}


def _ranges(view: View, subject: str) -> Ranges:
    """What levels stand for over a subject's scans or the cohort's; these are cut first, once."""
    kind = view.range
    if kind == "raw":
        return ()
    scans = [s for s in load_cohort(view.cohort).scans if kind == "cohort" or s.subject == subject]
    each = _over(
        view,
        scans,
        "Cutting the cohort for its range",
        _extremes,
    )
    return tuple(
        (name, measure_range([one[name] for one in each], kind))
        for name in each[0]
        if name != "input"
    )


def load_maps(view: View) -> Case:
    """The 8-bit maps of a view's scan, on its range. Raises UserError.

    For another range than raw the scans it spans are cut first (with a progress bar, once).
    """
    found = find_scan(load_cohort(view.cohort), view.scan)
    (source,) = _sources(view, [found])
    return _quantised(source, _ranges(view, found.subject))


def work_of(view: View) -> tuple[str, Callable[[], Case]]:
    """What `load_maps` and the tables of its map and its input take time for, and a name of it.

    The work asks nothing of the session: another thread may do it. Raises UserError.
    """
    cohort = load_cohort(view.cohort)
    found = find_scan(cohort, view.scan)
    others = [scan for scan in cohort.scans_of(found.subject) if scan != found]
    sources, ranges = _sources(view, [*others, found]), _ranges(view, found.subject)

    def work() -> Case:
        for source in sources:
            with suppress(UserError) if source.scan != found else nullcontext():
                case = _quantised(source, ranges)
                for name in dict.fromkeys((view.map, "input")):
                    _scan_table(source, ranges, name)
        return case

    return json.dumps([*map(str, (*sources, ranges)), view.map]), work


@st.cache_resource(show_spinner=False, max_entries=512)
def _remarks(source: _Source, changed: str) -> tuple[str, ...]:
    return remarks.remarks_on(source.prepared(), str(source.run))


def load_remarks(view: View) -> tuple[str, ...]:
    """What is unsure or odd about a view's scan for its run, in sentences. Raises UserError."""
    (source,) = _sources(view, [find_scan(load_cohort(view.cohort), view.scan)])
    return _remarks(source, remarks.changed(view.run))


def _over(view: View, scans: Sequence[Scan], what: str, each: Callable[[_Source], T]) -> list[T]:
    """Call `each` for every scan that can be read, with a progress bar.

    Leaving the page or a click cancels it. Raises UserError where none of them can be read.
    """
    results, unreadable = [], list[str]()
    how, total = preparation_of(view.run), len(scans)
    with progress_bar(what, PATIENCE) as report:
        for number, source in enumerate(_sources(view, scans)):
            scan = source.scan
            report(number, total, f": {scan.scan}, {number + 1} of {total}")
            if problem := _why_unreadable(scan, how, source.scan_stamp):
                unreadable.append(problem)
            else:
                results.append(each(source))
    if unreadable and not results:
        raise UserError(unreadable[0])
    return results


@st.cache_resource(show_spinner=False, max_entries=2048)
def _scan_table(source: _Source, ranges: Ranges, name: str) -> ThresholdTable:
    case = _quantised(source, ranges)
    return threshold_table(case.map(name), case.prepared.truth, case.prepared.region)


def cohort_tables(
    view: View, *, group: str | None = None, subject: str | None = None
) -> list[ThresholdTable]:
    """The table of thresholds of each scan of a cohort, or of one group or subject, in order."""
    ranges_of = functools.cache(functools.partial(_ranges, view))

    def make(source: _Source) -> ThresholdTable:
        ranges = ranges_of(source.scan.subject if view.range == "subject" else "")
        return _scan_table(source, ranges, view.map)

    scans = [
        scan
        for scan in load_cohort(view.cohort).scans
        if group in (None, scan.group) and subject in (None, scan.subject)
    ]
    return _over(view, scans, "Cutting the cohort for its histogram", make)


def left_out(view: View) -> list[str]:
    """Why scans are left out of the view's scope or range, which cannot be read.

    Call it once all was counted: what was found out then is kept.
    """
    cohort = load_cohort(view.cohort)
    scans = cohort.scans
    if "cohort" not in (view.scope, view.range):
        scans = cohort.scans_of(find_scan(cohort, view.scan).subject)
    changed = disk.stamp([cohort.manifest]) + disk.scans_stamp(scans)
    return _unreadable(scans, preparation_of(view.run), changed)


@st.cache_resource(show_spinner=False, max_entries=64)
def _unreadable(_scans: Sequence[Scan], preparation: Preparation, changed: str) -> list[str]:
    """All at once: to ask for each of many scans takes Streamlit longer than a click may."""
    found = (_why_unreadable(scan, preparation, disk.scan_stamp(scan)) for scan in _scans)
    return [problem for problem in found if problem]


def show_left_out(problems: Sequence[str], width: Literal["content", "stretch"]) -> None:
    """A button that opens what `left_out` found; nothing where that is nothing."""
    if not problems:
        return
    label = f"{counted(len(problems), 'scan')} left out"
    with st.popover(label, icon=":material/broken_image:", width=width):
        st.markdown("What is counted over several scans leaves out what cannot be read:")
        for problem in problems[:MOST_NAMED]:
            st.warning(plain(problem))
        if more := problems[MOST_NAMED:]:
            st.caption(f"And {counted(len(more), 'more scan')}: see Data.")


def pooled_counts(tables: Sequence[ThresholdTable]) -> NDArray[np.int64]:
    """Counts (256,) of a map inside the regions of scans, given their tables; zeros for no scan."""
    return sum((one.levels for one in tables), np.zeros(256, np.int64))


def reference_counts(view: View) -> NDArray[np.int64] | None:
    """Counts (256,) of a map over the normal reference; None where none is known.

    On the raw scale what the run kept of its own reference, else the cohort's group "normal".
    """
    if view.range == "raw":
        kept = Run(run_folder(view.run)).reference_counts(view.map, view.cycle)
        if kept is not None:
            return kept
    counts = pooled_counts(cohort_tables(view, group="normal"))
    return counts if counts.any() else None
