"""The form of a new run: what it refuses and where, what it proposes, what it remembers."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.runs import start as run_start
from ascnet_core.runs.propose import Facts
from ascnet_core.settings.presets import load_preset
from pages.parts.new_run import draft, preset_box, proposal_box
from pages.parts.shared import forms, state
from tests.pages.training.test_new_run import PAGE, command, press


@pytest.fixture
def page(runs: Path, own_cache, small_cohort: Path) -> AppTest:
    """The page over an own folder of runs and the small cohort; no run is there yet."""
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(small_cohort)
    return at


def without(tmp_path: Path, small_cohort: Path, *columns: str) -> str:
    """The small cohort's manifest without columns."""
    rows = [
        {"subject": scan.subject, "image": scan.image, "mask": scan.mask, "group": scan.group}
        for scan in read_manifest(small_cohort).scans
    ]
    path = tmp_path / f"{'-'.join(columns)}.csv"
    write_manifest(path, [{k: v for k, v in row.items() if k not in columns} for row in rows])
    return str(path)


def reference(page: AppTest):
    return next(box for box in page.selectbox if box.label.startswith("Reference: what"))


def start_button(page: AppTest):
    return next(button for button in page.button if button.label == "Start training")


def test_the_reference_fits_the_cohort(page, tmp_path, small_cohort) -> None:
    page.run()
    assert reference(page).value == "normal"
    page.query_params["cohort"] = without(tmp_path, small_cohort, "group")
    page.run()
    assert reference(page).value == "lesion-free"
    assert not page.error
    reference(page).set_value("normal").run()
    (error,) = page.error
    assert "has no normal group; take its lesion-free slices as reference" in error.value
    assert start_button(page).disabled


def test_where_nothing_says_what_is_normal_the_form_says_what_to_do(
    page, tmp_path, small_cohort
) -> None:
    page.query_params["cohort"] = without(tmp_path, small_cohort, "group", "mask")
    page.run()
    assert reference(page).value == "other"
    assert start_button(page) is not None
    reference(page).set_value("normal").run()
    (error,) = page.error
    assert "fill its column `group` with normal and anomalous, or take another" in error.value


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("schedule.batch_m", 10**11, "must be at most 65536"),
        ("schedule.learning_rate", "1e9", "must be at most 1000"),
        ("schedule.learning_rate", "abc", "must be a number"),
        ("losses.focus", "-1", "must be at least 0"),
        ("data.frame", "abc", "must be a whole number"),
        ("data.label", "abc", "must be a whole number"),
        ("data.watched", "abc", "give a number from 1 to"),
        ("data.size", 100, "must be a multiple of 16"),
        ("segmentation.rule", "abc", "cannot be used"),
        ("segmentation.post", "abc", "cannot be used"),
    ],
)
def test_nonsense_is_refused_in_its_field_and_the_form_stays(page, key, value, said) -> None:
    page.run()
    name = f"{preset_box.widget_prefix('teaching')} {key}"
    widgets = {one.key: one for one in (*page.text_input, *page.number_input)}
    widgets[name].set_value(value).run()
    assert not page.exception
    beside = [one.value for one in page.markdown if one.value.startswith(":red[")]
    assert len(beside) == 1
    (error,) = page.error
    assert said in error.value
    if not key.startswith("segmentation."):
        assert f"“{forms.label_of(key)}” (`{key}`)" in error.value
    assert start_button(page).disabled
    assert "--set" not in command(page)
    widgets = {one.key: one for one in (*page.text_input, *page.number_input)}
    assert widgets[name].value == value


def test_what_does_not_fit_together_is_said_once_by_labels(page) -> None:
    page.run()
    prefix = preset_box.widget_prefix("teaching")
    page.number_input(key=f"{prefix} schedule.stage_1").set_value(0).run()
    (error,) = page.error
    assert "“Cycles of stage 1” (`schedule.stage_1`)" in error.value
    assert start_button(page).disabled


def test_warnings_of_the_schedule_name_the_fields(page) -> None:
    page.run()
    prefix = preset_box.widget_prefix("teaching")
    page.number_input(key=f"{prefix} schedule.batch_m").set_value(60000).run()
    assert any("lower “Batch of M, slices” (`schedule.batch_m`)" in w.value for w in page.warning)


def test_a_setting_in_a_sentence_is_called_by_its_label() -> None:
    said = forms.in_labels("Lower data.size=160 or `schedule.cooling`; see a.csv and x.y.")
    assert said == (
        "Lower “Slice size, pixels” (`data.size=160`) or “cooling” (`schedule.cooling`); see "
        "a.csv and x.y."
    )


def test_a_training_that_is_refused_says_so_above_its_button_and_the_name_stays(
    page, monkeypatch, runs
) -> None:
    page.run()
    monkeypatch.setattr(run_start, "child_environment", lambda: {"PATH": "/bin"})
    monkeypatch.setattr(run_start, "launch_words", lambda count: ["-c", "raise SystemExit('no')"])
    page.text_input(key=draft.NAME).set_value("mine").run()
    start_button(page).click().run()
    assert [error.value for error in page.error] == ["Training did not start: no"]
    assert page.text_input(key=draft.NAME).value == "mine"
    assert list(runs.iterdir()) == []
    page.run()  # a message that was on its way
    assert [error.value for error in page.error] == ["Training did not start: no"]
    page.text_input(key=draft.NAME).set_value("another").run()
    assert not page.error


