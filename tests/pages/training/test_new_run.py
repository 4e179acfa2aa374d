"""The form of a new run: every setting has a widget, and the command line is the form."""

import dataclasses
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.cli import build_parser
from ascnet_core.commands.options import first_settings
from ascnet_core.errors import UserError
from ascnet_core.runs import folder as run_folder
from ascnet_core.runs import start as run_start
from ascnet_core.settings.presets import load_preset, preset_names, save_preset, user_preset_names
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import about, apply_set, differing, keys, value_of
from pages.parts.new_run import preset_box, reference_box, schedule_box
from pages.parts.shared import device, forms

PAGE = Path(__file__).resolve().parents[3] / "pages" / "training.py"
PARSER = build_parser()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, own_cache, tmp_path: Path, small_cohort: Path) -> AppTest:
    """The page over an own folder of runs and the small cohort; no run is there yet."""
    runs = tmp_path / "runs"
    runs.mkdir()
    monkeypatch.setattr(places, "RUNS", runs)
    monkeypatch.setattr(run_folder.list_runs, "__defaults__", (runs,))
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(small_cohort)
    return at


def told_by(line: str) -> Settings:
    """The settings that a command line gives."""
    words = shlex.split(line)
    return first_settings(PARSER.parse_args(words[words.index("train") :]))


def command(page: AppTest) -> str:
    return page.code[0].value


# --- the form and `--set` ------------------------------------------------------------------------


def values_for(key: str, settings: Settings) -> st.SearchStrategy[Any]:
    """What a setting may be, by its own choices and bounds."""
    known, before = about(key, settings), value_of(settings, key)
    low, high = known.low, known.high
    if known.choices:
        return st.sampled_from(known.choices)
    if isinstance(before, bool):
        return st.booleans()
    if key in ("data.channel", "data.frame"):
        return st.none() | st.integers(0, 9)
    if key == "data.nan":
        return st.none() | st.floats(-1e3, 1e3)
    if key == "data.size":
        return st.integers(1, 20).map(lambda n: 16 * n)
    if isinstance(before, int):
        return st.integers(int(low or 0), int(high or 10_000))
    if isinstance(before, float):
        return st.floats(low or 0, high if high is not None else 1e4)
    if key == "data.watched":
        return st.sampled_from([("7",), ("a b:3",), ("a:3", "b-2:40")])
    if key == "data.label":
        return st.lists(st.integers(-9, 99)).map(tuple)
    if isinstance(before, tuple):
        return st.lists(st.sampled_from(["roi", "open:3", "components:50"])).map(tuple)
    return st.sampled_from(["otsu", "rightmost-peak", "valley:-1", "band:10:20"])


@st.composite
def any_settings(draw: st.DrawFn) -> Settings:
    """Valid settings, some of them changed from a preset's; what does not fit stays."""
    settings = load_preset(draw(st.sampled_from(preset_names())))
    own = [key for key in keys(settings) if key != forms.METHOD]
    for key in draw(st.lists(st.sampled_from(own), max_size=12)):
        table, name = key.split(".")
        part = getattr(settings, table)
        try:
            changed = dataclasses.replace(part, **{name: draw(values_for(key, settings))})
            settings = dataclasses.replace(settings, **{table: changed})
        except UserError:
            continue
    return settings


@hypothesis_settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(wanted=any_settings(), preset=st.sampled_from(preset_names()))
def test_the_command_line_gives_exactly_the_settings_of_the_form(wanted, preset) -> None:
    """What widgets would hold for `wanted` becomes a command whose settings are `wanted`."""
    base = load_preset(preset)
    values = {key: forms.text_of(value_of(wanted, key)) for key in keys(wanted)}
    changes = forms.assignments(base, values)
    line = forms.command_line(
        "train", forms.training_arguments("m.csv", "n", preset, "normal", changes)
    )
    assert differing(told_by(line), wanted) == ()
    if base.method.name == wanted.method.name:  # else what the other method has of itself is spared
        assert len(changes) == len(differing(base, wanted))


