"""What is known of a subject's map without looking at it again: counts of its 256 levels.

All that is said of a whole study (warnings, proposals, rules compared, its report) is made from
these and from the decisions, so that nothing is cut twice. They are kept on the disk by content,
see `counts.store`. Levels are those of the map that the run's settings name, on that map's range.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ascnet_core.imaging.cohort import Scan
from ascnet_core.metrics.overlap import ThresholdTable
from ascnet_core.names import RangeKind
from ascnet_core.runs.folder import Run
from ascnet_core.segmentation.histogram import (
    RAW,
    Range,
    Reading,
    measure_range,
    read_histogram,
)
from ascnet_core.settings import method
from ascnet_core.settings.tables import Segmentation
from ascnet_core.studies.counts import store
from ascnet_core.studies.counts.keys import Key, keys_of
from ascnet_core.studies.counts.store import Known
from ascnet_core.studies.decisions import Entry
from ascnet_core.studies.folder import Study, together

INPUT = method.INPUT.name
"""The map that is the scan itself."""


@dataclass(frozen=True)
class ScanFacts:
    """One scan: the counts of its map and of its input inside the region, and a voxel's ml.

    `table` and `plain` hold counts of the truth too, where there is one: what uses those is
    oracle knowledge.
    """

    scan: str
    table: ThresholdTable
    plain: ThresholdTable
    voxel_ml: float


@dataclass(frozen=True)
class Facts:
    """All scans of one subject.

    `scan_sha256` is of its files, as a decision on them has it; "" where that is not known.
    """

    subject: str
    scans: tuple[ScanFacts, ...]
    scan_sha256: str = ""

    @property
    def counts(self) -> NDArray[np.int64]:
        """Voxels at each level of the map, (256,), of all scans."""
        return sum((one.table.levels for one in self.scans), np.zeros(256, np.int64))

    @property
    def reading(self) -> Reading:
        """Peaks and separations of `counts`; found once."""
        return _read(self.counts.tobytes())

    @property
    def input_counts(self) -> NDArray[np.int64]:
        """Voxels at each level of the input, (256,), of all scans."""
        return sum((one.plain.levels for one in self.scans), np.zeros(256, np.int64))


@lru_cache(maxsize=4096)
def _read(counts: bytes) -> Reading:
    return read_histogram(np.frombuffer(counts, np.int64))


@dataclass(frozen=True)
class OwnWay:
    """How a study's run makes masks by itself, and what levels of its map stand for."""

    how: Segmentation
    range: RangeKind


def own_way(study: Study) -> OwnWay:
    """The way of a study's run. Raises a UserError if its settings cannot be read."""
    settings = Run(study.run).settings()
    how = settings.segmentation
    return OwnWay(how, settings.method.map_named(how.map).range)


def reference_of(
    study: Study, name: str, range_: RangeKind, known: Mapping[str, Facts]
) -> NDArray[np.int64] | None:
    """Counts (256,) of the run's map or the input over the normal reference; None: none is known.

    On the raw scale those that the run kept of its own reference, else those of the cohort's scans
    of group `normal`.
    """
    kept = Run(study.run).reference_counts(name, study.cycle) if range_ == "raw" else None
    if kept is None:
        normal = {scan.scan for scan in study.cohort().scans if scan.group == "normal"}
        scans = [one for facts in known.values() for one in facts.scans if one.scan in normal]
        tables = [one.plain if name == INPUT else one.table for one in scans]
        kept = sum((table.levels for table in tables), np.zeros(256, np.int64))
    return kept if kept.any() else None


@dataclass(frozen=True)
class Asked:
    """Which counts are meant: those of scans, in order, through a network, of a map on a range.

    `run_sha256` is that of `studies.folder`.
    """

    run_sha256: str
    flip: bool
    scans: tuple[Scan, ...]
    map: str
    range: RangeKind = "raw"


def asked_of(study: Study) -> Asked:
    """The counts that a study's facts are made of. UserError where its run or manifest changed."""
    own = own_way(study)
    return Asked(study.run_sha256(), study.flip, study.cohort().scans, own.how.map, own.range)


@dataclass(frozen=True)
class Seen:
    """One scan: its key (None: a file of it is not there), and what is known of it (None: no)."""

    key: Key | None
    known: Known | None

    @property
    def readable(self) -> bool:
        """Whether it is not known that the scan cannot be read."""
        return self.key is not None and not (self.known and self.known.failed)


