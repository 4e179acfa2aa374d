"""Layers and sums over a batch that is spread over two processes, against the batch in one."""

import numpy as np
import pytest
import torch
from torch import nn

from ascnet_core.network.sharding import ALONE, BatchNorm, Dropout, Place, gathered, place, total
from tests.unit.network import sharded
from tests.unit.several import on_each

# Of the largest value there is. Sums are made in another order; bfloat16 has 8 bits.
TOLERANCE = {"float64": 1e-12, "float32": 2e-5, "bfloat16": 2e-2}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """What both processes found, each on its half of the batch."""
    return on_each(tmp_path_factory.mktemp("sharded") / "pair", sharded.all_of_it)


def joined(parts, take):
    """Both processes' slices in the order of the whole batch."""
    first, second = (take(part) for part in parts)
    return torch.stack([first, second], 1).flatten(0, 1)


def assert_near(found, expected, tolerance):
    scale = float(expected.double().abs().max())
    far = float((found.double() - expected.double()).abs().max())
    assert far <= tolerance * scale, (far, scale)


@pytest.fixture(scope="module")
def whole():
    """What torch's own batch norm makes of the joined batch."""
    return sharded.norms(nn.BatchNorm2d, lambda one: one)


@pytest.mark.parametrize("case", sharded.CASES)
def test_batch_norm_is_torchs_on_the_joined_batch_forward_and_backward(parts, whole, case):
    expected = whole[case]
    for name in ("y", "x"):
        found = joined(parts, lambda part, name=name: part["norms"][case][name])
        assert found.dtype == expected[name].dtype
        assert_near(found, expected[name], TOLERANCE[case])
    for name in ("weight", "bias"):  # each process has the gradient of its own slices
        found = sum(part["norms"][case][name] for part in parts)
        assert_near(found, expected[name], TOLERANCE[case])


@pytest.mark.parametrize("case", ["float64", "float32"])
def test_batch_norm_may_be_derived_twice(parts, whole, case):
    expected = whole[case]
    found = joined(parts, lambda part: part["norms"][case]["twice_x"])
    assert_near(found, expected["twice_x"], TOLERANCE[case])
    for name in ("twice_weight", "twice_bias"):
        found = sum(part["norms"][case][name] for part in parts)
        assert_near(found, expected[name], TOLERANCE[case])


@pytest.mark.parametrize("case", sharded.CASES)
def test_running_statistics_are_those_of_the_whole_batch_in_both_processes(parts, whole, case):
    for part in parts:
        for name in ("running_mean", "running_var"):
            assert_near(part["norms"][case][name], whole[case][name], TOLERANCE[case])
        assert part["norms"][case]["number"] == 2
    one, other = (part["norms"][case]["running_var"] for part in parts)
    assert torch.equal(one, other)


def test_a_network_that_is_looked_at_by_one_process_waits_for_no_other(parts):
    x, _ = sharded.batch(torch.float64, torch.contiguous_format)
    expected = sharded.layer(nn.BatchNorm2d, torch.float64).eval()(x[::2]).detach()
    assert torch.equal(parts[0]["still"], expected)


def test_dropout_drops_what_one_process_would_drop(parts):
    x, _ = sharded.batch(torch.float64, torch.contiguous_format)
    last = sharded.batch(torch.float32, torch.channels_last)[0]
    for name, slices in (("dropped", x), ("dropped_last", last)):
        expected = sharded.dropped(nn.Dropout(0.4), slices)
        assert torch.equal(joined(parts, lambda part, name=name: part[name]), expected)
    assert torch.equal(joined(parts, lambda part: part["kept"]), torch.ones_like(x))


def test_a_ratio_of_sums_over_the_batch_and_its_derivatives(parts):
    x, _ = sharded.batch(torch.float64, torch.contiguous_format)
    expected = sharded.sum_of_squares(x / 10)
    for part in parts:
        assert_near(part["sums"]["ratio"], expected["ratio"], 1e-12)
    # each process's loss is the whole ratio: summed over both, gradients come twice
    found = joined(parts, lambda part: part["sums"]["first"])
    assert_near(found / 2, expected["first"], 1e-12)
    found = joined(parts, lambda part: part["sums"]["second"])
    assert_near(found / 4, expected["second"], 1e-12)


def test_gathered_is_every_processs_part_in_turn(parts):
    x, _ = sharded.batch(torch.float64, torch.contiguous_format)
    for rank, part in enumerate(parts):
        assert part["place"] == [rank, 2]
        assert torch.equal(part["gathered"], torch.cat([x[::2], x[1::2]]))


def test_parts_together_are_the_whole_and_none_is_in_two():
    whole = np.arange(12)
    parts = [Place(rank, 3).own(whole) for rank in range(3)]
    assert [len(part) for part in parts] == [4, 4, 4]
    assert sorted(np.concatenate(parts)) == whole.tolist()
    assert ALONE.own(whole) is whole


def test_alone_everything_is_torchs():
    assert place() == ALONE
    x, back = sharded.batch(torch.float32, torch.channels_last)
    one = sharded.through(sharded.layer(BatchNorm, torch.float32), x, back)
    other = sharded.through(sharded.layer(nn.BatchNorm2d, torch.float32), x, back)
    assert all(torch.equal(one[name], other[name]) for name in other)
    assert torch.equal(sharded.dropped(Dropout(0.4), x), sharded.dropped(nn.Dropout(0.4), x))
    assert total(x) is x
    assert gathered(x) is x
