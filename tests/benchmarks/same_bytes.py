"""Do two checkouts write the same? `python -m tests.benchmarks.same_bytes OLD NEW`.

Runs `demo`, `segment`, `evaluate`, `train`, `crossval` and `report` of both checkouts on the demo
cohort, one after the other at the same path, and compares every file that they wrote: text line by
line without times and versions, JSON and TOML by their values, images by their voxels and headers,
weights by their tensors.
Differences are printed with how large they are; ends with status 1 if there is one that is not
allowed. Allowed are levels that differ by one, thresholds too, masks that differ in 1 of 10,000
voxels, what follows from that in counts and scores (`MOVED`), and columns and keys that are new on
purpose (`--added`).
"""

import argparse
import csv
import gzip
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Container
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from safetensors.numpy import load_file

TIMES = ("time", "versions", "minutes", "created", "memory", "model")
"""Keys that differ between any two runs; `model` is a hash of a file with a header of no order."""
STAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?|\b\d+(\.\d+)? (s|min|h)\b")
IGNORED = (".lock", "log.txt")
MOVED = {"volume_ml": 0.8, "count": 40, "score": 1e-4}
"""What 1 of 10,000 voxels of a demo scan (0.02 ml each) may change: volumes, whole numbers, others.
"""
PLAN = """
set = ["data.size=48", "network.width=2", "schedule.stage_1=2", "schedule.steps=3",
       "schedule.batch_m=4"]

[data.demo]
manifests = ["demo/manifest.csv"]
folds = 2
reference = "normal"
post = [[], ["components:30"]]

[run.paper]
preset = "paper"
set = ["schedule.batch_d=4"]
rules = { wild = ["otsu", "reference-quantile:0.99"] }

[run.denoising]
preset = "teaching"
rules = { reconstruction = ["otsu", "rightmost-valley"] }
flip = [false, true]

[run.self]
preset = "two-cut-self-training"
set = ["schedule.stage_1=1", "schedule.stage_2=1"]
rules = { wild = ["reference-quantile:0.995"], residual = ["otsu"] }
"""
TINY = "--set data.size=48 --set network.width=2 --set schedule.steps=3"
VERBS = f"""
demo demo --subjects 12 --seed 1
demo few --subjects 4 --seed 2 --contrast t2
demo ct --subjects 4 --seed 2 --contrast ct
index few -o few-indexed.csv
segment RUNS/demo-flair demo/manifest.csv -o segment-default
segment RUNS/demo-ct ct/manifest.csv -o segment-dark
segment RUNS/demo-flair-paper few/manifest.csv -o segment-cohort --save-maps --range cohort \\
    --scope cohort --threshold otsu
segment RUNS/demo-flair few/manifest.csv -o segment-subject --range subject --scope subject \\
    --map residual --threshold multi-otsu:3 --flip --post open-close:5 components:20 gate:flair:50
segment RUNS/demo-flair demo/manifest.csv -o segment-quantile --map wild \\
    --threshold reference-quantile:0.995 --post median:3 components:largest
evaluate demo/manifest.csv --run RUNS/demo-flair --reference normal -o evaluate
evaluate demo/manifest.csv --run RUNS/demo-flair --reference normal -o evaluate-post --unit scan \\
    --map wild reconstruction --threshold rightmost-valley otsu 90 --post components:20
evaluate few/manifest.csv --run RUNS/demo-flair-paper --reference lesion-free -o evaluate-cohort \\
    --range cohort --scope cohort
train demo/manifest.csv --name runs/paper --preset paper {TINY}
train demo/manifest.csv --name runs/code --preset released-code {TINY} --set schedule.batch_d=8 \\
    --set schedule.batch_m=4
crossval plan.toml -o crossval
report evaluate -o evaluate.html
report crossval -o crossval.html
"""
"""The command lines that are compared, in their order; all work in the same folder."""
ON_CPU = ("segment", "evaluate", "train", "crossval")


def write(checkout: Path, runs: Path, work: Path, python: str, said: Path) -> None:
    """Run every verb of a checkout in `work`."""
    (work / "plan.toml").write_text(PLAN)
    with said.open("w") as stream:
        for line in VERBS.replace("\\\n", " ").replace("RUNS", str(runs)).strip().splitlines():
            verb = shlex.split(line)
            verb += ["--device", "cpu"] if verb[0] in ON_CPU else []
            print(f"{checkout.name}: {verb[0]} ...", flush=True)
            done = subprocess.run(
                [python, "-m", "ascnet_core", *verb],
                cwd=work,
                env={"PYTHONPATH": str(checkout), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "2"},
                capture_output=True,
                text=True,
                check=False,
            )
            stream.write(f"$ {' '.join(verb)}\n{done.stdout}{done.stderr}")
            if done.returncode != 0:
                print(done.stderr, flush=True)
                raise SystemExit(f"{checkout}: {' '.join(verb)} ended with {done.returncode}")


# --- comparing -----------------------------------------------------------------------------------


def without(value: Any, names: Container[str]) -> Any:
    """JSON without some keys."""
    if isinstance(value, dict):
        return {key: without(one, names) for key, one in value.items() if key not in names}
    return [without(one, names) for one in value] if isinstance(value, list) else value


def moved(one: Any, other: Any, name: str) -> bool:
    """Whether two numbers are apart by no more than voxels at the edge of a level explain."""
    try:
        apart = abs(float(one) - float(other))
    except (TypeError, ValueError):
        return False
    whole = str(one).isdigit() and str(other).isdigit()
    return apart <= MOVED["volume_ml" if "_ml" in name else "count" if whole else "score"]