def look(asked: Asked, read: bool = False) -> dict[str, Seen]:
    """What is on the disk of each scan, by its name.

    A scan is left out where the content of its files is not known by their times and sizes, unless
    files are to be `read`.
    """
    keys = keys_of(asked.run_sha256, asked.flip, asked.scans, read)
    known = store.read([key.text for key in keys.values() if key])
    return {name: Seen(key, known.get(key.text) if key else None) for name, key in keys.items()}


def range_of(asked: Asked, subject: str, seen: Mapping[str, Seen]) -> Range | None:
    """What levels of a subject's map stand for; None while a scan that it depends on is unknown.

    Scans that cannot be read are left out.
    """
    if asked.range == "raw" or asked.map == INPUT:
        return RAW
    scans = [s for s in asked.scans if asked.range == "cohort" or s.subject == subject]
    if any(scan.scan not in seen for scan in scans):
        return None
    readable = [seen[scan.scan].known for scan in scans if seen[scan.scan].readable]
    ends = [one.extremes.get(asked.map) for one in readable if one is not None]
    if len(ends) < len(readable):
        return None
    return measure_range(ends, asked.range) if any(ends) else RAW


def ranges_of(asked: Asked, seen: Mapping[str, Seen]) -> dict[str, Range | None]:
    """`range_of` of each subject."""
    subjects = dict.fromkeys(scan.subject for scan in asked.scans)
    if asked.range == "subject":
        return {subject: range_of(asked, subject, seen) for subject in subjects}
    return dict.fromkeys(subjects, range_of(asked, "", seen))


def tables_of(asked: Asked, seen: Mapping[str, Seen]) -> dict[str, ThresholdTable]:
    """The table of each scan that was counted, by its name, in order."""
    ranges, found = ranges_of(asked, seen), {}
    for scan in asked.scans:
        range_, one = ranges[scan.subject], seen.get(scan.scan)
        if range_ is not None and one is not None and one.known is not None:
            table = one.known.table(asked.map, range_)
            if table is not None and one.readable:
                found[scan.scan] = table
    return found


def to_count(asked: Asked, seen: Mapping[str, Seen]) -> list[Scan]:
    """The scans that are not counted and, as far as is known, can be read."""
    tables = tables_of(asked, seen)
    return [
        scan
        for scan in asked.scans
        if scan.scan not in tables and (scan.scan not in seen or seen[scan.scan].readable)
    ]


def known_facts(study: Study) -> dict[str, Facts]:
    """What is on the disk of a study's subjects, by name, in its order; nothing is cut.

    A subject is left out until all its scans are counted, and where one cannot be read.
    """
    asked = asked_of(study)
    return facts_from(asked, look(asked))


def facts_from(asked: Asked, seen: Mapping[str, Seen]) -> dict[str, Facts]:
    """The facts of each subject all of whose scans are known."""
    ranges, by_subject = ranges_of(asked, seen), dict[str, list[Scan]]()
    for scan in asked.scans:
        by_subject.setdefault(scan.subject, []).append(scan)
    found = {}
    for subject, scans in by_subject.items():
        facts = _facts(asked, subject, scans, seen, ranges[subject])
        if facts is not None:
            found[subject] = facts
    return found


def is_current(entry: Entry, own: OwnWay, known: Mapping[str, Facts]) -> bool:
    """Whether a decision speaks of the map, range and scans that the facts are of."""
    facts = known.get(entry.subject)
    same = (entry.decided.map, entry.decided.range) == (own.how.map, own.range)
    return same and facts is not None and facts.scan_sha256 == entry.scan_sha256


def is_one_level(entry: Entry, own: OwnWay, known: Mapping[str, Facts]) -> bool:
    """Whether a decision is current, and one level rather than a band, no lesion or no mask."""
    decision = entry.decided
    is_one = decision.level is not None and decision.upper is None
    return is_one and decision.threshold is not None and is_current(entry, own, known)


def _facts(
    asked: Asked,
    subject: str,
    scans: Sequence[Scan],
    seen: Mapping[str, Seen],
    range_: Range | None,
) -> Facts | None:
    made, files = [], dict[Path, str]()
    for scan in scans:
        one = seen.get(scan.scan)
        if one is None or one.key is None or one.known is None or range_ is None:
            return None
        table, plain = one.known.table(asked.map, range_), one.known.table(INPUT, RAW)
        if table is None or plain is None:
            return None
        files |= one.key.files
        made.append(ScanFacts(scan.scan, table, plain, one.known.voxel_ml))
    return Facts(subject, tuple(made), together(list(files.values())))
