"""What the pages open: cohorts, runs, and one scan's maps, each made once and kept read-only.

The core is imported inside the functions on purpose: a page that shows no scan must not wait for
torch. Arrays come from `st.cache_resource`, which hands out the same object each time (no copies),
so they are locked against writing.
"""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from ascnet_core.errors import UserError
from pages.parts import state
from pages.parts.state import View

if TYPE_CHECKING:
    from ascnet_core.imaging.cohort import Cohort, Scan
    from ascnet_core.imaging.prepare import Preparation, Prepared
    from ascnet_core.scoring.metrics import ThresholdTable
    from ascnet_core.segmentation.histogram import Range

ROOT = Path(__file__).resolve().parents[2]
DEMOS = {"demo": "flair", "demo-t2": "t2", "demo-ct": "ct"}
DEMO_SEED = 1  # the shipped runs were trained on seed 0: these subjects are new to them
DEMO_SUBJECTS = 8
PATIENCE = 0.4  # seconds before a wait gets a progress bar; cached work shows none


@contextmanager
def show_user_errors(stop: bool = True) -> Iterator[None]:
    """Show a `UserError` raised inside as its one sentence, then end the page (or not)."""
    try:
        yield
    except UserError as error:
        st.error(str(error), icon=":material/error:")
        if stop:
            st.stop()


# --- cohorts -------------------------------------------------------------------------------------


def cache_folder() -> Path:
    """Where the app keeps what it makes: ASCNET_CACHE, or ~/.cache/ascnet-explorer."""
    return Path(os.environ.get("ASCNET_CACHE") or Path.home() / ".cache" / "ascnet-explorer")


def demo_manifest(key: str = "demo") -> Path:
    """Where a demo cohort's manifest is, or will be once made."""
    return cache_folder() / f"demo-{DEMOS[key]}" / "manifest.csv"


_MAKING = threading.Lock()


def _share(done: tuple[Any, ...], what: str) -> tuple[float, str]:
    """A progress bar's position and text from a (done, total) report."""
    count, total = (done[0], done[1]) if len(done) > 1 else (done[0], DEMO_SUBJECTS)
    return min(1.0, float(count) / max(1, int(total))), f"{what} {int(count)} of {int(total)}"


def ensure_demo(key: str = "demo") -> Path:
    """The manifest of a demo cohort, made with a progress bar where it is not there yet.

    A second session that asks meanwhile waits for the first one's.
    """
    manifest = demo_manifest(key)
    if manifest.is_file():
        return manifest
    from ascnet_core.imaging.phantom import make_demo

    bar = st.progress(0.0, text=f"Making the {DEMOS[key]} demo cohort, once")

    def report(*done: Any) -> None:
        bar.progress(*_share(done, f"Making the {DEMOS[key]} demo cohort, once: subject"))

    try:
        with _MAKING:
            if manifest.is_file():
                return manifest
            return make_demo(
                manifest.parent,
                contrast=DEMOS[key],
                subjects=DEMO_SUBJECTS,
                seed=DEMO_SEED,
                progress=report,
            )
    finally:
        bar.empty()


def manifest_of(key: str) -> Path:
    """The manifest a cohort's key stands for; a folder without one is indexed first.

    Raises UserError where nothing readable is there.
    """
    if key in DEMOS:
        return ensure_demo(key)
    path = Path(key).expanduser()
    if path.is_dir():
        if (path / "manifest.csv").is_file():
            return path / "manifest.csv"
        return _index(path)
    if not path.is_file():
        raise UserError(
            f"{key}: no such manifest or folder on this machine; open another cohort on Data."
        )
    return path


def _index(folder: Path) -> Path:
    """Index a folder into a manifest of our own, so that the user's folder stays as it is."""
    import hashlib

    from ascnet_core.imaging.cohort import write_manifest
    from ascnet_core.imaging.index import index_folder

    name = f"{folder.name}-{hashlib.sha1(str(folder.resolve()).encode()).hexdigest()[:8]}"
    manifest = cache_folder() / "indexed" / f"{name}.csv"
    indexed = index_folder(folder)
    manifest.parent.mkdir(parents=True, exist_ok=True)
    write_manifest(manifest, indexed.rows)
    return manifest


@st.cache_resource(show_spinner=False, max_entries=32)
def _read_cohort(manifest: Path, changed: float) -> Cohort:
    from ascnet_core.imaging.cohort import read_manifest

    return read_manifest(manifest)


