"""Feed spoilt files to every reader: a result or one sentence. `python -m tests.benchmarks.fuzz`.

Whole files of every kind (NIfTI, `.npy`, PNG and JPEG, TIF, NRRD, MetaImage, MGZ, DICOM, manifests,
presets, plans, exported runs) are spoilt by a seed and read in a process of their own, with little
memory and little time. Each must end in a result or in a `UserError` of one line. Anything else is
a finding: another exception, a crash, too much time or memory, a file left behind, code that was
run, numbers that are none. The first of each sort is kept in OUT with the bytes that showed it, and
`--replay FILE` reads these again. The same seed makes the same files. Ends with status 1 where
there are findings.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

SECONDS = 5.0
"""How long a file may take."""
MEGABYTES = 300
"""How much memory a file of a few kilobytes may take."""
LONGEST = 1500
"""Characters that a sentence may have."""
_ADDRESSES = 1500 * 2**20  # beyond what the process has when it begins
_KEPT_OF_A_SORT = 3

Answer = dict[str, Any]
"""`outcome` (result, sentence or the sort of finding), `detail`, `seconds`, `megabytes`."""


# --- what is tried ---------------------------------------------------------------------------


def read_image(path: Path) -> None:
    """Read a file as image, mask and region, and write a mask on its grid."""
    import numpy as np

    from ascnet_core.errors import UserError
    from ascnet_core.imaging.cohort import Scan
    from ascnet_core.imaging.formats import load_head, output_suffix
    from ascnet_core.imaging.prepare import Preparation, prepare_scan
    from ascnet_core.imaging.volume import read_mask, write_volume

    for act in (
        lambda: load_head(path),
        lambda: prepare_scan(Scan("s", "s", path, path, path), Preparation(32, frame=0, channel=0)),
    ):
        try:
            act()
        except UserError as error:  # as mask it may be wrong; as image it may not be, then
            if _of_sentence(error, path)[0] != "sentence":
                raise
    how = Preparation(size=32, nan=0.0, frame=0, channel=0, region="auto")
    made = prepare_scan(Scan("s", "s", path), how)
    slices = made.slices()
    if not (np.isfinite(slices).all() and np.isfinite(made.volume.voxel_ml)):
        raise AssertionError("numbers that are none")
    if made.volume.voxel_ml <= 0:
        raise AssertionError("voxels without a volume")
    # what lies at the border is the background, so a mask that is read back keeps off it
    mask = np.zeros_like(made.region)
    inner = (slice(1, -1),) * 3
    mask[inner] = made.region[inner]
    out = path.with_name(f"out{output_suffix(made.volume.grid)}")
    try:
        write_volume(out, mask, made.volume.grid, np.uint8)
        same = np.array_equal(read_mask(out, made.volume), mask)
    finally:
        out.unlink(missing_ok=True)
    if not same:
        raise AssertionError("the mask that was written is another when it is read")


def read_cohort(path: Path) -> None:
    """Read a manifest whose files are there."""
    from ascnet_core.imaging.cohort import read_manifest
    from tests.corpus import by_hand

    (path.parent / "good.nii").write_bytes(by_hand.nifti(_volume().astype("i2")))
    try:
        read_manifest(path)
    finally:
        (path.parent / "good.nii").unlink()


def _volume() -> Any:
    from tests.benchmarks.fuzz_inputs import volume

    return volume()


def read_preset(path: Path) -> None:
    """Read a preset, and write and read it once more."""
    from ascnet_core.settings.presets import load_preset
    from ascnet_core.settings.text import from_toml, to_toml

    settings = load_preset(str(path))
    # NaN differs from itself, and no setting may be one
    if to_toml(from_toml(to_toml(settings))) != to_toml(settings):
        raise AssertionError("settings change on the way through TOML")
    if re.search(r"^\w+ = [-+]?nan$", to_toml(settings), re.MULTILINE):
        raise AssertionError("a setting is no number")


def read_plan(path: Path) -> None:
    """Read a cross-validation's plan."""
    from ascnet_core.crossval.plan import read_crossplan

    read_crossplan(path)


