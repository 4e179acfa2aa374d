import math

import pytest
import torch

from ascnet_core.network.blocks import kernels_3x3, normalisation
from ascnet_core.network.cutting import CuttingModule, take
from ascnet_core.network.discriminator import Discriminator, PatchCritic


def count_parameters(module: torch.nn.Module, running: bool = False) -> int:
    """Trainable parameters; with `running`, batch norm's statistics too, as Keras prints."""
    count = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    statistics = [buffer for name, buffer in module.named_buffers() if "running_" in name]
    return count + (sum(buffer.numel() for buffer in statistics) if running else 0)


# the counts of the paper's networks, worked out by hand layer by layer
@pytest.mark.parametrize(
    ("width", "trainable"), [(8, 678_397), (16, 2_707_061), (24, 6_085_997), (32, 10_815_205)]
)
def test_m_has_the_papers_number_of_parameters(width, trainable):
    assert count_parameters(CuttingModule(width)) == trainable


def test_m_counts_as_keras_prints_it():
    assert count_parameters(CuttingModule(32), running=True) == 10_823_013


@pytest.mark.parametrize(
    ("size", "width", "trainable"),
    [
        (96, 32, 4_734_049),
        (160, 32, 4_766_817),
        (240, 32, 4_830_817),
        (96, 8, 300_505),
        (160, 8, 308_697),
        (96, 16, 1_189_681),
        (160, 16, 1_206_065),
    ],
)
def test_d_has_the_papers_number_of_parameters(size, width, trainable):
    assert count_parameters(Discriminator(size, width)) == trainable


@pytest.mark.parametrize(("size", "total"), [(160, 4_770_785), (240, 4_834_785), (96, 4_738_017)])
def test_d_counts_as_keras_prints_it(size, total):
    assert count_parameters(Discriminator(size, 32), running=True) == total


def test_parts_of_m_have_their_numbers():
    model = CuttingModule(32)
    assert count_parameters(model.encoder) == 4_715_616
    assert count_parameters(model.fence_decoder) == 3_049_793
    assert count_parameters(model.wild_decoder) == 3_049_793
    assert count_parameters(model.reconstructor) == 3


@pytest.mark.parametrize("shape", [(16, 16), (32, 48)])
def test_cuts_have_the_shape_of_the_slices_and_lie_in_0_to_1(shape):
    cuts = CuttingModule(2)(torch.rand(3, 1, *shape))
    for cut in cuts:
        assert cut.shape == (3, 1, *shape)
        assert cut.min() >= 0
        assert cut.max() <= 1


def test_r_is_a_sigmoid_of_a_weighted_sum():
    model = CuttingModule(1)
    with torch.no_grad():
        model.reconstructor.weight.copy_(torch.tensor([2.0, -3.0]).view(1, 2, 1, 1))
        model.reconstructor.bias.fill_(0.5)
    fence, wild = torch.rand(2, 1, 4, 4), torch.rand(2, 1, 4, 4)
    expected = 1 / (1 + torch.exp(-(2 * fence - 3 * wild + 0.5)))
    assert torch.allclose(model.reconstruct(fence, wild), expected, atol=1e-6)


def test_cuts_are_float32_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cuts = CuttingModule(1)(torch.rand(2, 1, 32, 32))
    assert all(cut.dtype == torch.float32 for cut in cuts)


def test_both_decoders_see_every_level_of_the_encoder():
    model = CuttingModule(2).eval()
    levels = model.encoder(torch.rand(1, 1, 32, 32))
    for number in range(5):
        changed = [one.clone() for one in levels]
        changed[number] += 1
        for decoder in (model.fence_decoder, model.wild_decoder):
            assert not torch.equal(decoder(changed), decoder(levels))


def test_dropout_of_the_decoders_is_asymmetric_in_the_released_code_only():
    def shares(decoder):
        return [part.p for part in decoder.dropouts]

    paper = CuttingModule(1)
    assert shares(paper.fence_decoder) == shares(paper.wild_decoder) == [0] * 4
    released = CuttingModule(1, decoder_dropout="asymmetric")
    assert shares(released.fence_decoder) == [0.3, 0.3, 0.3, 0.0]
    assert shares(released.wild_decoder) == [0.3] * 4
    with pytest.raises(ValueError, match="decoder_dropout"):
        CuttingModule(1, decoder_dropout="both")


def test_relu_comes_before_batch_norm():
    block = CuttingModule(2).encoder.levels[0]
    block.eval()
    x = torch.rand(1, 1, 16, 16)
    first = torch.relu(block.conv1(x))
    scale = (1 + 1e-3) ** -0.5  # fresh running statistics: mean 0, variance 1, eps 1e-3
    second = torch.relu(block.conv2(first * scale)) * scale
    assert torch.allclose(block(x), second, atol=1e-6)


def test_kernels_are_the_3x3_convolutions():
    assert len(kernels_3x3(CuttingModule(1))) == 10 + 8 + 8
    assert len(kernels_3x3(Discriminator(16, 1))) == 10


def test_d_gives_the_tanh_of_its_score():
    critic = Discriminator((16, 32), 1).eval()
    images = torch.rand(3, 1, 16, 32)
    assert critic(images).shape == (3,)
    assert torch.allclose(critic(images), torch.tanh(critic.score(images)))