def load_cohort(key: str) -> Cohort:
    """The cohort of a key, read again when its manifest changed. Raises UserError."""
    manifest = manifest_of(key)
    return _read_cohort(manifest, manifest.stat().st_mtime)


def open_cohort(path: str) -> str:
    """Read a manifest or folder the user named, remember it for this session, give its key back."""
    path = path.strip()
    key = path if path in DEMOS else str(Path(path).expanduser().resolve())
    load_cohort(key)
    opened = st.session_state.setdefault(state.OPENED, [])
    if key not in DEMOS and key not in opened:
        opened.append(key)
    return key


def known_cohorts() -> list[str]:
    """Keys to choose from: the demo, what this session opened, and what the URL names."""
    keys = ["demo", *st.session_state.get(state.OPENED, [])]
    keys += [key for key in DEMOS if key != "demo" and demo_manifest(key).is_file()]
    named = state.current().cohort
    return keys if named in keys else [*keys, named]


def cohort_label(key: str) -> str:
    """A cohort's short name for a menu."""
    if key in DEMOS:
        return f"demo {DEMOS[key].upper() if key != 'demo-t2' else 'T2'}"
    path = Path(key)
    return path.parent.name if path.name == "manifest.csv" else path.stem


def find_scan(cohort: Cohort, name: str) -> Scan:
    """A cohort's scan by name, the first anomalous one for "". Raises UserError."""
    if not cohort.scans:
        raise UserError(f"{cohort.manifest}: the manifest has no scans; add rows or open another.")
    if not name:
        return next((scan for scan in cohort.scans if scan.group != "normal"), cohort.scans[0])
    for scan in cohort.scans:
        if name in (scan.scan, scan.subject):
            return scan
    raise UserError(
        f"{name}: no such subject in {cohort.name}; it has {cohort.scans[0].scan} to "
        f"{cohort.scans[-1].scan}."
    )


# --- runs ----------------------------------------------------------------------------------------


def known_runs() -> list[str]:
    """Names of the runs under `checkpoints/` that have a model, shipped ones first."""
    from ascnet_core.training.run_folder import MODEL, list_runs

    names = [path.name for path in list_runs() if (path / MODEL).is_file()]
    return sorted(names, key=lambda name: (not name.startswith("demo-"), name))


def run_path(name: str) -> Path:
    """The folder of a run. Raises UserError where there is none."""
    from ascnet_core.training.run_folder import resolve_run

    return Path(resolve_run(name))


@st.cache_resource(show_spinner=False, max_entries=16)
def _read_settings(run: Path, changed: float) -> Any:
    from ascnet_core.training.run_folder import Run

    return Run(run).settings()


def run_settings(name: str) -> Any:
    """A run's settings (`ascnet_core.training.presets.Settings`), read again when they changed."""
    path = run_path(name)
    return _read_settings(path, (path / "settings.toml").stat().st_mtime)


def run_cycles(name: str) -> dict[int, str]:
    """Cycles of a run that can be looked back at, counted over both stages, with their labels."""
    from ascnet_core.training.run_folder import MODEL, Run

    snapshots = Run(run_path(name)).snapshots()
    return {s.total_cycle: s.label for s in snapshots if (s.path / MODEL).is_file()}


def preparation_of(name: str) -> Preparation:
    """How a run wants its scans: size, scaling, region."""
    from ascnet_core.imaging.prepare import Preparation

    data = run_settings(name).data
    names = {field.name for field in dataclasses.fields(Preparation)}
    return Preparation(**{name: getattr(data, name) for name in names if hasattr(data, name)})


def complete(view: View) -> View:
    """A view with everything named: the run's own map, rule, side, scope and steps, the subject."""
    advised = run_settings(view.run).segmentation
    return dataclasses.replace(
        view,
        scan=find_scan(load_cohort(view.cohort), view.scan).scan,
        map=view.map or advised.map,
        rule=view.rule or advised.rule,
        side=view.side or advised.side,
        scope=view.scope or advised.scope,
        post=tuple(advised.post) if view.post is None else view.post,
    )


@st.cache_resource(show_spinner="Loading the network", max_entries=4)
def _load_model(run: Path, cycle: int | None, changed: float) -> Any:
    from ascnet_core.training.checkpoint import load_model

    return load_model(run, cycle=cycle, device=device())[0]


