import dataclasses

import numpy as np
import pytest
import torch
from scipy import ndimage

from ascnet_core.recipes.asc_net.corruption import corrupt
from ascnet_core.settings.losses import Corruption

PLAIN = Corruption(share=1.0, texture=0.0, shift_low=0.2, shift_high=0.3)


@pytest.fixture
def slices():
    images = torch.zeros(6, 1, 64, 64)
    images[:, :, 8:56, 12:52] = 0.4
    return images


def test_the_same_seed_gives_the_same_blobs(slices):
    one, two, other = (corrupt(slices, PLAIN, seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one.slices, other.slices)


def test_nothing_changes_outside_the_tissue(slices):
    found = corrupt(slices, PLAIN, 3)
    outside = slices == 0
    assert torch.equal(found.slices[outside], slices[outside])
    assert found.mask[outside].sum() == 0


def test_inside_the_mask_the_change_is_of_the_asked_size(slices):
    found = corrupt(slices, PLAIN, 4)
    change = (found.slices - slices)[found.mask > 0]
    assert change.min() >= 0.2 * 0.5 - 1e-6  # the mask begins where a blob is at half its height
    assert change.max() <= 0.3 + 1e-6
    assert torch.allclose(found.excess, found.slices - slices)


@pytest.mark.parametrize("area", [0.01, 0.1, 0.3])
def test_blobs_cover_the_asked_share_of_the_tissue(slices, area):
    found = corrupt(slices, dataclasses.replace(PLAIN, area_low=area, area_high=area), 5)
    shares = found.mask.sum((1, 2, 3)) / (slices > 0).sum((1, 2, 3))
    assert shares.numpy() == pytest.approx(np.full(6, area), rel=0.1, abs=2 / (48 * 40))


def test_more_cells_make_smaller_blobs(slices):
    def blobs(cells):
        asked = dataclasses.replace(PLAIN, coarse=cells, fine=cells, area_low=0.1, area_high=0.1)
        masks = corrupt(slices, asked, 6).mask[:, 0].numpy()
        return sum(ndimage.label(mask)[1] for mask in masks)

    assert blobs(16) > 2 * blobs(3)


def test_roughness_makes_ragged_borders(slices):
    def border(roughness):
        asked = dataclasses.replace(
            PLAIN, coarse=3, fine=3, area_low=0.2, area_high=0.2, roughness=roughness
        )
        masks = corrupt(slices, asked, 6).mask[:, 0].bool().numpy()
        return sum((mask & ~ndimage.binary_erosion(mask)).sum() for mask in masks)

    assert border(1.0) > 1.3 * border(0.0)


def test_share_leaves_slices_as_they_are(slices):
    found = corrupt(slices, dataclasses.replace(PLAIN, share=0.0), 7)
    assert torch.equal(found.slices, slices)
    assert found.mask.sum() == 0


@pytest.mark.parametrize("counts", [False, True])
def test_dark_blobs_are_anomaly_only_if_asked(slices, counts):
    asked = dataclasses.replace(PLAIN, dark=1.0, dark_counts=counts)
    found = corrupt(slices, asked, 8)
    assert (found.slices <= slices).all()
    assert (found.slices < slices).any()
    assert found.excess.sum() == 0
    assert (found.mask.sum() > 0) == counts


def test_scaling_blobs_leave_dark_tissue_dark(slices):
    slices[:, :, 30:34] = 0.04  # a sulcus: a tenth of its surroundings
    asked = dataclasses.replace(PLAIN, area_low=0.9, area_high=0.9, multiply=1.0)
    found = corrupt(slices, asked, 8)
    change = found.slices - slices
    tissue = found.mask > 0
    assert change[:, :, 30:34].max() < 0.35 * change[tissue].min()
    assert found.mask[:, :, 30:34].sum() == 0


def test_empty_slices_stay_empty():
    found = corrupt(torch.zeros(2, 1, 16, 16), PLAIN, 9)
    assert found.slices.sum() == 0


def test_values_stay_in_0_to_1():
    bright = torch.full((2, 1, 32, 32), 0.95)
    found = corrupt(bright, Corruption(shift_high=0.9, texture=0.5), 10)
    assert found.slices.min() >= 0
    assert found.slices.max() <= 1


def test_a_blob_with_a_brightness_of_its_own_hides_what_was_under_it(slices):
    slices[:, :, ::2] *= 0.5  # stripes of 0.4 and 0.2
    shifted = corrupt(slices, PLAIN, 7)
    hidden = corrupt(slices, dataclasses.replace(PLAIN, level=1.0), 7)
    for one in range(len(slices)):
        inside = hidden.mask[one] > 0
        rows = torch.arange(64)[None, :, None].expand_as(inside)
        even, odd = inside & (rows % 2 == 0), inside & (rows % 2 == 1)

        def contrast(of, even=even, odd=odd, one=one):
            return float(of.slices[one][odd].mean() - of.slices[one][even].mean())

        assert contrast(shifted) > 0.15
        assert contrast(hidden) < 0.7 * contrast(shifted)
    assert torch.equal(hidden.slices[slices == 0], slices[slices == 0])


def test_dark_blobs_may_have_a_largest_change_of_their_own(slices):
    dark = dataclasses.replace(PLAIN, dark=1.0, dark_high=0.05)
    change = slices - corrupt(slices, dark, 8).slices
    assert 0 < change.max() <= 0.05
    assert (slices - corrupt(slices, dataclasses.replace(dark, dark_high=0), 8).slices).max() > 0.15


def head(air: float = 0.0) -> torch.Tensor:
    """Six discs of tissue (.4) with a bright rim (.9), a dark ventricle (.05) and noisy air."""
    rows, columns = np.mgrid[:64, :64]
    radius = np.hypot(rows - 32, columns - 32)
    image = np.where(radius < 28, 0.4, air) + np.where((radius >= 25) & (radius < 28), 0.5, 0)
    image[radius < 5] = 0.05
    return torch.from_numpy(np.tile(image, (6, 1, 1, 1)).astype(np.float32))


@pytest.mark.parametrize("air", [0.0, 0.02])
def test_with_a_margin_blobs_stay_inside_the_head(air):
    asked = dataclasses.replace(PLAIN, margin=0.08, area_low=0.1, area_high=0.1, coarse=8, fine=8)
    found = corrupt(head(air), asked, 11)
    rows, columns = np.mgrid[:64, :64]
    radius = np.hypot(rows - 32, columns - 32)
    touched = (found.slices != head(air)).any(0)[0].numpy()
    assert touched.any()
    assert radius[touched].max() < 28 - 0.08 * 64 + 2  # squares measure a little less at corners
    assert touched[radius < 5].any()  # the ventricle is inside the head


def test_compact_blobs_are_one_piece(slices):
    def pieces(compact):
        asked = dataclasses.replace(
            PLAIN, coarse=8, fine=8, area_low=0.1, area_high=0.1, compact=compact
        )
        masks = corrupt(slices, asked, 6).mask[:, 0].numpy()
        return sum(ndimage.label(mask)[1] for mask in masks)

    assert pieces(4.0) <= 8
    assert pieces(0.0) > 3 * pieces(4.0)


def test_compact_blobs_lie_anywhere(slices):
    asked = dataclasses.replace(PLAIN, area_low=0.02, area_high=0.02, compact=4.0)
    centres = [
        ndimage.center_of_mass(mask)
        for seed in range(8)
        for mask in corrupt(slices, asked, seed).mask[:, 0].numpy()
    ]
    spread = np.std(np.array(centres), axis=0)
    assert (spread > 0.2 * np.array([48, 40])).all()  # uniform: .29 of the width
