"""Cutting the scans whose counts are not on the disk yet. Needs torch."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from os import SEEK_END
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, Prepared, prepare_scan
from ascnet_core.metrics.overlap import ThresholdTable, threshold_table
from ascnet_core.names import Tell, tell_nobody
from ascnet_core.segmentation.cuts import Ready, cut_scan, ready
from ascnet_core.segmentation.histogram import RAW, Range
from ascnet_core.segmentation.levels import Kept, keep
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.studies.counts import store
from ascnet_core.studies.counts.store import Known
from ascnet_core.studies.facts import INPUT, Asked, Seen, asked_of, facts_from, look, range_of
from ascnet_core.studies.folder import Study
from ascnet_core.training.checkpoint import load_model
from ascnet_core.training.device import pick_device

Loader = Callable[[], tuple[Ready, Preparation]]
"""Gives a network that is ready, and how it wants its scans; called when something is missing."""


class Scratch:
    """Arrays of a scan in a file without a name: nothing is left of it, however work ends."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._places = file, dict[str, int]()

    def __setitem__(self, name: str, array: NDArray[Any]) -> None:
        self._places[name] = self._file.seek(0, SEEK_END)
        np.save(self._file, array)

    def __getitem__(self, name: str) -> NDArray[Any]:
        self._file.seek(self._places[name])
        array: NDArray[Any] = np.load(self._file, allow_pickle=False)
        return array


def loader(run: Path, cycle: int | None, device: str) -> Loader:
    """Load a run's network when it is first asked for."""

    def load() -> tuple[Ready, Preparation]:
        where = str(pick_device(device))
        model, settings = load_model(run, cycle=cycle, device=where)
        return ready(model, where), preparation_of(settings)

    return cache(load)


def gather(study: Study, tell: Tell = tell_nobody, device: str = "auto") -> dict[str, str]:
    """Make all facts of a study that are missing, and return why some cannot be, by subject.

    The network is loaded once, and only if something is missing. `tell` is called with (scans
    done, scans in all); what it raises ends the work between two scans, and what was made stays.
    """
    asked = asked_of(study)
    if not set(study.subjects) - facts_from(asked, look(asked)).keys():
        return {}
    return count_missing(asked, loader(study.run, study.cycle, device), study.subjects, tell)


def counted(prepared: Prepared, kept: Kept) -> Known:
    """What is found out of a scan that was cut: all maps' ends, and their counts on [0, 1].

    Of `kept` maps are floats.
    """
    names = [str(name) for name in kept.files]
    ends = {name: kept.extremes[name] for name in names}
    tables = {(name, RAW.low, RAW.high): table_of(prepared, kept, name, RAW) for name in names}
    return Known(kept.voxel_ml, ends, tables)


def table_of(prepared: Prepared, kept: Kept, name: str, range_: Range) -> ThresholdTable:
    """The table of a map on a range, of which `kept` has floats."""
    region = prepared.region
    return threshold_table(kept.volume(name, region, range_), prepared.truth, region)


def count_missing(
    asked: Asked,
    load: Loader,
    subjects: Sequence[str],
    tell: Tell = tell_nobody,
    between: Callable[[], None] = lambda: None,
    again: bool = True,
) -> dict[str, str]:
    """Cut what is missing of these subjects' counts and keep it; why some cannot be, by subject.

    `tell` is called with (scans done, scans in all) after each scan, `between` before each one and
    after each batch of slices: it may wait. What they raise ends the work, and what was counted
    stays. Scans that could not be read are tried `again`, or left alone. For a range of the cohort
    all its scans are cut, whoever is asked for.
    """
    groups = _groups(asked, subjects)
    done, total = 0, sum(map(len, groups))
    failed: dict[str, str] = {}
    for group in groups:
        with tempfile.TemporaryFile() as file:
            seen: dict[str, Seen] = {}
            floats: dict[str, Kept] = {}
            for scan in group:
                between()
                one = replace(asked, scans=(scan,))
                kept, problem = _look_or_cut(one, load, Scratch(file), between, again)
                if kept is not None:
                    floats[scan.scan] = kept
                if problem:
                    failed.setdefault(scan.subject, problem)
                seen |= look(one)
                done += 1
                tell(done, total)
            range_ = range_of(replace(asked, scans=tuple(group)), group[0].subject, seen)
            for scan in group:
                found = seen.get(scan.scan)
                if range_ and found and found.key and _lacks(asked, found.known, range_):
                    between()
                    one = replace(asked, scans=(scan,))
                    kept = floats.get(scan.scan) or _cut(one, found, load(), Scratch(file), between)
                    if kept:
                        kept.ranges[asked.map] = range_
                        table = {(asked.map, range_.low, range_.high): kept.table(asked.map)}
                        store.write(found.key.text, Known(kept.voxel_ml, {}, table))
                    tell(done, total)
    return {subject: failed[subject] for subject in subjects if subject in failed}


def _groups(asked: Asked, subjects: Sequence[str]) -> list[list[Scan]]:
    """Scans that share a range."""
    if asked.range == "cohort":
        return [list(asked.scans)]
    groups: dict[str, list[Scan]] = {}
    for scan in asked.scans:
        if scan.subject in subjects:
            groups.setdefault(scan.scan if asked.range == "raw" else scan.subject, []).append(scan)
    return list(groups.values())


def _is_known(asked: Asked, known: Known | None) -> bool:
    if known is None or known.failed or asked.map not in known.extremes:
        return False
    return all(known.table(name, RAW) is not None for name in (INPUT, asked.map))


def _lacks(asked: Asked, known: Known | None, range_: Range) -> bool:
    return known is not None and not known.failed and known.table(asked.map, range_) is None


def _look_or_cut(
    asked: Asked, load: Loader, scratch: Scratch, between: Callable[[], None], again: bool
) -> tuple[Kept | None, str]:
    """Cut one scan unless it is known; return what `_cut` does, and why it cannot be read."""
    (seen,) = look(asked, read=True).values()
    if _is_known(asked, seen.known) or not (again or seen.readable):
        return None, ""
    network = load()  # where that fails no scan is to blame
    try:
        return _cut(asked, seen, network, scratch, between), ""
    except UserError as error:
        if seen.key is not None:
            store.write(seen.key.text, Known(failed=str(error)))
        return None, str(error)


def _cut(
    asked: Asked,
    seen: Seen,
    loaded: tuple[Ready, Preparation],
    scratch: Scratch,
    between: Callable[[], None],
) -> Kept | None:
    """Cut one scan and keep its counts; return the map's values where they are needed again."""
    (scan,) = asked.scans
    network, how = loaded
    prepared = prepare_scan(scan, how)
    maps = cut_scan(network, prepared, flip=asked.flip, progress=lambda *_: between())
    if seen.key is None or look(asked, read=True)[scan.scan].key != seen.key:
        return None  # it changed meanwhile
    store.write(seen.key.text, counted(prepared, keep(prepared, maps.items(), {})))
    if asked.range == "raw" or asked.map == INPUT:
        return None
    return keep(prepared, [(asked.map, maps[asked.map])], scratch)
