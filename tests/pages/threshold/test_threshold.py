"""The Threshold page without a browser: deep links, widgets, errors as one sentence."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import state

PAGE = str(Path(__file__).resolve().parents[3] / "pages" / "threshold.py")


@pytest.fixture
def open_page(own_cache: Path, small_cohort: Path, small_run: Path) -> Callable[..., AppTest]:
    """Runs the page at a view of the small cohort."""

    def run(**keys: str) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=120)
        view = {"cohort": str(small_cohort), "run": str(small_run), "map": "input"} | keys
        for key, value in view.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception
        return app

    return run


def sent(app: AppTest) -> dict[str, Any]:
    """What the viewer was sent."""
    for element in app.main:
        proto = getattr(element, "proto", None)
        found = getattr(getattr(proto, "bidi_component", proto), "json", "")
        if found and "counts" in found:
            return json.loads(found)
    raise AssertionError("the viewer was sent nothing")


def view_of(app: AppTest) -> state.View:
    return app.session_state[state.VIEW]


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
    app.sidebar.selectbox(key=state.widget("map")).set_value("wild").run()
    assert sent(app)["none"]
    assert app.number_input(key="level number").value is None
    app.number_input(key="level number").set_value(88).run()
    assert not sent(app)["none"]
    assert sent(app)["live"]["t"] == 88
