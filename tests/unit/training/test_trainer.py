import dataclasses
import json

import numpy as np
import pytest
import torch

from ascnet_core.errors import UserError
from ascnet_core.imaging.reference import SliceSet
from ascnet_core.recipes.asc_net import recipe
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import apply_set
from ascnet_core.training import state as states
from ascnet_core.training.recipe import recipe_of
from ascnet_core.training.sampling import load_sets
from ascnet_core.training.state import new_state, restore_state, state_tensors
from ascnet_core.training.timetable import locate, segments_of
from ascnet_core.training.trainer import run_step, train

TINY = [
    "data.size=32",
    "network.width=2",
    "network.discriminator_width=2",
    "schedule.batch_m=3",
    "schedule.batch_d=6",
    "schedule.log_every=2",
    "schedule.epochs_m=1",
    "compute.threads=1",
]
ALTERNATE = apply_set(load_preset("paper"), [*TINY, "schedule.stage_1=1", "schedule.stage_2=1"])
RELEASED = apply_set(
    load_preset("released-code"), [*TINY, "schedule.stage_1=1", "schedule.stage_2=1"]
)
JOINT = apply_set(load_preset("teaching"), [*TINY, "schedule.stage_1=2", "schedule.steps=3"])
GAME = apply_set(
    JOINT,
    [
        "adversary.weight=0.1",
        "adversary.loss=hinge",
        "adversary.r1=1",
        "losses.identity=1",
        "losses.wild_reference=1",
        "losses.disjointness=0.1",
        "schedule.stage_1=1",
        "schedule.stage_2=1",
    ],
)
CONSERVED = apply_set(
    load_preset("conserved-cuts"),
    [
        *TINY,
        "network.discriminator_depth=3",
        "schedule.steps=3",
        "schedule.stage_1=1",
        "schedule.stage_2=1",
        "schedule.average_from=2",
        "adversary.steps=3",
    ],
)


def slice_set(count, seed):
    rng = np.random.default_rng(seed)
    images = np.zeros((count, 32, 32), np.float32)
    images[:, 4:28, 6:26] = rng.uniform(0.2, 0.9, (count, 24, 20))
    names = np.array([f"subject {i % 2}" for i in range(count)])
    return SliceSet(
        images=images,
        positions=np.linspace(0, 1, count),
        subjects=names,
        scans=names,
        z=np.arange(count),
        lesion=np.zeros(count, bool),
        labelled=np.zeros(count, bool),
    )


INPUTS, REFERENCE = slice_set(5, 0), slice_set(7, 1)


def run(settings, state=None, stop_after=None):
    state = state or new_state(settings, "cpu")
    watched = INPUTS.images[:2]
    stop = lambda: state.step == stop_after  # noqa: E731
    events = list(train(state, settings, INPUTS, REFERENCE, watched, stop))
    return state, events


def assert_same(one, two):
    tensors, counters = state_tensors(one)
    others, other_counters = state_tensors(two)
    assert counters == other_counters
    assert tensors.keys() == others.keys()
    for name, tensor in tensors.items():
        assert torch.equal(tensor, others[name]), name


@pytest.mark.parametrize("settings", [ALTERNATE, RELEASED, JOINT, GAME, CONSERVED])
def test_training_changes_m_and_ends(settings):
    before = new_state(settings, "cpu")
    state, events = run(settings)
    assert events[0].kind == "start"
    assert events[-1].kind == "end"
    assert events[-1].step == events[-1].steps_total == state.step
    changed = [
        not torch.equal(a, b)
        for a, b in zip(before.model.parameters(), state.model.parameters(), strict=True)
    ]
    assert all(changed)


@pytest.mark.parametrize(
    ("settings", "every"), [(ALTERNATE, 3), (RELEASED, 2), (JOINT, 1), (GAME, 4), (CONSERVED, 2)]
)
def test_resuming_at_any_step_gives_the_same_weights(settings, every):
    whole, _ = run(settings)
    total = sum(map(len, segments_of(settings, len(INPUTS), len(REFERENCE))))
    for step in range(0, total, every):
        part, events = run(settings, stop_after=step)
        assert events[-1].kind == "stop"
        tensors, counters = state_tensors(part)
        counters = json.loads(json.dumps(counters))
        resumed, _ = run(settings, restore_state(settings, "cpu", tensors, counters))
        assert_same(whole, resumed)


def test_another_seed_gives_other_weights():
    other = apply_set(JOINT, ["schedule.seed=1"])
    one, two = run(JOINT)[0], run(other)[0]
    assert not torch.equal(one.model.reconstructor.weight, two.model.reconstructor.weight)


def test_training_does_not_touch_the_global_random_state():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    run(JOINT)
    assert torch.rand(1) == expected


