"""Runs that have just begun, and what they would write."""

import json
from pathlib import Path
from typing import Any

from ascnet_core.imaging.cohort import Cohort, Scan
from ascnet_core.runs.create import begin_run, prepare_run
from ascnet_core.settings.tables import Settings
from tests.unit.training import tiny


def create_run(run: Path, settings: Settings, cohort: Cohort, *sets: Any, **more: Any) -> None:
    """Write the files of a new run, the settings last."""
    prepare_run(run, cohort, *sets, **more)
    begin_run(run, settings)


def a_cohort(folder: Path, names: tuple[str, ...] = ("a", "b")) -> Cohort:
    folder.mkdir(parents=True, exist_ok=True)
    scans = []
    for name in names:
        (folder / f"{name}.nii").write_bytes(name.encode())
        (folder / f"{name}_mask.nii").write_bytes(b"mask " + name.encode())
        scans.append(
            Scan(name, name, folder / f"{name}.nii", folder / f"{name}_mask.nii", group="normal")
        )
    return Cohort("study", folder / "manifest.csv", tuple(scans))


def a_run(folder: Path, name: str = "run") -> Path:
    run = folder / name
    create_run(run, tiny.settings(), a_cohort(folder / "data"), "normal", command=["x", "a b"])
    return run


def write_events(run: Path, *events: dict[str, object]) -> None:
    with (run / "events.jsonl").open("a") as stream:
        stream.writelines(json.dumps(event) + "\n" for event in events)


def step(number: int, at: float) -> dict[str, object]:
    return {"kind": "step", "stage": 1, "cycle": 2, "phase": "M", "epoch": 1, "step": number,
            "steps_total": 100, "time": at}  # fmt: skip
