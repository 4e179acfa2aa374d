"""Surface distances against MONAI, and by hand."""

import math

import numpy as np
import pytest
import torch
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance
from scipy import ndimage

from ascnet_core.metrics.surface import NONE, SurfaceDistances, TruthSurface, pool


def blobs(seed: int, shape) -> np.ndarray:
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), 1.5)
    return smooth > np.quantile(smooth, 0.9)


def surface_distances(prediction, truth, spacing) -> SurfaceDistances:
    return TruthSurface(truth, spacing).distances(prediction)


def by_two_maps(prediction, truth, spacing) -> SurfaceDistances:
    """The same by a distance map of each surface."""
    deep = [axis for axis, length in enumerate(truth.shape) if length > 1]
    sampling = [spacing[axis] for axis in deep]
    of_prediction, of_truth = (
        mask & ~ndimage.binary_erosion(mask) for mask in (prediction.squeeze(), truth.squeeze())
    )
    return SurfaceDistances(
        ndimage.distance_transform_edt(~of_truth, sampling=sampling)[of_prediction],
        ndimage.distance_transform_edt(~of_prediction, sampling=sampling)[of_truth],
    )


def one_hot(mask: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(mask[None, None].astype(np.float32))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((16, 14, 12), (1.0, 1.0, 1.0)), ((16, 14, 9), (1.2, 0.9, 3.0)), ((30, 24), (0.7, 1.1))],
)
def test_equal_to_monai(seed, shape, spacing):
    prediction, truth = blobs(seed, shape), blobs(seed + 100, shape)
    ours = surface_distances(prediction, truth, spacing)
    arguments = {
        "y_pred": one_hot(prediction),
        "y": one_hot(truth),
        "include_background": True,
        "spacing": spacing,
    }
    hd95 = compute_hausdorff_distance(percentile=95, **arguments).item()
    mean = compute_average_surface_distance(symmetric=True, **arguments).item()
    assert ours.hd95 == pytest.approx(hd95, rel=1e-5)
    assert ours.mean == pytest.approx(mean, rel=1e-5)


def test_a_shift_by_two_voxels_in_mm():
    truth = np.zeros((10, 10, 10), bool)
    truth[5, 2, 2] = True
    prediction = np.roll(truth, 2, axis=2)
    distances = surface_distances(prediction, truth, (1, 1, 2.5))
    assert distances.hd95 == distances.mean == 5.0


def test_the_surface_of_one_slice_is_its_outline():
    truth = np.zeros((12, 12, 1), bool)
    truth[2:9, 2:9, 0] = True
    inner = np.zeros_like(truth)
    inner[3:8, 3:8, 0] = True
    flat = surface_distances(inner[..., 0], truth[..., 0], (1, 1))
    assert surface_distances(inner, truth, (1, 1, 9)).mean == flat.mean > 0.9


def test_nothing_is_at_no_distance():
    some, empty = np.ones((2, 2, 2), bool), np.zeros((2, 2, 2), bool)
    for pair in ((some, empty), (empty, some), (empty, empty)):
        distances = surface_distances(*pair, (1, 1, 1))
        assert math.isnan(distances.hd95)
        assert math.isnan(distances.mean)


def test_pooling_joins_the_distances():
    a, b = (
        surface_distances(blobs(s, (9, 9, 9)), blobs(s + 9, (9, 9, 9)), (1, 1, 1)) for s in (1, 2)
    )
    both = pool([a, NONE, b])
    assert both.to_truth.size == a.to_truth.size + b.to_truth.size
    assert both.mean == pytest.approx(
        np.concatenate([a.to_truth, a.to_prediction, b.to_truth, b.to_prediction]).mean()
    )
    assert math.isnan(pool([]).hd95)


@pytest.mark.parametrize("shape", [(16, 14, 9), (24, 20, 1)])
def test_a_known_truth_measures_the_same(shape):
    spacing = (1.2, 0.9, 3.0)
    truth = blobs(7, shape)
    known = TruthSurface(truth, spacing)
    for seed in range(3):
        prediction = blobs(seed, shape)
        ours, expected = known.distances(prediction), by_two_maps(prediction, truth, spacing)
        np.testing.assert_allclose(ours.to_truth, expected.to_truth)
        np.testing.assert_allclose(ours.to_prediction, expected.to_prediction)
    empty = np.zeros_like(truth)
    assert math.isnan(known.distances(empty).hd95)
    assert math.isnan(TruthSurface(empty, spacing).distances(truth).mean)
