"""The Threshold page without a browser: deep links, widgets, errors as one sentence."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ascnet_core.studies.counts import background, gathering
from ascnet_core.studies.folder import list_studies
from pages.parts.shared import state
from tests.pages.threshold.conftest import acceptance, sent, tell, view_of


def test_the_first_anomalous_subject_opens_at_the_runs_own_rule(
    open_page: Callable[..., AppTest],
) -> None:
    data = sent(open_page())
    assert data["live"]["rule"] == "otsu"
    assert data["proposal"]["kind"] == "mask-free"
    assert data["hasTruth"]
    assert sum(data["levels"]) == sum(data["counts"]) == sum(data["inputCounts"] or data["counts"])
    assert data["cleaned"] is None
    assert 0 <= data["cursor"][2] < 12


def test_a_link_is_shown_as_it_was_written(open_page: Callable[..., AppTest]) -> None:
    app = open_page(t="171", side="dark", slice="3", at="10.11", post="open:3")
    data = sent(app)
    assert data["live"] == {"t": 171, "upper": None, "side": "dark", "rule": ""}
    assert data["cursor"] == [10, 11, 3]
    assert data["cleaned"]["for"] == "171 null dark"
    assert data["steps"] == "open:3"
    assert app.number_input(key="level number").value == 171
    assert app.multiselect(key=state.widget("post")).value == ["open:3"]


def test_another_map_is_compared_on_the_slices_that_were_shown(
    open_page: Callable[..., AppTest],
) -> None:
    app = open_page(map="reconstruction")
    first = sent(app)["cursor"]
    app.selectbox(key=state.widget("map")).set_value("input").run()
    assert (sent(app)["map"], sent(app)["cursor"]) == ("input", first)
    alone = open_page(map="input")
    assert sent(alone)["cursor"] != first  # it would have been shown elsewhere


def test_the_mirror_image_is_averaged_in_where_the_view_says_so(
    open_page: Callable[..., AppTest], small_cohort: Path, small_run: Path
) -> None:
    from ascnet_core.imaging.cohort import read_manifest
    from ascnet_core.imaging.prepare import prepare_scan
    from ascnet_core.segmentation.cuts import cut_scan
    from ascnet_core.segmentation.histogram import count_levels, quantise
    from ascnet_core.settings.preparation import preparation_of
    from ascnet_core.training.checkpoint import load_model

    model, settings = load_model(small_run)
    scan = next(s for s in read_manifest(small_cohort).scans if s.group == "anomalous")
    prepared = prepare_scan(scan, preparation_of(settings))
    app = open_page(map="reconstruction", flip="yes")
    for flip in (True, False):
        levels = quantise(cut_scan(model, prepared, flip=flip)["reconstruction"])
        assert sent(app)["levels"] == count_levels(levels, prepared.region).tolist()
        app.toggle(key=state.widget("flip")).set_value(False).run()
    assert not view_of(app).flip


def test_field_and_slider_and_menu_change_the_view(open_page: Callable[..., AppTest]) -> None:
    app = open_page()
    app.number_input(key="level number").set_value(88).run()
    assert view_of(app).t == 88
    assert sent(app)["live"]["t"] == 88
    app.slider(key="level slider").set_value(99).run()
    assert view_of(app).t == 99
    app.selectbox(key=state.widget("rule")).set_value("multi-otsu:3").run()
    assert view_of(app).t is None
    assert sent(app)["proposal"]["rule"] == "multi-otsu:3"


def test_a_band_has_a_slider_with_two_handles(open_page: Callable[..., AppTest]) -> None:
    app = open_page(t="90", upper="120")
    assert app.slider(key="level slider band").value == (90, 120)
    app.slider(key="level slider band").set_value((80, 130)).run()
    assert (view_of(app).t, view_of(app).upper) == (80, 130)


def test_cohort_scope_pools_the_histogram_and_shows_the_mean(
    open_page: Callable[..., AppTest],
) -> None:
    alone, pooled = sent(open_page()), sent(open_page(scope="cohort"))
    assert sum(pooled["counts"]) > 2 * sum(alone["counts"])
    assert pooled["levels"] == alone["levels"]
    assert alone["meanDice"] is None
    assert len(pooled["meanDice"]["bright"]) == 256


def test_another_subject_forgets_the_level_set_by_hand(open_page: Callable[..., AppTest]) -> None:
    app = open_page(t="171", slice="3")
    app.button(key="subject 1").click().run()
    assert view_of(app).t is None
    assert view_of(app).slice is None
    assert sent(app)["case"].endswith(view_of(app).scan)


def test_the_viewers_word_moves_the_line(open_page: Callable[..., AppTest]) -> None:
    app = open_page()
    data = sent(app)
    told = {"seq": 1, "key": data["key"], "t": 123, "upper": None, "side": "bright", "rule": "",
            "cursor": [4, 5, 6], "acts": [{"seq": 1, "accept": True}]}  # fmt: skip
    app.session_state[state.TOLD] = told
    app.run()
    after = sent(app)
    assert after["live"]["t"] == 123
    assert after["cursor"] == [4, 5, 6]
    assert after["seq"] == 1
    assert after["accepted"].startswith("Accepted at 123")
    app.session_state[state.TOLD] = told | {"key": "old", "t": 1}
    app.run()
    assert sent(app)["live"]["t"] == 123


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"run": "no-such-run"}, "no run 'no-such-run'"),
        ({"cohort": "/no/such/manifest.csv"}, "no such manifest or folder"),
        ({"subject": "nobody"}, "no such subject"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(
    open_page: Callable[..., AppTest], keys: dict[str, str], sentence: str
) -> None:
    app = open_page(**keys)
    errors = [error.value for error in app.error]
    assert len(errors) == 1
    assert sentence in errors[0]


def test_a_step_that_means_nothing_is_said_beside_the_line(
    open_page: Callable[..., AppTest],
) -> None:
    data = sent(open_page(post="polish:3", t="100"))
    assert data["cleaned"] is None
    assert "polish:3" in data["hint"]


def test_a_rule_that_finds_nothing_keeps_the_last_threshold(
    open_page: Callable[..., AppTest],
) -> None:
    app = open_page(rule="peak:99", post="open:3")
    first = sent(app)
    assert first["none"]
    assert first["live"] == {"t": 255, "upper": None, "side": "bright", "rule": "peak:99"}
    assert (first["proposal"]["text"], first["proposal"]["kind"]) == ("nothing", "none found")
    assert "no such peak" in first["proposal"]["sentence"]
    assert first["cleaned"] is None
    assert app.number_input(key="level number").value is None
    assert app.slider(key="level slider").disabled
    assert "%" not in app.slider(key="level slider").proto.format  # no number is written on it
    told = {"seq": 1, "key": first["key"], "t": 255, "upper": None, "side": "bright",
            "rule": "peak:99", "cursor": [4, 5, 6],
            "acts": [{"seq": 1, "accept": True}]}  # fmt: skip
    app.session_state[state.TOLD] = told
    app.run()
    assert "no threshold to accept" in sent(app)["hint"]
    assert sent(app)["accepted"] == ""

    app.selectbox(key=state.widget("rule")).set_value("otsu").run()
    level = sent(app)["live"]["t"]
    assert not sent(app)["none"]
    assert app.number_input(key="level number").value == level
    assert app.slider(key="level slider").value == level
    assert not app.slider(key="level slider").disabled
    app.session_state[state.VIEW] = replace(view_of(app), rule="peak:99")
    app.run()
    after = sent(app)
    assert not after["none"]
    assert after["live"]["t"] == level
    assert after["proposal"]["sentence"].endswith("The last threshold stays.")
    # another map has another scale: its last threshold there was none
    app.session_state[state.VIEW] = replace(view_of(app), map="wild", rule="peak:99")
    app.run()
    assert sent(app)["none"]
    assert app.number_input(key="level number").value is None
    app.number_input(key="level number").set_value(88).run()
    assert not sent(app)["none"]
    assert sent(app)["live"]["t"] == 88


def test_an_empty_level_field_is_no_level(open_page: Callable[..., AppTest]) -> None:
    app = open_page(t="171", upper="180")
    app.number_input(key="level number").set_value(None).run()
    assert (view_of(app).t, view_of(app).upper) == (None, None)
    assert sent(app)["live"]["rule"] == "otsu"
    assert app.number_input(key="level number").value == sent(app)["live"]["t"]


def test_an_unknown_rule_in_a_link_is_said_and_the_runs_own_is_taken(
    open_page: Callable[..., AppTest],
) -> None:
    app = open_page(rule="magic:3")
    assert "magic" in app.toast[0].value
    assert "own rule is taken" in app.toast[0].value
    data = sent(app)
    assert (data["live"]["rule"], data["proposal"]["rule"]) == ("otsu", "otsu")
    assert view_of(app).rule == ""


def test_blind_nothing_that_is_made_from_the_truth_is_sent(
    open_page: Callable[..., AppTest],
) -> None:
    seen, blind = (open_page(scope="cohort", blind=yes, post="open:3") for yes in ("no", "yes"))
    assert sent(blind)["trained"] == ["", ""]
    for name in ("oracle", "inputOracle", "dice", "meanDice", "lesion"):
        assert sent(seen)[name] is not None
        assert sent(blind)[name] is None
    assert sent(seen)["hasTruth"]
    assert not sent(blind)["hasTruth"]
    assert (sent(blind)["true"], sent(blind)["meanOf"], sent(blind)["blind"]) == (0, 0, True)
    assert sent(blind)["cleaned"]["numbers"] == {
        "volume": sent(seen)["cleaned"]["numbers"]["volume"],
        "dice": None, "sensitivity": None, "precision": None,
    }  # fmt: skip
    assert sent(seen)["volumes"] != sent(blind)["volumes"]
    assert "blind=yes" in sent(blind)["query"]  # a reload stays blind
    blind.toggle(key=state.widget("blind")).set_value(False).run()
    assert sent(blind)["hasTruth"]


def test_the_rater_is_not_in_a_copied_link(open_page: Callable[..., AppTest]) -> None:
    app = open_page(rater="anna")
    assert view_of(app).rater == "anna"
    assert "rater" not in sent(app)["query"]


def test_this_subject_is_there_before_the_cohort_is_counted(
    open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    real = gathering.count_missing

    def later(*given: Any, **more: Any) -> None:
        go.wait(60)
        real(*given, **more)

    monkeypatch.setattr(gathering, "count_missing", later)
    alone = sent(open_page(scope="subject"))
    app = open_page(wait=False, scope="cohort")
    data = sent(app)
    assert data["volumes"] == alone["volumes"]
    assert data["counts"] == alone["counts"]
    assert "Not known yet: not all scans" in data["proposal"]["sentence"]
    assert (data["none"], data["proposal"]["kind"]) == (True, "not known yet")
    assert data["pending"]
    assert "the cohort's is being counted" in data["caption"]
    assert data["meanDice"] is None
    refused = tell(app, acceptance(app))
    assert "Not known yet" in refused["hint"]
    assert list_studies() == []
    peak = tell(app, t=99, rule="peak:1")  # a peak of this subject, not of the cohort
    assert (peak["live"]["t"], peak["live"]["rule"]) == (99, "")
    app.number_input(key="level number").set_value(None).run()
    go.set()
    assert background.wait(60)
    app.run()
    whole = sent(app)
    assert sum(whole["counts"]) > 2 * sum(alone["counts"])
    assert (whole["none"], whole["proposal"]["kind"]) == (False, "mask-free")
    assert not whole["pending"]
    st.cache_resource.clear()  # as after a restart: nothing is cut for it again
    monkeypatch.setattr(gathering, "count_missing", lambda *given, **more: None)
    assert sent(open_page(wait=False, scope="cohort"))["counts"] == whole["counts"]
