"""How fast M cuts slices: memory order, precision, threads; and a whole volume's peak memory.

    python tests/benchmarks/cuts_speed.py [--width 32] [--size 160] [--volume] [--run NAME]

`--volume` cuts a whole 240x240x155 volume at the width and prints the process's peak memory.
"""

import argparse
import resource
import time

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from ascnet_core.network.cutting import CuttingModule
from ascnet_core.segmentation.cuts import batch_for, cut_slices, ready
from ascnet_core.segmentation.histogram import quantise
from ascnet_core.training.checkpoint import load_model


def forward_seconds(model: torch.nn.Module, images: torch.Tensor, precision: str) -> float:
    """Seconds for a batch: the best of three after one to warm up."""
    taken = []
    enabled = precision == "bfloat16"
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=enabled):
        for _ in range(4):
            start = time.perf_counter()
            model(images)
            taken.append(time.perf_counter() - start)
    return min(taken[1:])


def table(width: int, size: int, batch: int) -> None:
    """Every combination, with its ratio to plain float32 on one thread."""
    plain = CuttingModule(width).eval()
    last = ready(plain).network
    images = torch.rand(batch, 1, size, size)
    print(f"M at width {width}, batch {batch} of {size}x{size}, forward only")
    print(f"{'threads':>7} {'memory order':>14} {'precision':>10} {'s/slice':>9} {'ratio':>6}")
    reference = 0.0
    for threads in sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        for order, model in (("contiguous", plain), ("channels-last", last)):
            for precision in ("float32", "bfloat16"):
                each = forward_seconds(model, images, precision) / batch
                reference = reference or each
                print(
                    f"{threads:7} {order:>14} {precision:>10} {each:9.4f} {reference / each:6.2f}"
                )


def moved_levels(run: str) -> None:
    """How far bfloat16 moves the levels (256 on the raw range) of a trained network's cuts."""
    model, settings = load_model(run)
    shape = (16, settings.data.size, settings.data.size)
    rng = np.random.default_rng(0)
    slices = gaussian_filter(rng.random(shape, dtype=np.float32), (0, 4, 4))
    slices = (slices - slices.min()) / (slices.max() - slices.min())
    exact, rough = (cut_slices(model, slices, precision=each) for each in ("float32", "bfloat16"))
    for name, one in exact.items():
        far = np.abs(quantise(one).astype(int) - quantise(rough[name]))
        print(f"bfloat16 moves {np.mean(far > 0):.1%} of {name}'s levels, by at most {far.max()}")


def volume(width: int) -> None:
    """Cut 155 slices of 240x240 and say what it took."""
    slices = np.random.default_rng(0).random((155, 240, 240), dtype=np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    start = time.perf_counter()
    cut_slices(CuttingModule(width), slices)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"240x240x155 at width {width}, batch {batch_for(240)}: "
        f"{time.perf_counter() - start:.0f} s, peak memory of the process {peak:.2f} GiB "
        f"({before:.2f} before)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--volume", action="store_true", help="cut a whole volume instead")
    parser.add_argument("--run", help="also compare the levels of this run's cuts")
    options = parser.parse_args()
    if options.volume:
        volume(options.width)
    else:
        table(options.width, options.size, options.batch)
        if options.run:
            moved_levels(options.run)
