"""One scan through a run, as pages show it: made once, kept read-only; and the same over a cohort.

Arrays come from `st.cache_resource`, which hands out the same object each time (no copies), so they
are locked against writing.
"""

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

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
from ascnet_core.studies.counts import background, store
from ascnet_core.studies.counts.keys import keys_of
from ascnet_core.studies.counts.store import Known
from ascnet_core.studies.facts import INPUT, Asked, Seen, look, tables_of
from ascnet_core.studies.folder import run_sha256
from pages.parts.shared import disk
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
class Source:
    """What the maps of a scan are made of; the stamps of both differ when a file of theirs does."""

    run: Path
    cycle: int | None
    scan: Scan
    flip: bool
    run_stamp: str
    scan_stamp: str

    def prepared(self) -> Prepared:
        """The scan, made ready as the run wants it. Raises UserError."""
        return _prepare(self.scan, preparation_of(str(self.run)), self.scan_stamp)

    def note(self, known: Known) -> None:
        """Keep on the disk what is known of it."""
        sha256 = run_sha256(self.run, self.cycle)
        key = keys_of(sha256, self.flip, [self.scan], read=True)[self.scan.scan]
        if key is not None:  # else its files are gone
            store.write(key.text, known)


Ranges = tuple[tuple[str, Range], ...]
"""What levels stand for, by map; a map that is not named has the raw range."""


def sources_of(view: View, scans: Iterable[Scan]) -> list[Source]:
    """What the maps of scans are made of by a view's run. Raises UserError."""
    run, stamp = run_folder(view.run), run_stamp(view.run, view.cycle)
    return [
        Source(run, view.cycle, scan, view.flip, stamp, disk.scan_stamp(scan)) for scan in scans
    ]


@st.cache_resource(show_spinner="Cutting the scan in two", max_entries=2)
def _cut(source: Source) -> Kept:
    """The maps of a scan inside its region; as floats they are large, so few are kept."""
    from ascnet_core.segmentation.cuts import cut_scan

    prepared, network = source.prepared(), load_model(str(source.run), source.cycle)
    with background.first():
        return keep(prepared, cut_scan(network, prepared, flip=source.flip).items(), {})


def _count(source: Source) -> Known:
    """Count all maps of a scan on the raw range, and keep it on the disk."""
    from ascnet_core.studies.counts.gathering import counted

    known = counted(source.prepared(), _cut(source))
    source.note(known)
    return known


@st.cache_resource(show_spinner=False, max_entries=12)
def _quantised(source: Source, ranges: Ranges) -> Case:
    kept, prepared = _cut(source), source.prepared()
    by_map = dict.fromkeys(map(str, kept.files), RAW) | dict(ranges)
    maps = {name: kept.volume(name, prepared.region, range_) for name, range_ in by_map.items()}
    for array in maps.values():
        array.setflags(write=False)
    scan = source.scan
    stamps = source.run_stamp, source.scan_stamp
    parts = [source.run, source.cycle, scan.image, scan.scan, source.flip, ranges, *stamps]
    return Case(json.dumps(list(map(str, parts))), prepared, maps, by_map)


def _asked(view: View, scans: Iterable[Scan]) -> Asked:
    """The counts of these scans of a view; those that they depend on for their range are added."""
    within, wanted = load_cohort(view.cohort).scans, tuple(scans)
    if view.range == "raw":
        within = wanted
    elif view.range == "subject":
        subjects = {scan.subject for scan in wanted}
        within = tuple(scan for scan in within if scan.subject in subjects)
    run = run_folder(view.run)
    return Asked(run_sha256(run, view.cycle), view.flip, within, view.map, view.range)


def _ranges(view: View, subject: str) -> Ranges:
    """What levels stand for over a subject's scans or the cohort's; these are cut first, once."""
    if view.range == "raw":
        return ()
    asked = _asked(view, load_cohort(view.cohort).scans_of(subject))
    seen = look(asked)
    known = {name: one.known for name, one in seen.items() if one.known and one.readable}
    unknown = [s for s in asked.scans if s.scan not in known and _may_count(seen.get(s.scan))]
    if unknown:
        known |= _over(view, unknown, "Cutting the cohort for its range", _count)
    if not known:
        raise UserError(_problem(view, asked.scans[0], look(asked)))
    each = [one.extremes for one in known.values()]
    return tuple(
        (name, measure_range([one.get(name) for one in each], view.range))
        for name in each[0]
        if name != INPUT
    )


def _may_count(seen: Seen | None) -> bool:
    """Whether a scan may be counted, as far as is known."""
    return seen is None or seen.readable


def load_maps(view: View) -> Case:
    """The 8-bit maps of a view's scan, on its range. Raises UserError.

    For another range than raw the scans it spans are cut first (with a progress bar, once).
    """
    found = find_scan(load_cohort(view.cohort), view.scan)
    (source,) = sources_of(view, [found])
    return _quantised(source, _ranges(view, found.subject))


