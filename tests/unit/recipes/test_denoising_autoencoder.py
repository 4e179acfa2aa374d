"""A denoising autoencoder: its noise, its loss, its residual, and that it learns."""

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from scipy import ndimage

from ascnet_core.imaging.reference import SliceSet
from ascnet_core.recipes.denoising_autoencoder import (
    MEDIAN,
    DenoisingUNet,
    coarse_noise,
    median,
    squared_error_inside,
)
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import apply_set
from ascnet_core.training.state import new_state
from ascnet_core.training.trainer import train

SIZE = 32
TINY = apply_set(
    load_preset("denoising-autoencoder"),
    [
        f"data.size={SIZE}", "data.flips=false", "network.width=4", "schedule.batch_m=8",
        "schedule.stage_1=1", "schedule.cooling=0", "schedule.average=0", "schedule.log_every=5",
        "compute.autocast=off",
    ],
)  # fmt: skip


def discs(count: int, seed: int) -> np.ndarray:
    """Round tissue of two brightnesses, of a different size and place each, black around it."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    images = np.zeros((count, SIZE, SIZE), np.float32)
    for image in images:
        top, left = rng.uniform(14, 18, 2)
        radius = np.hypot(rows - top, columns - left)
        image[radius < rng.uniform(11, 14)] = 0.4
        image[radius < 5] = 0.6
    return images


def slice_set(images: np.ndarray) -> SliceSet:
    count = len(images)
    names, no = np.array([f"s{n}" for n in range(count)]), np.zeros(count, bool)
    return SliceSet(images, np.linspace(0, 1, count), names, names, np.arange(count), no, no)


@pytest.fixture
def slices():
    return torch.from_numpy(discs(64, 0))[:, None]


def test_noise_is_coarse_of_the_asked_size_and_inside_the_tissue(slices):
    large = torch.ones(400, 1, 64, 64)
    noise = coarse_noise(large, 0.2, 16, 3)
    assert not coarse_noise(slices, 0.2, 4, 3)[slices == 0].any()
    # bilinear enlargement averages neighbours: between its cells the noise is a little smaller
    assert 0.1 < float(noise.std()) < 0.2
    assert float(noise.mean()) == pytest.approx(0, abs=0.01)
    coarse, fine = (coarse_noise(large, 0.2, cells, 3) for cells in (4, 32))
    step = [float((one[..., 1:] - one[..., :-1]).abs().mean()) for one in (coarse, fine)]
    assert step[0] < 0.3 * step[1]


def test_noise_is_drawn_by_its_seed_and_shifted(slices):
    one, same, other = (coarse_noise(slices, 0.2, 4, seed) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    # a shift moves the borders of the cells: knots do not lie at the same pixels
    whole = torch.ones(1, 1, 32, 32)
    bends = [
        coarse_noise(whole, 1.0, 4, seed)[0, 0, 0].diff(n=2).abs().argmax().item()
        for seed in range(12)
    ]
    assert len(set(bends)) > 4


def test_the_loss_counts_the_tissue_alone(slices):
    clean = slices[:3]
    made = torch.rand(3, 1, SIZE, SIZE)
    inside = clean > 0
    expected = functional.mse_loss(made[inside], clean[inside], reduction="sum") / clean.numel()
    assert float(squared_error_inside(made, clean)) == pytest.approx(float(expected), rel=1e-5)


def test_the_median_is_that_of_scipy():
    images = torch.rand(2, 1, 20, 17)
    found = median(images, MEDIAN)
    for one, image in zip(found[:, 0], images[:, 0], strict=True):
        expected = ndimage.median_filter(image.numpy(), MEDIAN, mode="constant")
        np.testing.assert_array_equal(one.numpy(), expected)


def test_maps_are_the_absolute_residual_and_the_output(slices):
    network = DenoisingUNet(2, 0.0, 0.01, "group").eval()
    with torch.no_grad():
        maps = network.maps(slices[:2])
        made = network(slices[:2]).clamp(0, 1)
    assert list(maps) == ["residual", "reconstruction"]
    assert torch.equal(maps["reconstruction"], made)
    raw = (slices[:2] - made).abs() * (slices[:2] > 0)
    assert torch.equal(maps["residual"], median(raw, MEDIAN))
    assert all(0 <= float(one.min()) <= float(one.max()) <= 1 for one in maps.values())


def trained(steps: int, images: np.ndarray):
    settings = apply_set(TINY, [f"schedule.steps={steps}", "schedule.learning_rate=3e-3"])
    state = new_state(settings, "cpu")
    inputs = slice_set(discs(8, 9))
    events = list(train(state, settings, inputs, slice_set(images), images[:2], lambda: False))
    return state, events


def test_it_learns_to_take_noise_and_a_bright_disc_out():
    """The bright disc, which no reference has, is in the residual; a normal slice is nearly not."""
    state, events = trained(150, discs(64, 1))
    losses = [event.losses["denoising"] for event in events if event.kind == "step"]
    assert losses[-1] < 0.3 * losses[0]
    gauges = next(event.gauges for event in events if event.kind == "epoch")
    assert set(gauges) == {one.name for one in TINY.method.gauges}
    normal = torch.from_numpy(discs(4, 5))[:, None]
    ill = normal.clone()
    rows, columns = np.mgrid[:SIZE, :SIZE]
    lesion = torch.from_numpy(np.hypot(rows - 21, columns - 18) < 4)
    ill[:, :, lesion] = 0.95
    with torch.no_grad():
        clean, found = (state.kept.eval().maps(one)["residual"] for one in (normal, ill))
    assert float(found[:, :, lesion].mean()) > 3 * float(clean[normal > 0].mean())
    assert float(found[:, :, lesion].mean()) > 2 * float(
        found[:, :, ~lesion & (normal[0, 0] > 0)].mean()
    )


def test_it_overfits_eight_slices():
    _, events = trained(200, discs(8, 2))
    losses = [event.losses["denoising"] for event in events if event.kind == "step"]
    assert losses[-1] < 0.15 * losses[0]


def test_training_ignores_what_the_inputs_are():
    images = discs(16, 3)
    settings = apply_set(TINY, ["schedule.steps=3"])
    weights = []
    for seed in (4, 5):
        state = new_state(settings, "cpu")
        inputs = slice_set(discs(8, seed))
        for _ in train(state, settings, inputs, slice_set(images), images[:1], lambda: False):
            pass
        weights.append(torch.cat([one.flatten() for one in state.model.parameters()]))
    assert torch.equal(*weights)
