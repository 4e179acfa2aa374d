"""A subject as the browser gets it."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from ascnet_core.studies.counts.gathering import gather
from ascnet_core.studies.folder import Study
from pages.parts.deciding import decide_package, decide_said
from pages.parts.shared import runs, state
from pages.parts.studies import keeping


def test_a_blind_package_holds_nothing_made_with_the_truth(study: Study, own_cache) -> None:
    gather(study)
    said = decide_said.learn(study, "anna")
    found = {}
    for blind in (False, True):
        asked = decide_package.ask(study, study.subjects[1], None, blind)
        parts = decide_package.work_of(asked)[1]()
        found[blind] = decide_package.package_of(asked, parts, said)
    open_, blind = (found[one]["data"] for one in (False, True))
    assert open_["hasTruth"]
    assert not blind["hasTruth"]
    for name in ("lesion", "oracle", "inputOracle", "dice", "meanDice"):
        assert blind[name] is None
    assert blind["true"] == 0
    assert open_["volumes"] != blind["volumes"]
    assert open_["cohortLine"] == blind["cohortLine"] == said.cohort_line is not None


@pytest.fixture
def packed(study: Study, own_cache):
    """Make the package of the second subject of a study whose run reads the cohort."""

    def make(complete: bool, told=None) -> dict:
        said = decide_said.learn(study, "anna")
        how = replace(said.ground.how, scope="cohort")
        said.ground = replace(said.ground, how=how, complete=complete, total=40)
        asked = decide_package.ask(study, study.subjects[1], None, False, told)
        return decide_package.package_of(asked, decide_package.work_of(asked)[1](), said, told)

    gather(study)
    return make


@pytest.mark.parametrize("complete", [False, True])
def test_the_line_begins_at_the_first_proposal(packed, complete: bool) -> None:
    package = packed(complete)
    first, live = package["proposals"][0], package["data"]["live"]
    assert first["rule"] == ("cohort's otsu" if complete else "otsu")
    assert (live["rule"], live["t"], live["side"]) == (
        first["rule"],
        first["level"],
        first["side"],
    )
    assert not package["data"]["none"]
    rules = [one["rule"] for one in package["proposals"]]
    assert len(rules) == len(set(rules))


def test_a_line_on_the_screen_stays_when_more_becomes_known(packed) -> None:
    before = packed(False)["data"]
    told = before["live"] | {"cursor": before["cursor"], "none": False, "pieces": []}
    after = packed(True, told)
    assert after["proposals"][0]["rule"] == "cohort's otsu"
    assert after["data"]["live"] == before["live"]


def test_a_subject_opens_on_threshold_in_its_study(packed, study: Study) -> None:
    address = urlsplit(packed(True)["threshold"])
    view, problems = state.from_query(dict(parse_qsl(address.query)))
    assert (address.path, problems) == ("/threshold", [])
    assert (view.scan, view.study, view.rater) == (study.subjects[1], str(study.path), "anna")
    assert keeping.study_of(runs.complete(view)) == study
