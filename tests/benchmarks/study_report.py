"""Time, memory and size of a study's report: `python -m tests.benchmarks.study_report [N ...]`.

For each N a study of N subjects (eight demo heads of 96x96x32 over and over), all decided by two
raters, through an untrained network of width 2. The network's time is hardly in it; what grows with
N is seen by the peak of the process's memory and the file's size.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ascnet_core.imaging.phantom.demo import make_demo
from ascnet_core.studies import decisions
from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import Study, new_study
from tests.small import make_small_run


def make_study(folder: Path, manifest: Path, number: int) -> Study:
    """A study of so many subjects, all decided twice."""
    with manifest.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    many = manifest.with_name(f"{number}.csv")
    with many.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["subject", "image", "mask"])
        for count in range(number):
            row = rows[count % len(rows)]
            writer.writerow([f"subject-{count:03}", row["image"], row["mask"]])
    study = new_study(folder / f"study-{number}", many, make_small_run(folder / f"{number}", many))
    for count, subject in enumerate(study.subjects):
        for rater in ("anna", "ben"):
            how = ("reconstruction", "bright", "raw", "otsu", 120 + count % 3)
            record(study, Decision(rater, subject, *how, seconds=4.0))
    return study


def main(numbers: list[int]) -> None:
    """Print a row for each number of subjects."""
    decisions.write_thresholds = lambda study: None  # anew after each decision: not measured here
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["ASCNET_CACHE"] = str(folder / "cache")
        manifest = make_demo(folder / "demo", subjects=8)
        for number in numbers:
            study, out = make_study(folder, manifest, number), folder / f"{number}.html"
            command = [sys.executable, "-m", "ascnet_core", "study", "report", str(study.path)]
            begun = time.perf_counter()
            process = subprocess.Popen([*command, "-o", str(out)], stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(process.pid, 0)
            seconds, size = time.perf_counter() - begun, out.stat().st_size
            assert status == 0
            print(
                f"{number} subjects: {seconds:.0f} s, {used.ru_maxrss / 1e3:.0f} MB at most, "
                f"file {size / 1e6:.1f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [50, 500])
