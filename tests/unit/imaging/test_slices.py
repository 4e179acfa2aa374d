"""Slices in mm and exactly back, against scipy's interpolation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from ascnet_core.errors import UserError
from ascnet_core.imaging.slices import (
    box_of,
    evenly,
    from_slices,
    placement,
    to_slices,
)

geometries = st.tuples(
    st.tuples(st.integers(3, 60), st.integers(3, 60), st.integers(1, 4)),
    st.tuples(*[st.sampled_from([0.45, 0.9, 1.0, 1.2, 3.0])] * 3),
    st.sampled_from([16, 32, 48, 96]),
)


def centres_mm(place, axis):
    """Where pixel centres lie in mm from the volume's centre, from the square alone."""
    extent = max(place.shape[0] * place.spacing[0], place.shape[1] * place.spacing[1])
    pixel = extent / place.size
    return (np.arange(place.size) + 0.5) * pixel - extent / 2


@settings(deadline=None, max_examples=30)
@given(geometries)
def test_pixels_lie_where_the_square_says(geometry):
    shape, spacing, size = geometry
    place = placement(shape, spacing, size)
    for axis in (0, 1):
        voxel_mm = (np.arange(shape[axis]) - (shape[axis] - 1) / 2) * spacing[axis]
        pixel_voxel = place.scale[axis] * np.arange(size) + place.start[axis]
        at = np.interp(pixel_voxel, np.arange(shape[axis]), voxel_mm)
        inside = (pixel_voxel >= 0) & (pixel_voxel <= shape[axis] - 1)
        assert np.allclose(at[inside], centres_mm(place, axis)[inside], atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(geometries)
def test_a_ramp_in_mm_becomes_the_same_ramp_and_returns(geometry):
    """Half-pixel centres agree both ways: an offset of half a voxel would show."""
    shape, spacing, size = geometry
    place = placement(shape, spacing, size)
    x, y = ((np.arange(shape[axis]) - (shape[axis] - 1) / 2) * spacing[axis] for axis in (0, 1))
    ramp = np.broadcast_to(
        (2 * x[:, None, None] - 3 * y[None, :, None]) + np.arange(shape[2]), shape
    )
    slices = to_slices(ramp, place)
    columns, rows = place.covered
    pixel = place.scale[0] * spacing[0]
    # The outermost voxels' averaging reaches beyond the volume, where values are held.
    reach_x, reach_y = (max(spacing[axis], pixel) + pixel / 2 for axis in (0, 1))
    col_mm, row_mm = centres_mm(place, 0), centres_mm(place, 1)
    good_cols = np.abs(col_mm) <= shape[0] * spacing[0] / 2 - reach_x
    good_rows = np.abs(row_mm) <= shape[1] * spacing[1] / 2 - reach_y
    expected = 2 * col_mm[None, :] - 3 * row_mm[:, None]
    for z in range(shape[2]):
        inner = np.ix_(good_rows, good_cols)
        assert np.allclose(slices[z][inner], expected[inner] + z, atol=2e-3)
    outside = np.ones((size, size), bool)
    outside[rows, columns] = False
    assert not slices[:, outside].any()

    back = from_slices(slices, place)
    reach_x, reach_y = 2 * reach_x, 2 * reach_y
    good = np.ix_(
        np.abs(x) <= shape[0] * spacing[0] / 2 - reach_x,
        np.abs(y) <= shape[1] * spacing[1] / 2 - reach_y,
    )
    assert np.allclose(back[good], ramp[good], atol=5e-3)


@settings(deadline=None, max_examples=40)
@given(geometries, st.integers(0, 9))
def test_finer_slices_are_scipys_linear_interpolation(geometry, seed):
    shape, spacing, size = geometry
    data = np.random.default_rng(seed).random(shape).astype(np.float32)
    place = placement(shape, spacing, size)
    if max(place.scale) > 1:
        return
    columns, rows = place.covered
    grid = np.meshgrid(
        place.scale[0] * np.arange(size)[columns] + place.start[0],
        place.scale[1] * np.arange(size)[rows] + place.start[1],
        np.arange(shape[2]),
        indexing="ij",
    )
    oracle = ndimage.map_coordinates(data, grid, order=1, mode="nearest")
    assert np.allclose(
        to_slices(data, place)[:, rows, columns], oracle.transpose(2, 1, 0), atol=1e-5
    )


@settings(deadline=None, max_examples=30)
@given(geometries, st.integers(0, 9))
def test_values_stay_in_range_and_constants_constant(geometry, seed):
    shape, spacing, size = geometry
    place = placement(shape, spacing, size)
    data = np.random.default_rng(seed).random(shape).astype(np.float32)
    slices = to_slices(data, place)
    assert slices.dtype == np.float32
    assert slices.shape == (shape[2], size, size)
    assert slices.flags.c_contiguous
    assert slices.min() >= 0
    assert slices.max() <= data.max() + 1e-6
    back = from_slices(slices, place)
    assert back.shape == shape
    assert data.min() - 1e-6 <= back.min()
    assert back.max() <= data.max() + 1e-6
    flat = from_slices(to_slices(np.ones(shape), place), place)
    assert np.allclose(flat, 1, atol=1e-6)  # padding never mixes in


def _nearest_pixels(place, axis):
    """The pixel nearest to each voxel along an axis; of two the upper one."""
    part = place.covered[axis]
    pixels = (np.arange(place.shape[axis]) - place.start[axis]) / place.scale[axis]
    return np.floor(pixels + 0.5 + 1e-9).astype(int).clip(part.start, part.stop - 1)


@settings(deadline=None, max_examples=30)
@given(geometries, st.integers(0, 9))
def test_masks_stay_binary_and_return_exactly_from_finer_slices(geometry, seed):
    shape, spacing, size = geometry
    place = placement(shape, spacing, size)
    mask = np.random.default_rng(seed).random(shape) > 0.5
    slices = to_slices(mask, place, order=0)
    assert set(np.unique(slices)) <= {0, 1}
    x, y = (_nearest_pixels(place, axis) for axis in (0, 1))
    back = slices[:, y[:, None], x].transpose(2, 1, 0) > 0
    if max(place.scale) <= 1:
        assert np.array_equal(back, mask)
    grown = ndimage.maximum_filter(mask, size=(*(2 * int(np.ceil(s)) + 1 for s in place.scale), 1))
    assert not (back & ~grown).any()


def test_same_grid_changes_nothing():
    data = np.random.default_rng(0).random((96, 96, 3)).astype(np.float32)
    place = placement(data.shape, (1.1, 1.1, 4.0), 96)
    assert np.allclose(to_slices(data, place), data.transpose(2, 1, 0), atol=1e-6)
    assert np.allclose(from_slices(to_slices(data, place), place), data, atol=1e-6)


def test_coarser_slices_average_instead_of_skipping():
    checks = (np.indices((128, 128, 1)).sum(0) % 2).astype(np.float32)
    inner = to_slices(checks, placement(checks.shape, (1, 1, 1), 32))[0, 2:-2, 2:-2]
    assert np.abs(inner - 0.5).max() < 0.03


def test_proportions_are_kept_in_mm():
    """A disc of 20 mm radius stays a disc of that area and roundness at any voxel size."""
    for spacing in ((1.0, 1.0, 3.0), (0.5, 1.5, 1.0), (2.0, 0.8, 1.0)):
        shape = (int(60 / spacing[0]), int(90 / spacing[1]), 2)
        x, y = ((np.arange(shape[a]) - (shape[a] - 1) / 2) * spacing[a] for a in (0, 1))
        disc = np.hypot(x[:, None], y[None, :])[:, :, None] < np.full((1, 1, 2), 20)
        place = placement(shape, spacing, 160)
        pixel = place.scale[0] * spacing[0]
        seen = to_slices(disc, place)[0] > 0.5
        rows, columns = np.nonzero(seen)
        assert np.isclose(np.ptp(rows), np.ptp(columns), atol=3 / pixel)
        assert np.isclose(seen.sum() * pixel**2, np.pi * 400, rtol=0.03)
        assert np.allclose([rows.mean(), columns.mean()], 79.5, atol=0.6)


def test_a_side_thinner_than_a_pixel_still_shows():
    data = np.ones((1, 200, 2), np.float32)
    place = placement(data.shape, (1, 1, 1), 16)
    assert to_slices(data, place).sum(axis=(1, 2)).min() == 16
    assert np.allclose(from_slices(to_slices(data, place), place), 1)


@pytest.mark.parametrize("size", [0, 8, 100, 161, -16])
def test_sizes_that_the_network_cannot_halve_are_refused(size):
    with pytest.raises(UserError, match="multiple of 16"):
        placement((10, 10, 10), (1, 1, 1), size)


def test_shapes_must_fit():
    place = placement((10, 12, 3), (1, 1, 1), 16)
    with pytest.raises(ValueError, match="placement's"):
        to_slices(np.zeros((12, 10, 3)), place)
    with pytest.raises(ValueError, match="is not"):
        from_slices(np.zeros((3, 16, 12)), place)


def test_rows_and_columns_of_slices_run_with_y_and_x():
    data = np.zeros((32, 32, 2), np.float32)
    data[5, 20, 1] = 1
    slices = to_slices(data, placement(data.shape, (1, 1, 1), 32))
    assert np.argwhere(slices > 0.5).tolist() == [[1, 20, 5]]


@pytest.mark.parametrize(("shape", "size"), [((20, 33, 7), 16), ((9, 12, 5), 48)])
def test_a_box_gives_the_same_values_for_its_part(shape, size):
    rng = np.random.default_rng(4)
    mask = np.zeros(shape, bool)
    mask[3:8, 2:11, 1:4] = rng.random((5, 9, 3)) < 0.5
    mask[3, 2, 1] = mask[7, 10, 3] = True
    box = box_of(mask)
    assert box == (slice(3, 8), slice(2, 11), slice(1, 4))
    data = np.where(mask, rng.random(shape, np.float32), np.float32(0))
    place = placement(shape, (1.0, 1.3, 4.0), size)
    whole = to_slices(data, place)
    part = to_slices(data, place, box=box)
    np.testing.assert_allclose(part, whole[box[2]], atol=1e-6)
    np.testing.assert_allclose(
        from_slices(part, place, box=box), from_slices(whole, place)[box], atol=1e-6
    )


def test_a_box_has_a_margin_within_the_volume_and_that_of_an_empty_mask_is_all_of_it():
    mask = np.zeros((9, 4, 5), bool)
    assert box_of(mask) == (slice(0, 9), slice(0, 4), slice(0, 5))
    mask[2:4, 1, 4] = True
    assert box_of(mask, (1, 3, 2)) == (slice(1, 5), slice(0, 4), slice(2, 5))


def test_indices_are_spread_evenly_with_both_ends() -> None:
    assert evenly(11, 3).tolist() == [0, 5, 10]
    assert evenly(2, 5).tolist() == [0, 1]
    assert evenly(5, 1).tolist() == [0]
    assert evenly(0, 4).tolist() == []


def test_voxels_that_fit_no_slice_are_refused():
    with pytest.raises(UserError, match=r"x\.nii has voxels of 2e\+30 x 2 mm"):
        placement((5, 5, 5), (2e30, 2.0, 3.0), 32, "x.nii")