def work_of(view: View) -> tuple[str, Callable[[], Case]]:
    """What `load_maps` and the tables of its map and its input take time for, and a name of it.

    The work asks nothing of the session: another thread may do it. Raises UserError.
    """
    cohort = load_cohort(view.cohort)
    found = find_scan(cohort, view.scan)
    others = [scan for scan in cohort.scans_of(found.subject) if scan != found]
    sources, ranges = sources_of(view, [*others, found]), _ranges(view, found.subject)

    def work() -> Case:
        for source in sources:
            with suppress(UserError) if source.scan != found else nullcontext():
                case = _quantised(source, ranges)
                for name in dict.fromkeys((view.map, "input")):
                    _scan_table(source, ranges, name)
        return case

    return json.dumps([*map(str, (*sources, ranges)), view.map]), work


def _over(
    view: View, scans: Sequence[Scan], what: str, each: Callable[[Source], T]
) -> dict[str, T]:
    """Call `each` for every scan that can be read, with a progress bar; by the scan's name.

    Leaving the page or a click cancels it. Why others cannot be read is noted.
    """
    results = dict[str, T]()
    how, total = preparation_of(view.run), len(scans)
    with progress_bar(what, PATIENCE) as report:
        for number, source in enumerate(sources_of(view, scans)):
            scan = source.scan
            report(number, total, f": {scan.scan}, {number + 1} of {total}")
            if problem := _why_unreadable(scan, how, source.scan_stamp):
                source.note(Known(failed=problem))
            else:
                results[scan.scan] = each(source)
    return results


def _scan_table(source: Source, ranges: Ranges, name: str) -> ThresholdTable:
    if dict(ranges).get(name, RAW) == RAW:
        if name not in (known := _count(source)).extremes:
            _quantised(source, ranges).map(name)  # says which maps there are
        return known.tables[name, RAW.low, RAW.high]
    case = _quantised(source, ranges)
    range_, prepared = case.ranges[name], case.prepared
    table = threshold_table(case.map(name), prepared.truth, prepared.region)
    what = name, range_.low, range_.high
    source.note(Known(prepared.volume.voxel_ml, {}, {what: table}))
    return table


def _scans(view: View, group: str | None, subject: str | None) -> list[Scan]:
    return [
        scan
        for scan in load_cohort(view.cohort).scans
        if group in (None, scan.group) and subject in (None, scan.subject)
    ]


def cohort_tables(
    view: View, *, group: str | None = None, subject: str | None = None
) -> list[ThresholdTable]:
    """The table of thresholds of each scan of a cohort, or of one group or subject, in order.

    What is not on the disk is cut now; see `tables_so_far`. Raises UserError where no scan can be
    read.
    """
    scans = _scans(view, group, subject)
    asked = _asked(view, scans)
    seen = look(asked)
    tables = tables_of(asked, seen)
    ranges_of = functools.cache(functools.partial(_ranges, view))

    def make(source: Source) -> ThresholdTable:
        ranges = ranges_of(source.scan.subject if view.range == "subject" else "")
        return _scan_table(source, ranges, view.map)

    unknown = [
        scan for scan in scans if scan.scan not in tables and _may_count(seen.get(scan.scan))
    ]
    if unknown:
        tables |= _over(view, unknown, "Cutting the cohort for its histogram", make)
    if scans and not tables:
        raise UserError(_problem(view, scans[0], look(asked)))
    return [tables[scan.scan] for scan in scans if scan.scan in tables]


class SoFar(NamedTuple):
    """The tables of scans that are counted, and of how many scans they are to be.

    `problem` is why the others cannot be counted; empty while they are.
    """

    tables: list[ThresholdTable]
    total: int
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Whether all are counted that can be read."""
        return len(self.tables) == self.total


def tables_so_far(view: View, *, group: str | None = None, subject: str | None = None) -> SoFar:
    """As `cohort_tables`, but returns at once with what is known; the rest is made beside.

    Ask again to see how far that is. Scans that cannot be read are not counted in the total.
    """
    scans = _scans(view, group, subject)
    asked = _asked(view, scans)
    seen = look(asked)
    tables = tables_of(asked, seen)
    open_ = [scan for scan in scans if scan.scan not in tables and _may_count(seen.get(scan.scan))]
    problem = background.ask(asked, run_folder(view.run), view.cycle) if open_ else ""
    known = [tables[scan.scan] for scan in scans if scan.scan in tables]
    return SoFar(known, len(known) + len(open_), problem)


def _problem(view: View, scan: Scan, seen: Mapping[str, Seen]) -> str:
    """Why a scan cannot be read; empty if it can, or if that is not known."""
    one = seen.get(scan.scan)
    if one is None or one.readable:
        return ""
    if one.known is not None:
        return one.known.failed
    return _why_unreadable(scan, preparation_of(view.run), disk.scan_stamp(scan))


def left_out(view: View) -> list[str]:
    """Why scans are left out of the view's scope or range, which cannot be read.

    Only what was found out until now: no scan is opened for it.
    """
    cohort = load_cohort(view.cohort)
    scans = cohort.scans
    if "cohort" not in (view.scope, view.range):
        scans = cohort.scans_of(find_scan(cohort, view.scan).subject)
    seen = look(replace(_asked(view, scans), scans=scans))
    return [problem for scan in scans if (problem := _problem(view, scan, seen))]


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
