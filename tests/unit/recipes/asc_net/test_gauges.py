import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from ascnet_core.recipes.asc_net.gauges import measure, share_differing
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import apply_set
from ascnet_core.training import gauges
from ascnet_core.training.sampling import Sets
from ascnet_core.training.state import new_state

SETTINGS = apply_set(
    Settings(),
    ["data.size=32", "network.width=1", "network.discriminator_width=1", "compute.autocast=off"],
)


@pytest.fixture
def sets():
    rng = np.random.default_rng(0)
    images = torch.zeros(6, 1, 32, 32)
    images[:, :, 4:28, 4:28] = torch.from_numpy(rng.uniform(0.1, 0.9, (6, 1, 24, 24))).float()
    return Sets(images, images.flip(0), np.linspace(0, 1, 6), np.linspace(0, 1, 6))


def test_the_rank_correlation_of_the_gauges_is_of_256_levels_inside_the_region(sets):
    state = new_state(SETTINGS, "cpu")
    found = measure(state, SETTINGS, sets)["rank_correlation"]
    made = gauges.maps_of(state.kept, sets.inputs, SETTINGS)["reconstruction"]
    inside = sets.inputs > 0
    levels = [torch.round(one[inside] * 255).numpy() for one in (made, sets.inputs)]
    assert found == pytest.approx(spearmanr(*levels).statistic)
    # an untrained I_ro has few levels, and they have ties
    assert found == pytest.approx(spearmanr(made[inside], sets.inputs[inside]).statistic, abs=0.1)


def test_a_constant_reconstruction_has_no_rank_correlation(sets):
    state = new_state(SETTINGS, "cpu")
    with torch.no_grad():
        for one in state.kept.reconstructor.parameters():
            one.zero_()
    assert measure(state, SETTINGS, sets)["rank_correlation"] == 0


def test_spread_takes_the_ends_and_no_slice_twice():
    slices = torch.arange(10.0)
    assert gauges.spread(slices, 4).tolist() == [0, 3, 6, 9]
    assert gauges.spread(slices, 99).tolist() == list(range(10))


def test_a_sure_discriminator_shows_as_saturated_without_gradient(sets):
    state = new_state(SETTINGS, "cpu")
    with torch.no_grad():
        state.networks["discriminator"].dense.weight.zero_()
        state.networks["discriminator"].dense.bias.fill_(-9.0)
    found = measure(state, SETTINGS, sets)
    assert found["score"] == pytest.approx(9)
    assert found["saturated"] == 1
    assert found["gradient"] == 0
    assert (found["accuracy_fence"], found["accuracy_reference"]) == (1, 0)


def test_mirrored_labels_mirror_the_accuracies(sets):
    mirrored = apply_set(SETTINGS, ["adversary.mirrored=true"])
    state = new_state(mirrored, "cpu")
    with torch.no_grad():
        state.networks["discriminator"].dense.weight.zero_()
        state.networks["discriminator"].dense.bias.fill_(-1.0)
    found = measure(state, mirrored, sets)
    assert (found["accuracy_fence"], found["accuracy_reference"]) == (0, 1)


def test_measuring_leaves_the_discriminator_as_it_was(sets):
    state = new_state(SETTINGS, "cpu")
    discriminator = state.networks["discriminator"].train()
    before = {name: value.clone() for name, value in discriminator.state_dict().items()}
    measure(state, SETTINGS, sets)
    assert discriminator.training
    assert all(one.requires_grad for one in discriminator.parameters())
    after = discriminator.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_the_joint_histogram_has_fence_in_rows(sets):
    state = new_state(SETTINGS, "cpu")
    with torch.no_grad():
        for decoder, bias in ((state.model.fence_decoder, 9.0), (state.model.wild_decoder, -9.0)):
            decoder.head.weight.zero_()
            decoder.head.bias.fill_(bias)
    arrays = gauges.snapshot_arrays(state, SETTINGS, sets, np.zeros((1, 32, 32), np.float32))
    assert arrays["joint"][63, 0] == arrays["joint"].sum() == 6 * 24 * 24


def test_a_fence_differs_where_it_is_off_by_a_tenth_of_the_scale(sets):
    inputs = sets.inputs
    assert share_differing(inputs, inputs) == 0
    tissue = inputs > 0
    moved = inputs.clone()
    moved[:, :, 4:16] += 0.2
    moved[:, :, 16:] += 0.05
    expected = float((tissue[:, :, 4:16]).sum() / tissue.sum())
    assert share_differing(moved, inputs) == pytest.approx(expected)
    assert share_differing(moved, torch.zeros_like(inputs)) == 0


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_gap_is_how_much_more_normal_references_look_to_d(sets, mirrored):
    settings = apply_set(SETTINGS, [f"adversary.mirrored={str(mirrored).lower()}"])
    state = new_state(settings, "cpu")
    found = measure(state, settings, sets)["gap"]
    critic = state.networks["discriminator"].eval()
    with torch.no_grad():
        fences = gauges.maps_of(state.model, sets.inputs, settings)["fence"]
        gap = critic.score(sets.references).mean() - critic.score(fences).mean()
    assert found == pytest.approx(float(-gap if mirrored else gap), abs=2e-3)
    assert found != 0
