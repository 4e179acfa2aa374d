"""Trainings as two processes (gloo, CPU) against the same as one with the same whole batches."""

import json
import socket
from contextlib import ExitStack

import numpy as np
import pytest
import torch

from ascnet_core.runs.folder import Run
from ascnet_core.training.checkpoint import load_training
from ascnet_core.training.distributed import Process, averaged, this_process
from tests.unit.several import on_each
from tests.unit.training import shared

EXACT = 1e-7
"""In float64, of a loss, and of a weight's distance: the sums are the same sums."""
LOSS = 1e-2
"""In float32, of a loss. Sums are made in another order, and networks so tiny enlarge that."""
STEP = 1.0
"""In float32: mean distance of weights, of the learning rate. Adam's first steps are as long for
small gradients as for large ones, so one that is only rounding may go either way."""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Two threads that wait for each other are slow where other tests run beside."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """What both processes found."""
    return on_each(tmp_path_factory.mktemp("courses") / "pair", shared.courses)


@pytest.fixture(scope="module", params=shared.EXACT)
def exact(request, pair):
    """A course in float64, as one process, and as each of two."""
    one = shared.exact_course(shared.EXACT[request.param])
    return one, [each["exact"][request.param] for each in pair]


@pytest.fixture(scope="module", params=shared.EXACT)
def both(request, pair):
    """A course's settings; it as one process, and as each of two."""
    settings = shared.EXACT[request.param]
    return settings, shared.course(settings), [each["courses"][request.param] for each in pair]


@pytest.fixture(scope="module", params=shared.DRAWN)
def drawn(request, pair):
    """A course in which each process makes draws of its own: its settings, it as each of two."""
    settings = shared.DRAWN[request.param]
    return settings, [each["courses"][request.param] for each in pair]


def weights(found):
    """All weights and running statistics of M, of its average and of D, by name."""
    parts = ("model.", "average.", "discriminator.")
    return {key: one.double() for key, one in found["tensors"].items() if key.startswith(parts)}


def test_training_is_that_of_one_process(exact):
    one, (first, second) = exact
    assert first["counters"] == one["counters"]
    assert first["losses"] == second["losses"]
    for found, expected in zip(first["losses"], one["losses"], strict=True):
        assert found == pytest.approx(expected, rel=EXACT, abs=EXACT)
    found, expected = weights(first), weights(one)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.allclose(found[key], value, rtol=EXACT, atol=EXACT), key


def test_in_float32_it_is_so_but_for_rounding(both):
    settings, one, (first, _) = both
    for found, expected in zip(first["losses"], one["losses"], strict=True):
        assert found == pytest.approx(expected, rel=LOSS, abs=1e-3)
    found, expected = weights(first), weights(one)
    gaps = torch.cat([(found[key] - value).abs().flatten() for key, value in expected.items()])
    assert float(gaps.mean()) <= STEP * settings.schedule.learning_rate


@pytest.mark.parametrize("name", [*shared.EXACT, *shared.DRAWN])
def test_both_processes_have_the_same_weights_to_the_bit(pair, name):
    first, second = (each["courses"][name] for each in pair)
    assert first["counters"] == second["counters"]
    assert all(
        torch.equal(value, second["tensors"][key]) for key, value in first["tensors"].items()
    )


def test_events_are_of_the_same_kinds_and_only_the_first_process_looks(both):
    _, one, (first, second) = both
    assert first["kinds"] == second["kinds"] == one["kinds"]
    assert (first["looked"], second["looked"]) == (True, False)


