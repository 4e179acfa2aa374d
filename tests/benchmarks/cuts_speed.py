"""How fast M cuts slices: memory order, precision, threads; and a whole volume's peak memory.

    python tests/benchmarks/cuts_speed.py [--width 32] [--size 160] [--volume]

`--volume` cuts a whole 240x240x155 volume at the width and prints the process's peak memory.
"""

import argparse
import resource
import time

import numpy as np
import torch

from ascnet_core.network.cutting import CuttingModule
from ascnet_core.segmentation.cuts import _ready, batch_for, cut_slices
from ascnet_core.segmentation.histogram import quantise


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
    last = _ready(plain, torch.device("cpu"))
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


def moved_levels(width: int, size: int) -> None:
    """How far bfloat16 moves the levels of I_ro (256 levels on the raw range)."""
    torch.manual_seed(0)
    model = CuttingModule(width)
    slices = np.random.default_rng(0).random((4, size, size), dtype=np.float32)
    exact, rough = (
        quantise(cut_slices(model, slices, precision=precision).reconstruction).astype(int)
        for precision in ("float32", "bfloat16")
    )
    far = np.abs(exact - rough)
    print(f"bfloat16 moves {np.mean(far > 0):.1%} of the levels, by at most {far.max()}")


def volume(width: int) -> None:
    """Cut 155 slices of 240x240 and say what it took."""
    slices = np.random.default_rng(0).random((155, 240, 240), dtype=np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    start = time.perf_counter()
    cut_slices(CuttingModule(width), slices)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"240x240x155 at width {width}, batch {batch_for(width, 240)}: "
        f"{time.perf_counter() - start:.0f} s, peak memory of the process {peak:.2f} GiB "
        f"({before:.2f} before)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--volume", action="store_true", help="cut a whole volume instead")
    options = parser.parse_args()
    if options.volume:
        volume(options.width)
    else:
        table(options.width, options.size, options.batch)
        moved_levels(options.width, options.size)
