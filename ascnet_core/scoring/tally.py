"""The score of one unit (a subject, or a scan): its scans' counts added, ratios last."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ascnet_core.metrics import surface
from ascnet_core.metrics.lesions import LesionCounts, count_lesions
from ascnet_core.metrics.overlap import Counts, count, dice_per_slice
from ascnet_core.metrics.surface import SurfaceDistances, TruthSurface


@dataclass
class Tally:
    """What a unit's masks add up to, filled scan by scan.

    `volume_ml` is the prediction's over all scans, those without truth too. `slices` are
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
        voxel_ml: float,
        outline: TruthSurface | None = None,
    ) -> None:
        """Add one scan with masks (X, Y, Z) bool and the volume of a voxel.

        Without a truth only the volume counts. With the `outline` of the truth, surface distances
        and lesions are measured too.
        """
        self.volume_ml += int(np.count_nonzero(prediction)) * voxel_ml
        if truth is None:
            return
        self.scans_with_mask += 1
        self.truth_ml += int(np.count_nonzero(truth)) * voxel_ml
        self.counts += count(prediction, truth)
        dice = dice_per_slice(prediction, truth)
        held = np.flatnonzero(truth.any(axis=(0, 1)))
        self.slices += [(scan, int(z), float(dice[z])) for z in held]
        if outline is not None:
            self.distances.append(outline.distances(prediction))
            self.lesions += count_lesions(prediction, truth)

    def row(self, shapes: bool = True) -> dict[str, float | None]:
        """Return the columns of a table's row; what is not defined is left out, None or NaN.

        Surface distances of several scans are pooled before the percentile is taken.
        """
        row: dict[str, float | None] = {
            "scans_with_mask": self.scans_with_mask,
            "volume_ml": self.volume_ml,
        }
        if not self.scans_with_mask:
            return row
        scores = ("dice", "sensitivity", "precision", "tp", "fp", "fn", "tn")
        row |= {name: getattr(self.counts, name) for name in scores}
        row |= {
            "truth_ml": self.truth_ml,
            "empty_truth": self.counts.true == 0,
            "empty_prediction": self.counts.predicted == 0,
            "slice_dice": float(np.mean([d for *_, d in self.slices])) if self.slices else None,
        }
        if shapes:
            pooled, lesions = surface.pool(self.distances), self.lesions
            row |= {
                "hd95_mm": pooled.hd95,
                "msd_mm": pooled.mean,
                "lesions_true": lesions.true,
                "lesions_hit": lesions.true_hit,
                "lesions_predicted": lesions.predicted,
                "lesions_predicted_hit": lesions.predicted_hit,
                "lesion_recall": lesions.recall,
                "lesion_precision": lesions.precision,
                "lesion_f1": lesions.f1,
            }
        return row
