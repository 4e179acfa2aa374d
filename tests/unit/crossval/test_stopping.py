import pytest

from ascnet_core.crossval.heldout import Scored
from ascnet_core.crossval.stopping import (
    Course,
    advised_cycle,
    cycle_rows,
    kept_cycles,
    stopping_rows,
    stopping_text,
)
from ascnet_core.scoring.summary import to_frame
from tests.made_up import write_run


def scored(*dice: float) -> Scored:
    rows = [
        {"subject": f"p{n}", "method": "asc-net", "map": "wild", "rule": "otsu", "post": "none"}
        | {"kind": "mask-free", "side": "bright", "scope": "cohort", "threshold": 9}
        | {"dice": value, "empty_truth": False, "empty_prediction": False}
        for n, value in enumerate(dice)
    ]
    return Scored(to_frame(rows).assign(flip=False), {}, {})


def test_the_advisors_cycle_is_compared_with_the_best_and_the_last():
    cycles = {1: scored(0.2, 0.4), 2: scored(0.6, 1.0), 3: scored(0.7, 0.7), 4: scored(0.1, 0.3)}
    course = Course("d", "c", 0, "fold1", cycles, "stop", 3)
    other = Course("d", "c", 1, "fold1", {1: scored(0.5), 2: scored(0.25)}, "go on", 2)
    every = cycle_rows([course, other])
    assert every[every["seed"] == 0]["dice"].tolist() == pytest.approx([0.3, 0.8, 0.7, 0.2])
    first, second = (row for _, row in stopping_rows([course, other]).iterrows())
    assert (first["advice"], first["advised_cycle"], first["best_cycle"]) == ("stop", 3, 2)
    assert first["below_best"] == pytest.approx(0.1)
    assert first["last_below_best"] == pytest.approx(0.6)
    assert first["worst_dice"] == pytest.approx(0.2)
    assert second["below_best"] == second["last_below_best"] == pytest.approx(0.25)
    text = stopping_text(stopping_rows([course, other]))
    line = text.splitlines()[-1]
    assert "| d | c | wild, `otsu`, post none | 2 | 1 |" in line
    assert line.endswith("| 0.175 | 0.425 |")


def test_a_run_is_stopped_where_the_advisor_would_have_stopped_it(tmp_path):
    """What comes after (here: peaks that merge) is not known at that moment."""
    run = write_run(tmp_path / "stopped", "mssssmmmm")
    advice, cycle = advised_cycle(run)
    assert advice == "stop"
    assert cycle <= 5


def test_a_run_that_is_never_stopped_is_taken_at_its_end(tmp_path):
    advice, cycle = advised_cycle(write_run(tmp_path / "merged", "mmm"))
    assert advice != "stop"
    assert cycle == 3


def test_only_cycles_with_weights_can_be_scored(tmp_path):
    run = write_run(tmp_path / "run", "mss")
    assert kept_cycles(run) == ()
    (run / "snapshots" / "002-s1-c2" / "model.safetensors").touch()
    assert kept_cycles(run) == (2,)
