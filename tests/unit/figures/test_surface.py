"""Surfaces enclose what the mask holds, lie where it lies, and do not grow without bound."""

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.figures.surface import surface_of, surfaces


def ball(size: int, radius: float, at: float | None = None) -> np.ndarray:
    middle = (size - 1) / 2 if at is None else at
    return sum((axis - middle) ** 2 for axis in np.ogrid[:size, :size, :size]) <= radius**2


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.9, 1.1, 3.0)])
def test_a_ball_encloses_its_voxels(spacing):
    mask = ball(40, 15)
    mesh = surface_of(mask, spacing)
    assert mesh.block == 1
    assert mesh.volume_ml == pytest.approx(mask.sum() * np.prod(spacing) / 1000, rel=0.03)
    middle = (mesh.points.min(axis=0) + mesh.points.max(axis=0)) / 2
    assert middle == pytest.approx(19.5 * np.array(spacing), abs=1e-3)


def test_a_large_mask_is_averaged_until_it_fits_and_keeps_volume_and_place():
    mask = ball(120, 50)
    whole, small = surface_of(mask, (1, 1, 1)), surface_of(mask, (1, 1, 1), most=3000)
    assert len(small.triangles) <= 3000 < len(whole.triangles)
    assert small.block > 1
    assert small.volume_ml == pytest.approx(mask.sum() / 1000, rel=0.05)
    for ends in (np.min, np.max):
        assert ends(small.points, axis=0) == pytest.approx(ends(whole.points, axis=0), abs=3)


def test_noise_stays_below_the_most():
    mask = np.random.default_rng(0).random((80, 80, 80)) < 0.3
    assert len(surface_of(mask, (1, 1, 1)).triangles) <= 60_000


def test_a_voxel_at_the_patients_left_appears_at_the_left_of_its_axis():
    """RAS order: index 0 is the patient's left, the back, and below."""
    mask, region = np.zeros((20, 30, 10), bool), np.ones((20, 30, 10), bool)
    mask[1:3, 26:28, 7:9] = True
    figure = surfaces(mask, region, (1.0, 2.0, 3.0))
    (trace,) = figure.data  # a region that is everything has no shell
    assert max(trace.x) < 4  # left
    assert min(trace.y) > 50  # front
    assert min(trace.z) > 19  # above
    scene = figure.layout.scene
    assert [getattr(scene, f"{axis}axis").title.text for axis in "xyz"] == [
        "L to R, mm", "P to A, mm", "I to S, mm",
    ]  # fmt: skip
    assert scene.aspectmode == "data"
    assert scene.xaxis.autorange is None  # not reversed


def test_the_truth_is_drawn_where_it_is_given():
    mask, region = ball(24, 6), ball(24, 11)
    assert [one.name for one in surfaces(mask, region, (1, 1, 1)).data] == ["mask", "region"]
    with_truth = surfaces(mask, region, (1, 1, 1), ball(24, 4))
    assert [one.name for one in with_truth.data] == ["mask", "truth", "region"]
    assert len(surfaces(mask, region, (1, 1, 1), np.zeros_like(mask)).data) == 2


def test_what_was_averaged_says_so():
    noise = np.random.default_rng(0).random((60, 60, 60)) < 0.3
    trace, *_ = surfaces(noise, noise, (1, 1, 1)).data
    assert trace.name.startswith("mask, blocks of ")


def test_one_voxel_at_a_corner_of_the_volume_is_closed():
    mask = np.zeros((5, 5, 5), bool)
    mask[0, 0, 0] = True
    mesh = surface_of(mask, (1, 1, 1))
    assert mesh.volume_ml > 0
    assert mesh.points.min() == -0.5


def test_what_has_no_surface_says_why():
    with pytest.raises(UserError, match="empty"):
        surface_of(np.zeros((9, 9, 9), bool), (1, 1, 1))
    with pytest.raises(UserError, match="single slice"):
        surface_of(np.ones((9, 9, 1), bool), (1, 1, 1))
