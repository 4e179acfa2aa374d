"""The view Rules: levels of all rules, oracle knowledge apart and hidden where one is blind."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.studies.counts.gathering import gather
from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import Study, new_study
from pages.parts.shared import jobs, state
from pages.parts.tuning import rules_view

PAGE = Path(__file__).resolve().parents[3] / "pages" / "tuning.py"


@pytest.fixture
def study(small_cohort, small_run, tmp_path, own_cache, monkeypatch) -> Study:
    monkeypatch.setattr(places, "RUNS", tmp_path / "checkpoints")
    return new_study("ms", small_cohort, small_run)


def page(**query: str) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    for key, value in {"study": "ms", "rater": "anna", "view": "rules", **query}.items():
        app.query_params[key] = value
    return app.run()


def figure(app: AppTest) -> dict:
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def table(app: AppTest):
    return app.dataframe[0].value


def test_what_is_not_known_yet_is_looked_at_in_a_job(study, monkeypatch):
    started = []
    monkeypatch.setattr(jobs, "start", lambda *arguments: started.append(arguments))
    app = page()
    assert not app.exception
    assert "4 subjects of 4 not looked at yet" in app.info[0].value
    app.button[0].click().run()
    ((verb, arguments, folder),) = started
    assert (verb, arguments[:2]) == ("study", ["rules", str(study.path)])
    monkeypatch.setattr(
        jobs, "read", lambda folder, result: jobs.Job("running", 0.5, "2 of 4 scans")
    )
    app = page()
    assert not app.exception
    assert [button.label for button in app.main.button] == ["Cancel"]
    monkeypatch.setattr(jobs, "read", lambda folder, result: jobs.Job("failed", text="no disk"))
    assert page().error[0].value == "no disk"
    folder.mkdir(parents=True)
    (folder / "rules.json").write_text(json.dumps({"failed": {"demo1-001": "It is torn."}}))
    monkeypatch.setattr(jobs, "read", lambda folder, result: jobs.Job("done"))
    assert page().warning[0].value == "demo1-001 is left out: It is torn."


def test_all_rules_are_shown_with_my_decisions(study):
    gather(study)
    first = study.subjects[0]
    record(study, Decision("anna", first, "reconstruction", "bright", "raw", "100", 100))
    app = page()
    assert not app.exception
    found = figure(app)
    assert [trace.get("name") for trace in found["data"][1:]] == [
        "otsu, one level for all", "otsu", "rightmost-peak", "decided",
    ]  # fmt: skip
    assert found["data"][-1]["x"] == [first]
    assert found["layout"]["xaxis"]["categoryarray"] == list(study.subjects)
    shown = table(app)
    assert {"otsu (the run's own)", "li", "yen", "triangle", "isodata"} <= set(shown["rule"])
    assert "off yours, levels" in shown
    assert not any("oracle" in column for column in shown)
    assert "off yours, levels" not in table(page(rater="ben"))


def test_the_truth_is_shown_on_request_only_and_never_to_the_blind(study):
    gather(study)
    app = page()
    app.toggle(key=state.widget("rules against truth")).set_value(True).run()
    assert not app.exception
    assert set(rules_view.ORACLE_TITLES) <= set(table(app))
    found = figure(app)
    assert found["data"][0]["marker"]["pattern"]["shape"] == "/"
    assert "oracle" in found["layout"]["yaxis"]["title"]["text"]
    assert all(trace["marker"]["symbol"].endswith("open") for trace in found["data"][1:])
    blind = page(blind="yes")
    assert [one.key for one in blind.toggle] == ["new study flip"]
    assert "Blind: what the truth says is hidden" in blind.caption[0].value
    assert not any("oracle" in column for column in table(blind))


def test_the_plain_input_is_compared_too(study):
    gather(study)
    app = page()
    app.get("button_group")[-1].set_value("input").run()
    assert not app.exception
    assert "li" in set(table(app)["rule"])


def test_a_click_opens_the_subject_in_decide(monkeypatch):
    query: dict[str, str] = {}
    monkeypatch.setattr(rules_view.st, "query_params", query)
    points = [{"x": "P2", "y": 100}]
    monkeypatch.setattr(
        rules_view.st, "session_state", {rules_view.PLOT: {"selection": {"points": points}}}
    )
    rules_view._open(["P1", "P2"])
    assert query == {"subject": "P2", "view": "decide"}
    points.clear()
    query.clear()
    rules_view._open(["P1", "P2"])  # a second click clears the selection
    assert query == {}
