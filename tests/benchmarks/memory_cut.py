"""Peak memory of cutting a whole scan of 240x240x155 voxels at width 32: it must stay under 4 GiB.

    python tests/benchmarks/memory_cut.py [--width 32] [--size 240] [--shape 240x240x155] [--flip]

A process of its own reads the scan from a file, prepares it, cuts it and holds all five maps, as
`segment` does; its peak resident memory is the number (libraries included). Exit status 1 when it
is over the limit.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

LIMIT_GIB = 4.0


def write_scan(path: Path, shape: tuple[int, int, int]) -> None:
    """Write a textured ellipsoid on air, as large within its grid as a head is."""
    rng = np.random.default_rng(0)
    axes = [np.linspace(-1, 1, n, dtype=np.float32) for n in shape]
    radius = sum(np.square(a / 0.9) for a in np.meshgrid(*axes, indexing="ij", sparse=True))
    values = np.where(radius < 1, 500 + 60 * rng.standard_normal(shape, np.float32), 0)
    nib.save(nib.Nifti1Image(values.astype(np.int16), np.eye(4)), path)


def cut(path: Path, width: int, size: int, flip: bool) -> dict[str, float]:
    """Prepare and cut the scan in this process; give seconds and GiB."""
    from ascnet_core.imaging.cohort import read_manifest
    from ascnet_core.imaging.prepare import Preparation, prepare_scan
    from ascnet_core.network.cutting import CuttingModule
    from ascnet_core.segmentation.cuts import cut_scan
    from ascnet_core.settings.methods.asc_net import AscNet

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    loaded = peak()
    (scan,) = read_manifest(path).scans
    prepared = prepare_scan(scan, Preparation(size=size))
    ready = peak()
    start = time.perf_counter()
    maps = cut_scan(CuttingModule(width), prepared, flip=flip)
    seconds = time.perf_counter() - start
    assert set(maps) == {"input", *(one.name for one in AscNet.maps)}
    assert all(values.shape == prepared.volume.shape for values in maps.values())
    return {"loaded": loaded, "prepared": ready, "peak": peak(), "seconds": seconds}


def main() -> int:
    """Measure in a child process and print one line; 1 when over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--shape", default="240x240x155")
    parser.add_argument("--flip", action="store_true")
    parser.add_argument("--in-this-process", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_this_process:
        found = cut(options.in_this_process, options.width, options.size, options.flip)
        print(json.dumps(found))
        return 0
    x, y, z = (int(n) for n in options.shape.split("x"))
    with tempfile.TemporaryDirectory() as folder:
        write_scan(Path(folder) / "scan.nii.gz", (x, y, z))
        manifest = Path(folder) / "manifest.csv"
        manifest.write_text("subject,image\none,scan.nii.gz\n")
        command = [sys.executable, __file__, *sys.argv[1:], "--in-this-process", str(manifest)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    print(
        f"{options.shape} at {options.size} x {options.size}, width {options.width}: peak "
        f"{found['peak']:.2f} GiB of {LIMIT_GIB:g} allowed ({found['loaded']:.2f} with the "
        f"libraries loaded, {found['prepared']:.2f} with the scan prepared), "
        f"{found['seconds']:.0f} s to cut"
    )
    return 0 if found["peak"] < LIMIT_GIB else 1


if __name__ == "__main__":
    sys.exit(main())
