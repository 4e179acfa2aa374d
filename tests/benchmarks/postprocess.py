"""How long a mask takes to be cleaned, beside scipy's own operations, on 181x217x181 voxels.

python tests/benchmarks/postprocess.py
"""

import time
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from ascnet_core.segmentation.histogram import count_levels, quantise, read_histogram
from ascnet_core.segmentation.postprocess import run_steps

SHAPE = (181, 217, 181)


def milliseconds(work: Callable[[], object]) -> float:
    """The best of three."""
    taken = []
    for _ in range(3):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return 1000 * min(taken)


def scipy_open_close(mask: np.ndarray) -> np.ndarray:
    """The same with scipy's binary operations."""
    square = np.ones((5, 5, 1), bool)
    opened = ndimage.binary_dilation(ndimage.binary_erosion(mask, square, border_value=1), square)
    return ndimage.binary_erosion(ndimage.binary_dilation(opened, square), square, border_value=1)


def scipy_components(mask: np.ndarray) -> np.ndarray:
    """The same on the whole volume."""
    pieces, _ = ndimage.label(mask, np.ones((3, 3, 3)))
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return (sizes >= 20)[pieces]


def main() -> None:
    """Print a table: a mask that is scattered over the head, and one lesion of 60 ml."""
    noise = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    field = ndimage.gaussian_filter(noise, 2)
    scattered = field > np.quantile(field, 0.9)
    axes = (np.arange(size) - size / 3 for size in SHAPE)
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    lesion = (x**2 + y**2 + z**2 < 24**2) & (field > np.quantile(field, 0.3))
    print(f"{'':34} {'scattered':>11} {'one lesion':>11}   ms")
    rows: list[tuple[str, Callable[[np.ndarray], np.ndarray]]] = [
        ("open-close:5", lambda mask: run_steps(mask, ["open-close:5"])),
        ("  scipy binary operations", scipy_open_close),
        ("components:20", lambda mask: run_steps(mask, ["components:20"])),
        ("  scipy label, whole volume", scipy_components),
        ("median:3", lambda mask: run_steps(mask, ["median:3"])),
        (
            "open-close:5 + components:20",
            lambda mask: run_steps(mask, ["open-close:5", "components:20"]),
        ),
    ]
    for name, work in rows:
        times = (milliseconds(lambda m=mask, w=work: w(m)) for mask in (scattered, lesion))
        print(f"{name:34} " + " ".join(f"{each:11.0f}" for each in times))
    levels = quantise(field, float(field.min()), float(field.max()))
    counts = count_levels(levels)
    print(f"{'quantise':34} {milliseconds(lambda: quantise(field)):11.1f}")
    print(
        f"{'count 256 levels inside a region':34} "
        f"{milliseconds(lambda: count_levels(levels, scattered)):11.1f}"
    )
    print(
        f"{'peaks, separations, verdict':34} {milliseconds(lambda: read_histogram(counts)):11.1f}"
    )


if __name__ == "__main__":
    main()
