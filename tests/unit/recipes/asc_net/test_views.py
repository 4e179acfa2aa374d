"""What D sees: random views that stay within their bounds, and through which gradients pass."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from ascnet_core.recipes.asc_net.views import viewed
from ascnet_core.settings.network import Adversary

SIZE = 48


def disc(row: float, column: float, radius: float = 6) -> torch.Tensor:
    """Sixteen copies of one soft disc (16, 1, S, S)."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    image = np.clip(radius + 0.5 - np.hypot(rows - row, columns - column), 0, 1)
    return torch.from_numpy(image.astype(np.float32)).expand(16, 1, SIZE, SIZE)


def centres(images: torch.Tensor) -> np.ndarray:
    """Centre of mass (N, 2) about the middle of the image, in pixels."""
    found = [ndimage.center_of_mass(one.numpy()) for one in images[:, 0]]
    return np.array(found) - (SIZE - 1) / 2


MIDDLE = (SIZE - 1) / 2


def test_without_any_setting_the_images_themselves_are_seen():
    images = disc(20, 20)
    assert viewed(images, Adversary(), 1) is images


def test_the_same_seed_gives_the_same_views_and_another_others():
    adversary, images = Adversary(view_turn=30, view_shift=0.1), disc(15, 20)
    one = viewed(images, adversary, 1)
    assert torch.equal(one, viewed(images, adversary, 1))
    assert not torch.equal(one, viewed(images, adversary, 2))
    assert len(np.unique(np.round(centres(one), 3), axis=0)) == 16


def test_a_mirrored_view_is_the_image_flipped_left_to_right():
    images = disc(15, 20)
    seen = viewed(images, Adversary(view_flips=True), 3)
    pairs = list(zip(seen, images, strict=True))
    flipped = [torch.allclose(one, image.flip(-1), atol=1e-5) for one, image in pairs]
    same = [torch.allclose(one, image, atol=1e-5) for one, image in pairs]
    assert any(flipped)
    assert any(same)
    assert all(a or b for a, b in zip(flipped, same, strict=True))


@pytest.mark.parametrize("shape", [(SIZE, SIZE), (SIZE, 64)])
def test_a_turned_view_keeps_shapes_and_distances_and_stays_within_its_angle(shape):
    images = torch.zeros(16, 1, *shape)
    images[:, :, :, :SIZE] = disc(MIDDLE, 12)
    middle = np.array([(shape[0] - 1) / 2, (shape[1] - 1) / 2])
    before = np.array([MIDDLE, 12]) - middle
    seen = viewed(images, Adversary(view_turn=25), 4)
    found = np.array([ndimage.center_of_mass(one.numpy()) for one in seen[:, 0]]) - middle
    assert np.hypot(*found.T) == pytest.approx(np.hypot(*before), abs=0.15)
    assert seen.sum((1, 2, 3)).numpy() == pytest.approx(float(images[0].sum()), rel=0.02)
    angles = np.degrees(np.arctan2(*found.T) - np.arctan2(*before))
    angles = np.abs((angles + 180) % 360 - 180)
    assert 10 < angles.max() <= 25.5


def test_a_scaled_view_covers_more_or_less():
    images = disc(MIDDLE, MIDDLE, 10)
    seen = viewed(images, Adversary(view_scale=0.2), 5).sum((1, 2, 3)) / images[0].sum()
    assert seen.min() >= 0.8**2 - 0.01
    assert seen.max() <= 1.2**2 + 0.01
    assert seen.max() - seen.min() > 0.3


def test_a_shifted_view_moves_by_at_most_its_share():
    moved = centres(viewed(disc(MIDDLE, MIDDLE), Adversary(view_shift=0.1), 6))
    assert np.abs(moved).max() <= 0.1 * SIZE + 0.05
    assert np.abs(moved).max(axis=0).min() > 0.05 * SIZE


def test_a_brighter_view_is_brighter_all_over_and_may_pass_1():
    images = torch.full((16, 1, SIZE, SIZE), 0.95)
    seen = viewed(images, Adversary(view_brightness=0.15), 7)
    ratio = seen / images
    inside = ratio[:, 0, 1:-1, 1:-1].flatten(1)
    assert torch.allclose(inside, inside[:, :1].expand_as(inside), atol=1e-5)
    assert 0.85 - 1e-5 <= inside.min() < 0.95
    assert 1.05 < inside.max() <= 1.15 + 1e-5


def test_a_view_passes_the_gradient_of_every_pixel_that_it_shows():
    images = disc(20, 24).clone().requires_grad_(True)
    adversary = Adversary(
        view_flips=True, view_turn=10, view_scale=0.1, view_shift=0.04, view_brightness=0.15
    )
    viewed(images, adversary, 8).sum().backward()
    assert images.grad is not None
    assert (images.grad[:, :, 12:-12, 12:-12] > 0.5).all()
