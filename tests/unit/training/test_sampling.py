from collections import Counter

import numpy as np
import pytest
import torch

from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import apply_set
from ascnet_core.training import sampling
from ascnet_core.training.timetable import locate, seed_of, segments_of

SMALL = apply_set(
    Settings(),
    [
        "schedule.stage_1=2",
        "schedule.stage_2=1",
        "schedule.epochs_d=1",
        "schedule.epochs_m=2",
        "schedule.batch_m=4",
        "schedule.batch_d=8",
    ],
)


def moments(settings, inputs=10, references=14):
    segments = segments_of(settings, inputs, references)
    return [locate(segments, step) for step in range(sum(map(len, segments)))]


def test_cycles_are_d_then_m_in_both_stages():
    order = [
        (s.stage, s.cycle, s.phase.name, s.phase.epochs, s.phase.steps)
        for s in segments_of(SMALL, 10, 14)
    ]
    assert order == [
        (1, 1, "D", 1, 4),  # 14 references, 4 of each kind in a batch
        (1, 1, "M", 2, 3),  # 10 inputs, 4 in a batch
        (1, 2, "D", 1, 4),
        (1, 2, "M", 2, 3),
        (2, 1, "D", 1, 7),  # references and their fences: 28
        (2, 1, "M", 2, 3),
    ]


def test_released_code_shows_the_inputs_twice_in_stage_2():
    twice = apply_set(SMALL, ["schedule.inputs_twice=true"])
    assert [s.phase.steps for s in segments_of(twice, 10, 14) if s.phase.name == "M"] == [3, 3, 5]


def test_without_adversary_there_is_no_phase_of_d():
    alone = apply_set(SMALL, ["adversary.weight=0"])
    assert {s.phase.name for s in segments_of(alone, 10, 14)} == {"M"}


def test_moments_say_where_things_begin_and_end():
    found = moments(SMALL)
    assert sum(m.first_of_phase for m in found) == 6
    assert sum(m.last_of_epoch for m in found) == 3 * (1 + 2)
    assert [i for i, m in enumerate(found) if m.last_of_cycle] == [9, 19, 32]
    with pytest.raises(IndexError):
        locate(segments_of(SMALL, 10, 14), len(found))


def test_seeds_differ_by_every_counter():
    seen = {seed_of(a, b, c) for a in range(5) for b in range(5) for c in range(5)}
    assert len(seen) == 125
    assert all(0 <= seed < 2**63 for seed in seen)
    every = [m.seed(0, purpose) for m in moments(SMALL) for purpose in range(5)]
    assert len(set(every)) == len(every)


def test_an_epoch_shows_every_input_once_before_any_twice():
    drawn = np.concatenate(
        [
            sampling.input_indices(SMALL.schedule, m, 10, 4)
            for m in moments(SMALL)
            if m.phase == "M" and m.cycle == 1 and m.stage == 1 and m.epoch == 0
        ]
    )
    assert len(drawn) == 12
    assert sorted(drawn[:10]) == list(range(10))


def test_a_batch_larger_than_the_set_is_full():
    first = moments(SMALL)[0]
    drawn = sampling.input_indices(SMALL.schedule, first, 3, 8)
    assert len(drawn) == 8
    assert set(Counter(drawn).values()) <= {2, 3}


def sets_at(inputs, references):
    return sampling.Sets(torch.zeros(len(inputs)), torch.zeros(len(references)), inputs, references)


def test_references_of_an_epoch_of_d_all_come():
    sets = sets_at(np.zeros(10), np.zeros(14))
    drawn = [sampling.reference_indices(SMALL, sets, m, np.arange(4)) for m in moments(SMALL)[:4]]
    assert set(np.concatenate(drawn)) == set(range(14))


def test_matched_references_lie_near_their_inputs():
    matched = apply_set(SMALL, ["data.match=position"])
    inputs, references = np.linspace(0, 1, 10), np.linspace(0, 1, 41)
    chosen = np.array([0, 3, 9, 5])
    first = moments(SMALL)[0]
    drawn = sampling.reference_indices(matched, sets_at(inputs, references), first, chosen)
    assert np.abs(references[drawn] - inputs[chosen]).max() <= 0.05 + 1e-9


@pytest.mark.parametrize("match", ["none", "position"])
def test_further_references_of_a_step_are_others_of_the_same_levels(match):
    settings = apply_set(SMALL, [f"data.match={match}", "data.flips=false"])
    positions = np.linspace(0, 1, 41)
    values = torch.arange(41.0)[:, None, None, None]
    sets = sampling.Sets(torch.zeros(10, 1, 1, 1), values, np.linspace(0, 1, 10), positions)
    first = moments(SMALL)[0]

    def drawn(number):
        found = sampling.draw_more_references(settings, sets, first, 8, number)
        return found.flatten().long().numpy()

    assert drawn(1).tolist() == drawn(1).tolist()
    assert drawn(1).tolist() != drawn(2).tolist()
    if match == "position":
        chosen = sampling.input_indices(settings.schedule, first, 10, 8)
        apart = np.abs(positions[drawn(1)] - sets.input_positions[chosen])
        assert apart.max() <= 0.05 + 1e-9


def test_augmentation_flips_and_brightens_reproducibly():
    data = apply_set(Settings(), ["data.flips=true", "data.brightness=0.2"]).data
    slices = torch.rand(32, 1, 16, 16) * 0.8
    one, two = sampling.augment(slices, data, 5), sampling.augment(slices, data, 5)
    assert torch.equal(one, two)
    means = one.mean((1, 2, 3)) / slices.mean((1, 2, 3))
    assert means.min() >= 0.8 - 1e-5
    assert means.max() <= 1.2 + 1e-5
    left_of = slices[..., :8].sum((1, 2, 3)) > slices[..., 8:].sum((1, 2, 3))
    assert (one[..., :8].sum((1, 2, 3)) > one[..., 8:].sum((1, 2, 3))).ne(left_of).any()
    assert sampling.augment(slices, Settings().data, 5) is slices
