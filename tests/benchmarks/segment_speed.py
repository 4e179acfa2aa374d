"""How long `segment` takes, against the least that the same masks need.

    python -m tests.benchmarks.segment_speed --data FOLDER [--pairs 5] [--checkout FOLDER]

FOLDER holds the real scans (`brats.csv`, `lgg.csv`, `originals/`). Three cases: ten `brats` scans
and one scan of 1 mm with the run `demo-flair`, twelve `lgg` heads with `lgg-flair`. In each pair

- *segment* is `python -m ascnet_core segment RUN SCANS -o OUT`, a process of its own: it reads,
  scales, cuts, thresholds, cleans and writes the masks;
- *bare* is a process that loads the run's model and calls `model(slices)` for the slices of the
  same scans (those that hold some of the region; read and scaled beforehand), in inference mode,
  in the best of a few batch sizes and memory orders (as two scans say); after it `gzip -dc` of the
  same files.

Each is timed twice: as a whole process, and without the start of the interpreter and the imports
(everything is imported before the clock starts). Printed are the medians and the ratio
segment / bare of each pair, its median first. Nothing here fails: a busy machine gives other times.
"""

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

CASES = {
    "brats": ("demo-flair", "brats.csv", 10),
    "lgg": ("lgg-flair", "lgg.csv", 12),
    "1 mm": ("demo-flair", "originals/mslesseg_P18_T1_FLAIR.nii.gz", 1),
}
BATCHES = ((8, True), (16, True), (32, True), (64, True), (16, False), (64, False))
"""Slices in a batch, and whether channels-last, that the bare side may choose from."""

SEGMENT = """
import sys, time
import torch, nibabel, scipy.ndimage, scipy.signal, PIL.Image
import ascnet_core.commands.segment, ascnet_core.training.checkpoint, ascnet_core.runs.create
import ascnet_core.segmentation.scans, ascnet_core.settings.preparation, ascnet_core.imaging.cohort
from ascnet_core.cli import main
start = time.perf_counter()
status = main(sys.argv[1:])
print("seconds", time.perf_counter() - start)
sys.exit(status)
"""
BARE = """
import sys, time
import numpy, torch
from ascnet_core.training.checkpoint import load_model
run, file, batch, channels_last = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "True"
stacks = numpy.load(file)
stacks = [torch.from_numpy(stacks[name])[:, None] for name in stacks.files]
start = time.perf_counter()
model, _ = load_model(run)
if channels_last:
    model = model.to(memory_format=torch.channels_last)
with torch.inference_mode():
    for slices in stacks:
        for first in range(0, len(slices), batch):
            model(slices[first : first + batch])
print("seconds", time.perf_counter() - start)
"""
CHOOSE = """
import sys, time
import numpy, torch
from ascnet_core.training.checkpoint import load_model
run, file = sys.argv[1:3]
stacks = numpy.load(file)
stacks = [torch.from_numpy(stacks[name])[:, None] for name in stacks.files[:2]]
plain, channels_last = (load_model(run)[0] for _ in range(2))
channels_last = channels_last.to(memory_format=torch.channels_last)
found = []
for batch, turned in WAYS * 2:
    start = time.perf_counter()
    with torch.inference_mode():
        for slices in stacks:
            for first in range(0, len(slices), batch):
                (channels_last if turned else plain)(slices[first : first + batch])
    found.append((time.perf_counter() - start, WAYS.index((batch, turned))))
print("best", min(found)[1])
"""


@dataclasses.dataclass(frozen=True)
class Case:
    """Scans through a run: what `segment` is given, the slices' file, the compressed files."""

    run: str
    scans: Path
    slices: Path
    compressed: tuple[Path, ...]
    count: int


def prepare(run: str, source: Path, most: int, folder: Path) -> Case:
    """Write what both sides read."""
    import numpy as np

    from ascnet_core.imaging.cohort import Scan, read_manifest
    from ascnet_core.imaging.prepare import prepare_scan
    from ascnet_core.runs.folder import Run, resolve_run
    from ascnet_core.settings.preparation import preparation_of

    scans, given = [Scan("one", "one", source)], source
    if source.suffix == ".csv":
        scans = list(read_manifest(source).scans[:most])
        given = folder / source.name
        lines = [f"{s.subject},{s.scan},{s.image},{s.region or ''}" for s in scans]
        given.write_text("\n".join(["subject,scan,image,region", *lines, ""]))
    how = preparation_of(Run(resolve_run(run)).settings())
    stacks = {}
    for scan in scans:
        ready = prepare_scan(dataclasses.replace(scan, mask=None), how)
        stacks[scan.scan] = ready.slices()[ready.region.any(axis=(0, 1))]
    file = folder / f"{source.stem}.npz"
    np.savez(file, **stacks)
    files = [file for scan in scans for file in (scan.image, scan.region) if file]
    compressed = tuple(file for file in files if file.suffix == ".gz")
    return Case(run, given, file, compressed, sum(map(len, stacks.values())))


def timed(program: str, arguments: Sequence[object], checkout: Path) -> tuple[float, float]:
    """Seconds of the whole process, and the number that it printed last."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    whole = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(done.stderr)
    return whole, float(done.stdout.split()[-1])


def unpack(files: Sequence[Path]) -> float:
    """Seconds of `gzip -dc` of the files."""
    start = time.perf_counter()
    if files:
        subprocess.run(["gzip", "-dc", *files], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def compare(name: str, case: Case, pairs: int, checkout: Path, folder: Path) -> dict[str, float]:
    """Time both sides in turn and print a line each for whole processes and for work alone."""

    def bare(way: tuple[int, bool]) -> tuple[float, float]:
        whole, work = timed(BARE, [case.run, case.slices, *way], checkout)
        packed = unpack(case.compressed)
        return whole + packed, work + packed

    def segment(number: int) -> tuple[float, float]:
        out = folder / f"{case.slices.stem}-{number}"
        return timed(
            SEGMENT, ["segment", case.run, case.scans, "-o", out, "--device", "cpu"], checkout
        )

    choose = CHOOSE.replace("WAYS", repr(BATCHES))
    way = BATCHES[int(timed(choose, [case.run, case.slices], checkout)[1])]
    found = [(segment(number), bare(way)) for number in range(pairs)]
    ratios = {}
    for index, what in enumerate(("whole process", "without start and imports")):
        ours, theirs = ([one[side][index] for one in found] for side in (0, 1))
        each = sorted(a / b for a, b in zip(ours, theirs, strict=True))
        ratios[what] = statistics.median(each)
        print(
            f"{name}, {case.count} slices, {what}: {ratios[what]:.2f} "
            f"({each[0]:.2f} to {each[-1]:.2f}); segment {statistics.median(ours):.2f} s, bare "
            f"{statistics.median(theirs):.2f} s ({way[0]} slices a batch, "
            f"{'channels-last' if way[1] else 'plain order'})",
            flush=True,
        )
    return ratios


def main() -> None:
    """Measure every case asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of real scans")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--checkout", type=Path, default=ROOT, help="whose code is timed")
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES))
    options = parser.parse_args()
    ratios = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.case:
            run, source, most = CASES[name]
            case = prepare(run, options.data / source, most, Path(folder))
            ratios[name] = compare(
                name, case, options.pairs, options.checkout.resolve(), Path(folder)
            )
    print(json.dumps(ratios))


if __name__ == "__main__":
    main()
