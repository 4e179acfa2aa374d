"""A whole head into slices and back, against scipy.ndimage.zoom on the same planes.

Run: python tests/benchmarks/slices_speed.py
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import ndimage

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ascnet_core.imaging.slices import from_slices, placement, to_slices


def seconds(work: Callable[[], object], runs: int = 5) -> float:
    """Median wall time of `work` after one warm-up."""
    work()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main() -> None:
    """Print a row a direction: ours, SciPy's, and the ratio."""
    data = np.random.default_rng(0).random((181, 217, 181), np.float32)
    place = placement(data.shape, (1.0, 1.0, 1.0), 160)
    slices = to_slices(data, place)
    factor = 160 / 217
    rows = [
        (
            "volume to 160 x 160 slices",
            seconds(lambda: to_slices(data, place)),
            seconds(lambda: ndimage.zoom(data, (factor, factor, 1), order=1)),
        ),
        (
            "slices back to the volume",
            seconds(lambda: from_slices(slices, place)),
            seconds(lambda: ndimage.zoom(slices, (1, 1 / factor, 1 / factor), order=1)),
        ),
    ]
    print(f"{'181x217x181':28} {'ours, s':>9} {'SciPy, s':>9} {'SciPy/ours':>11}")
    for name, ours, theirs in rows:
        print(f"{name:28} {ours:9.3f} {theirs:9.3f} {theirs / ours:11.1f}")


if __name__ == "__main__":
    main()
