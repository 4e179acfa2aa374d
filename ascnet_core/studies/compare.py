"""Two raters of a study side by side: levels, masks, and which subjects to discuss first."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ascnet_core.imaging.prepare import Mask
from ascnet_core.metrics.overlap import Counts, count
from ascnet_core.studies.agreement import agreement
from ascnet_core.studies.decisions import Entry

COLUMNS = (
    *("subject", "level_1", "level_2", "difference", "dice", "volume_1_ml", "volume_2_ml"),
    *("volume_difference_ml", "flag_1", "flag_2", "apart"),
)


@dataclass
class Masks:
    """Two masks of one subject, filled scan by scan: voxels of both, and volumes in ml."""

    counts: Counts = field(default_factory=Counts)
    first_ml: float = 0.0
    second_ml: float = 0.0

    def add(self, first: Mask | None, second: Mask | None, voxel_ml: float) -> None:
        """Count both raters' masks of one scan, neither of which may be missing."""
        assert first is not None
        assert second is not None
        self.counts += count(second, first)
        self.first_ml += int(np.count_nonzero(first)) * voxel_ml
        self.second_ml += int(np.count_nonzero(second)) * voxel_ml


def apart(first: Entry, second: Entry) -> str:
    """What makes two levels incomparable, beside the levels; empty if nothing does."""
    one, other = first.decided, second.decided
    if one.threshold is None or other.threshold is None:
        both = one.threshold is None and other.threshold is None
        return "both exclude it" if both else "one excludes it"
    if first.scan_sha256 != second.scan_sha256:
        return "the scan has changed between the decisions"
    if (one.level is None) != (other.level is None):
        return "one sees no lesion"
    differ = [n for n in ("map", "range", "side") if getattr(one, n) != getattr(other, n)]
    differ += ["band"] if one.upper != other.upper else []
    return f"not the same {' and '.join(differ)}" if differ else ""


def compare(
    subjects: Sequence[str],
    first: Mapping[str, Entry],
    second: Mapping[str, Entry],
    masks: Mapping[str, Masks],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return a row a subject that both decided, in the order to discuss them, and a summary.

    Dice and volumes are of `masks`, where there are any. See `in_order` and `summarise`.
    """
    rows = []
    for subject in subjects:
        if subject not in first or subject not in second:
            continue
        one, other = first[subject].decided, second[subject].decided
        why = apart(first[subject], second[subject])
        row: dict[str, Any] = dict.fromkeys(COLUMNS)
        row |= {"subject": subject, "level_1": one.level, "level_2": other.level, "apart": why}
        row |= {"flag_1": one.flag, "flag_2": other.flag}
        if not why and one.level is not None and other.level is not None:
            row["difference"] = other.level - one.level
        if subject in masks:
            made = masks[subject]
            row |= {
                "dice": made.counts.dice,
                "volume_1_ml": made.first_ml,
                "volume_2_ml": made.second_ml,
                "volume_difference_ml": made.second_ml - made.first_ml,
            }
        rows.append(row)
    return in_order(rows), summarise(rows, len(subjects))


def summarise(rows: Sequence[Mapping[str, Any]], subjects: int) -> dict[str, Any]:
    """Agreement over the rows of `compare`, of so many subjects in all.

    Levels count where nothing sets them `apart`, volumes and Dice where both masks were made.
    """
    counted = [row for row in rows if row["difference"] is not None]
    seen = [row for row in rows if row["dice"] is not None]
    dice = [row["dice"] for row in seen]
    return {
        "subjects": subjects,
        "decided_by_both": len(rows),
        "levels": _plain(counted, "level_1", "level_2"),
        "volumes_ml": _plain(seen, "volume_1_ml", "volume_2_ml"),
        "dice": {
            "n": len(dice),
            "mean": float(np.mean(dice)) if dice else None,
            "median": float(np.median(dice)) if dice else None,
            "least": min(dice) if dice else None,
        },
    }


def in_order(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `compare` in the order to discuss them.

    First is what one alone excludes or finds free of lesions, then the lowest Dice, then the
    largest difference of levels.
    """
    return sorted(rows, key=_urgency)


def _plain(rows: Sequence[Mapping[str, Any]], first: str, second: str) -> dict[str, Any]:
    found = asdict(agreement([row[first] for row in rows], [row[second] for row in rows]))
    return {name: None if np.isnan(value) else value for name, value in found.items()}


def _urgency(row: Mapping[str, Any]) -> tuple[bool, bool, float, int]:
    """Small for what is to be discussed first."""
    dice = 1.0 if row["dice"] is None else row["dice"]
    return (
        row["apart"] not in ("one excludes it", "one sees no lesion"),
        row["apart"] == "both exclude it",
        dice,
        -abs(row["difference"] or 0),
    )
