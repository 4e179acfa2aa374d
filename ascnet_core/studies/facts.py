"""What is known of a subject's map without looking at it again: counts of its 256 levels.

All that is said of a whole study (warnings, proposals, rules compared, its report) is made from
these and from the decisions, so that nothing is cut twice.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ascnet_core.metrics.overlap import ThresholdTable


@dataclass(frozen=True)
class ScanFacts:
    """One scan: the counts of its map and of its input inside the region, and a voxel's ml.

    `table` and `plain` hold counts of the truth too, where there is one: what uses those is
    oracle knowledge.
    """

    scan: str
    table: ThresholdTable
    plain: ThresholdTable
    voxel_ml: float


@dataclass(frozen=True)
class Facts:
    """All scans of one subject."""

    subject: str
    scans: tuple[ScanFacts, ...]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Voxels at each level of the map, (256,), of all scans."""
        return sum((one.table.levels for one in self.scans), np.zeros(256, np.int64))

    @property
    def input_counts(self) -> NDArray[np.int64]:
        """Voxels at each level of the input, (256,), of all scans."""
        return sum((one.plain.levels for one in self.scans), np.zeros(256, np.int64))