@pytest.mark.parametrize("preset", preset_names())
def test_every_setting_has_a_widget_with_its_sentence(page, preset) -> None:
    page.session_state[preset_box.CHOSEN] = preset
    page.run()
    assert not page.exception
    prefix = preset_box.widget_prefix(preset)
    widgets = [
        *page.number_input, *page.text_input, *page.selectbox, *page.checkbox, *page.slider,
    ]  # fmt: skip
    found = {w.key.removeprefix(f"{prefix} "): w for w in widgets if str(w.key).startswith(prefix)}
    levels = found.pop("reference.levels")
    wanted = set(keys(load_preset(preset)))
    assert set(found) == wanted - {"reference.level_low", "reference.level_high"}
    for key, widget in found.items():
        assert f"`{key}`" in widget.help
    assert "`reference.level_low`" in levels.help
    assert "`reference.level_high`" in levels.help
    assert differing(told_by(command(page)), load_preset(preset)) == ()


def test_another_method_has_its_own_widgets_and_reaches_the_command(page) -> None:
    page.run()
    prefix = preset_box.widget_prefix("teaching")
    page.selectbox(key=f"{prefix} method.name").set_value("denoising-autoencoder").run()
    assert not page.exception
    assert not page.error
    name = f"{prefix}denoising-autoencoder"
    widgets = [*page.number_input, *page.text_input, *page.selectbox, *page.checkbox]
    found = {str(one.key).removeprefix(f"{name} ") for one in widgets if name in str(one.key)}
    assert {"method.noise", "method.cells", "segmentation.map"} <= found
    assert not any(key.startswith(("losses.", "adversary.", "corruption.")) for key in found)
    assert page.selectbox(key=f"{name} segmentation.map").options == ["residual", "reconstruction"]
    page.number_input(key=f"{name} method.cells").set_value(8).run()
    told = told_by(command(page))
    assert (told.method.name, told.method.cells) == ("denoising-autoencoder", 8)
    assert (told.segmentation.map, told.network.width) == ("residual", 8)
    assert command(page).count("--set") == 2
    assert any("A U-Net learns" in caption.value for caption in page.caption)


OTHER_VALUES = {
    "data.size": 64, "data.low": "0.2", "data.high": "99.5", "data.channel": "1",
    "data.frame": "0", "data.nan": "0.0", "corruption.coarse": 3, "corruption.area_low": "0.01",
    "corruption.area_high": "0.4", "corruption.shift_low": "0.2", "segmentation.rule": "otsu",
    "segmentation.post": "roi,components:20", "adversary.weight": "0.5",
    "data.watched": "6", "data.label": "1,4", "network.dropout": "0.25",
    "network.norm_momentum": "0.2",
}  # fmt: skip


def test_every_widget_reaches_the_command(page) -> None:
    """Each widget but method and order is moved; all of it arrives, and nothing else."""
    page.run()
    base, prefix = load_preset("teaching"), preset_box.widget_prefix("teaching")
    # another method has other widgets, and the paper's order forbids the others' losses
    moved = set(keys()) - {"method.name", "schedule.order"}
    for key in ("network.cuts", "network.discriminator_pool"):  # they forbid dark, mirrored
        moved.remove(key)
        before, other = about(key, base).choices
        page.selectbox(key=f"{prefix} {key}").set_value(other).run()
        assert differing(told_by(command(page)), base) == (key,)
        page.selectbox(key=f"{prefix} {key}").set_value(before)
    for key in sorted(moved):
        if key.startswith("reference."):
            continue
        before, choices, name = value_of(base, key), about(key, base).choices, f"{prefix} {key}"
        if choices:
            page.selectbox(key=name).set_value(choices[choices.index(before) - 1])
        elif isinstance(before, bool):
            page.checkbox(key=name).set_value(not before)
        elif isinstance(before, int):
            page.number_input(key=name).set_value(OTHER_VALUES.get(key, before + 1))
        else:
            other = OTHER_VALUES.get(key) or repr(float(before or 0) / 2 + 0.01)
            page.text_input(key=name).set_value(other)
    page.slider(key=f"{prefix} reference.share").set_value(50.0)
    page.slider(key=f"{prefix} reference.contamination").set_value(10.0)
    page.slider(key=f"{prefix} reference.levels").set_value((0.1, 0.9))
    page.run()
    assert not page.error, page.error[0].value
    found = told_by(command(page))
    assert set(differing(found, base)) == moved
    assert found.reference.contamination == 0.1
    assert (found.reference.level_low, found.reference.level_high) == (0.1, 0.9)
    assert found.segmentation.post == ("roi", "components:20")


