"""What is proposed for a subject, why, and how sure it is."""

from dataclasses import replace

import numpy as np
import pytest

from ascnet_core import places
from ascnet_core.settings.tables import Segmentation
from ascnet_core.studies import proposals
from ascnet_core.studies.counts import keys
from ascnet_core.studies.counts.gathering import gather
from ascnet_core.studies.decisions import Decision, Entry, record
from ascnet_core.studies.folder import new_study
from ascnet_core.studies.proposals import (
    FEWEST,
    Ground,
    cohort,
    learned,
    own_rule,
    proposals_for,
    usable,
)
from tests.unit.studies.made_facts import facts_of, hills, subject, subjects

HOW = Segmentation("reconstruction", "rightmost-valley", "bright", "cohort", ())


def _ground(known=None, how=HOW, reference=None, total=20) -> Ground:
    return Ground(how, "raw", subjects() if known is None else known, reference, total)


def _entry(number, name, level, **more) -> Entry:
    given = {"map": "reconstruction", "side": "bright", "range": "raw", "rule": "", "level": level}
    decision = Decision(rater="anna", subject=name, **(given | more))
    return Entry(number, "", "anna", name, None, decision, name, "", {})


def _decided(ground, habit, names) -> dict[str, Entry]:
    return {
        name: _entry(number, name, habit(ground.known[name])) for number, name in enumerate(names)
    }


def _twenty_below(facts) -> int:
    return facts.reading.peaks[2].position - 20


def test_own_rule_says_how_clear_the_peak_stands():
    ground = _ground()
    found = own_rule(ground.known["S03"], ground)
    assert (found.name, found.scope, found.rule) == ("own rule", "subject", "rightmost-valley")
    assert found.confidence == "high"
    assert "separation of the outer peak" in found.sure
    lone = own_rule(facts_of("L", subject(1, lesion=0.0)), ground)
    assert (lone.confidence, lone.sure) == ("low", "no separate peak at the bright end")


def test_a_rule_that_finds_nothing_is_said():
    how = Segmentation("reconstruction", "rightmost-peak", "bright", "subject", ())
    found = own_rule(facts_of("L", hills((80, 10, 1.0))), _ground(how=how))
    assert found.level is None
    assert "single peak" in found.sentence
    assert found.confidence == "low"