def load_model(name: str, cycle: int | None = None) -> Any:
    """A run's network in evaluation mode on this machine's best device. Raises UserError."""
    path = run_path(name)
    weights = path / "model.safetensors"
    return _load_model(path, cycle, weights.stat().st_mtime if weights.exists() else 0.0)


@st.cache_resource(show_spinner=False)
def device() -> str:
    """The device cuts are made on: "cuda" where there is one."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


# --- one scan ------------------------------------------------------------------------------------


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
    those of `state.MAPS`. `prepared` has region, truth and spacing; `key` tells this case from any
    other one.
    """

    key: str
    prepared: Prepared
    maps: dict[str, np.ndarray]
    ranges: dict[str, Range]


@st.cache_resource(show_spinner="Cutting the scan in two", max_entries=2)
def _cut(run: Path, cycle: int | None, changed: float, scan: Scan, flip: bool) -> dict[str, Any]:
    """The float maps of a scan; they are large, so few are kept. Pages ask `load_maps`."""
    from ascnet_core.segmentation.cuts import cut_scan

    prepared = _prepare(scan, preparation_of(str(run)), _changed(scan.image))
    maps = cut_scan(load_model(str(run), cycle), prepared, device=device(), flip=flip)
    return {name: maps[name] for name in state.MAPS}


def _changed(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


@st.cache_resource(show_spinner=False, max_entries=24)
def _quantised(
    run: Path, cycle: int | None, changed: float, scan: Scan, flip: bool, limits: tuple[Any, ...]
) -> Case:
    from ascnet_core.segmentation.histogram import Range, quantise

    kind, given = limits
    maps = _cut(run, cycle, changed, scan, flip)
    prepared = _prepare(scan, preparation_of(str(run)), _changed(scan.image))
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
    key = json.dumps([str(run), cycle, changed, str(scan.image), scan.scan, flip, limits])
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
    path, found = run_path(run), find_scan(load_cohort(cohort), scan)
    changed = _changed(path / "model.safetensors") + _changed(found.image)
    given = cohort_limits(run, cycle, cohort, flip) if kind == "cohort" else ()
    return _quantised(path, cycle, changed, found, flip, (kind, given))


# --- the cohort ----------------------------------------------------------------------------------


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
def _scan_limits(run: Path, cycle: int | None, changed: float, scan: Scan, flip: bool) -> Any:
    region = _prepare(scan, preparation_of(str(run)), _changed(scan.image)).region
    maps = _cut(run, cycle, changed, scan, flip)
    return {name: _limits(values, region) for name, values in maps.items() if name != "input"}


def cohort_limits(
    run: str, cycle: int | None, cohort: str, flip: bool = False
) -> tuple[tuple[str, tuple[float, float]], ...]:
    """The lowest and highest value of each map over a cohort, inside the regions."""
    path = run_path(run)
    weights = _changed(path / "model.safetensors")
    each = _over_cohort(
        cohort,
        "Cutting the cohort for its range",
        lambda scan: _scan_limits(path, cycle, weights + _changed(scan.image), scan, flip),
    )
    return tuple(
        (name, (min(one[name][0] for one in each), max(one[name][1] for one in each)))
        for name in each[0]
    )


@st.cache_resource(show_spinner=False, max_entries=2048)
def _scan_table(
    run: Path,
    cycle: int | None,
    changed: float,
    scan: Scan,
    flip: bool,
    limits: tuple[Any, ...],
    name: str,
) -> ThresholdTable:
    from ascnet_core.scoring.metrics import threshold_table

    case = _quantised(run, cycle, changed, scan, flip, limits)
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
    path = run_path(run)
    weights = _changed(path / "model.safetensors")
    given = cohort_limits(run, cycle, cohort, flip) if kind == "cohort" else ()

    def make(scan: Scan) -> ThresholdTable | None:
        if group is not None and scan.group != group:
            return None
        changed = weights + _changed(scan.image)
        return _scan_table(path, cycle, changed, scan, flip, (kind, given), name)

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
    from ascnet_core.training.run_folder import Run

    kept = Run(run_path(run)).reference_counts(name, cycle) if kind == "raw" else None
    if kept is not None:
        return kept
    counts = cohort_counts(run, cycle, cohort, name, kind, flip, group="normal")
    return counts if counts.any() else None
