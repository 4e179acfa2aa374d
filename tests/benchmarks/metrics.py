"""How long scoring takes: histograms against direct counting, on a 181 x 217 x 181 volume.

    python tests/benchmarks/metrics.py [--repeats N]

Prints medians and their ratios as JSON. "Direct" is what the table replaces: a mask and its
counts for each threshold; scikit-learn's average precision sorts the voxels.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage
from sklearn.metrics import average_precision_score

from ascnet_core.metrics.lesions import count_lesions
from ascnet_core.metrics.overlap import count, threshold_table
from ascnet_core.metrics.surface import TruthSurface, _surface

SHAPE, SPACING = (181, 217, 181), (1.0, 1.0, 1.0)


def volume() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An 8-bit map of a brain-sized ellipsoid with lesions in one place, truth and region."""
    rng = np.random.default_rng(0)
    grid = np.indices(SHAPE, dtype=np.float32)
    centre = (np.array(SHAPE, np.float32) / 2)[:, None, None, None]
    region = (((grid - centre) / (0.42 * 2 * centre)) ** 2).sum(axis=0) < 1
    smooth = ndimage.gaussian_filter(rng.normal(size=SHAPE).astype(np.float32), 5)
    corner = (((grid - 0.8 * centre) / 40) ** 2).sum(axis=0) < 1
    truth = corner & (smooth > np.quantile(smooth[corner], 0.8))
    grey = rng.normal(100, 20, SHAPE) + 60 * ndimage.gaussian_filter(truth.astype(np.float32), 1)
    return np.where(region, np.clip(grey, 0, 255), 0).astype(np.uint8), truth, region


def median_ms(work: Callable[[], Any], repeats: int) -> float:
    """Return the median time of `work` in ms of the processor: other work must not count."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times)


def direct(map8: np.ndarray, truth: np.ndarray, region: np.ndarray) -> list[float]:
    """Return the Dice of all thresholds by making each mask."""
    return [count((map8 >= t) & region, truth).dice for t in range(256)]


def hd95_whole(mask: np.ndarray, truth: np.ndarray) -> float:
    """Return HD95 with distance maps of the whole volume."""
    edge_m, edge_t = _surface(mask), _surface(truth)
    return max(
        float(np.percentile(ndimage.distance_transform_edt(~b, sampling=SPACING)[a], 95))
        for a, b in ((edge_m, edge_t), (edge_t, edge_m))
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    map8, truth, region = volume()
    table = threshold_table(map8, truth, region)
    np.testing.assert_allclose(table.dice(), direct(map8, truth, region), atol=1e-15)
    expected = average_precision_score(truth[region], map8[region])
    np.testing.assert_allclose(table.average_precision(), expected, atol=1e-12)
    mask = ndimage.binary_opening((map8 >= 130) & region, np.ones((3, 3, 3)))
    known = TruthSurface(truth, SPACING)
    np.testing.assert_allclose(known.distances(mask).hd95, hd95_whole(mask, truth))

    ms = {
        "both histograms of the volume": median_ms(
            lambda: threshold_table(map8, truth, region), repeats
        ),
        "256 Dice from them": median_ms(table.dice, 20 * repeats),
        "average precision from them": median_ms(table.average_precision, 20 * repeats),
        "256 Dice by 256 masks": median_ms(lambda: direct(map8, truth, region), 1),
        "average precision by scikit-learn": median_ms(
            lambda: average_precision_score(truth[region], map8[region]), 1
        ),
        "HD95 and mean distance, truth known": median_ms(
            lambda: known.distances(mask).hd95, repeats
        ),
        "HD95, whole volume": median_ms(lambda: hd95_whole(mask, truth), 1),
        "lesions": median_ms(lambda: count_lesions(mask, truth), repeats),
    }
    tables = ms["both histograms of the volume"]
    ratios = {
        "256 Dice: direct / histograms": ms["256 Dice by 256 masks"]
        / (tables + ms["256 Dice from them"]),
        "average precision: scikit-learn / histograms": ms["average precision by scikit-learn"]
        / (tables + ms["average precision from them"]),
        "HD95: whole volume / truth known": ms["HD95, whole volume"]
        / ms["HD95 and mean distance, truth known"],
    }
    result = {
        "shape": SHAPE,
        "lesion_share_of_region": round(table.prevalence, 4),
        "median_ms": {name: round(value, 3) for name, value in ms.items()},
        "ratios": {name: round(value, 1) for name, value in ratios.items()},
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