def test_group_norm_cuts_a_slice_the_same_whatever_lies_beside_it_in_the_batch() -> None:
    torch.manual_seed(0)
    slices = torch.rand(3, 1, 32, 32)
    group = CuttingModule(8, dropout=0.0, norm="group").train()
    batch = CuttingModule(8, dropout=0.0).train()
    assert torch.allclose(group(slices).fence[:1], group(slices[:1]).fence, atol=1e-5)
    assert not torch.allclose(batch(slices).fence[:1], batch(slices[:1]).fence, atol=1e-3)
    assert not [name for name, _ in group.named_buffers()]
    with pytest.raises(ValueError, match="norm"):
        CuttingModule(8, norm="layer")


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_group_norm_is_torchs_in_either_memory_order(order: torch.memory_format) -> None:
    torch.manual_seed(0)
    own, theirs = normalisation(16, "group", 0.1), torch.nn.GroupNorm(2, 16, eps=1e-3)
    maps = torch.randn(3, 16, 8, 8).contiguous(memory_format=order).requires_grad_(True)
    found, wanted = own(maps), theirs(maps)
    assert found.is_contiguous(memory_format=order)
    assert torch.allclose(found, wanted, atol=1e-6)
    pull = torch.randn_like(wanted)
    (slope,) = torch.autograd.grad(found, maps, pull)
    assert torch.allclose(slope, torch.autograd.grad(wanted, maps, pull)[0], atol=1e-5)


def test_conserved_cuts_share_the_slice_between_them():
    torch.manual_seed(0)
    model = CuttingModule(2, cuts="conserved")
    torch.nn.init.normal_(model.wild_decoder.head.weight)
    slices = torch.rand(3, 1, 32, 32)
    slices[..., :8] = 0
    cuts = model(slices)
    assert torch.allclose(cuts.fence + cuts.wild, slices, atol=1e-7)
    assert cuts.fence.min() >= 0
    assert (cuts.wild[..., :8] == 0).all()
    maps = model.eval().maps(slices)
    assert torch.allclose(maps["residual"], maps["wild"], atol=1e-6)


def test_conserved_cuts_begin_near_the_identity_and_can_learn():
    model = CuttingModule(2, cuts="conserved")
    slices = torch.full((2, 1, 32, 32), 0.6)
    cuts = model(slices)
    asked = math.log(1 + math.exp(-3))
    taken = 0.6 * (1 - math.exp(-asked / 0.6))
    assert torch.allclose(cuts.wild, torch.full_like(slices, taken))
    cuts.wild.mean().backward()
    head = model.wild_decoder.head
    assert head.weight.grad is not None
    assert head.weight.grad.abs().max() > 0
    assert head.bias.grad is not None
    assert head.bias.grad != 0


def test_what_is_asked_for_is_taken_while_it_is_little_and_never_more_than_there_is():
    slices = torch.tensor([0.0, 0.5, 0.5, 0.5])
    asked = torch.tensor([3.0, 1e-4, 0.5, 50.0], requires_grad=True)
    taken = take(asked, slices)
    assert taken.tolist() == pytest.approx([0, 1e-4, 0.5 * (1 - math.exp(-1)), 0.5], rel=1e-3)
    taken.sum().backward()
    assert asked.grad is not None
    assert asked.grad.tolist() == pytest.approx([0, 1, math.exp(-1), 0], abs=1e-3)


def test_conserved_cuts_need_one_decoder_less():
    free, conserved = CuttingModule(8), CuttingModule(8, cuts="conserved")
    spared = count_parameters(free.wild_decoder)
    assert count_parameters(free) - count_parameters(conserved) == spared
    with pytest.raises(ValueError, match="cuts is one of"):
        CuttingModule(2, cuts="other")


@pytest.mark.parametrize(("depth", "patch"), [(1, 4), (2, 10), (3, 22), (4, 46)])
def test_a_critic_of_patches_sees_so_many_pixels_at_once(depth, patch):
    torch.manual_seed(1)
    critic = PatchCritic(2, depth, "least")
    assert critic.patch == patch
    image = torch.rand(1, 1, 96, 96, requires_grad=True)
    critic.score(image).sum().backward()
    rows, columns = (image.grad[0, 0] != 0).nonzero().T
    # the patch that scores least may hang over the border
    assert rows.max() - rows.min() < patch
    assert columns.max() - columns.min() < patch
    assert max(rows.max() - rows.min(), columns.max() - columns.min()) >= patch / 2


def test_the_score_of_patches_is_their_mean_or_the_least_of_them():
    torch.manual_seed(2)
    mean, least = PatchCritic(3, 3), PatchCritic(3, 3, "least")
    least.load_state_dict(mean.state_dict())
    images = torch.rand(4, 1, 32, 48)
    x = images
    for conv in mean.convs:
        x = conv(x)
        x = torch.where(x > 0, x, 0.2 * x)
    patches = (x * mean.head.weight[0]).sum(1) + mean.head.bias
    assert patches.shape == (4, 4, 6)
    assert torch.allclose(mean.score(images), patches.mean((1, 2)), atol=1e-6)
    assert torch.allclose(least.score(images), patches.flatten(1).min(1).values, atol=1e-6)
    assert torch.allclose(mean(images), torch.tanh(mean.score(images)))
    with pytest.raises(ValueError, match="pool is one of"):
        PatchCritic(2, 2, "max")


def test_maps_of_a_critic_of_patches_double_up_to_sixteen_times():
    maps = [conv.out_channels for conv in PatchCritic(4, 6).convs]
    assert maps == [4, 8, 16, 32, 64, 64]
