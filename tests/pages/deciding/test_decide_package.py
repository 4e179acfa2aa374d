"""A subject as the browser gets it."""

from ascnet_core.studies.counts.gathering import gather
from ascnet_core.studies.folder import Study
from pages.parts.deciding import decide_package, decide_said


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
