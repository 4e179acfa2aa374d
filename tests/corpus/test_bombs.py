"""Small files that unfold without end, or say that they are larger: bounded memory, in seconds."""

import gzip
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from tests.corpus.case import nifti, put
from tests.corpus.flat import chunk, header, png, size

ROOT = Path(__file__).resolve().parents[2]
MOST = 400
"""Megabytes that reading may take beside what the program has when it begins."""


def read_alone(path: Path) -> tuple[str, float]:
    """Read an image in a process of its own: what came of it, and how many megabytes it took."""
    program = """
        import resource, sys
        from pathlib import Path
        from ascnet_core.errors import UserError
        from ascnet_core.imaging.cohort import Scan
        from ascnet_core.imaging import formats
        from ascnet_core.imaging.prepare import Preparation, prepare_scan
        import nibabel, PIL.Image
        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        before = peak()
        try:
            formats.load_head(Path(sys.argv[1]))
            prepare_scan(Scan("x", "x", Path(sys.argv[1])), Preparation(size=32))
            print("result", end=" ")
        except UserError as error:
            print("sentence", end=" ")
        print(peak() - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(path)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    outcome, taken = done.stdout.split()
    return outcome, float(taken)


def zeros(megabytes: int) -> bytes:
    """Return gzip that unfolds to so many megabytes: members of 16 MB, one after the other."""
    return gzip.compress(bytes(16 * 2**20), 9) * (megabytes // 16)


BOMBS = {
    "gzip whose header says terabytes": (
        "x.nii.gz",
        lambda: gzip.compress(nifti(dim=[3, 30000, 30000, 30000, 1, 1, 1, 1])) + zeros(1024),
    ),
    "gzip behind a small volume": ("x.nii.gz", lambda: gzip.compress(nifti()) + zeros(1024)),
    "gzip of nothing but zeros": ("x.nii.gz", lambda: zeros(1024)),
    "a header that says a gigabyte": (
        "x.nii",
        lambda: nifti(dim=[3, 1000, 1000, 1000, 1, 1, 1, 1]),
    ),
    "a header that says a gigabyte, gzipped": (
        "x.nii.gz",
        lambda: gzip.compress(nifti(dim=[3, 1000, 1000, 1000, 1, 1, 1, 1])),
    ),
    "a slope, and a header that says a gigabyte": (
        "x.nii",
        lambda: nifti(dim=[3, 1000, 1000, 1000, 1, 1, 1, 1], scl_slope=0.5),
    ),
    "an extension that says a gigabyte": (
        "x.nii",
        lambda: nifti()[:348] + b"\1\0\0\0" + np.array([2**30, 6], "<i4").tobytes() + nifti()[352:],
    ),
    "a stack whose header says a gigabyte": (
        "x.npy",
        lambda: header("{'descr': '<f4', 'fortran_order': False, 'shape': (900, 600, 500), }"),
    ),
    "a picture that says billions of pixels": (
        "x.png",
        lambda: png(size(60000, 60000), chunk(b"IDAT", b"\x78\x9c" + bytes(9))),
    ),
}


@pytest.mark.parametrize(("file", "make"), BOMBS.values(), ids=list(BOMBS))
def test_a_bomb_takes_bounded_memory_and_time(file, make, tmp_path):
    path = put(tmp_path / file, make())
    assert path.stat().st_size < 3_000_000
    start = time.perf_counter()
    outcome, taken = read_alone(path)
    assert taken < MOST
    assert time.perf_counter() - start < 60
    assert outcome in ("result", "sentence")
