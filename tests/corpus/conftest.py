"""A small untrained run that the whole corpus goes through."""

from pathlib import Path

import pytest

from tests.small import make_small_cohort, make_small_run


@pytest.fixture(scope="session")
def small_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of four phantom subjects of 32 x 32 x 12 voxels."""
    return make_small_cohort(tmp_path_factory.mktemp("cohort") / "small")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_cohort: Path) -> Path:
    """A run with an untrained network of width 2."""
    return make_small_run(tmp_path_factory.mktemp("runs") / "small-run", small_cohort)
