"""The files of a run: where they are, how they are read while another process writes them.

Nothing here needs torch, so that a page can follow a run without the 2.4 s of importing it.

====================  ==========================================================================
`settings.toml`       every setting, the preset resolved
`manifest.csv`        the inputs, paths relative to the run; `reference.csv` if that is a cohort
`data.json`           where the data came from and the SHA-256 of every file of it
`model.safetensors`   the network that makes the maps (ASC-Net's M), its settings in the header
`training.safetensors`  all networks, optimisers, counters: what resuming needs
`events.jsonl`        one JSON object a line
`snapshots/`          NNN-sS-cC: maps of the watched slices, the histogram, the network
`reference.json`      256 counts a map over the reference slices, for `reference-quantile`
`command.txt`, `log.txt`, `card.md`
`note.md`, `tags.txt`  what a person wrote about it, and by which words it is grouped
`origin.json`         of a fork: the run and the cycle that it came from
`fingerprint.json`    what the scans learnt from are like: `runs/fingerprint.py`
`watched.json`        where the watched slices are from, as scan:z
`run.lock`, `control.json`, `snapshot.json`  only while a process writes: who it is, and what it
                      was asked to do
====================  ==========================================================================
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.files import read_json, read_text, text_of
from ascnet_core.runs.events import RunProgress, last_event, progress_of, read_events, tail_events
from ascnet_core.runs.lock import lock_holder

if TYPE_CHECKING:
    from ascnet_core.imaging.cohort import Cohort
    from ascnet_core.settings.tables import Settings

_STAMP = r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d )?"
_BEGIN = re.compile(_STAMP + "--- process ")
_ERROR = re.compile(_STAMP + "error: ")
_NO_RUNS = {
    places.PRESETS: "saved presets",
    places.PLANS: "plans of cross-validations",
    places.STUDIES: "studies",
    places.LESSONS: "what the lessons show",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


@dataclass(frozen=True)
class Snapshot:
    """One kept moment of a run.

    `cycle` counts within its stage from 1, as in the paper; `total_cycle` over both stages, 0 at
    the start. `images_seen` is the number of slices that M was trained on until then.
    """

    index: int
    stage: int
    cycle: int
    total_cycle: int
    step: int
    images_seen: int
    path: Path
    info: dict[str, Any]

    @property
    def label(self) -> str:
        """The moment in words, for menus."""
        if self.step == 0:
            return "start"
        within = "" if self.info.get("ends_cycle", True) else f", step {self.step}"
        return f"stage {self.stage}, cycle {self.cycle}{within}"


@dataclass(frozen=True)
class SnapshotData:
    """The arrays of a snapshot; bytes hold 255 for 1.0.

    `watched_input` (W, S, S) uint8 are the watched slices, `maps` what the method makes of them,
    those that are kept. `counts` (256,) int64 are of the method's first map over sample slices.
    `joint` (64, 64) int64 counts fence by rows, wild by columns, both from 0 to 1; None for methods
    without these cuts.
    """

    watched_input: NDArray[np.uint8]
    maps: dict[str, NDArray[np.uint8]]
    counts: NDArray[np.int64]
    joint: NDArray[np.int64] | None = None

    def levels(self, name: str) -> NDArray[np.uint8]:
        """A map of the watched slices by its name, or `input`; KeyError where there is none.

        ASC-Net's residual is not kept: it is the positive part of input minus fence.
        """
        if name == "input":
            return self.watched_input
        if name == "residual" and name not in self.maps:
            fence, held = self.maps["fence"], self.watched_input
            return np.where(held > fence, held - fence, 0).astype(np.uint8)
        return self.maps[name]


@dataclass(frozen=True)
class Run:
    """Reads one run folder; safe while a training process writes it."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def settings(self) -> "Settings":
        """Every setting of the run."""
        from ascnet_core.settings.text import from_toml

        path = self.path / places.SETTINGS
        return from_toml(text_of(path), str(path))

    def cohort(self) -> "Cohort":
        """The cohort of inputs; `UserError` if its images are not on this machine."""
        from ascnet_core.imaging.cohort import read_manifest

        return read_manifest(self.path / places.MANIFEST)

    def events(self) -> list[dict[str, Any]]:
        """All events so far, oldest first."""
        return read_events(self.path / places.EVENTS)[0]

    def snapshots(self) -> list[Snapshot]:
        """The kept moments, oldest first; half-written ones are left out."""
        found = map(_read_snapshot, self._snapshot_folders())
        return sorted((s for s in found if s is not None), key=lambda s: s.index)

    def newest_snapshot(self) -> Snapshot | None:
        """The newest kept moment, for which no other one is read; None before the first."""
        newest_first = sorted(self._snapshot_folders(), key=lambda path: path.name, reverse=True)
        return next(filter(None, map(_read_snapshot, newest_first)), None)

    def _snapshot_folders(self) -> list[Path]:
        folder = self.path / places.SNAPSHOTS
        if not folder.is_dir():
            return []
        return [path for path in folder.iterdir() if path.name[:3].isdigit()]

    def load_snapshot(self, snapshot: Snapshot | int) -> SnapshotData:
        """The arrays of a snapshot, given itself or its index; UserError if missing or damaged."""
        from safetensors.numpy import load_file

        if isinstance(snapshot, int):
            snapshot = self.snapshot(snapshot)
        try:
            arrays = load_file(snapshot.path / places.CUTS)
            return SnapshotData(
                arrays.pop("watched_input"),
                counts=arrays.pop("counts"),
                joint=arrays.pop("joint", None),
                maps=arrays,
            )
        except Exception as error:
            raise UserError(
                f"{snapshot.path} is not a readable snapshot ({error}); delete that folder."
            ) from error

    def snapshot(self, index: int) -> Snapshot:
        """The snapshot with this index; `UserError` names those there are."""
        known = self.snapshots()
        for snapshot in known:
            if snapshot.index == index:
                return snapshot
        listed = ", ".join(str(s.index) for s in known) or "none"
        raise UserError(f"Run {self.name} has no snapshot {index}; there are: {listed}.")

    def at_cycle(self, cycle: int) -> Snapshot:
        """The last snapshot of a cycle counted over both stages (0 = before training)."""
        known = self.snapshots()
        matching = [s for s in known if s.total_cycle == cycle]
        if not matching:
            listed = ", ".join(str(c) for c in sorted({s.total_cycle for s in known})) or "none"
            raise UserError(f"Run {self.name} kept no cycle {cycle}; there are: {listed}.")
        return matching[-1]

    def status(self) -> str:
        """One of running, paused, finished, stopped, died.

        A run is alive while a process holds its lock; the last event says how others ended.
        """
        last = last_event(self.path / places.EVENTS)
        kind = last.get("kind") if last else None
        if lock_holder(self.path) is not None:
            return "paused" if kind == "pause" else "running"
        # A run that was copied without its events counts as finished.
        result, training = ((self.path / n).is_file() for n in (places.MODEL, places.TRAINING))
        if kind == "end" or (last is None and result and not training):
            return "finished"
        return "stopped" if kind == "stop" else "died"

    def progress(self) -> RunProgress | None:
        """How far the run is, or None before its first step."""
        return progress_of(tail_events(self.path / places.EVENTS))

    def reference_counts(self, name: str, cycle: int | None = None) -> NDArray[np.int64] | None:
        """Counts (256,) of a map over the reference slices on the raw scale, None if not kept.

        `name` is input or a map's; level 255 stands for 1.0.
        """
        folder = self.path if cycle is None else self.at_cycle(cycle).path
        counts = read_json(folder / places.COUNTS) or {}
        return np.asarray(counts[name], dtype=np.int64) if name in counts else None

    def watched_names(self) -> tuple[str, ...]:
        """Where each watched slice is from, as `scan:z`; empty for older runs."""
        names = read_json(self.path / places.WATCHED)
        return tuple(map(str, names)) if isinstance(names, list) else ()

    def log(self, lines: int = 200) -> str:
        """The end of the log."""
        return "\n".join(read_text(self.path / places.LOG).splitlines()[-lines:])

    def command(self) -> str:
        """The command line that began the run, and below it those that resumed it."""
        return read_text(self.path / places.COMMAND).strip()


