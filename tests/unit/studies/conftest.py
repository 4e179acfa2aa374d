"""A study of a cohort that is no more than files, and of a run that is no more than settings."""

import csv
from pathlib import Path

import pytest

from ascnet_core.places import MODEL, SETTINGS
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import to_toml
from ascnet_core.studies.folder import Study, new_study
from tests.helpers import make_nifti

SUBJECTS = [f"P{number}" for number in range(5)]


@pytest.fixture
def files(tmp_path) -> Path:
    """A folder with manifest.csv, its images, and a run `first`."""
    folder = tmp_path / "data"
    for number, subject in enumerate(SUBJECTS):
        make_nifti(folder / f"{subject}.nii", seed=number)
    with (folder / "manifest.csv").open("w", newline="") as stream:
        rows = [(subject, f"{subject}.nii") for subject in SUBJECTS]
        csv.writer(stream).writerows([("subject", "image"), *rows])
    (folder / "first").mkdir()
    (folder / "first" / SETTINGS).write_text(to_toml(Settings()))
    (folder / "first" / MODEL).write_bytes(b"weights")
    return folder


@pytest.fixture
def study(files, runs) -> Study:
    return new_study("ms", files / "manifest.csv", files / "first", ["anna"])
