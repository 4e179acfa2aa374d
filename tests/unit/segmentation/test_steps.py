"""The registry of steps: what is asked of an entry, and that one entry is all that a step needs."""

import numpy as np
import pytest

from ascnet_core.errors import UserError
from ascnet_core.segmentation import steps
from ascnet_core.segmentation.postprocess import run_steps
from ascnet_core.segmentation.steps import STEPS, StepEntry, parse_steps, step_menu


def test_the_menu_offers_gates_for_the_modalities_there_are() -> None:
    assert "gate:t2:50" in step_menu(modalities=["t2"])
    assert not any(text.startswith("gate") for text in step_menu())
    assert step_menu(["open:7"])[0] == "open:7"
    assert [str(step) for step in parse_steps(step_menu(modalities=["T2"]))] == step_menu(
        modalities=["T2"]
    )


def test_a_step_names_the_modality_it_reads() -> None:
    assert [step.modality for step in parse_steps(["gate:T2:50", "roi"])] == ["T2", ""]
    assert {name for name, entry in STEPS.items() if entry.needs_modality} == {"gate"}


def test_one_entry_is_all_that_a_step_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = StepEntry(
        form="invert",
        sentence="everything else",
        examples=("invert",),
        run=lambda mask, step, region, further: ~mask,
    )
    monkeypatch.setitem(steps.STEPS, "invert", entry)
    mask = np.zeros((3, 3, 3), bool)
    assert run_steps(mask, ["invert"]).all()
    assert "invert" in step_menu()
    with pytest.raises(UserError, match="invert"):
        parse_steps(["shrink"])


@pytest.mark.parametrize("text", ["components:1234567", "components:1000000"])
def test_large_numbers_are_written_back_as_they_were(text):
    assert str(parse_steps([text])[0]) == text
