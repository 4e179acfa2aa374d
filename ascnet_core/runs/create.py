"""Making a run folder: settings, cohorts, and hashes of the cohorts' files."""

import json
import os
import platform
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ascnet_core import __version__
from ascnet_core.errors import UserError
from ascnet_core.files import read_json, read_text, write_json, write_text
from ascnet_core.imaging.cohort import Cohort, files_of, write_manifest
from ascnet_core.names import Tell, tell_nobody
from ascnet_core.outputs import held_in, sha256_of
from ascnet_core.places import COMMAND, CONTROL, DATA, LOG, MANIFEST, REFERENCE, SETTINGS, TRAINING
from ascnet_core.runs.folder import is_run
from ascnet_core.runs.lock import LOCK
from ascnet_core.runs.parent import PARENT
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import to_toml


def prepare_run(
    run: Path,
    cohort: Cohort,
    reference: str,
    reference_cohort: Cohort | None = None,
    command: Sequence[str] = (),
    progress: Tell = tell_nobody,
) -> None:
    """Write what a new run is made of, but for its settings: until `begin_run` it is no run.

    Inputs come from `cohort`, references from `reference_cohort` if it is given. `reference` is
    "normal", "lesion-free", or the path of the reference cohort's manifest; `command` is the
    command line, program first. `progress` is called with (files hashed, files in all). Raises
    UserError if the folder is a run already.
    """
    if is_run(run):
        raise UserError(
            f"{run} is a run already; choose another name, or go on with it by --resume {run}."
        )
    check_new(run)
    run.mkdir(parents=True, exist_ok=True)
    # left by a fork that failed before it was a run
    (run / TRAINING).unlink(missing_ok=True)
    (run / PARENT).unlink(missing_ok=True)
    files = _files(cohort)
    if reference_cohort is not None:
        files += [path for path in _files(reference_cohort) if path not in files]
    hashes = {}
    for number, path in enumerate(files, 1):
        hashes[_relative(path, run)] = sha256_of(path)
        progress(number, len(files))
    data = {
        "cohort": cohort.name,
        "reference": reference if reference_cohort is None else REFERENCE,
        "sha256": hashes,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
    }
    write_json(run / DATA, data)  # first: by it `check_new` knows what a killed call left
    write_manifest(run / MANIFEST, manifest_rows(cohort, run))
    if reference_cohort is not None:
        write_manifest(run / REFERENCE, manifest_rows(reference_cohort, run))
    note_command(run, command)


def begin_run(run: Path, settings: Settings) -> None:
    """Write `settings.toml`, with which a prepared folder is a run."""
    write_text(run / SETTINGS, to_toml(settings))


def check_new(run: Path) -> None:
    """Raise a UserError if a folder holds other things than a run that has only just begun."""
    begun = read_json(run / DATA)
    if isinstance(begun, dict) and {"cohort", "sha256", "versions"} <= begun.keys():
        return
    others = set(held_in(run)) - {LOG, LOCK, CONTROL}
    if others:
        raise UserError(
            f"{run} is no run but holds other things ({min(others)}); give the run another name."
        )


def note_command(run: Path, command: Sequence[str]) -> None:
    """Add a line to `command.txt`: how the run was started or resumed."""
    if command:
        path = run / COMMAND
        write_text(path, read_text(path) + shlex.join(command) + "\n")


def reference_of(run: Path) -> str | Path:
    """What the run learns as normal: "normal", "lesion-free" or its `reference.csv`."""
    reference = str(_data(run)["reference"])
    return run / REFERENCE if reference == REFERENCE else reference


def check_data(run: Path) -> None:
    """Raise UserError, naming the file, if a data file of a run is gone or has changed."""
    for name, expected in _data(run)["sha256"].items():
        path = run / name
        if not path.is_file():
            raise UserError(f"{path.resolve()}, which run {run.name} learns from, is gone.")
        if sha256_of(path) != expected:
            raise UserError(
                f"{path.resolve()} has changed since run {run.name} began; "
                "restore it or start a new run."
            )


def learns_from(run: Path, *cohorts: Cohort) -> bool:
    """Whether a run learns from the same files as these cohorts, by their hashes."""
    recorded = set(_data(run)["sha256"].values())
    return recorded == {known_sha256(p) for cohort in cohorts for p in _files(cohort)}


def _data(run: Path) -> dict[str, Any]:
    try:
        data = json.loads((run / DATA).read_text(encoding="utf-8"))
        return {"reference": data["reference"], "sha256": dict(data["sha256"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{run / DATA} cannot be read ({error}); start a new run.") from error


def _files(cohort: Cohort) -> list[Path]:
    return list(dict.fromkeys(file for scan in cohort.scans for file in files_of(scan)))


def manifest_rows(cohort: Cohort, run: Path) -> list[dict[str, Any]]:
    """The rows of a cohort for a manifest in the folder `run`, paths relative to it."""
    rows = []
    for scan in cohort.scans:
        plain = ("subject", "scan", "modality", "group", "fold", "notes", "channel", "label")
        row: dict[str, Any] = {name: getattr(scan, name) for name in plain}
        for name in ("image", "mask", "region"):
            path = getattr(scan, name)
            row[name] = None if path is None else _relative(path, run)
        row |= {f"image:{name}": _relative(path, run) for name, path in scan.further.items()}
        if scan.series:
            # A series that was read has no name; the file of its lowest slice identifies it.
            row["series"] = _relative(scan.series[0][0], run)
        rows.append(row)
    return rows


def _relative(path: Path, run: Path) -> str:
    return Path(os.path.relpath(path.resolve(), run.resolve())).as_posix()


def known_sha256(path: Path) -> str:
    """As `sha256_of`, but a file that has not changed is read once."""
    found = path.stat() if path.is_file() else None
    return _cached_sha256(path, found and (found.st_mtime_ns, found.st_size))


_cached_sha256 = cache(lambda path, stamp: sha256_of(path))


def versions() -> dict[str, str]:
    """Return the versions of what numbers depend on."""
    names = ("torch", "numpy", "scipy", "scikit-image", "nibabel", "pandas")
    own = {"ascnet": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in names}