def last_word(log: str) -> str:
    """The line of a log that says how its last process ended: its error, else the last line.

    (The launcher of several processes writes a table after an error.)
    """
    lines = [line for line in log.splitlines() if re.search(r"\w", line)]
    begins = [number for number, line in enumerate(lines) if _BEGIN.match(line)]
    errors = [line for line in lines[begins[-1] if begins else 0 :] if _ERROR.match(line)]
    return (errors or lines or [""])[-1].strip()


def new_run_path(name: str, what: str = "run") -> Path:
    """Where a run of this name goes: under `checkpoints/`, or at the path if it is one (`./x`).

    Raises UserError if the name would be awkward as a folder.
    """
    path = Path(name)
    if not _NAME.match(path.name):
        raise UserError(
            f"{name!r} cannot name a {what}; use at most 100 letters, digits, '.', '_' and '-', a "
            "letter or digit first."
        )
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"{path.absolute()} has letters that are no UTF-8, which no file of weights may have "
            "in its path; choose another place, or set the variable PYTHONUTF8=1."
        ) from error
    if name in _NO_RUNS:
        raise UserError(
            f"{places.RUNS / name} holds {_NO_RUNS[name]}, not a run; choose another name."
        )
    return path if len(path.parts) > 1 or _is_here(name) else places.RUNS / name