def histogram_moved(old: Any, new: Any) -> bool:
    """Whether the pixels of a histogram of 256 levels moved by one level at most."""
    if not (isinstance(old, list) and isinstance(new, list) and len(old) == len(new) == 256):
        return False
    below, now = np.cumsum(old), np.cumsum(new)
    between = (now[1:] >= below[:-1]).all() and (now[:-1] <= below[1:]).all()
    return bool(between and now[-1] == below[-1])


def compare_tables(old: str, new: str, allowed: set[str]) -> list[str]:
    """How two CSV tables differ."""
    before, after = (list(csv.DictReader(io.StringIO(text))) for text in (old, new))
    if len(before) != len(after):
        return [f"{len(before)} rows, {len(after)} rows"]
    added = {name for row in after[:1] for name in row} - {
        name for row in before[:1] for name in row
    }
    found = [f"new column {name}" for name in sorted(added - allowed)]
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        levels = [row.get("threshold", "") for row in (one, other)]
        if (
            all(map(str.isdigit, levels))
            and abs(int(levels[0]) - int(levels[1])) == 1
            and abs(float(one["dice"]) - float(other["dice"])) < 1e-3
        ):
            continue  # two neighbouring levels are as good, so the best one is either of them
        found += [
            f"row {number}, {name}: {one[name]} -> {other.get(name)}"
            for name in one
            if one[name] != other.get(name)
            and name not in TIMES
            and not moved(one[name], other.get(name), name)
        ]
    return found


def compare_arrays(old: np.ndarray, new: np.ndarray, of_mask: bool) -> list[str]:
    """How two arrays differ, beyond what is allowed."""
    if old.shape != new.shape or old.dtype != new.dtype:
        return [f"{old.dtype}{old.shape} -> {new.dtype}{new.shape}"]
    if np.array_equal(old, new, equal_nan=old.dtype.kind == "f"):
        return []
    moved = np.count_nonzero(old != new)
    if of_mask:
        return [] if moved * 10_000 <= old.size else [f"{moved} of {old.size} voxels differ"]
    largest = float(np.abs(old.astype(float) - new.astype(float)).max())
    near = largest <= (1 if old.dtype == np.uint8 else 1 / 255)
    return [] if near else [f"{moved} of {old.size} differ, by up to {largest:g}"]


def compare(old: Path, new: Path, allowed: set[str]) -> list[str]:
    """How two files differ."""
    name = old.name
    if name.endswith((".nii", ".nii.gz")):
        one, other = nib.load(old), nib.load(new)
        heads = one.header.binaryblock == other.header.binaryblock
        found = [] if heads else ["another header"]
        arrays = (np.asanyarray(image.dataobj) for image in (one, other))
        return found + compare_arrays(*arrays, of_mask="mask" in name)
    if name.endswith(".safetensors"):
        before, after = load_file(old), load_file(new)
        if before.keys() != after.keys():
            return [f"other tensors: {sorted(before.keys() ^ after.keys())[:4]}"]
        return [
            f"{key}: {text}"
            for key in before
            for text in compare_arrays(before[key], after[key], of_mask=False)
        ]
    raw = [
        gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in (old, new)
    ]
    if raw[0] == raw[1]:
        return []
    texts = [one.decode("utf-8", "replace") for one in raw]
    if name.endswith(".csv"):
        return compare_tables(*texts, allowed)
    if name.endswith((".json", ".jsonl", ".toml")):
        read = tomllib.loads if name.endswith(".toml") else json.loads
        lines = [t.splitlines() if name.endswith(".jsonl") else [t] for t in texts]
        values = [[without(read(line), {*TIMES, *allowed}) for line in one] for one in lines]
        return differences(*values, exact=name.endswith(".toml"))
    return differences(*(STAMP.sub("", text).splitlines() for text in texts), exact=True)


def differences(old: Any, new: Any, at: str = "", exact: bool = False) -> list[str]:
    """Where two values differ; unless `exact`, without numbers that are only `moved`."""
    if histogram_moved(old, new) and not exact:
        return []
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = [(f"{at}.{key}", old.get(key), new.get(key)) for key in {**old, **new}]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = [(f"{at}[{n}]", *pair) for n, pair in enumerate(zip(old, new, strict=True))]
    elif old == new or (not exact and moved(old, new, at)):
        return []
    else:
        return [f"{at}: {str(old)[:200]} -> {str(new)[:200]}"]
    return [text for place, *pair in pairs for text in differences(*pair, place, exact)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--work", type=Path, help="where outputs stay; those of OLD are used again")
    parser.add_argument("--added", nargs="*", default=[], metavar="NAME")
    options = parser.parse_args()
    base = (options.work or Path(tempfile.mkdtemp(prefix="same-bytes-"))).absolute()
    base.mkdir(parents=True, exist_ok=True)
    runs = base / "shipped"
    if not runs.exists():
        shutil.copytree(options.old / "checkpoints", runs)
    for name, checkout in (("old", options.old), ("new", options.new)):
        if name == "old" and (base / "old").exists():
            continue
        work = base / "work"
        for stale in (work, base / name):
            shutil.rmtree(stale, ignore_errors=True)
        work.mkdir()
        write(checkout.absolute(), runs, work, options.python, base / f"{name}.txt")
        work.rename(base / name)
    differing = 0
    files = {
        path.relative_to(base / side)
        for side in ("old", "new")
        for path in (base / side).rglob("*")
        if path.is_file() and not path.name.endswith(IGNORED)
    }
    for file in sorted(files):
        pair = base / "old" / file, base / "new" / file
        there = [path.is_file() for path in pair]
        found = compare(*pair, set(options.added)) if all(there) else [f"there: {there}"]
        differing += bool(found)
        for text in found[:5]:
            print(f"{file}: {text}")
    print(f"{len(files)} files, {differing} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