def test_events_come_in_order_and_are_json():
    _, events = run(ALTERNATE)
    kinds = [event.kind for event in events if event.kind != "step"]
    cycle = ["epoch", "epoch", "snapshot", "cycle"]
    assert kinds == ["start", "snapshot", *cycle, *cycle, "end"]
    for event in events:
        line = json.loads(json.dumps(event.to_json(), allow_nan=False))
        assert "arrays" not in line
        assert line["kind"] == event.kind


def test_step_events_have_the_methods_losses():
    _, events = run(ALTERNATE)
    by_phase = {event.phase: event.losses for event in events if event.kind == "step"}
    assert set(by_phase["M"]) == {"fence", "disjointness", "reconstruction", "total"}
    assert set(by_phase["D"]) == {"discriminator"}
    parts = by_phase["M"]
    assert parts["total"] == pytest.approx(sum(v for k, v in parts.items() if k != "total"))


def test_gauges_are_among_the_events():
    _, events = run(ALTERNATE)
    gauges = [event.gauges for event in events if event.kind == "epoch"]
    wanted = {
        "rank_correlation",
        "wild_input",
        "wild_reference",
        "fence_differs",
        "gap",
        "score",
        "saturated",
        "gradient",
        "accuracy_fence",
        "accuracy_reference",
    }
    assert all(set(one) == wanted for one in gauges)
    for one in gauges:
        assert -1 <= one["rank_correlation"] <= 1
        assert all(0 <= one[key] <= 1 for key in wanted if key.startswith(("acc", "sat")))
        assert one["gradient"] >= 0


def test_snapshots_hold_the_watched_cuts_and_both_histograms():
    _, events = run(JOINT)
    snapshots = [event.arrays for event in events if event.kind == "snapshot"]
    assert len(snapshots) == 3
    inside = int((INPUTS.images > 0).sum())
    for arrays in snapshots:
        for name in ("watched_input", "fence", "wild", "reconstruction"):
            assert arrays[name].shape == (2, 32, 32)
            assert arrays[name].dtype == np.uint8
        assert arrays["counts"].sum() == arrays["joint"].sum() == inside
    watched = np.rint(INPUTS.images[:2] * 255)
    assert np.array_equal(snapshots[0]["watched_input"], watched)


def test_snapshots_between_cycles():
    more = apply_set(JOINT, ["schedule.epochs_m=4", "schedule.snapshot_epochs=2"])
    _, events = run(more)
    assert [e.epoch for e in events if e.kind == "snapshot"] == [0, 2, 4, 2, 4]


def test_m_is_frozen_while_d_trains_and_d_while_m_trains():
    state = new_state(ALTERNATE, "cpu")
    sets = load_sets(INPUTS, REFERENCE, state.device, ALTERNATE)
    segments = segments_of(ALTERNATE, len(INPUTS), len(REFERENCE))

    def snapshot():
        tensors, _ = state_tensors(state)
        return {
            part: {n: t.clone() for n, t in tensors.items() if n.startswith(f"{part}.")}
            for part in ("model", "discriminator")
        }

    def same(a, b):
        return all(torch.equal(t, b[n]) for n, t in a.items())

    for step in range(sum(map(len, segments))):
        moment = locate(segments, step)
        before = snapshot()
        run_step(recipe_of(ALTERNATE), state, ALTERNATE, sets, moment)
        after = snapshot()
        trained, resting = (
            ("discriminator", "model") if moment.phase == "D" else ("model", "discriminator")
        )
        assert same(before[resting], after[resting]), moment
        assert not same(before[trained], after[trained]), moment


def test_released_code_trains_m_against_an_untrained_d():
    state = new_state(RELEASED, "cpu")
    seen = []
    for event in train(state, RELEASED, INPUTS, REFERENCE, INPUTS.images[:1], lambda: False):
        discriminator = state.networks["discriminator"]
        if event.kind == "step" and event.phase == "M":
            norms = [
                part for part in discriminator.modules() if isinstance(part, torch.nn.BatchNorm2d)
            ]
            # never trained: batch norm's weights are still exactly 1
            seen.append(all(torch.equal(n.weight, torch.ones_like(n.weight)) for n in norms))
            assert discriminator.training
            assert all(torch.equal(n.running_mean, torch.zeros_like(n.bias)) for n in norms)
    assert seen
    assert all(seen)


def test_released_code_has_no_disjointness_in_stage_2():
    _, events = run(RELEASED)
    losses = {event.stage: event.losses for event in events if event.phase == "M" and event.losses}
    assert "disjointness" in losses[1]
    assert "disjointness" not in losses[2]
    assert "weight_decay" in losses[1]


def test_adam_forgets_at_each_phase_only_if_asked():
    state, _ = run(ALTERNATE)
    counts = [moments["step"].item() for moments in state.optimisers["model"].state.values()]
    assert set(counts) == {state.steps_m}
    state, _ = run(RELEASED)
    last_phase = segments_of(RELEASED, len(INPUTS), len(REFERENCE))[-1].phase
    counts = [moments["step"].item() for moments in state.optimisers["model"].state.values()]
    assert set(counts) == {last_phase.steps * last_phase.epochs}


