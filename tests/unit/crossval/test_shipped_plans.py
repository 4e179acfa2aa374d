"""The plans beside the shipped runs: every one can be read, and asks for settings that exist."""

from pathlib import Path

import pytest

from ascnet_core.crossval.plan import read_crossplan

PLANS = sorted((Path(__file__).resolve().parents[3] / "checkpoints" / "plans").glob("*.toml"))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_a_shipped_plan_can_be_read(path: Path) -> None:
    plan = read_crossplan(path)
    assert plan.configurations
    for one in plan.configurations:
        for seed in one.how.seeds:
            assert one.settings(seed).schedule.seed == seed
