"""What is odd about a schedule, and how long it takes."""

import math

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from ascnet_core.cli import main
from ascnet_core.settings.presets import load_preset, preset_names
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import apply_set, keys
from ascnet_core.training.schedule_check import (
    SEEN_MOST,
    check_schedule,
    check_time,
    seconds_of,
    time_in_words,
    times_seen,
)
from tests.small import make_small_cohort


def made(preset: str, *changes: str) -> Settings:
    return apply_set(load_preset(preset), changes)


def concerns(settings: Settings, inputs: int = 1060, references: int = 1056) -> dict[str, str]:
    return {one.key: one.sentence for one in check_schedule(settings, inputs, references)}


def test_the_shipped_runs_raise_no_concern():
    assert concerns(made("teaching")) == {}
    paper = made("paper", "schedule.learning_rate=3e-4", "schedule.learning_rate_d=3e-4")
    assert concerns(apply_set(paper, ["schedule.epochs_m=2", "schedule.batch_d=32"])) == {}


def test_the_papers_rate_needs_more_steps_than_small_data_give():
    found = concerns(made("paper", "schedule.epochs_m=2"))
    assert "536 steps of M at a learning rate of 5e-05" in found["schedule.learning_rate"]
    assert "1000 or more" in found["schedule.learning_rate"]
    assert "333 steps of D" in found["schedule.learning_rate_d"]
    assert concerns(made("paper", "schedule.epochs_m=2"), 5000, 5000) == {}


def test_slices_never_seen_and_seen_too_often():
    few = concerns(made("teaching", "schedule.steps=10"))
    assert "640 reference slices of 1056" in few["schedule.steps"]
    often = concerns(made("teaching", "schedule.steps=2000"), 1060, 100)
    assert "about 1280 times" in often["schedule.steps"]
    by_epochs = concerns(made("paper", "schedule.epochs_m=40"))
    assert "each input slice about 162 times" in by_epochs["schedule.epochs_m"]


def test_every_slice_comes_as_often_as_the_epochs_say():
    paper = made("paper")  # 4 cycles of 4 epochs over all inputs, the last batch filled up
    assert times_seen(paper, 1060, 9) == {"input": pytest.approx(16 * 67 * 16 / 1060)}
    assert times_seen(made("teaching"), 9, 1056) == {"reference": 9600 / 1056}
    both = times_seen(made("teaching", "adversary.weight=0.1"), 100, 1056)
    assert both == {"reference": 9600 / 1056, "input": 96}


def test_inputs_of_self_training_are_seen_in_stage_2_alone():
    teacher = made("teaching", "losses.self_training=1", "schedule.stage_2=2")
    seen = times_seen(teacher, 600, 1200)
    assert seen == {"reference": 10 * 150 * 8 / 1200, "input": 2 * 150 * 8 / 600}


def test_batches_larger_than_their_set():
    found = concerns(made("teaching"), 100, 5)
    assert "A batch of M has 8 slices, the reference set 5" in found["schedule.batch_m"]
    found = concerns(made("released-code"), 2000, 100)
    assert "Half a batch of D has 144 slices, the reference set 100" in found["schedule.batch_d"]


def test_batch_norm_that_cannot_know_the_data_yet():
    slow = made("paper", "network.norm_momentum=0.01")
    found = concerns(slow, 300, 300)["network.norm_momentum"]
    assert "about 300 steps" in found
    assert "76 steps of M and 19 steps of D" in found
    assert "network.norm_momentum" not in concerns(slow, 30_000, 30_000)
    # group norm in M keeps no statistics, D still does
    group = concerns(apply_set(slow, ["network.norm=group"]), 300, 300)["network.norm_momentum"]
    assert "has 19 steps of D" in group
    # nor does it matter for a D that normalises by the batch
    code = concerns(made("released-code"))["network.norm_momentum"]
    assert "steps of D" not in code


def test_an_early_stop_that_can_never_come():
    found = concerns(made("teaching", "schedule.stop_when=separated", "schedule.stage_1=3"))
    assert "never stop early" in found["schedule.stage_1"]
    assert concerns(made("teaching", "schedule.stop_when=separated", "schedule.stage_1=4")) == {}


@hypothesis_settings(deadline=None, max_examples=60)
@given(
    preset=st.sampled_from(preset_names()),
    inputs=st.integers(1, 3000),
    references=st.integers(1, 3000),
    steps=st.integers(0, 400),
    rate=st.floats(0, 0.1),
)
def test_whatever_the_sets_each_concern_names_a_setting_and_ends(
    preset, inputs, references, steps, rate
):
    settings = made(preset, f"schedule.steps={steps}", f"schedule.learning_rate={rate!r}")
    for concern in check_schedule(settings, inputs, references):
        assert concern.key in keys()
        assert concern.sentence.endswith(".")
    seen = times_seen(settings, inputs, references).values()
    assert all(times > 0 for times in seen)
    assert math.isfinite(seconds_of(settings, inputs, references, 1))
    found = {one.key for one in check_schedule(settings, inputs, references)}
    if max(seen) > SEEN_MOST:
        assert found & {"schedule.steps", "schedule.epochs_m"}


def test_the_time_follows_what_was_measured():
    # one step on one thread, processor seconds: measured 0.23 (width 8, 96, 16 slices of M) and
    # 5.0 (width 32, 160, 16); the estimate is good to a quarter
    for width, size, measured in ((8, 96, 0.23), (32, 160, 5.0)):
        one = made(
            "paper", f"network.width={width}", f"data.size={size}", "schedule.steps=1",
            "schedule.stage_1=1", "schedule.stage_2=0", "schedule.epochs_m=1", "compute.threads=1",
            "adversary.weight=0",
        )  # fmt: skip
        assert seconds_of(one, 100, 100, 8) == pytest.approx(measured, rel=0.25)
    base = made("paper")
    alone = seconds_of(base, 1000, 1000, 1)
    assert seconds_of(base, 1000, 1000, 2) < alone
    assert seconds_of(base, 1000, 1000, 1, bfloat16=False) > alone
    assert seconds_of(base, 2000, 2000, 1) == pytest.approx(2 * alone, rel=0.02)


def test_only_a_very_long_training_is_a_concern():
    assert check_time(3600) == []
    (concern,) = check_time(5 * 86400)
    assert "about 5 days" in concern.sentence


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (5, "less than a minute"),
        (58, "about 1 minute"),
        (600, "about 10 minutes"),
        (3600, "about 1 hour"),
        (3 * 86400, "about 3 days"),
    ],
)
def test_times_have_no_digit_that_is_not_meant(seconds, words):
    assert time_in_words(seconds) == words


def test_train_warns_on_stderr_and_in_the_log(tmp_path, capsys):
    manifest = make_small_cohort(tmp_path / "small")
    run = tmp_path / "odd"
    tiny = ["data.size=32", "network.width=2", "schedule.stage_1=1", "schedule.steps=1"]
    sets = [f"--set={change}" for change in tiny]
    assert main(["train", str(manifest), "--name", str(run), "--device", "cpu", *sets]) == 0
    lines = [x for x in capsys.readouterr().err.splitlines() if x.startswith("warning: ")]
    assert any("are never seen" in line for line in lines)
    assert any("Batch norm's momentum" in line for line in lines)
    log = (run / "log.txt").read_text()
    assert all(log.count(line) == 1 for line in lines)