def test_a_rule_without_peaks_is_as_sure_as_the_mask_is_steady():
    how = Segmentation("reconstruction", "otsu", "bright", "subject", ())
    steady = own_rule(facts_of("A", hills((40, 6, 0.5), (200, 6, 0.5))), _ground(how=how))
    assert steady.confidence == "high"
    assert steady.sure == "5 levels up or down change the mask by 0%"
    slope = own_rule(facts_of("B", np.arange(256)[::-1] ** 6 // 10**8), _ground(how=how))
    assert slope.confidence != "high"


def test_the_cohorts_value_is_one_level_of_all_that_is_known():
    ground = _ground(total=25)
    found = cohort(ground)
    assert found is not None
    assert found.scope == "cohort"
    assert "over 20 of 25 subjects so far." in found.sentence
    assert "half of the subjects" in found.sure
    assert cohort(_ground({})) is None


def test_learned_from_five_within_two_levels():
    ground = _ground()
    entries = _decided(ground, _twenty_below, ["S00", "S01", "S02", "S03", "S04"])
    for name in ("S10", "S11", "S12"):
        found = learned(ground.known[name], entries, ground)
        assert found is not None
        assert abs(found.level - _twenty_below(ground.known[name])) <= 2
        assert found.decided == 5
        assert found.off <= 2
        assert "20 levels below" in found.sentence
        assert "5 subjects" in found.sentence
        assert found.rule == "learned:the brightest peak:-20"


def test_a_quantile_of_the_reference_is_named():
    reference = hills((70, 20, 1.0))
    ground = _ground(reference=reference)
    kept = np.cumsum(reference[::-1])[::-1] / reference.sum()
    level = int(np.flatnonzero(kept <= 0.01)[0])
    entries = _decided(ground, lambda _: level, ["S00", "S01", "S02", "S03", "S04"])
    found = learned(ground.known["S10"], entries, ground)
    assert found is not None
    assert found.level == level
    assert f"keeps {kept[level]:.2%} of the normal reference" in found.sentence


def _order(monkeypatch, ground, entries=None):
    monkeypatch.setattr(proposals, "decisions_of", lambda study, rater: entries or {})
    return [one.name for one in proposals_for(None, "S10", "anna", ground)]


def test_the_runs_own_scope_comes_first_once_it_is_known(monkeypatch):
    whole = _ground()
    assert _order(monkeypatch, whole) == ["cohort", "own rule"]
    few = replace(whole, complete=False, total=60)
    assert _order(monkeypatch, few) == ["own rule", "cohort"]
    assert _order(monkeypatch, replace(few, total=40)) == ["cohort", "own rule"]
    alone = _ground(how=replace(HOW, scope="subject"))
    assert _order(monkeypatch, alone) == ["own rule", "cohort"]


def test_what_was_learned_comes_first_where_it_is_much_closer(monkeypatch):
    ground, five = _ground(), ["S00", "S01", "S02", "S03", "S04"]
    taught = _decided(ground, _twenty_below, five)
    assert _order(monkeypatch, ground, taught) == ["learned", "cohort", "own rule"]
    few = {name: taught[name] for name in five[:4]}
    assert _order(monkeypatch, ground, few)[-1] == "learned"
    level = cohort(ground).level
    agreed = _decided(ground, lambda _: level, five)
    assert _order(monkeypatch, ground, agreed)[-1] == "learned"


def test_too_few_decisions_teach_nothing():
    ground = _ground()
    names = list(ground.known)[: FEWEST - 1]
    entries = _decided(ground, _twenty_below, names)
    assert learned(ground.known["S10"], entries, ground) is None
    entries["S15"] = _entry(9, "S15", 205)
    found = learned(ground.known["S10"], entries, ground)
    assert found is not None
    assert found.confidence != "high"  # of three


@pytest.mark.parametrize(
    "more",
    [
        {"map": "wild"},
        {"range": "subject"},
        {"flag": "exclude"},
        {"upper": 240},
        {"side": "dark"},
    ],
)
def test_what_is_not_alike_is_not_learned_from(more):
    ground = _ground()
    entries = _decided(ground, _twenty_below, ["S00", "S01", "S02"])
    entries["S03"] = _entry(9, "S03", 100, **more)
    assert [entry.subject for entry in usable(entries, ground)] == ["S00", "S01", "S02"]


def test_a_decision_on_a_changed_scan_is_not_learned_from():
    ground = _ground()
    entries = _decided(ground, _twenty_below, ["S00", "S01", "S02"])
    changed = entries["S01"]
    entries["S01"] = Entry(*(vars(changed) | {"scan_sha256": "other"}).values())
    assert [entry.subject for entry in usable(entries, ground)] == ["S00", "S02"]


def test_of_a_study(tmp_path, small_cohort, small_run, runs, monkeypatch):
    monkeypatch.setenv(places.OWN_FOLDER, str(tmp_path / "cache"))
    keys.forget()
    study = new_study("ms", small_cohort, small_run, ["anna"])
    first, *others = study.subjects
    assert proposals_for(study, first, "anna") == []
    gather(study)
    assert [one.name for one in proposals_for(study, first, "")] == ["own rule", "cohort"]
    for name in others:
        record(study, Decision("anna", name, "reconstruction", "bright", "raw", "", 120))
    found = proposals_for(study, first, "anna")
    assert [one.name for one in found] == ["own rule", "cohort", "learned"]
    assert found[-1].level == 120
    # Her own decision on a subject does not teach what is proposed for it.
    assert len(proposals_for(study, others[0], "anna")) == 2
