"""The Training page: the form's command, a run's charts, the list of runs."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from ascnet_core import places
from ascnet_core.runs import folder as run_folder
from ascnet_core.runs import start
from ascnet_core.runs.events import RunProgress
from ascnet_core.runs.folder import Run
from ascnet_core.settings.presets import load_preset, preset_names
from ascnet_core.settings.text import apply_set, keys
from pages.parts.shared import feedback, forms, tables
from pages.parts.watch import live_charts, live_run

PAGE = Path(__file__).resolve().parents[3] / "pages" / "training.py"


@pytest.fixture
def watched_run(small_run: Path, tmp_path: Path) -> Run:
    """A finished run with a snapshot of two cycles and some events."""
    folder = tmp_path / "runs" / "watched"
    folder.mkdir(parents=True)
    for name in ("settings.toml", "manifest.csv", "model.safetensors"):
        (folder / name).write_bytes((small_run / name).read_bytes())
    rng = np.random.default_rng(0)
    for index in range(2):
        place = folder / "snapshots" / f"{index:03d}-s1-c{index}"
        place.mkdir(parents=True)
        images = rng.integers(1, 256, (2, 16, 16)).astype(np.uint8)
        counts = np.bincount(images.ravel(), minlength=256).astype(np.int64)
        save_file(
            {
                "watched_input": images,
                "fence": images,
                "wild": images,
                "reconstruction": images,
                "counts": counts,
                "joint": np.zeros((64, 64), np.int64),
            },
            place / "cuts.safetensors",
        )
        info = {
            "stage": 1,
            "cycle": index,
            "total_cycle": index,
            "step": 10 * index,
            "images_seen": 0,
            "counts": counts.tolist(),
            "verdict": f"{index} peaks",
        }
        (place / "info.json").write_text(json.dumps(info))
    common = {"stage": 1, "cycle": 1, "phase": "joint", "epoch": 1, "steps_total": 20}
    events = [
        {"kind": "start", "time": 0.0},
        {"kind": "step", "time": 1.0, "step": 10, "losses": {"tie": 0.5, "total": None}, **common},
        {"kind": "step", "time": 2.0, "step": 20, "losses": {"tie": 0.25}, **common},
        {"kind": "epoch", "time": 2.0, "step": 20, "gauges": {"rank_correlation": 0.5}, **common},
        {"kind": "end", "time": 3.0, "step": 20, **common},
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
    return Run(folder)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, own_cache, tmp_path: Path, small_cohort: Path) -> AppTest:
    """The page over an own folder of runs and the small cohort."""
    runs = tmp_path / "runs"
    runs.mkdir(exist_ok=True)
    monkeypatch.setattr(places, "RUNS", runs)
    monkeypatch.setattr(run_folder.list_runs, "__defaults__", (runs,))
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(small_cohort)
    return at


def test_only_what_differs_from_the_preset_is_set() -> None:
    settings = load_preset("teaching")
    values = {
        "schedule.seed": settings.schedule.seed,
        "schedule.stage_1": settings.schedule.stage_1 + 1,
        "schedule.learning_rate": "5e-05",
        "data.flips": not settings.data.flips,
        "segmentation.post": "open-close:5,roi",
        "data.channel": "",
    }
    changes = forms.assignments(settings, values)
    changed = apply_set(settings, changes)
    assert changed.schedule.stage_1 == settings.schedule.stage_1 + 1
    assert changed.schedule.learning_rate == 5e-5
    assert changed.data.flips is not settings.data.flips
    assert changed.segmentation.post == ("open-close:5", "roi")
    assert len(changes) == 4


@pytest.mark.parametrize("name", preset_names())
def test_an_untouched_form_changes_nothing(name: str) -> None:
    settings = load_preset(name)
    values = {}
    for key in keys():
        table, field = key.split(".")
        values[key] = forms.text_of(getattr(getattr(settings, table), field))
    assert forms.assignments(settings, values) == []


def test_a_form_that_does_not_fit_says_why() -> None:
    settings, problem = forms.checked(load_preset("teaching"), ["data.size=50"])
    assert settings is None
    assert "multiple of 16" in problem


def test_the_command_is_one_a_user_could_type() -> None:
    arguments = forms.training_arguments("a b.csv", "n", "teaching", "normal", ["x.y=1", "x.z=2"])
    line = forms.command_line("train", arguments)
    assert line == (
        "python -m ascnet_core train 'a b.csv' --name n --preset teaching --reference normal "
        "--set x.y=1 --set x.z=2"
    )


def test_a_free_name_is_a_folder_of_its_own() -> None:
    assert forms.free_name("demo FLAIR/x", []) == "demo-FLAIR-x"
    assert forms.free_name("a", ["a", "a-2"]) == "a-3"
    assert forms.free_name("", []) == "run"


def test_losses_and_gauges_become_tables_without_holes() -> None:
    events = [
        {"kind": "step", "step": 1, "phase": "M", "losses": {"a": 1.0, "b": None}},
        {"kind": "epoch", "step": 1, "gauges": {"g": 0.5}},
        {"kind": "step", "step": 2, "phase": "M", "losses": {"a": -2.0}},
    ]
    rows = live_charts.event_rows(events, "step", "losses")
    table = live_charts.long_table(rows)
    assert table.to_dict("records") == [
        {"step": 1, "term": "a", "value": 1.0},
        {"step": 2, "term": "a", "value": -2.0},
    ]
    assert live_charts.loss_spec(table)["encoding"]["y"]["scale"]["type"] == "linear"
    assert live_charts.loss_spec(table[:1])["encoding"]["y"]["scale"]["type"] == "log"
    assert live_charts.event_rows(events, "epoch", "gauges")[0]["g"] == 0.5


def test_the_histogram_names_the_snapshots_peaks() -> None:
    table = live_charts.histogram_table({"counts": list(range(256)), "peaks": [{"position": 7}]})
    assert table["pixels"].tolist() == list(range(256))
    assert table.loc[7, "name"] == "peak 1 · 7"
    assert table["peak"].sum() == 1


def test_long_runs_are_thinned_with_both_ends() -> None:
    rows = [{"step": i} for i in range(5000)]
    kept = live_charts.thinned(rows, 300)
    assert len(kept) == 300
    assert (kept[0]["step"], kept[-1]["step"]) == (0, 4999)


def test_progress_is_told_with_the_time_left() -> None:
    progress = RunProgress(1, 2, "D", 1, 30, 120, 2.0, 95.0)
    text = live_run.progress_sentence("running", progress)
    assert "stage 1, cycle 2, D phase" in text
    assert "step 30 of 120" in text
    assert "1 min 35 s left" in text
    assert "epoch 1" in text
    assert "memory" not in text
    assert "left" not in live_run.progress_sentence("stopped", progress)
    told = dataclasses.replace(progress, memory=812_000_000, device="cpu")
    assert live_run.progress_sentence("running", told).endswith("peak memory 812 MB")
    told = dataclasses.replace(progress, memory=3_100_000_000, device="cuda:0")
    assert live_run.progress_sentence("running", told).endswith("peak GPU memory 3.1 GB")
    assert live_run.progress_sentence("running", None).startswith("reading")


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (8.2, "8 s"), (75, "1 min 15 s"), (7260, "2 h 01 min")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert feedback.duration(seconds) == text


def test_the_watched_picture_has_a_row_a_slice_and_is_black_outside(watched_run: Run) -> None:
    snapshot = watched_run.snapshots()[-1]
    picture = live_run.watched_picture(watched_run, snapshot)
    factor = round(176 / 16)
    assert picture.shape == ((2 * 16 + 2) * factor, (4 * 16 + 3 * 2) * factor)


def test_a_run_in_the_list_says_status_cycles_and_verdict(watched_run: Run) -> None:
    row = tables.run_row(watched_run)
    assert row["status"] == "finished"
    assert row["cycles"].startswith("1 of ")
    assert row["done"] == 100
    assert row["histogram of I_ro"] == "1 peaks"


def test_without_runs_the_page_offers_the_form(page: AppTest) -> None:
    page.run()
    assert not page.exception
    labels = [button.label for button in page.button]
    assert "Start training" in labels
    assert all(w.help for w in [*page.number_input, *page.text_input] if not w.disabled)
    code = page.code[0].value
    assert code.startswith("python -m ascnet_core train")
    assert "--preset teaching" in code


def test_a_change_in_the_form_is_in_the_command(page: AppTest) -> None:
    page.run()
    field = next(n for n in page.number_input if n.label == "Cycles of stage 1")
    field.set_value(7).run()
    assert "--set schedule.stage_1=7" in page.code[0].value


def test_a_setting_out_of_bounds_is_said_before_it_starts(page: AppTest) -> None:
    page.run()
    next(n for n in page.number_input if n.label == "Slice size, pixels").set_value(50).run()
    assert any("multiple of 16" in error.value for error in page.error)
    assert next(one for one in page.button if one.label == "Start training").disabled


def test_start_hands_the_form_to_a_process_of_its_own(page, monkeypatch, watched_run) -> None:
    started = []
    monkeypatch.setattr(start, "start_training", lambda *how: started.append(how))
    page.session_state["training view wanted"] = "New run"
    page.run()
    page.text_input(key="name of the new run").set_value("my-run").run()
    next(b for b in page.button if b.label == "Start training").click().run()
    assert not page.exception
    ((arguments, processes),) = started
    assert processes == 1
    assert arguments[arguments.index("--name") + 1] == "my-run"
    assert page.session_state["view"].run == "my-run"


def test_a_run_shows_cuts_losses_and_gauges(page: AppTest, watched_run: Run) -> None:
    page.query_params["run"] = "watched"
    page.run()
    assert not page.exception
    assert not page.error
    texts = " ".join(markdown.value for markdown in page.markdown)
    assert "watched" in texts
    assert "1 peaks" in texts
    assert "Rank correlation" in texts
    assert page.select_slider[0].value == 1


def test_an_unreadable_run_does_not_take_the_page_down(page, tmp_path, watched_run) -> None:
    broken = tmp_path / "runs" / "broken"
    broken.mkdir()
    (broken / "settings.toml").write_text("no toml at all [")
    page.query_params["run"] = "broken"
    page.run()
    assert not page.exception
    assert len(page.error) == 1  # said once, not in each part of the page
    assert "TOML" in page.error[0].value
