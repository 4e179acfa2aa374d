"""One step of a network's optimiser, and which recipe settings name."""

import pytest
import torch
from torch import nn

from ascnet_core.network.blocks import Network
from ascnet_core.settings.methods import METHODS
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import with_method
from ascnet_core.training.learning import learn
from ascnet_core.training.recipe import recipe_of
from ascnet_core.training.state import TrainingState, new_state
from tests.unit.training import tiny


def test_a_step_goes_down_the_loss_and_reports_numbers_without_gradients():
    network = nn.Linear(3, 1)
    state = TrainingState(
        torch.device("cpu"),
        {"other": network},
        {"other": torch.optim.SGD(network.parameters(), lr=0.1)},
    )
    x = torch.ones(2, 3)
    before = network.weight.detach().clone()
    network.weight.grad = torch.full_like(network.weight, 99)  # of an earlier step: forgotten

    def loss():
        value = network(x).square().mean()
        return 2 * value, {"value": value}

    report = learn(state, "other", loss)
    assert not report["value"].requires_grad
    made = float(report["value"]) ** 0.5
    moved = before - network.weight.detach()
    assert torch.allclose(moved.abs(), torch.full_like(moved, 0.1 * 4 * made), rtol=1e-4)
    assert float(loss()[0].detach()) < 2 * float(report["value"])


@pytest.mark.parametrize("name", METHODS)
def test_every_method_has_a_recipe_that_builds_its_network(name):
    settings = with_method(tiny.settings(preset="teaching"), name)
    network = recipe_of(settings).build(settings).eval()
    assert isinstance(network, Network)
    assert network.width > 0
    slices = torch.rand(2, 1, tiny.SIZE, tiny.SIZE)
    with torch.no_grad():
        maps, averaged = network.maps(slices), network.averaged_maps(slices)
        mirrored = network.averaged_maps(slices.flip(3))
    assert list(maps) == list(averaged)
    assert set(maps) == {one.name for one in settings.method.maps}
    for key, one in averaged.items():
        assert torch.allclose(one, mirrored[key].flip(3), atol=1e-5), key


@pytest.mark.parametrize("name", METHODS)
def test_a_state_is_the_same_for_the_same_seed(name):
    settings = with_method(load_preset("teaching"), name)
    one, other = (new_state(settings, "cpu").model.state_dict() for _ in range(2))
    assert all(torch.equal(value, other[key]) for key, value in one.items())
