"""Masks of decisions on the input itself, which needs no network."""

import numpy as np

from ascnet_core.segmentation.histogram import quantise
from ascnet_core.studies.decisions import Decision, holding, record
from ascnet_core.studies.folder import new_study
from ascnet_core.studies.masks import make_masks
from tests.small import make_small_cohort, make_small_run


def test_a_decision_on_the_input_makes_its_mask(tmp_path):
    cohort = make_small_cohort(tmp_path / "cohort", subjects=2)
    study = new_study(tmp_path / "ms", cohort, make_small_run(tmp_path / "run", cohort))
    for subject in study.subjects:
        record(study, Decision("anna", subject, "input", "bright", "raw", "150", 150))
    decided = {entry.subject: [entry] for entry in holding(study)}
    for _, made in make_masks(study, decided, "cpu", lambda done, total: None):
        (one,) = made
        region = one.kept.region()
        expected = np.zeros_like(region)
        expected[region] = quantise(one.kept.arrays[one.kept.files["input"]]) >= 150
        assert expected.any()
        assert np.array_equal(one.masks[0], expected)