def test_a_share_that_no_slider_stands_on_is_kept(page) -> None:
    odd = apply_set(load_preset("teaching"), ["reference.share=0.33333", "schedule.seed=4"])
    save_preset("odd", odd)
    page.session_state[preset_box.CHOSEN] = "odd"
    page.run()
    assert "--set" not in command(page)
    assert told_by(command(page)).reference.share == 0.33333
    assert reference_box.as_share(100 * 0.07, 0.07) == 0.07


def test_the_form_is_kept_while_another_view_is_looked_at(page) -> None:
    page.run()
    prefix = preset_box.widget_prefix("teaching")
    page.number_input(key=f"{prefix} schedule.seed").set_value(7)
    page.slider(key=f"{prefix} reference.share").set_value(50.0).run()
    for view in ("Reference lab", "Runs", "Reference lab", "New run"):
        page.session_state["training view wanted"] = view
        page.run()
        assert not page.exception
    assert not any("default value" in warning.value for warning in page.warning)
    assert "--set schedule.seed=7 --set reference.share=0.5" in command(page)


# --- presets -------------------------------------------------------------------------------------


def test_the_form_says_what_a_preset_changes(page) -> None:
    page.run()
    unlike = len(differing(load_preset("teaching"), load_preset("paper")))
    assert f"{unlike} settings unlike paper" in [one.label for one in page.expander]
    table = next(m.value for m in page.markdown if m.value.startswith("| setting |"))
    assert "| `network.width` | 32 | **8** | Feature maps of M's first level" in table
    prefix = preset_box.widget_prefix("teaching")
    page.number_input(key=f"{prefix} network.width").set_value(4).run()
    page.selectbox(key=preset_box.COMPARED).set_value("teaching").run()
    assert "1 setting unlike teaching, 1 changed in this form (✎)" in [
        x.label for x in page.expander
    ]
    table = next(m.value for m in page.markdown if m.value.startswith("| setting |"))
    assert "| `network.width` | 8 | **4 ✎** |" in table
    assert table.count("\n") == 2


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception


def test_a_preset_is_saved_chosen_overwritten_and_deleted(page) -> None:
    page.run()
    prefix = preset_box.widget_prefix("teaching")
    page.number_input(key=f"{prefix} schedule.seed").set_value(7)
    page.text_input(key=preset_box.NAME).set_value("lecture")
    page.text_input(key=preset_box.ABOUT).set_value("for Tuesday").run()
    press(page, "Save")
    assert user_preset_names() == ("lecture",)
    assert page.selectbox(key=preset_box.CHOSEN).value == "lecture"
    assert "for Tuesday" in [caption.value for caption in page.caption]
    assert "--preset lecture" in command(page)
    assert "--set" not in command(page)
    assert told_by(command(page)).schedule.seed == 7
    # a second save under that name is asked about, and lands
    own = preset_box.widget_prefix("lecture")
    page.number_input(key=f"{own} schedule.seed").set_value(8)
    page.text_input(key=preset_box.NAME).set_value("lecture").run()
    assert any("There is a preset lecture already" in w.value for w in page.warning)
    press(page, "Overwrite lecture")
    assert load_preset("lecture").schedule.seed == 8
    assert "--set" not in command(page)
    press(page, "Delete lecture")
    assert user_preset_names() == ()
    assert page.selectbox(key=preset_box.CHOSEN).value == "teaching"


def test_a_shipped_name_is_refused(page) -> None:
    page.run()
    page.text_input(key=preset_box.NAME).set_value("paper").run()
    press(page, "Save")
    assert any("shipped" in error.value for error in page.error)
    assert user_preset_names() == ()


# --- the schedule and the reference --------------------------------------------------------------


def test_a_schedule_that_does_not_fit_is_said_but_may_start(page) -> None:
    page.run()
    prefix = preset_box.widget_prefix("teaching")
    page.number_input(key=f"{prefix} schedule.steps").set_value(30).run()
    assert not page.warning
    page.number_input(key=f"{prefix} schedule.steps").set_value(2).run()
    (warning,) = [w.value for w in page.warning]
    assert "16 steps of M at a learning rate of 0.001" in warning
    assert "Batch norm's momentum 0.1" in warning
    assert "Start training" in [button.label for button in page.button]
    page.number_input(key=f"{prefix} schedule.steps").set_value(3000).run()
    assert any("learns them by heart" in w.value for w in page.warning)


