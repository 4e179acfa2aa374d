"""A study of a small cohort and an untrained run."""

from pathlib import Path

import pytest

from ascnet_core.studies.folder import Study, new_study
from tests.small import make_small_cohort, make_small_run


@pytest.fixture(scope="session")
def small_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A manifest of four subjects and a run."""
    folder = tmp_path_factory.mktemp("tuning")
    manifest = make_small_cohort(folder / "cohort")
    return manifest, make_small_run(folder / "run", manifest)


@pytest.fixture
def study(tmp_path: Path, small_files: tuple[Path, Path]) -> Study:
    return new_study(tmp_path / "study", *small_files)
