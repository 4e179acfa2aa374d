"""Distances between the surfaces of two masks, in mm."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances in mm from each surface voxel of one mask to the nearest of the other.

    Both arrays are empty where one of the masks is: a distance to nothing is not defined.
    """

    to_truth: NDArray[np.float64]
    to_prediction: NDArray[np.float64]

    @property
    def hd95(self) -> float:
        """The larger of the two directed 95th percentiles in mm; NaN when not defined."""
        if not self.to_truth.size or not self.to_prediction.size:
            return float("nan")
        return float(max(np.percentile(self.to_truth, 95), np.percentile(self.to_prediction, 95)))

    @property
    def mean(self) -> float:
        """The mean over the surface voxels of both masks in mm; NaN when not defined."""
        both = np.concatenate([self.to_truth, self.to_prediction])
        return float(both.mean()) if both.size else float("nan")


NONE = SurfaceDistances(np.empty(0), np.empty(0))


def pool(distances: Iterable[SurfaceDistances]) -> SurfaceDistances:
    """Join the distances of several scans (or slices) of one subject."""
    every = [NONE, *distances]
    return SurfaceDistances(
        np.concatenate([one.to_truth for one in every]),
        np.concatenate([one.to_prediction for one in every]),
    )


class TruthSurface:
    """A truth (X, Y, Z) bool that many predictions are measured against; `spacing` (3,) in mm.

    The distance map of the truth is made once. A surface voxel is one of the mask with a face
    neighbour outside of it; the volume's edge counts as outside. Axes of length 1 are left out, so
    that the surface of a single slice is its outline and not the whole of it.
    """

    def __init__(self, truth: NDArray[np.bool_], spacing: Sequence[float]) -> None:
        deep = [axis for axis, length in enumerate(truth.shape) if length > 1] or [0]
        self._shape = tuple(truth.shape[axis] for axis in deep)
        self._sampling = np.array([spacing[axis] for axis in deep], dtype=np.float64)
        edge = _surface(truth.reshape(self._shape))
        self._points = np.argwhere(edge) * self._sampling
        self._map: NDArray[np.float64] | None = None
        if len(self._points):
            self._map = ndimage.distance_transform_edt(~edge, sampling=self._sampling)

    def distances(self, prediction: NDArray[np.bool_]) -> SurfaceDistances:
        """Measure the distances in mm between the surfaces of a prediction and of the truth."""
        if self._map is None or not prediction.any():
            return NONE
        edge = _surface(prediction.reshape(self._shape))
        # The truth's surface is small: a search among the prediction's points beats a second map.
        tree = cKDTree(np.argwhere(edge) * self._sampling, balanced_tree=False, compact_nodes=False)
        return SurfaceDistances(self._map[edge], tree.query(self._points)[0])


def _surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    surface: NDArray[np.bool_] = mask & ~ndimage.binary_erosion(mask)
    return surface
