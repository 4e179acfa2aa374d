"""A small untrained run that the whole corpus goes through."""

from pathlib import Path

import pytest
import torch

from tests.small import make_small_cohort, make_small_run


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Slices of 16 x 16 gain nothing from a second thread, which waits where others compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def small_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of four phantom subjects of 32 x 32 x 12 voxels."""
    return make_small_cohort(tmp_path_factory.mktemp("cohort") / "small")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_cohort: Path) -> Path:
    """A run with an untrained network of width 2."""
    return make_small_run(tmp_path_factory.mktemp("runs") / "small-run", small_cohort)
