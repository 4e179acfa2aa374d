import numpy as np
import pytest
import torch

from ascnet_core.errors import UserError
from ascnet_core.recipes.asc_net.self_training import self_labels
from ascnet_core.training.state import new_state
from ascnet_core.training.trainer import train
from tests.unit.training import tiny

RECIPE = (
    "losses.self_training=1",
    "losses.self_quantile=0.9",
    "schedule.stage_1=1",
    "schedule.stage_2=1",
)


def test_what_hardly_any_reference_pixel_reaches_is_anomaly_and_the_rim_is_undecided():
    normal = torch.linspace(0, 0.4, 1024).reshape(1, 1, 32, 32)
    found = torch.full((1, 1, 32, 32), 0.05)
    found[..., 8:16, 8:16] = 0.9  # far above
    found[..., 20, 20] = 0.9  # above, but alone
    found[..., 4, :] = 0.39  # between both levels: 0.392 and 0.368
    labels = self_labels(found, normal, torch.ones_like(normal, dtype=torch.bool), 0.98, 3.0)
    assert np.quantile(normal.numpy(), 0.98) > 0.39
    wanted = torch.zeros_like(found)
    wanted[..., 8:16, 8:16] = 1
    for corner in ((8, 8), (8, 15), (15, 8), (15, 15)):  # 4 of 9 neighbours only
        wanted[..., corner[0], corner[1]] = 0
    assert torch.equal(labels.target, wanted)
    assert labels.weights[0, 0, 10, 10] == 3
    assert labels.weights[0, 0, 0, 0] == 1
    assert labels.weights[0, 0, 20, 20] == labels.weights[0, 0, 8, 8] == 0
    assert (labels.weights[0, 0, 4] == 0).all()


def test_only_tissue_of_the_reference_sets_the_level():
    normal = torch.zeros(1, 1, 16, 16)
    normal[..., :8] = 0.8
    found = torch.full((1, 1, 16, 16), 0.5)
    everywhere = torch.ones_like(normal, dtype=torch.bool)
    assert not self_labels(found, normal, everywhere, 0.9, 1.0).target.any()
    assert self_labels(found, normal, normal < 0.5, 0.9, 1.0).target.any()


def test_an_empty_wild_cut_makes_nothing_anomaly():
    empty = torch.zeros(2, 1, 16, 16)
    labels = self_labels(empty, empty, torch.ones_like(empty, dtype=torch.bool), 0.99, 2.0)
    assert not labels.target.any()


def test_the_term_is_there_in_stage_2_only():
    settings = tiny.settings(*RECIPE, preset="teaching")
    state = new_state(settings, "cpu")
    events = list(train(state, settings, tiny.INPUTS, tiny.REFERENCE, tiny.WATCHED, lambda: False))
    losses = {e.stage: e.losses for e in events if e.kind == "step"}
    assert "self_training" not in losses[1]
    assert losses[2]["self_training"] > 0
    assert not any(p.requires_grad for p in state.average.parameters())


def test_it_needs_an_average_and_a_second_stage():
    for without in ("schedule.average=0", "schedule.stage_2=0"):
        with pytest.raises(UserError, match="self_training"):
            tiny.settings(*RECIPE, without, preset="teaching")
    with pytest.raises(UserError, match="joint"):
        tiny.settings(*RECIPE, preset="paper")
