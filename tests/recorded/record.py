"""Keep the course of a real run as a small file: `python -m tests.recorded.record RUN OUT`.

Masks stay out: what was measured on them (stability, holes, likeness to the input) is kept.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from ascnet_core.monitoring.history import Point, read_history
from ascnet_core.runs.folder import Run
from ascnet_core.segmentation.histogram import find_peaks, separations

HERE = Path(__file__).parent
LEFT_OUT = ("mask", "mirror", "path", "threshold", "peaks", "separations")


def record(run: Path, out: Path) -> None:
    points = []
    for point in read_history(Run(run)).points:
        kept = {one.name: getattr(point, one.name) for one in fields(Point)}
        kept = {name: value for name, value in kept.items() if name not in LEFT_OUT}
        kept["counts"] = point.counts.tolist()
        kept["gauges"] = dict(point.gauges)
        kept["rule"] = asdict(point.threshold)["rule"] if point.threshold else None
        points.append(kept)
    out.write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")


def course(name: str) -> list[Point]:
    """A recorded course; peaks and separations are found anew from its counts."""
    points = []
    for line in (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        kept = json.loads(line)
        kept.pop("rule")
        counts = np.asarray(kept.pop("counts"), np.int64)
        peaks = find_peaks(counts)
        points.append(
            Point(**kept, counts=counts, peaks=peaks, separations=separations(counts, peaks))
        )
    return points


if __name__ == "__main__":
    record(Path(sys.argv[1]), Path(sys.argv[2]))
