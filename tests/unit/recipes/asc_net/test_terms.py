"""The registry of the terms of M's loss, and what each term is."""

import numpy as np
import pytest
import torch

from ascnet_core.network.cutting import Cuts, CuttingModule
from ascnet_core.recipes.asc_net import terms
from ascnet_core.recipes.asc_net.corruption import Corrupted
from ascnet_core.recipes.asc_net.self_training import SelfLabels
from ascnet_core.recipes.asc_net.terms import TERMS, Batch, terms_of
from ascnet_core.settings.losses import KINDS, NEEDS
from ascnet_core.settings.methods.asc_net import kinds_shown, sets_shown
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import apply_set, keys
from ascnet_core.training.state import new_state
from tests.unit.training import tiny

ORDER = [
    "denoise_fence", "denoise_wild", "tie", "identity", "wild_reference", "sparsity", "lift",
    "self_training", "fence", "disjointness", "reconstruction",
]  # fmt: skip
ALL = [
    "schedule.order=joint", "adversary.weight=0.1", "losses.denoise_fence=2",
    "losses.denoise_wild=3", "losses.tie=4", "losses.identity=5", "losses.wild_reference=6",
    "losses.self_training=7", "losses.disjointness=8", "losses.reconstruction=9",
    "losses.sparsity=10", "losses.lift=11", "losses.lift_quantile=0.8", "losses.focus=3",
    "network.dropout=0",
]  # fmt: skip


def test_every_term_has_its_needs_and_its_weight_among_the_settings():
    assert [weight for weight, _ in TERMS.values()] == list(NEEDS)
    assert list(TERMS) == ORDER  # of their sum
    assert set(NEEDS) <= set(keys())
    assert all(set(needs.kinds) <= set(KINDS) for needs in NEEDS.values())


@pytest.mark.parametrize(
    ("preset", "stage", "kinds"),
    [
        ("paper", 1, ("inputs",)),
        ("teaching", 1, ("corrupted",)),
        ("two-cut-self-training", 1, ("corrupted", "references")),
        ("two-cut-self-training", 2, ("corrupted", "references", "inputs")),
    ],
)
def test_a_batch_has_the_kinds_that_its_terms_need(preset, stage, kinds):
    settings = load_preset(preset)
    assert kinds_shown(settings, stage) == kinds
    assert len(sets_shown(settings, stage)) == len(kinds)


def test_an_adversary_in_joint_order_shows_references_and_inputs():
    settings = apply_set(load_preset("teaching"), ["adversary.weight=0.1"])
    assert kinds_shown(settings, 1) == KINDS
    assert sets_shown(settings, 1) == ("reference", "reference", "input")


@pytest.fixture
def batch():
    settings = tiny.settings(*ALL)
    state = new_state(settings, "cpu")
    made = torch.Generator().manual_seed(1)
    inputs, references = torch.rand(2, 3, 1, 16, 16, generator=made)
    mask = (torch.rand(3, 1, 16, 16, generator=made) > 0.7).float()
    corrupted = Corrupted(references * 0.5, mask, 0.3 * mask)
    cuts = {kind: Cuts(*torch.rand(3, 3, 1, 16, 16, generator=made)) for kind in KINDS}
    return Batch(state, settings, 2, inputs, references, corrupted, cuts)


def test_all_terms_that_are_on_are_summed_with_their_weights(batch):
    found = terms_of(batch)
    assert list(found) == ORDER
    weights = [weight for _, weight in found.values()]
    assert weights == [2, 3, 4, 5, 6, 10, 11, 7, pytest.approx(0.1), 8, 9]
    first = Batch(**(vars(batch) | {"stage": 1}))
    assert "self_training" not in terms_of(first)


def test_terms_are_what_they_say(batch):
    found = {name: value.detach() for name, (value, _) in terms_of(batch).items()}
    corrupted, plain, seen = (batch.cuts[kind] for kind in KINDS)
    focus = 1 + 2 * batch.corrupted.mask

    def mean(values, weights=None):
        weights = torch.ones_like(values) if weights is None else weights
        return (values * weights).sum() / weights.sum()

    expected = {
        "denoise_fence": mean((corrupted.fence - batch.references).abs(), focus),
        "denoise_wild": mean((corrupted.wild - batch.corrupted.excess).abs(), focus),
        "identity": mean((plain.fence - batch.references).abs()),
        "wild_reference": plain.wild.mean(),
        "sparsity": seen.wild.mean(),
        "reconstruction": (seen.reconstruction - batch.inputs).square().sum((1, 2, 3)).mean(),
        "disjointness": (
            2 * (seen.fence * seen.wild).sum((1, 2, 3)) / (seen.fence + seen.wild).sum((1, 2, 3))
        ).mean(),
    }
    for name, value in expected.items():
        assert float(found[name]) == pytest.approx(float(value), rel=1e-5), name
    model = batch.state.model
    assert isinstance(model, CuttingModule)
    tied = model.reconstruct(corrupted.fence, corrupted.wild).detach()
    aim = 0.5 * batch.references + 0.5 * batch.corrupted.mask
    assert float(found["tie"]) == pytest.approx(float(mean((tied - aim).square(), focus)), rel=1e-5)
    fences, wilds = torch.cat([seen.fence, plain.fence]), torch.cat([seen.wild, plain.wild])
    beyond = (wilds > np.quantile(plain.wild[batch.references > 0].numpy(), 0.8)).float()
    aim = 0.5 * fences + 0.5 * beyond
    error = (model.reconstruct(fences, wilds).detach() - aim).square()
    lift = mean(error, 1 + 2 * beyond)
    assert 0.15 < float(beyond[3:].mean()) < 0.25
    assert float(found["lift"]) == pytest.approx(float(lift), rel=1e-5)
    told = torch.tanh(batch.state.networks["discriminator"].score(seen.fence)).detach()
    assert float(found["fence"]) == pytest.approx(float((told - 1).abs().mean()), rel=1e-5)