def test_every_step_shows_the_same_slices_as_one_process(exact):
    one, parts = exact
    for whole, *halves in zip(one["shown"], *(part["shown"] for part in parts), strict=True):
        assert [len(half) for half in halves] == 2 * [len(whole) // 2]
        together = torch.stack(halves, 1).flatten(0, 1)
        assert torch.allclose(together, whole, rtol=0, atol=1e-6)


def test_each_process_draws_what_happens_to_its_slices_by_itself(drawn):
    settings, (first, second) = drawn
    assert first["counters"]["images_seen"] > 0
    for mine, others in zip(first["shown"], second["shown"], strict=True):
        assert len(mine) == len(others)
        assert not any(torch.equal(one, other) for one, other in zip(mine, others, strict=True))
    # the batch of the settings is that of both together
    assert len(first["shown"][0]) % (settings.schedule.batch_m // 2) == 0


def test_losses_are_told_alike_by_both_and_are_numbers(drawn):
    _, (first, second) = drawn
    assert first["losses"] == second["losses"]
    assert all(np.isfinite(list(one.values())).all() for one in first["losses"])


def test_every_input_slice_is_seen_once_in_an_epoch_by_the_processes_together(pair):
    parts = [one["courses"]["paper"]["shown"] for one in pair]
    count, steps = len(shared.INPUTS), 2
    assert len(parts[0]) == 2 * steps  # two cycles of an epoch
    known = [image.tobytes() for image in shared.INPUTS.images]
    for epoch in range(2):
        mine = range(epoch * steps, (epoch + 1) * steps)
        seen = [known.index(image.numpy().tobytes()) for step in mine for part in parts
                for image in part[step]]  # fmt: skip
        assert sorted(seen) == list(range(count))


def test_what_the_first_process_gives_arrives(pair):
    for one in pair:
        assert one["array"].tolist() == [[0, 1, 2], [3, 4, 5]]
        assert one["tensors"]["a"].tolist() == [[0, 3], [1, 4], [2, 5]]
        assert one["tensors"]["b"].shape == (0, 2)
        assert one["json"] == {"a": [1, "ä"]}
        assert one["any"] == [False, True]


def test_alone_numbers_and_parts_stay():
    weight = torch.ones(2)
    assert averaged(weight) is weight
    assert this_process() == Process(0, 1)
    assert Process().part(weight) is weight


def test_parts_together_are_the_whole_and_none_is_in_two():
    whole = np.arange(12)
    parts = [Process(rank, 3).part(whole) for rank in range(3)]
    assert [len(part) for part in parts] == [4, 4, 4]
    assert sorted(np.concatenate(parts)) == whole.tolist()


# --- run folders ---------------------------------------------------------------------------------


def events_of(run):
    lines = (run / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def kinds_of(run):
    return [(event["kind"], event["step"]) for event in events_of(run)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The game of D and M as one process, from start to end."""
    run = shared.new_run(tmp_path_factory.mktemp("whole") / "run", shared.GAME)
    assert shared.go(run) == "finished"
    return run


@pytest.mark.parametrize("first", ["two processes", "one process"])
def test_a_checkpoint_of_some_processes_goes_on_with_any_other_number(first, whole, tmp_path):
    run = shared.new_run(tmp_path / "run", shared.GAME)
    several = {"two processes": True, "one process": False}[first]
    for stop_at, apart in ((1, several), (-1, not several)):
        how = "stopped" if stop_at > 0 else "finished"
        if apart:
            found = on_each(tmp_path / f"pair {how}", shared.go_or_follow, run, stop_at)
            assert found == [how, "followed"]
        else:
            assert shared.go(run, stop_at) == how
        assert Run(run).status() == how
    # a stop asked for through the folder came to all, and cost nothing: the rest is as unbroken
    kinds = [kind for kind in kinds_of(run) if kind[0] not in ("stop", "resume")]
    assert kinds[0] == ("start", 0)
    kinds = [kind for number, kind in enumerate(kinds) if number == 0 or kind[0] != "start"]
    assert kinds == kinds_of(whole)
    tensors, meta = load_training(run / "training.safetensors")
    expected, expected_meta = load_training(whole / "training.safetensors")
    assert meta["state"] == expected_meta["state"]
    assert tensors.keys() == expected.keys()
    gaps = [(tensors[key] - expected[key]).abs().flatten() for key in expected if "model." in key]
    assert float(torch.cat(gaps).mean()) <= STEP * shared.GAME.schedule.learning_rate
    losses = [event["losses"] for event in events_of(run) if event["kind"] == "step"]
    wanted = [event["losses"] for event in events_of(whole) if event["kind"] == "step"]
    for one, other in zip(losses, wanted, strict=True):
        assert one == pytest.approx(other, rel=LOSS, abs=1e-3)


def test_a_process_that_dies_ends_the_training_with_a_sentence(tmp_path):
    run = shared.new_run(tmp_path / "run", shared.GAME)
    first, second = on_each(tmp_path / "pair", shared.go_or_die, run)
    assert first.startswith("Another process of this training has ended")
    assert second is None
    assert Run(run).status() == "died"
    assert shared.go(run) == "finished"


def test_how_launched_processes_end_where_something_is_wrong(tmp_path):
    """Process 0 says it, once; the other ends with status 1, and speaks of its own faults only."""
    with ExitStack() as stack:
        free = [stack.enter_context(socket.socket()) for _ in range(5)]
        for one in free:
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in free]
    first, second = on_each(tmp_path / "pair", shared.launched, ports, join=False)
    said = [
        "more processes than GPUs", "--device is 'cuda:1'", "both have come to this",
        "Another process of this training has ended",
    ]  # fmt: skip
    for found, sentence in zip(first[:4], said, strict=True):
        assert found[0] == "UserError"
        assert sentence in found[1]
        assert found[2] == ""
    assert [found[:2] for found in second[:4]] == 4 * [["SystemExit", "1"]]
    assert [found[2] for found in second[:3]] == ["", "", ""]
    assert second[3][2] == ("error: process 2 of 2: ValueError: process 1 alone has come to this\n")
    assert first[4] == second[4] == ["", "", ""]
