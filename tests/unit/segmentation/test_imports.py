"""Exploring maps must not wait for torch: only cutting needs it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("module", ["histogram", "threshold", "postprocess", "regions"])
def test_imports_without_torch(module: str) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; "
        f"import ascnet_core.segmentation.{module}; assert sys.modules['torch'] is None"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
