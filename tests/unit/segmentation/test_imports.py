"""Exploring maps must not wait for torch: only cutting needs it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "module", ["histogram", "threshold", "postprocess", "regions", "levels", "masks"]
)
def test_imports_without_torch(module: str) -> None:
    code = f"import sys, ascnet_core.segmentation.{module}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