def read_archive(path: Path) -> None:
    """Import a run."""
    from ascnet_core import places
    from ascnet_core.runs.export import import_run

    places.RUNS = path.parent / "runs"
    places.RUNS.mkdir()
    try:
        shutil.rmtree(import_run(path))
    finally:
        # as `rmdir` it would fail, and be a finding, where a refused run left something behind
        places.RUNS.rmdir()


READERS: dict[str, Callable[[Path], None]] = {
    "nifti": read_image,
    "nifti-gz": read_image,
    "npy": read_image,
    "png": read_image,
    "tif": read_image,
    "further": read_image,
    "dicom": read_image,
    "csv": read_cohort,
    "preset": read_preset,
    "plan": read_plan,
    "archive": read_archive,
}


# --- in a process of its own -----------------------------------------------------------------


def serve(pipe: Connection, folder: Path) -> None:
    """Read the files that the other side names, and answer for each."""
    # what is imported late would count as the first file's time and memory
    from ascnet_core.crossval import plan  # noqa: F401
    from tests.benchmarks import fuzz_inputs

    for kind, files in fuzz_inputs.inputs().items():
        for name, content in files:
            _answer(kind, name, content, folder)
    words = os.open(folder / "stderr", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    os.dup2(words, 2)  # libraries write there too
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + _ADDRESSES, used + _ADDRESSES))
    pipe.send("ready")
    while True:
        pipe.send(_answer(*pipe.recv(), folder))


def _answer(kind: str, name: str, content: bytes, folder: Path) -> Answer:
    here = folder / "case"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    os.chdir(here)
    path = here / name
    path.write_bytes(content)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    with contextlib.suppress(OSError):  # nothing was sent there while the whole files are read
        os.ftruncate(2, 0)
    before, start = _status("VmRSS"), time.perf_counter()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        outcome, detail = _outcome(READERS[kind], path)
    seconds, grown = time.perf_counter() - start, (_status("VmHWM") - before) / 1024
    left = sorted(p.name for p in here.rglob("*") if p != path)
    serious = [one for one in warned if not issubclass(one.category, ResourceWarning)]
    if left:
        ran = "CODE-WAS-RUN" in left
        outcome, detail = "code was run" if ran else "files left behind", ", ".join(left)
    elif grown > MEGABYTES:
        outcome, detail = "memory", f"{kind}: {outcome}"
    elif seconds > SECONDS:
        outcome, detail = "time", f"{kind}: {outcome}"
    elif outcome in ("result", "sentence") and (words := _words()) and kind != "tif":
        outcome, detail = "words on stderr", f"{kind}: {words[:300]}"  # libtiff cannot be stopped
    elif outcome in ("result", "sentence") and serious:
        first = serious[0]
        where = f"{Path(first.filename).name}:{first.lineno}"
        outcome, detail = "warning", f"{first.category.__name__} at {where}: {first.message}"
    return {"outcome": outcome, "detail": detail, "seconds": seconds, "megabytes": grown}


def _outcome(read: Callable[[Path], None], path: Path) -> tuple[str, str]:
    from ascnet_core.errors import UserError

    try:
        read(path)
    except UserError as error:
        return _of_sentence(error, path)
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [one for one in frames if "ascnet_core" in one.filename] or list(frames)
        where = f"{Path(own[-1].filename).name}:{own[-1].lineno}"
        return type(error).__name__, f"at {where}: {str(error)[:200]}"
    return "result", ""


def _of_sentence(error: Exception, path: Path) -> tuple[str, str]:
    text = str(error)
    if len(text) > LONGEST:
        return "sentence too long", f"{path.suffix}: {text[:300]}"
    if not text.isprintable():
        return "sentence with control characters", f"{path.suffix}: {text}"
    return "sentence", text


def _words() -> str:
    """Return what the libraries have written on stderr, where that is a file."""
    place = Path("/proc/self/fd/2").resolve()
    return place.read_text(errors="replace") if place.name == "stderr" else ""


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise AssertionError(name)


