"""The score of one unit (a subject, or a scan): its scans' counts added, ratios last."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ascnet_core.metrics import surface
from ascnet_core.metrics.lesions import LesionCounts, count_lesions
from ascnet_core.metrics.overlap import Counts, count, dice_per_slice, voxel_ml
from ascnet_core.metrics.surface import SurfaceDistances, TruthSurface


@dataclass
class Tally:
    """What a unit's masks add up to; filled scan by scan.

    Attributes
    ----------
    volume_ml : float
        Volume of the prediction over all scans, those without truth too.
    truth_ml : float
        Volume of the truth.
    slices : list
        (scan, slice, Dice) of the axial slices that hold truth.
    """

    counts: Counts = field(default_factory=Counts)
    lesions: LesionCounts = field(default_factory=LesionCounts)
    distances: list[SurfaceDistances] = field(default_factory=list)
    volume_ml: float = 0.0
    truth_ml: float = 0.0
    scans_with_mask: int = 0
    slices: list[tuple[str, int, float]] = field(default_factory=list)

    def add(
        self,
        scan: str,
        prediction: NDArray[np.bool_],
        truth: NDArray[np.bool_] | None,
        spacing: tuple[float, ...],
        outline: TruthSurface | None = None,
    ) -> None:
        """Add one scan.

        Parameters
        ----------
        prediction, truth : (X, Y, Z) bool
            Truth None: only the volume counts.
        spacing : (3,) mm
        outline : TruthSurface or None
            The truth's surface; with it surface distances and lesions are measured too.
        """
        voxel = voxel_ml(spacing)
        self.volume_ml += int(np.count_nonzero(prediction)) * voxel
        if truth is None:
            return
        self.scans_with_mask += 1
        self.truth_ml += int(np.count_nonzero(truth)) * voxel
        self.counts += count(prediction, truth)
        dice = dice_per_slice(prediction, truth)
        held = np.flatnonzero(truth.any(axis=(0, 1)))
        self.slices += [(scan, int(z), float(dice[z])) for z in held]
        if outline is not None:
            self.distances.append(outline.distances(prediction))
            self.lesions += count_lesions(prediction, truth)

    def row(self, shapes: bool = True) -> dict[str, float | int | bool | None]:
        """Return the columns of a table's row; None where something is not defined.

        Surface distances of several scans are pooled before the percentile is taken.
        """
        row: dict[str, float | int | bool | None] = {
            "scans_with_mask": self.scans_with_mask,
            "volume_ml": self.volume_ml,
        }
        if not self.scans_with_mask:
            return row
        counts = self.counts
        row |= {
            "truth_ml": self.truth_ml,
            "empty_truth": counts.true == 0,
            "empty_prediction": counts.predicted == 0,
            "dice": counts.dice,
            "sensitivity": counts.sensitivity,
            "precision": counts.precision,
            "slice_dice": float(np.mean([d for *_, d in self.slices])) if self.slices else None,
            "tp": counts.tp,
            "fp": counts.fp,
            "fn": counts.fn,
            "tn": counts.tn,
        }
        if shapes:
            pooled = surface.pool(self.distances)
            row |= {
                "hd95_mm": pooled.hd95,
                "msd_mm": pooled.mean,
                "lesions_true": self.lesions.true,
                "lesions_hit": self.lesions.true_hit,
                "lesions_predicted": self.lesions.predicted,
                "lesions_predicted_hit": self.lesions.predicted_hit,
                "lesion_recall": self.lesions.recall,
                "lesion_precision": self.lesions.precision,
                "lesion_f1": self.lesions.f1,
            }
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in row.items()
        }
