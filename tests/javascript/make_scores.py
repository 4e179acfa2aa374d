"""Writes scores.json: what any threshold of a few small scans scores, counted voxel by voxel.

    python -m tests.javascript.make_scores

The page (`pages/parts/viewer/scores.js`) and `ascnet_core.metrics.overlap` both compute these
scores from histograms; a test of each holds it to this file. Nothing here uses either of them.
"""

import json
import random
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("scores.json")
VOXEL_ML = 0.125
THRESHOLDS: list[tuple[int, int | None, str]] = [
    *((t, None, side) for side in ("bright", "dark") for t in (0, 1, 64, 100, 128, 200, 254, 255)),
    (90, 150, "bright"), (90, 150, "dark"), (0, 255, "bright"), (128, 128, "bright"),
]  # fmt: skip


class Voxel(NamedTuple):
    """A voxel of a scan: its grey level, whether it is in the region, whether it is lesion."""

    level: int
    region: bool
    lesion: bool


def scan(seed: int, voxels: int, region: float, lesion: float) -> list[Voxel]:
    """Voxels with the shares `region` and `lesion`; lesions are brighter."""
    draw = random.Random(seed)
    found = []
    for _ in range(voxels):
        true = draw.random() < lesion
        level = round(draw.gauss(170 if true else 100, 45))
        found.append(Voxel(min(255, max(0, level)), draw.random() < region, true))
    return found


def is_kept(voxel: Voxel, t: int, upper: int | None, side: str) -> bool:
    """Whether a threshold keeps a voxel; a band keeps both its ends, whatever the side."""
    if not voxel.region:
        return False
    if upper is not None:
        return t <= voxel.level <= upper
    return voxel.level >= t if side == "bright" else voxel.level <= t


def scores(voxels: Sequence[Voxel], known: bool, threshold: tuple[int, int | None, str]) -> Any:
    """Scores of a threshold by their definitions; None where there is none."""
    kept = [voxel for voxel in voxels if is_kept(voxel, *threshold)]
    hits = sum(voxel.lesion for voxel in kept)
    lesions = sum(voxel.lesion for voxel in voxels)
    both = len(kept) + lesions
    found = {"kept": len(kept), "volume": len(kept) * VOXEL_ML}
    if not known:
        return found | {"dice": None, "sensitivity": None, "precision": None}
    return found | {
        "dice": float(Fraction(2 * hits, both)) if both else 1.0,
        "sensitivity": float(Fraction(hits, lesions)) if lesions else None,
        "precision": float(Fraction(hits, len(kept))) if kept else None,
    }


def case(name: str, voxels: Sequence[Voxel], known: bool = True) -> dict[str, Any]:
    """A scan's histograms as [level, count], and what each threshold scores."""
    inside = [voxel for voxel in voxels if voxel.region]
    lesion = [voxel.level for voxel in inside if voxel.lesion]
    return {
        "name": name,
        "levels": sorted(Counter(voxel.level for voxel in inside).items()),
        "lesion": sorted(Counter(lesion).items()) if known else None,
        "outside": sum(voxel.lesion for voxel in voxels) - len(lesion) if known else 0,
        "voxelMl": VOXEL_ML,
        "thresholds": [
            {"t": one[0], "upper": one[1], "side": one[2], **scores(voxels, known, one)}
            for one in THRESHOLDS
        ],
    }


def cases() -> list[dict[str, Any]]:
    """All cases: ordinary ones, and each way in which something is empty."""
    beside = [*scan(3, 100, 1.0, 0.0), Voxel(9, region=False, lesion=True)]
    return [
        case("a lesion inside the region", scan(1, 400, 1.0, 0.2)),
        case("a lesion partly outside the region", scan(2, 400, 0.6, 0.3)),
        case("a lesion wholly outside the region", beside),
        case("an empty truth", scan(4, 200, 0.9, 0.0)),
        case("an empty region", scan(5, 50, 0.0, 0.5)),
        case("nothing at all", []),
        case("no truth given", scan(6, 200, 0.8, 0.2), known=False),
    ]


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(one) for one in cases())
    FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