class Reader:
    """A process that reads files; a new one where it died or hung."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.begin()

    def begin(self) -> None:
        """Start the process and wait until it has imported what it needs."""
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(other, self.folder), daemon=True)
        self.process.start()
        other.close()
        self.pipe.recv()

    def ask(self, kind: str, name: str, content: bytes) -> Answer:
        """Have one file read; a crash or a hang is an answer, too."""
        start = time.perf_counter()
        self.pipe.send((kind, name, content))
        lost = f"{kind}: {name}"
        try:
            if self.pipe.poll(4 * SECONDS):
                answer: Answer = self.pipe.recv()
                return answer
            outcome = "hang"
        except EOFError:
            outcome = "crash"
        self.end()
        outcome += f" ({self.process.exitcode})" if outcome == "crash" else ""
        self.begin()
        spent = time.perf_counter() - start
        return {"outcome": outcome, "detail": lost, "seconds": spent, "megabytes": 0.0}

    def end(self) -> None:
        """Stop the process."""
        self.process.kill()
        self.process.join()


# --- the run ---------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> int:
    """Spoil, read and count until the time is over."""
    from tests.benchmarks.fuzz_inputs import inputs, spoilt

    files = inputs()
    kinds = [kind for kind in files if not options.kind or kind in options.kind]
    counts: Counter[tuple[str, str]] = Counter()
    sorts: Counter[str] = Counter()
    slowest, largest, number = 0.0, 0.0, 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(Path(folder))
        while time.monotonic() - start < 60 * options.minutes and number != options.files:
            rng = random.Random(f"{options.seed} {number}")
            kind = kinds[number % len(kinds)]
            name, content = rng.choice(files[kind])
            content = spoilt(rng, kind, content, rng.choice(files[kind])[1])
            answer = reader.ask(kind, name, content)
            counts[kind, answer["outcome"]] += 1
            slowest = max(slowest, answer["seconds"])
            largest = max(largest, answer["megabytes"])
            if answer["outcome"] not in ("result", "sentence"):
                place = answer["detail"].split(": ")[0]
                sort = f"{answer['outcome']} {place}"
                sorts[sort] += 1
                if sorts[sort] <= _KEPT_OF_A_SORT:
                    keep(options.out, number, kind, name, content, answer, options.seed)
            number += 1
        reader.end()
    _print(counts, sorts, number, slowest, largest, options)
    return 1 if sorts else 0


def keep(
    out: Path, number: int, kind: str, name: str, content: bytes, answer: Answer, seed: int
) -> None:
    """Keep a finding: the bytes, and beside them what came of them."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / f"{number:06d}-{name}"
    file.write_bytes(content)
    told = {"seed": seed, "number": number, "kind": kind, "name": name, **answer}
    file.with_name(f"{file.name}.json").write_text(json.dumps(told, indent=1), encoding="utf-8")


def replay(finding: Path) -> int:
    """Read a kept finding once more."""
    told = json.loads(Path(f"{finding}.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        reader = Reader(Path(folder))
        answer = reader.ask(told["kind"], told["name"], finding.read_bytes())
        reader.end()
    print(json.dumps(answer, indent=1, ensure_ascii=False))
    return 0 if answer["outcome"] in ("result", "sentence") else 1


def _print(
    counts: Counter[tuple[str, str]],
    sorts: Counter[str],
    number: int,
    slowest: float,
    largest: float,
    options: argparse.Namespace,
) -> None:
    print(f"{number} files, seed {options.seed}, {options.minutes:g} minutes")
    print("| kind | files | result | sentence | finding |")
    print("|---|---|---|---|---|")
    for kind in dict.fromkeys(kind for kind, _ in counts):
        own = {outcome: n for (of, outcome), n in counts.items() if of == kind}
        whole, result, sentence = sum(own.values()), own.get("result", 0), own.get("sentence", 0)
        rest = whole - result - sentence
        print(f"| {kind} | {whole} | {result} | {sentence} | {rest} |")
    print(f"longest {slowest:.2f} s, largest {largest:.0f} MB")
    for sort, times in sorts.most_common():
        print(f"finding: {times} x {sort}")


def main() -> int:
    """Read the options and run, or replay."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", type=int, help="stop after so many files")
    parser.add_argument("--kind", nargs="+", choices=READERS, help="only these")
    parser.add_argument("--out", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--replay", type=Path, metavar="FILE", help="a kept finding")
    options = parser.parse_args()
    return replay(options.replay.resolve()) if options.replay else run(options)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
