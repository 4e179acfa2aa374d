"""Fixtures that every suite shares."""

import os
from pathlib import Path

import pytest

from tests.small import make_small_cohort, make_small_run

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans beside the checkout; without it the test says why it is skipped."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        reason = f"real scans are not at {folder}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def small_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of four phantom subjects of 32 x 32 x 12 voxels, two of them with lesions."""
    return make_small_cohort(tmp_path_factory.mktemp("cohort") / "small")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_cohort: Path) -> Path:
    """A run with an untrained network of width 2."""
    return make_small_run(tmp_path_factory.mktemp("runs") / "small-run", small_cohort)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests marked `gpu` out where no CUDA device is: they are not skipped but not chosen."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        config.hook.pytest_deselected(items=marked)
        items[:] = [item for item in items if item not in marked]