def test_a_name_that_is_taken_is_refused_before_the_start(page, runs) -> None:
    (runs / "mine").mkdir()
    (runs / "mine" / "notes.txt").write_text("x")
    page.run()
    page.text_input(key=draft.NAME).set_value("mine").run()
    assert "is no run but holds other things (notes.txt)" in page.error[0].value
    page.text_input(key=draft.NAME).set_value("a/b?").run()
    assert "cannot name a run" in page.error[0].value


def test_the_proposal_fills_the_form_at_one_click(page, monkeypatch) -> None:
    brats = Facts(10, 480, "flair", skull=False, side="bright", share=0.07)
    show = proposal_box.show_proposal
    monkeypatch.setattr(
        proposal_box, "show_proposal", lambda settings, facts: show(settings, brats)
    )
    page.run()
    assert any("its fence turns white" in warning.value for warning in page.warning)
    press(page, "Take it")
    assert page.selectbox(key=preset_box.CHOSEN).value == "two-cut-self-training"
    for one in ("corruption.margin=0", "corruption.area_high=0.3", "schedule.stage_1=4"):
        assert f"--set {one}" in command(page)
    assert not any("its fence turns white" in warning.value for warning in page.warning)
    assert any("The form holds it." in caption.value for caption in page.caption)
    (changed,) = (one.value for one in page.caption if "changes the preset" in one.value)
    assert "Cycles of stage 2 0" in changed
    assert "self training 0" in changed
    assert not any("by hand" in box.label for box in page.expander)


def test_the_demo_is_proposed_what_it_was_made_for(page) -> None:
    page.run()
    said = " ".join(caption.value for caption in page.caption)
    assert "`teaching` is proposed: it was made for them" in said
    prefix = preset_box.widget_prefix("teaching")
    page.number_input(key=f"{prefix} schedule.stage_1").set_value(3).run()
    assert any("is proposed" in info.value for info in page.info)


def test_the_form_outlasts_another_page_and_a_new_session(page, small_cohort) -> None:
    page.run()
    prefix = preset_box.widget_prefix("teaching")
    page.number_input(key=f"{prefix} schedule.seed").set_value(7)
    page.text_input(key=draft.NAME).set_value("mine")
    page.slider(key=f"{prefix} reference.levels").set_value((0.1, 0.9))
    reference(page).set_value("lesion-free").run()
    line = command(page)
    assert "--name mine" in line
    # what the tab is told is what a fresh session gets back
    kept = page.session_state["form of the new run"]
    fresh = AppTest.from_file(PAGE, default_timeout=60)
    fresh.query_params["cohort"] = str(small_cohort)
    fresh.session_state["form of the new run"] = dict(kept)
    fresh.session_state[state.TRAINING_VIEW] = "New run"
    fresh.run()
    assert not fresh.exception
    assert command(fresh) == line


def test_what_a_tab_held_is_taken_only_from_this_version(monkeypatch) -> None:
    import streamlit as st

    held = {"new run teaching: schedule.seed": 7, "view": "x", "reference of the new run on a": "b"}
    kept = {"version": draft.__version__, "view": "New run", "values": held, "fork": ["a", 2]}
    for told, wanted in (
        ({"kept": json.dumps(kept), "reloaded": True}, True),
        ({"kept": json.dumps(kept | {"version": "0"}), "reloaded": True}, False),
        ({"kept": "[", "reloaded": True}, False),
        ({"kept": ""}, False),
    ):
        session: dict = {}
        monkeypatch.setattr(st, "session_state", session)
        draft._take(told)
        assert bool(session["form of the new run"]) is wanted
        assert (session.get(state.TRAINING_VIEW) == "New run") is wanted
        assert session.get(state.FORK) == (("a", 2) if wanted else None)
        assert "view" not in session["form of the new run"]


def test_the_tab_holds_the_last_change_too(page, monkeypatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(draft, "_component", lambda data, **_: sent.append(data["kept"]))
    page.run()
    page.text_input(key=draft.NAME).set_value("first").run()
    seed = f"{preset_box.widget_prefix('teaching')} schedule.seed"
    page.number_input(key=seed).set_value(7).run()
    kept = json.loads(sent[-1])["values"]
    assert kept[seed] == 7
    assert kept[draft.NAME] == "first"


def test_what_is_proposed_are_settings_of_the_form() -> None:
    """Every changed key has a widget of the kind that `fill` gives it."""
    for facts in (Facts(9, 99, "ct"), Facts(9, 99, "t2", demo=True), Facts(9, 99, skull=True)):
        proposal = proposal_box.propose_preset(facts)
        assert proposal.settings.preset == proposal.preset
        assert load_preset(proposal.preset)
