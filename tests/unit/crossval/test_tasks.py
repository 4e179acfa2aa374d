"""Names of runs and folds, which become folders."""

from pathlib import Path

import pytest

from ascnet_core.crossval.plan import read_crossplan
from ascnet_core.crossval.tasks import divide, tasks_of
from ascnet_core.errors import UserError
from tests.small import make_small_cohort

PLAN = """
[data.demo]
manifests = ["cohort/manifest.csv"]
reference = "normal"
baselines = []

[data.DEMO]
manifests = ["cohort/manifest.csv"]
reference = "normal"
baselines = []

[run.one]
data = ["demo", "DEMO"]
"""


def test_folders_that_differ_in_case_only_are_refused(tmp_path: Path) -> None:
    make_small_cohort(tmp_path / "cohort")
    (tmp_path / "plan.toml").write_text(PLAN)
    plan = read_crossplan(tmp_path / "plan.toml")
    folds = {name: divide(data, tmp_path / "out") for name, data in plan.data.items()}
    with pytest.raises(UserError, match="one folder on some systems"):
        tasks_of(plan, folds, tmp_path / "out")
