"""Facts of subjects that were never scanned: histograms of which one knows what is in them."""

import numpy as np

from ascnet_core.metrics.overlap import ThresholdTable
from ascnet_core.studies.facts import Facts, ScanFacts

VOXEL_ML = 0.01
VOXELS = 100_000


def hills(*several: tuple[float, float, float], voxels: int = VOXELS) -> np.ndarray:
    """Counts (256,) of Gaussian hills, each (level, standard deviation, share of the voxels)."""
    levels = np.arange(256)
    counts = np.zeros(256)
    for where, width, share in several:
        hill = np.exp(-0.5 * ((levels - where) / width) ** 2)
        counts += share * voxels * hill / hill.sum()
    return np.round(counts).astype(np.int64)


def facts_of(name: str, counts: np.ndarray, inputs: np.ndarray | None = None) -> Facts:
    """A subject of one scan without truth; its files' hash is its name."""
    plain = hills((120, 30, 1.0)) if inputs is None else inputs
    tables = (ThresholdTable(one, None) for one in (counts, plain))
    return Facts(name, (ScanFacts(name, *tables, VOXEL_ML),), name)


def subject(number: int, lesion: float = 0.02, shift: float = 0.0) -> np.ndarray:
    """The map of a subject: a little fluid, much tissue, a lesion; each a bit elsewhere."""
    rng = np.random.default_rng(number)
    about = rng.normal(0, 3, 3) + shift
    return hills(
        (15 + about[0], 4, 0.08), (70 + about[1], 12, 0.92 - lesion), (225 + about[2], 6, lesion)
    )


def subjects(count: int = 20) -> dict[str, Facts]:
    """Subjects of one kind, by name."""
    return {f"S{n:02}": facts_of(f"S{n:02}", subject(n)) for n in range(count)}