def test_rs_own_rate_and_the_fall_at_the_end():
    settings = apply_set(
        JOINT,
        [
            "schedule.learning_rate=0.001",
            "schedule.reconstructor_rate=20",
            "schedule.cooling=0.5",
        ],
    )
    state = new_state(settings, "cpu")

    def rates(step):
        state.step = step
        states.set_rate(state, settings.schedule, 100)
        return [group["lr"] for group in state.optimisers["model"].param_groups]

    assert rates(0) == rates(50) == pytest.approx([0.001, 0.02])
    assert rates(75) == pytest.approx([0.0001, 0.002])
    assert rates(100) == pytest.approx([0.00001, 0.0002])


def test_the_average_lags_behind_and_is_what_is_kept():
    state, _ = run(JOINT)
    assert state.kept is state.average
    pairs = zip(state.model.parameters(), state.average.parameters(), strict=True)
    assert not all(torch.equal(a, b) for a, b in pairs)
    plain = apply_set(JOINT, ["schedule.average=0"])
    state, _ = run(plain)
    assert state.kept is state.model


def test_the_average_of_constant_weights_is_those_weights():
    state = new_state(JOINT, "cpu")
    for _ in range(5):
        states.update_average(state, dataclasses.replace(JOINT.schedule, average=0.9))
        state.steps_m += 1
    for a, b in zip(state.model.parameters(), state.average.parameters(), strict=True):
        assert torch.allclose(a, b)


def test_before_its_time_the_average_is_the_model_itself():
    later = apply_set(JOINT, ["schedule.average_from=5"])
    for stop, same in ((5, True), (6, False)):
        state, _ = run(later, stop_after=stop)
        pairs = zip(state.model.parameters(), state.average.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs) is same


def test_d_takes_as_many_steps_as_asked_each_on_other_references(monkeypatch):
    seen = []
    kept = recipe.discriminator_side
    monkeypatch.setattr(
        recipe,
        "discriminator_side",
        lambda critic, fences, references, how: (
            seen.append(references) or kept(critic, fences, references, how)
        ),
    )
    plain = apply_set(CONSERVED, ["adversary.view_turn=0", "data.flips=false"])
    state, _ = run(plain, stop_after=1)
    assert len(seen) == 3
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[1], seen[2])
    assert state.steps_m == 1


def test_the_tie_trains_r_alone():
    settings = apply_set(JOINT, ["losses.denoise_fence=0", "losses.denoise_wild=0"])
    before, (after, _) = new_state(settings, "cpu"), run(settings)
    assert not torch.equal(before.model.reconstructor.weight, after.model.reconstructor.weight)
    for part in ("encoder", "fence_decoder", "wild_decoder"):
        pairs = zip(
            getattr(before.model, part).parameters(),
            getattr(after.model, part).parameters(),
            strict=True,
        )
        assert all(torch.equal(a, b) for a, b in pairs)


def test_empty_or_wrong_sets_are_refused():
    state = new_state(JOINT, "cpu")
    empty = INPUTS.take(np.zeros(5, bool))
    with pytest.raises(UserError, match="no slices"):
        next(train(state, JOINT, empty, REFERENCE, INPUTS.images[:1], lambda: False))
    small = dataclasses.replace(INPUTS, images=INPUTS.images[:, :16, :16])
    with pytest.raises(UserError, match="16x16"):
        next(train(state, JOINT, small, REFERENCE, INPUTS.images[:1], lambda: False))


def test_a_loss_that_is_no_number_stops_with_advice():
    broken = dataclasses.replace(REFERENCE, images=REFERENCE.images * np.nan)
    state = new_state(JOINT, "cpu")
    with pytest.raises(UserError, match="learning_rate"):
        list(train(state, JOINT, INPUTS, broken, INPUTS.images[:1], lambda: False))


def test_a_checkpoint_of_other_settings_is_refused():
    tensors, counters = state_tensors(new_state(JOINT, "cpu"))
    wider = apply_set(JOINT, ["network.width=3"])
    with pytest.raises(UserError, match="does not fit"):
        restore_state(wider, "cpu", tensors, counters)


def test_the_default_settings_are_the_papers_losses():
    assert Settings().losses == load_preset("paper").losses


@pytest.mark.gpu
@pytest.mark.parametrize("settings", [ALTERNATE, JOINT])
def test_training_on_a_gpu_and_a_cpu_checkpoint_there(settings):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    part, _ = run(settings, stop_after=2)
    tensors, counters = state_tensors(part)
    resumed, events = run(settings, restore_state(settings, "cuda", tensors, counters))
    assert events[-1].kind == "end"
    assert next(resumed.model.parameters()).device.type == "cuda"
