"""A run that has just begun."""

from pathlib import Path
from typing import Any

from ascnet_core.imaging.cohort import Cohort
from ascnet_core.runs.create import begin_run, prepare_run
from ascnet_core.settings.tables import Settings


def create_run(run: Path, settings: Settings, cohort: Cohort, *sets: Any, **more: Any) -> None:
    """Write the files of a new run, the settings last."""
    prepare_run(run, cohort, *sets, **more)
    begin_run(run, settings)
