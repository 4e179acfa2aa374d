"""Each fault is planted in one subject of twenty: it is said of that one and of no other."""

import csv
import re

import numpy as np
import pytest

from ascnet_core import places
from ascnet_core.cli import main
from ascnet_core.imaging.signs import BINS
from ascnet_core.runs.fingerprint import Fingerprint
from ascnet_core.segmentation.threshold import NoThreshold, Threshold
from ascnet_core.studies.counts import keys
from ascnet_core.studies.counts.gathering import gather
from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import new_study
from ascnet_core.studies.warnings import torn, usual_of, warnings_in, warnings_of
from tests.unit.studies.made_facts import facts_of, hills, subject, subjects

BRIGHT = Threshold(200, None, "bright", "200", "")
ODD = "S07"


def _kinds(known, run=None, threshold=BRIGHT) -> dict[str, list[str]]:
    usual = usual_of(known, dict.fromkeys(known, threshold))
    found = {
        name: [one.kind for one in warnings_of(facts, usual, threshold, "bright", run)]
        for name, facts in known.items()
    }
    return {name: kinds for name, kinds in found.items() if kinds}


def _planted(counts, inputs=None, count=20):
    return subjects(count) | {ODD: facts_of(ODD, counts, inputs)}


def _sentence(known, kind, threshold=BRIGHT, run=None) -> str:
    usual = usual_of(known, dict.fromkeys(known, threshold))
    found = warnings_of(known[ODD], usual, threshold, "bright", run)
    return next(one.sentence for one in found if one.kind == kind)


def test_nothing_is_said_of_subjects_of_one_kind():
    assert _kinds(subjects()) == {}


def test_of_few_subjects_nothing_is_usual():
    few = subjects(4) | {ODD: facts_of(ODD, subject(7)[::-1])}
    assert list(_kinds(few)) == [ODD]
    del few["S00"]
    assert _kinds(few) == {}


def test_a_mirrored_histogram_is_flipped():
    known = _planted(subject(7)[::-1].copy())
    assert set(_kinds(known)) == {ODD}
    assert "flipped" in _kinds(known)[ODD]
    assert "shifted" not in _kinds(known)[ODD]
    assert "is dark here" in _sentence(known, "flipped")


def test_a_peak_that_moved_to_the_other_end_is_flipped():
    usual = {
        f"S{n:02}": facts_of(f"S{n:02}", hills((90 + n % 5, 12, 0.97), (225 + n % 3, 6, 0.03)))
        for n in range(20)
    }
    known = usual | {ODD: facts_of(ODD, hills((92, 12, 0.97), (14, 5, 0.03)))}
    assert "flipped" in _kinds(known)[ODD]
    assert set(_kinds(known)) == {ODD}


def test_a_histogram_without_the_others_peak():
    known = _planted(subject(7, lesion=0.0))
    assert "no peak" in _kinds(known)[ODD]
    assert set(_kinds(known)) == {ODD}
    assert "95% of the subjects" in _sentence(known, "no peak")


def test_a_shifted_histogram_says_by_how_much():
    known = _planted(subject(7, shift=30))
    assert _kinds(known) == {ODD: ["shifted"]}
    assert re.search(r"lies (2[6-9]|3[0-4]) levels brighter", _sentence(known, "shifted"))
    known = _planted(subject(7, shift=10))
    assert _kinds(known) == {}


@pytest.mark.parametrize("share", [0.2, 0.0005])
def test_a_volume_beyond_the_others(share):
    known = _planted(subject(7, lesion=share))
    assert "volume" in _kinds(known)[ODD]
    assert set(_kinds(known)) == {ODD}
    sentence = _sentence(known, "volume")
    assert f"{share * 1000:.0f} ml" in sentence or "0.5 ml" in sentence
    assert "20 ml to 20 ml (median 20 ml)" in sentence


def test_a_subject_without_threshold_has_an_empty_mask():
    known = subjects()
    usual = usual_of(known, dict.fromkeys(known, BRIGHT))
    nothing = NoThreshold("bright", "rightmost-peak", "")
    (found,) = warnings_of(known[ODD], usual, nothing, "bright")
    assert found.kind == "volume"
    assert "0 ml" in found.sentence


def test_an_image_of_another_modality():
    known = _planted(subject(7), hills((40, 8, 0.5), (200, 10, 0.5)))
    assert _kinds(known) == {ODD: ["modality"]}
    assert "every other subject" in _sentence(known, "modality")


def test_an_image_unlike_the_training():
    kind = hills((120, 30, 1.0)).reshape(BINS, 8).sum(axis=1) / hills((120, 30, 1.0)).sum()
    run = Fingerprint("the-run", histograms=np.tile(kind, (8, 1)))
    assert _kinds(subjects(), run) == {}
    known = _planted(subject(7), hills((40, 8, 0.5), (200, 10, 0.5)))
    assert _kinds(known, run) == {ODD: ["modality"]}
    assert "the-run" in _sentence(known, "modality", run=run)


def test_an_empty_region_is_said():
    known = _planted(np.zeros(256, np.int64), np.zeros(256, np.int64))
    assert set(_kinds(known)) == {ODD}


def test_a_torn_mask():
    rng = np.random.default_rng(0)
    speckle = rng.random((40, 40, 20)) < 0.02
    found = torn(speckle, 0.002)
    assert found is not None
    assert found.kind == "torn"
    assert f"{np.count_nonzero(speckle) * 0.002:.1f}"[:1] in found.sentence
    lesion = np.zeros((40, 40, 20), bool)
    lesion[10:20, 10:20, 5:10] = True
    assert torn(lesion, 0.002) is None
    assert torn(np.zeros((4, 4, 4), bool), 0.002) is None
    several = np.zeros((60, 60, 20), bool)  # as of multiple sclerosis
    for n in range(30):
        x, y, z = 10 * (n % 6), 10 * (n // 6), 5
        several[x : x + 4, y : y + 4, z : z + 3] = True
    assert torn(several, 0.002) is None


@pytest.fixture
def study(tmp_path, small_cohort, small_run, runs, monkeypatch):
    monkeypatch.setenv(places.OWN_FOLDER, str(tmp_path / "cache"))
    keys.forget()
    rows = list(csv.DictReader(small_cohort.open(newline="")))
    assert len(rows) == 4
    return new_study("ms", small_cohort, small_run, ["anna"])


def test_a_study_is_warned_of_from_what_is_known(study):
    assert warnings_in(study) == {}
    gather(study)
    assert list(warnings_in(study)) == list(study.subjects)
    record(
        study,
        Decision("anna", study.subjects[0], "reconstruction", "bright", "raw", "200", 200),
    )
    assert list(warnings_in(study, "anna")) == list(study.subjects)


def test_the_command_line_says_it(study, capsys):
    assert main(["study", "warn", str(study.path)]) == 0
    assert "of 4 subjects have a warning" in capsys.readouterr().out