def test_when_to_stop_is_a_first_field_in_words(page) -> None:
    page.run()
    field = next(box for box in page.selectbox if box.label == "When to stop")
    assert field.value == "never"
    assert field.options == ["at the schedule's end", "as soon as the peaks separate"]
    field.set_value("separated").run()
    assert "--set schedule.stop_when=separated" in command(page)


def texts(page: AppTest) -> str:
    return " ".join(markdown.value for markdown in page.markdown)


def test_the_reference_lab_previews_what_training_would_have(page) -> None:
    page.run()
    assert "As it is:" in texts(page)
    assert "In training:" not in texts(page)
    prefix = preset_box.widget_prefix("teaching")
    page.slider(key=f"{prefix} reference.contamination").set_value(25.0).run()
    assert "--set reference.contamination=0.25" in command(page)
    assert "with lesion by their masks" in texts(page)
    page.slider(key=f"{prefix} reference.contamination").set_value(50.0)
    page.slider(key=f"{prefix} reference.levels").set_value((0.0, 0.1)).run()
    assert any("reference.contamination=0.5 asks for" in error.value for error in page.error)


# --- several processes ---------------------------------------------------------------------------


def gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(device, "known_device", lambda: ("", count))
    monkeypatch.setattr(schedule_box, "find_device", lambda: ("", count))


def processes_field(page: AppTest) -> list[Any]:
    return [field for field in page.number_input if field.label == "Processes (GPUs)"]


@pytest.mark.parametrize("count", [0, 1])
def test_without_several_gpus_nothing_is_said_of_processes(page, monkeypatch, count) -> None:
    gpus(monkeypatch, count)
    page.run()
    assert not processes_field(page)
    assert command(page).startswith("python -m ascnet_core train ")


def test_several_gpus_train_by_the_command_that_is_shown(page, monkeypatch) -> None:
    gpus(monkeypatch, 4)
    started, popen = [], subprocess.Popen

    def start(words: list[str], **how: Any) -> subprocess.Popen[bytes]:
        started.append(words)
        return popen(["true"], **how)

    monkeypatch.setattr(run_start.subprocess, "Popen", start)
    page.run()
    (field,) = processes_field(page)
    assert (field.value, field.min, field.max) == (1, 1, 4)
    assert command(page).startswith("python -m ascnet_core train ")
    field.set_value(4).run()
    launcher = "python -m torch.distributed.run --standalone --nproc-per-node 4 -m ascnet_core "
    assert command(page).startswith(launcher)
    assert differing(told_by(command(page)), load_preset("teaching")) == ()
    shown = shlex.split(command(page))
    next(b for b in page.button if b.label == "Start training").click().run()
    (words,) = started
    assert words == [sys.executable, *shown[1:]]


def test_batches_that_the_processes_cannot_share_are_said_before_they_start(
    page, monkeypatch
) -> None:
    gpus(monkeypatch, 4)
    page.run()
    processes_field(page)[0].set_value(3).run()
    (error,) = page.error
    assert "3 processes cannot share equally" in error.value
    start = next(button for button in page.button if button.label == "Start training")
    assert start.disabled
    assert "--nproc-per-node 3" in command(page)


@pytest.mark.parametrize(("count", "processes"), [(0, 1), (1, 1), (2, 2), (4, 2)])
def test_a_run_goes_on_with_as_many_processes_as_before_if_it_can(
    monkeypatch, tmp_path, count, processes
) -> None:
    gpus(monkeypatch, count)
    one = forms.command_line("train", ["m.csv", "--name", "a"])
    two = forms.command_line("train", ["--resume", "a"], 2)
    run = run_folder.Run(tmp_path)
    (tmp_path / "command.txt").write_text(f"{one}\n{two}\n")
    assert schedule_box.processes_as_before(run) == processes
    (tmp_path / "command.txt").write_text(f"{two}\n{one}\n")
    assert schedule_box.processes_as_before(run) == 1
