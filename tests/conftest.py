"""Fixtures that every suite shares."""

import os
from pathlib import Path

import pytest

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