def test_disjointness_is_left_out_where_the_released_code_has_a_constant(batch):
    off = apply_set(batch.settings, ["losses.disjointness_in_stage_2=false"])
    assert "disjointness" not in terms_of(Batch(**(vars(batch) | {"settings": off})))
    assert "disjointness" in terms_of(Batch(**(vars(batch) | {"settings": off, "stage": 1})))


def test_a_new_term_is_its_function_and_the_key_of_its_weight(batch, monkeypatch):
    monkeypatch.setattr(terms, "TERMS", dict(TERMS))

    @terms.term("losses.identity")
    def darkness(batch):
        return batch.cuts["references"].fence.mean()

    value, weight = terms.terms_of(batch)["darkness"]
    assert float(value) == pytest.approx(float(batch.cuts["references"].fence.mean()))
    assert weight == 5


def test_an_empty_wild_cut_lifts_nothing(batch):
    nothing = torch.zeros_like(batch.inputs)
    empty = {kind: made._replace(wild=nothing) for kind, made in batch.cuts.items()}
    bare = Batch(**(vars(batch) | {"cuts": empty}))
    value = terms.lift(bare).detach()
    model, fences = batch.state.model, torch.cat([empty["inputs"].fence, empty["references"].fence])
    made = model.reconstruct(fences, torch.zeros_like(fences)).detach()
    assert float(value) == pytest.approx(float((made - 0.5 * fences).square().mean()))
    # without tissue nothing is known of the reference
    assert float(terms.lift(Batch(**(vars(bare) | {"references": nothing})))) == 0


def test_the_lift_and_the_tie_train_r_alone(batch):
    value = terms.lift(batch)
    value.backward()
    learning = {name for name, one in batch.state.model.named_parameters() if one.grad is not None}
    assert learning == {"reconstructor.weight", "reconstructor.bias"}


@pytest.mark.parametrize(("steps", "share"), [(0, 0.0), (50, 0.25), (200, 1.0), (900, 1.0)])
def test_the_price_of_taking_out_rises_at_first(batch, steps, share):
    risen = apply_set(batch.settings, ["losses.price_over=200"])
    state = new_state(risen, "cpu")
    state.steps_m = steps
    early = Batch(**(vars(batch) | {"settings": risen, "state": state}))
    for price in (terms.sparsity, terms.wild_reference):
        assert float(price(early)) == pytest.approx(share * float(price(batch)))
    assert terms.sparsity(batch) == batch.cuts["inputs"].wild.mean()


def test_m_learns_from_views_of_its_fences(batch):
    turned = apply_set(batch.settings, ["adversary.view_brightness=0.5"])
    one = Batch(**(vars(batch) | {"settings": turned, "view_seed": 1}))
    other = Batch(**(vars(batch) | {"settings": turned, "view_seed": 2}))
    assert terms.fence(one) != terms.fence(other)
    assert terms.fence(batch) == terms.fence(Batch(**(vars(batch) | {"view_seed": 2})))


def test_conserved_cuts_learn_from_themselves_by_the_share_taken_out(batch, monkeypatch):
    settings = apply_set(batch.settings, ["network.cuts=conserved"])
    target = (torch.rand(3, 1, 16, 16, generator=torch.Generator().manual_seed(4)) > 0.6).float()
    labels = SelfLabels(target, 1 + 2 * target)
    monkeypatch.setattr(terms, "self_labels", lambda *_: labels)
    inputs = batch.inputs.clone()
    inputs[..., :5] = 0
    share = batch.cuts["inputs"].fence  # any numbers in [0, 1]
    cuts = batch.cuts | {"inputs": batch.cuts["inputs"]._replace(wild=share * inputs)}
    changed = {"settings": settings, "state": new_state(settings, "cpu"), "inputs": inputs}
    found = terms.self_training(Batch(**(vars(batch) | changed | {"cuts": cuts})))
    tissue = inputs > 0
    expected = torch.nn.functional.binary_cross_entropy(
        share[tissue], target[tissue], labels.weights[tissue], reduction="sum"
    )
    assert float(found) == pytest.approx(float(expected / labels.weights[tissue].sum()), rel=1e-3)
