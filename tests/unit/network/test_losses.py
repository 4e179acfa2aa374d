import math

import pytest
import torch

from ascnet_core.network import losses


def images(*rows):
    return torch.tensor(rows, dtype=torch.float32).view(len(rows), 1, 2, 2)


A = images([1, 0.5, 0, 0], [0, 0, 0, 1])
B = images([0, 0.5, 1, 0], [0, 0, 0, 0.5])


def test_fence_loss_is_the_mean_distance_to_its_target():
    outputs = torch.tensor([1.0, 0.5, -1.0])
    assert losses.fence_loss(outputs) == pytest.approx((0 + 0.5 + 2) / 3)
    assert losses.fence_loss(outputs, -1.0) == pytest.approx((2 + 1.5 + 0) / 3)


def test_discriminator_loss_weighs_both_sets_by_their_sizes():
    fences, references = torch.tensor([-1.0, 0.0, 0.5]), torch.tensor([0.0])
    assert losses.discriminator_loss(fences, references) == pytest.approx((0 + 1 + 1.5 + 1) / 4)
    mirrored = losses.discriminator_loss(-fences, -references, mirrored=True)
    assert mirrored == pytest.approx((0 + 1 + 1.5 + 1) / 4)


def test_disjointness_an_image():
    # 2 * 0.25 / (1.5 + 1.5) and 2 * 0.5 / (1 + 0.5)
    expected = (0.5 / 3 + 1 / 1.5) / 2
    assert losses.disjointness_loss(A, B) == pytest.approx(expected)


def test_disjointness_of_the_released_code():
    # 2 * (0.25 + 0.5) + 1 over (1.5 + 1) + (1.5 + 0.5) + 1
    expected = 2.5 / 5.5
    assert losses.disjointness_loss(A, B, smoothing=1.0, over="batch") == pytest.approx(expected)


def test_disjointness_of_equal_disjoint_and_empty_cuts():
    ones, none = torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    assert losses.disjointness_loss(ones, ones) == pytest.approx(1)
    assert losses.disjointness_loss(ones, none) == 0
    assert losses.disjointness_loss(none, none) == 0


@pytest.mark.parametrize("dim", [0.5, 0.1, 0.01])
def test_dim_cuts_pass_for_disjoint_ones(dim):
    # known weakness: two equal cuts of value c have the overlap c
    cut = torch.full((1, 1, 4, 4), dim)
    assert losses.disjointness_loss(cut, cut) == pytest.approx(dim, rel=1e-5)


def test_reconstruction_is_summed_in_the_paper_and_averaged_in_the_code():
    # squared differences: 1, 0, 1, 0 and 0, 0, 0, 0.25
    assert losses.reconstruction_loss(A, B) == pytest.approx((2 + 0.25) / 2)
    assert losses.reconstruction_loss(A, B, "mean") == pytest.approx((2 + 0.25) / 8)


def test_the_two_reconstructions_differ_by_the_number_of_pixels():
    a, b = torch.rand(2, 1, 160, 160), torch.rand(2, 1, 160, 160)
    ratio = losses.reconstruction_loss(a, b) / losses.reconstruction_loss(a, b, "mean")
    assert ratio == pytest.approx(25_600, rel=1e-4)


def test_weight_decay_sums_squares():
    kernels = [torch.tensor([[1.0, 2.0]]), torch.tensor([3.0])]
    assert losses.weight_decay(kernels, 0.5) == pytest.approx(0.5 * 14)


@pytest.mark.parametrize("s", [0.0, 1.0, 3.0, 6.0])
def test_a_sure_discriminator_sends_no_gradient(s):
    score = torch.tensor([-s], dtype=torch.float64, requires_grad=True)
    losses.fence_loss(torch.tanh(score)).backward()
    assert -score.grad.item() == pytest.approx(1 - math.tanh(s) ** 2)


def test_hinge_keeps_its_slope():
    fences, references = torch.tensor([2.0, -3.0]), torch.tensor([0.5])
    assert losses.hinge_discriminator_loss(fences, references) == pytest.approx(3 / 2 + 0.5)


def test_least_squares():
    assert losses.least_squares(torch.tensor([1.0, 3.0]), 1.0) == pytest.approx(2)


def test_r1_is_half_the_squared_gradient():
    images = torch.rand(2, 1, 2, 2, requires_grad=True)
    weights = torch.tensor([1.0, 2.0, 0.0, 2.0]).view(1, 1, 2, 2)
    scores = (images * weights).flatten(1).sum(1)
    assert losses.r1_penalty(scores, images) == pytest.approx(4.5)


def test_tie_lifts_the_mask_or_puts_it_at_the_end():
    slices, mask = images([0.2, 0.4, 0.6, 1.0]), images([0, 0, 1, 1])

    def target(side, to):
        return losses.tie_target(slices, mask, 0.5, side, to).flatten().tolist()

    assert target("bright", "lifted") == pytest.approx([0.1, 0.2, 0.8, 1.0])
    assert target("bright", "end") == pytest.approx([0.1, 0.2, 1.0, 1.0])
    assert target("dark", "lifted") == pytest.approx([0.6, 0.7, 0.3, 0.5])
    assert target("dark", "end") == pytest.approx([0.6, 0.7, 0.0, 0.0])


def test_errors_are_means_by_weight():
    cut, target = images([0.5, 1.0, 0.0, 0.2]), images([0.0, 1.0, 0.0, 1.0])
    weights = images([1, 1, 1, 5])
    assert losses.absolute_error(cut, target) == pytest.approx((0.5 + 0.8) / 4)
    assert losses.absolute_error(cut, target, weights) == pytest.approx((0.5 + 5 * 0.8) / 8)
    assert losses.squared_error(cut, target, weights) == pytest.approx((0.25 + 5 * 0.64) / 8)


def test_cross_entropy_by_hand():
    cut, target = images([0.5, 0.8, 0.1, 0.2]), images([1, 1, 0, 1])
    parts = [math.log(2), -math.log(0.8), -math.log(0.9), -math.log(0.2)]
    assert losses.cross_entropy(cut, target) == pytest.approx(sum(parts) / 4, rel=1e-5)
    weights = images([1, 0, 0, 3])
    expected = (parts[0] + 3 * parts[3]) / 4
    assert losses.cross_entropy(cut, target, weights) == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_of_a_sure_and_wrong_cut_is_finite():
    assert torch.isfinite(losses.cross_entropy(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)))
