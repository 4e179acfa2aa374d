"""What a launcher's variables say, the words that start it, and batches that can be shared."""

import pytest

from ascnet_core.errors import UserError
from ascnet_core.runs.launch import (
    check_processes,
    launch_words,
    launched,
    own_launch_words,
    processes_of,
)
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import apply_set

NAMES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")


@pytest.fixture
def say(monkeypatch):
    """Set a launcher's variables; None leaves one away."""

    def set_all(*values):
        for name, value in zip(NAMES, values, strict=True):
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, str(value))

    return set_all


@pytest.mark.parametrize("values", [(None, None, None, None), (0, 1, 0, 1), (3, None, None, None)])
def test_without_a_launcher_or_with_one_process_it_is_one(say, values):
    say(*values)
    assert launched() == (0, 1)
    assert own_launch_words() == []


def test_the_launchers_numbers_and_its_words(say):
    say(1, 2, 1, 2)
    assert launched() == (1, 2)
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    assert own_launch_words() == launch_words(2) == words
    say(5, 8, 1, 4)
    assert launched() == (5, 8)
    words[2:3] = ["--nnodes", "2"]
    words[-1] = "4"
    assert own_launch_words() == launch_words(4, machines=2) == words
    assert launch_words(1) == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0, 2, None, 2), "LOCAL_RANK is ''"),
        ((None, 2, 0, 2), "RANK is ''"),
        (("first", 2, 0, 2), "RANK is 'first'"),
        ((2, 2, 0, 2), "don't fit"),
        ((0, 2, 0, 4), "don't fit"),
        ((0, 0, 0, 0), "don't fit"),
    ],
)
def test_variables_that_do_not_fit_are_the_users_matter(say, values, said):
    say(*values)
    with pytest.raises(UserError, match=said):
        launched()


@pytest.mark.parametrize("count", [1, 2, 16])
def test_a_command_line_tells_its_processes(count):
    words = " ".join(
        ["python", *launch_words(count), "-m", "ascnet_core", "train", "--resume", "a"]
    )
    assert processes_of(words) == count
    assert processes_of("") == 1


def uneven(count, *changes, preset="paper"):
    with pytest.raises(UserError) as caught:
        check_processes(apply_set(load_preset(preset), changes), count, on_gpus=True)
    return str(caught.value)


def test_batches_that_cannot_be_shared_are_refused_with_those_that_can():
    assert uneven(3) == (
        "schedule.batch_m is 16, whose slices 3 processes cannot share equally (it is the batch "
        "of all of them); use another number of processes, or begin with schedule.batch_m=15 or 18."
    )
    said = uneven(4, "schedule.batch_d=12")
    assert "schedule.batch_d is 12, whose halves 4 processes cannot" in said
    assert said.endswith("schedule.batch_d=8 or 16.")
    # the least that can be shared is one slice for each
    assert uneven(8, "schedule.batch_m=4", preset="teaching").endswith("schedule.batch_m=8.")


def test_batches_that_can_be_shared_pass():
    for count in (1, 2, 4, 8, 16):
        check_processes(load_preset("paper"), count, on_gpus=True)
    # D's batch is of no account where it has no phase of its own, or does not train
    check_processes(apply_set(load_preset("teaching"), ["schedule.batch_d=2"]), 4, True)
    check_processes(
        apply_set(load_preset("paper"), ["schedule.batch_d=2", "adversary.weight=0"]), 4, True
    )
