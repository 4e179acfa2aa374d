"""What single thresholds reach on real scans, against figures worked out apart from this code.

The figures (mean Dice of the best threshold for the cohort, its SD, and the mean of each one's own
best; on the raw and on the equalised input) come with the scans, in their README: intensities in
the region from percentile 0.1 to 99.9 on 256 levels, `ms` averaged over scans, all else over
subjects, `liver2d` on the dark side.
"""

import numpy as np
import pytest

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.methods.baselines import baselines
from ascnet_core.scoring.evaluation import evaluate
from ascnet_core.scoring.plan import Plan

# set: (units, raw mean, sd, own best, equalised mean, sd, own best)
KNOWN = {
    "lgg": (40, 0.155, 0.120, 0.226, 0.176, 0.119, 0.226),
    "ms": (6, 0.426, 0.303, 0.564, 0.455, 0.303, 0.534),
    "ms2d": (14, 0.085, 0.086, 0.153, 0.101, 0.089, 0.162),
    "brats": (10, 0.726, 0.107, 0.803, 0.678, 0.161, 0.803),
    "brats2013_2d": (3, 0.751, 0.119, 0.888, 0.800, 0.065, 0.888),
    "liver2d": (2, 0.579, 0.180, 0.585, 0.584, 0.172, 0.587),
}


@pytest.mark.parametrize("name", KNOWN)
def test_single_thresholds(real_data, name):
    plan = Plan(
        side="dark" if name == "liver2d" else "bright",
        unit="scan" if name == "ms" else "subject",
        shapes=False,
    )
    methods = baselines(["input-threshold", "equalised-input"])
    result = evaluate(read_manifest(real_data / f"{name}.csv"), methods, Preparation(), plan)
    rows = {(row["method"], row["rule"]): row for row in result.summary["rows"]}
    found = [rows["input-threshold", "oracle-cohort"]["subjects_with_lesion"]]
    for method in ("input-threshold", "equalised-input"):
        shared, own = rows[method, "oracle-cohort"], rows[method, "oracle-own"]
        found += [shared["mean_dice"], shared["sd"], own["mean_dice"]]
    np.testing.assert_allclose(found, KNOWN[name], atol=0.01)


def test_a_healthy_brain_has_an_empty_mask(real_data):
    cohort = read_manifest(real_data / "healthy.csv")
    result = evaluate(cohort, baselines(), Preparation())
    assert (result.rows.empty_truth).all()
    assert (result.rows.dice == result.rows.empty_prediction.astype(float)).all()
    assert result.rows.hd95_mm.isna().all()