def _is_here(name: str) -> bool:
    """Say whether a text means a path from the current folder, as `./x` does, and no name."""
    return re.match(rf"\.\.?[/{re.escape(os.sep)}]", name) is not None


def is_run(path: Path) -> bool:
    """Whether a folder is a run: it has settings."""
    return (path / places.SETTINGS).is_file()


def check_still_there(run: Path) -> None:
    """Raise UserError where a run's folder is gone: what is written would make half a run."""
    if not run.is_dir():
        raise UserError(
            f"There is no run {run.name} any more: it was renamed or deleted; nothing was written."
        )


def resolve_run(name_or_path: str | Path) -> Path:
    """The folder of a run, given its name under `checkpoints/` or its path; UserError if none."""
    found = find_run(name_or_path)
    if found is not None:
        return found
    known = ", ".join(path.name for path in list_runs()) or "none yet"
    if Path(name_or_path).is_dir():
        problem = f"{name_or_path} is a folder without {places.SETTINGS}, so not a run"
    else:
        problem = f"There is no run {str(name_or_path)!r}"
    raise UserError(f"{problem}; give a run's folder or a name under {places.RUNS} ({known}).")


def find_run(name_or_path: str | Path) -> Path | None:
    """The folder of a run, given its name under `checkpoints/` or its path; None where none is."""
    folders = () if _is_here(str(name_or_path)) else run_folders()
    paths = [folder / name_or_path for folder in (*folders, Path())]
    return next((path for path in paths if is_run(path)), None)


def short_name(run: Path) -> str:
    """What finds a run again: its name where that is enough, else its path."""
    return run.name if find_run(run.name) == run else str(run)


def list_runs(folder: Path | None = None) -> list[Path]:
    """All runs of a folder (`checkpoints/` unless given), by name; hidden folders are none."""
    found: dict[str, Path] = {}
    for one in run_folders() if folder is None else (folder,):
        for path in one.iterdir() if one.is_dir() else ():
            if is_run(path) and not path.name.startswith("."):
                found.setdefault(path.name, path)
    return [found[name] for name in sorted(found)]


def run_folders() -> tuple[Path, ...]:
    """Where to look for a run by name: a user's runs hide those that came with the package."""
    return (places.RUNS,) if places.INSTALLED_RUNS is None else (places.RUNS, places.INSTALLED_RUNS)


def _read_snapshot(path: Path) -> Snapshot | None:
    try:
        info = read_json(path / "info.json")
        counted = {name: int(info[name]) for name in ("stage", "cycle", "total_cycle", "step")}
        seen = int(info.get("images_seen", 0))
        return Snapshot(int(path.name[:3]), **counted, images_seen=seen, path=path, info=info)
    except (ValueError, KeyError, TypeError):
        return None
