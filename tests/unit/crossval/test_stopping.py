import pandas as pd
import pytest

from ascnet_core.crossval.heldout import Scored
from ascnet_core.crossval.stopping import (
    Course,
    advised_cycle,
    cycle_rows,
    kept_cycles,
    stopping_rows,
    stopping_text,
    training_free,
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
    course = Course("d", "c", 0, "fold1", cycles, "stop", 3, 3)
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
    assert "- Says stop in 1 of 2 runs; 0 of these are within 0.05" in text
    one, two = text.splitlines()[-2:]
    start = "| d | c | 0, fold1 | wild, `otsu`, post none |  | not known | 3 | 3: 0.700 | 4: 0.200 "
    assert one == f"{start}| 2: 0.800 | 0.100 | 0.600 |"
    assert "| never (go on) | 2: 0.250 | 2: 0.250 | 1: 0.500 | 0.250 | 0.250 |" in two


def test_a_run_that_never_reaches_half_of_a_training_free_rule_has_failed():
    """The bar is the best rule that saw no mask; what masks chose is no bar."""
    free = [(0.5, "mask-free"), (0.8, "mask-free"), (0.95, "oracle")]
    rows = pd.concat(
        [scored(dice).rows.assign(method=f"m{n}", kind=kind) for n, (dice, kind) in enumerate(free)]
    )
    floor = training_free(rows)
    assert floor == {"none": pytest.approx(0.8)}
    bad = Course("d", "bad", 0, "fold1", {1: scored(0.39), 2: scored(0.1)}, "stop", 2, 2)
    good = Course("d", "good", 0, "fold1", {1: scored(0.41), 2: scored(0.38)}, "stop", 2, 2)
    table = stopping_rows([bad, good], {("d", "fold1"): floor})
    assert table["failed"].tolist() == [True, False]
    assert table["training_free_dice"].tolist() == pytest.approx([0.8, 0.8])
    text = stopping_text(table)
    assert "Of the 1 runs in which some cycle reaches half" in text
    assert "it stops 1, 1 within 0.05" in text
    assert "Of the 1 runs in which every cycle is below half of it, it stops 1." in text


def test_a_run_is_stopped_where_the_advisor_would_have_stopped_it(tmp_path):
    """What comes after (here: peaks that merge) is not known at that moment."""
    run = write_run(tmp_path / "stopped", "mssssmmmm")
    advice, cycle, stopped = advised_cycle(run)
    assert advice == "stop"
    assert stopped == 4
    assert cycle <= stopped


def test_a_run_that_is_never_stopped_is_taken_at_its_end(tmp_path):
    advice, cycle, stopped = advised_cycle(write_run(tmp_path / "merged", "mmm"))
    assert advice != "stop"
    assert stopped is None
    assert cycle == 3


def test_only_cycles_with_weights_can_be_scored(tmp_path):
    run = write_run(tmp_path / "run", "mss")
    assert kept_cycles(run) == ()
    (run / "snapshots" / "002-s1-c2" / "model.safetensors").touch()
    assert kept_cycles(run) == (2,)
