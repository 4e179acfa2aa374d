"""What a run learnt from, in a small file: by it scans of another kind are known.

`fingerprint.json` holds a row for each scan of the training: its subject, a hash of its voxels, its
histogram, how much it looks like a head with skull, its slices and spacing. Older runs have none;
of them the names of subjects and the hashes of files are known.
"""

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ascnet_core.files import read_json, read_text, write_json
from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.signs import BINS, Signs
from ascnet_core.places import DATA, FINGERPRINT, MANIFEST, REFERENCE
from ascnet_core.runs.folder import resolve_run

SKULL, NO_SKULL = 0.095, 0.08
"""From this sign on a head has its skull, below the other one it has none; between, who knows."""

BRIGHT_BONE = "ct"
"""The modality in which bone is bright, so that the sign says nothing."""

# Of so many scans histograms are compared: more cost time and say no more.
_MOST = 200
# With fewer, nothing is known of their spread.
_FEWEST = 5
# Chosen in view of demo cohorts and of all real sets at hand, so that scans of one kind raise no
# alarm; how often others would is not known.
_SPREAD, _LEAST = 3.0, 0.16
_COUNTS = 10_000


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What is known of the scans that run `run` learnt from.

    `skull` (N,) are signs, `slices` (N,) axial ones, `spacing` (N, 3) is in mm; NaN where a scan
    did not tell. `histograms` (M, 32) are shares, of scans that told. All four are empty for older
    runs, which know `files`, SHA-256 of bytes, instead of `voxels`.
    """

    run: str
    subjects: frozenset[str] = frozenset()
    voxels: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    modalities: frozenset[str] = frozenset()
    histograms: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, BINS)))
    skull: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    slices: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    spacing: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 3)))

    @cached_property
    def furthest(self) -> float:
        """How far a scan's histogram may lie from the nearest one of the training."""
        some = self.histograms
        if len(some) < _FEWEST:
            return math.inf
        apart = [
            distances(one, np.delete(some, number, 0)).min() for number, one in enumerate(some)
        ]
        return max(_LEAST, _SPREAD * float(np.quantile(apart, 0.9)))

    @cached_property
    def skull_from(self) -> float:
        """The sign from which a head has a skull that those of the training had not."""
        known = self.skull[np.isfinite(self.skull)]
        return max(SKULL, 1.5 * float(np.quantile(known, 0.95))) if len(known) else SKULL

    @cached_property
    def has_skull(self) -> bool | None:
        """Whether the scans were whole heads; None where they were of both kinds or don't tell."""
        known = self.skull[np.isfinite(self.skull)]
        if len(known) == 0 or self.modalities == {BRIGHT_BONE}:
            return None
        share = float(np.mean(known > (SKULL + NO_SKULL) / 2))
        return None if 0.1 < share < 0.9 else share > 0.5


def distances(one: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Jensen-Shannon distances (N,), 0 to 1, of one histogram (32,) to others (N, 32).

    They are smoothed over three bins first, so that a shift by a bin is a small step.
    """
    p, q = _smooth(one[np.newaxis]), _smooth(others)
    middle = (p + q) / 2
    return np.sqrt(np.maximum(0, (_divergence(p, middle) + _divergence(q, middle)) / 2))


def _smooth(histograms: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(histograms, ((0, 0), (1, 1)))
    smooth = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    sums: NDArray[np.float64] = smooth.sum(axis=1, keepdims=True)
    return smooth / np.maximum(sums, 1e-12)


def _divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Kullback-Leibler divergences of rows, in bits."""
    small = 1e-12
    bits: NDArray[np.float64] = np.sum(p * np.log2((p + small) / (q + small)), axis=1)
    return bits


def write_fingerprint(run: Path, learnt: Iterable[tuple[Scan, Signs]]) -> None:
    """Write what a run learns from: its scans, each with its signs."""
    scans = [
        {
            "subject": scan.subject,
            "scan": scan.scan,
            "modality": scan.modality,
            "voxels": signs.voxels,
            "skull": None if math.isnan(signs.skull) else round(signs.skull, 4),
            "slices": signs.slices,
            "spacing": signs.spacing and [round(one, 4) for one in signs.spacing],
            "histogram": np.rint(signs.histogram * _COUNTS).astype(int).tolist(),
        }
        for scan, signs in learnt
    ]
    write_json(run / FINGERPRINT, {"version": 1, "scans": scans}, indent=None)


def read_fingerprint(run: str | Path) -> Fingerprint:
    """Return what is known of a run's training, given its name or folder; little of an older run.

    A model file alone knows nothing but its name. Nothing is raised for a damaged file.
    """
    if Path(run).is_file():
        return Fingerprint(Path(run).stem)
    folder = resolve_run(run)
    try:
        return _of_rows(folder.name, read_json(folder / FINGERPRINT)["scans"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return _of_old_run(folder)


def _of_rows(name: str, rows: list[dict[str, Any]]) -> Fingerprint:
    nothing = [None, None, None]
    histograms = np.array([row["histogram"] for row in rows], np.float64).reshape(-1, BINS)
    histograms = histograms[histograms.any(axis=1)]
    few = np.linspace(0, len(histograms) - 1, min(len(histograms), _MOST)).round().astype(int)
    return Fingerprint(
        run=name,
        subjects=frozenset(str(row["subject"]) for row in rows),
        voxels=frozenset(str(row["voxels"]) for row in rows),
        modalities=frozenset(filter(None, (plain(str(row["modality"])) for row in rows))),
        histograms=histograms[few] / _COUNTS,
        skull=np.array([row["skull"] for row in rows], np.float64),
        slices=np.array([row["slices"] for row in rows], np.float64),
        spacing=np.array([row["spacing"] or nothing for row in rows], np.float64).reshape(-1, 3),
    )


def _of_old_run(folder: Path) -> Fingerprint:
    files = read_json(folder / DATA)
    hashes = files.get("sha256") if isinstance(files, dict) else None
    rows = [
        row
        for name in (MANIFEST, REFERENCE)
        for row in csv.DictReader(read_text(folder / name).splitlines())
    ]
    return Fingerprint(
        folder.name,
        subjects=frozenset(filter(None, (row.get("subject") for row in rows))),
        files=frozenset(map(str, hashes.values())) if isinstance(hashes, dict) else frozenset(),
    )


def plain(modality: str) -> str:
    """Return a modality's name for comparing: `T2-w` and `t2w` are the same."""
    return "".join(letter for letter in modality.lower() if letter.isalnum())
