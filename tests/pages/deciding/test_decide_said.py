"""What a study says of its subjects: proposals from what is known, warnings made beside."""

import pytest

from ascnet_core.studies.counts import background
from ascnet_core.studies.counts.gathering import gather
from ascnet_core.studies.decisions import Decision, decisions_of, record
from ascnet_core.studies.folder import Study
from pages.parts.deciding import decide_said


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, own_cache) -> list:
    """What was asked of the thread that counts; it counts nothing here."""
    found: list = []
    monkeypatch.setattr(background, "ask", lambda *what: found.append(what) or "")
    return found


def test_what_is_not_known_is_asked_for_and_nothing_is_said_of_it(
    study: Study, asked: list
) -> None:
    said = decide_said.learn(study, "anna")
    assert len(asked) == 1
    assert said.proposals(study.subjects[0]) == []
    assert (said.cohort_line, said.warnings(study.subjects[0]), said.wishes({})) == (None, [], [])


def test_what_is_known_is_proposed_each_with_its_confidence(study: Study, asked: list) -> None:
    gather(study)
    for number, subject in enumerate(study.subjects[:3]):
        level = 100 + number
        record(study, Decision("anna", subject, "reconstruction", "bright", "raw", "", level))
    said = decide_said.learn(study, "anna")
    assert asked == []
    own, cohort, learned = said.proposals(study.subjects[3])
    assert [one["rule"] for one in (own, cohort)] == ["otsu", "cohort's otsu"]
    assert learned["rule"].startswith("learned:")
    assert said.cohort_line == cohort["level"]
    assert all("Confidence" in one["sentence"] for one in (own, cohort, learned))
    assert learned["off"].endswith(" on 3")


def test_warnings_are_made_anew_after_a_decision_and_not_before(study: Study, asked: list) -> None:
    gather(study)
    ((first, work),) = decide_said.learn(study, "anna").wishes({})
    assert work()
    assert decide_said.learn(study, "anna").wishes({}) == []
    record(study, Decision("anna", study.subjects[0], "reconstruction", "bright", "raw", "", 9))
    ((second, _),) = decide_said.learn(study, "anna").wishes(decisions_of(study, "anna"))
    assert first != second
