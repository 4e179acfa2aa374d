"""What a run offers once it is there: forks, further cycles, snapshots on demand, red gauges."""

import json
import shlex
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.cli import build_parser
from ascnet_core.commands.train_run import fork_settings, parent_of
from ascnet_core.files import write_json
from ascnet_core.monitoring.advisor import dead_adversary
from ascnet_core.monitoring.stop_rules import SATURATED
from ascnet_core.runs import start
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from ascnet_core.runs.parent import PARENT, Parent
from ascnet_core.settings.presets import load_preset
from ascnet_core.settings.text import apply_set, differing, from_toml, to_toml
from pages.parts.new_run import continue_run, watched_box
from pages.parts.shared import state
from pages.parts.watch import live_run
from tests import made_up

PAGE = Path(__file__).resolve().parents[3] / "pages" / "training.py"


@pytest.fixture
def kept(runs: Path, small_run: Path, small_cohort: Path) -> Run:
    """A finished run of six cycles that keeps M of each, can be resumed, and has its data."""
    folder = made_up.write_run(runs / "kept", "mmssss")
    for snapshot in Run(folder).snapshots():
        shutil.copy(small_run / "model.safetensors", snapshot.path)
    for name in ("model.safetensors", "settings.toml"):
        shutil.copy(small_run / name, folder)
    (folder / "training.safetensors").write_bytes(b"only looked for")
    (folder / "data.json").write_text(json.dumps({"reference": "normal", "sha256": {}}))
    rows = small_cohort.read_text(encoding="utf-8").splitlines()
    names = {path.name for path in small_cohort.parent.iterdir()}
    for name in names:  # the manifest's paths are relative to it
        rows = [row.replace(name, str(small_cohort.parent / name)) for row in rows]
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return Run(folder)


@pytest.fixture
def page(own_cache: Path, runs: Path, small_cohort: Path) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=120)
    at.query_params["cohort"] = str(small_cohort)
    return at


def command(page: AppTest) -> str:
    """The command line at the form's foot."""
    return page.code[0].value


def options_of(line: str):
    words = shlex.split(line)
    return build_parser().parse_args(words[words.index("train") :])


# --- fork ----------------------------------------------------------------------------------------


def test_fork_from_here_opens_the_form_with_that_runs_settings(page: AppTest, kept: Run) -> None:
    page.query_params["run"] = "kept"
    page.run()
    assert not page.exception
    next(b for b in page.button if b.label == "Fork from here").click().run()
    assert not page.exception
    assert page.session_state["training view"] == "New run"
    cycle = page.session_state[state.FORK][1]
    assert any(f"Fork of kept, stage 1, cycle {cycle}" in info.value for info in page.info)
    assert f"--fork kept --cycle {cycle} --name kept-fork" in command(page)
    assert "--set" not in command(page)
    width = next(n for n in page.number_input if n.label == "Width of M, feature maps")
    assert width.disabled
    assert width.value == kept.settings().network.width == 2
    next(n for n in page.number_input if n.label == "Seed").set_value(7)
    next(n for n in page.number_input if n.label == "Cycles of stage 1").set_value(3).run()
    options = options_of(command(page))
    origin = parent_of(options)
    assert options.manifest is None
    assert (origin.name, options.cycle) == ("kept", cycle)
    changed = {"schedule.seed", "schedule.stage_1"}
    assert set(differing(fork_settings(origin, options), kept.settings())) == changed
    assert "2 settings unlike kept" in [one.label for one in page.expander]
    next(b for b in page.button if b.label == "No fork, a plain new run").click().run()
    assert "--preset teaching" in command(page)


def test_a_fork_starts_by_its_command(page: AppTest, kept: Run, monkeypatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(start, "start_training", lambda how, _: started.append(how))
    page.session_state[state.FORK] = ("kept", 2)
    page.session_state[state.TRAINING_VIEW] = "New run"
    page.run()
    next(b for b in page.button if b.label == "Start training").click().run()
    assert not page.exception
    assert started == [["--fork", "kept", "--cycle", "2", "--name", "kept-fork"]]
    assert page.session_state["training view"] == "Runs"
    assert state.FORK not in page.session_state


def test_a_run_whose_scans_are_not_here_is_forked_onto_others(page: AppTest, kept: Run) -> None:
    (kept.path / "manifest.csv").write_text("subject,image\na,gone.nii.gz\n", encoding="utf-8")
    page.session_state[state.FORK] = ("kept", 2)
    page.session_state[state.TRAINING_VIEW] = "New run"
    page.run()
    assert not page.exception
    options = options_of(command(page))
    assert options.manifest.is_file()
    assert options.reference == "normal"
    assert any("are not on this machine" in caption.value for caption in page.caption)


def test_the_arguments_of_a_fork() -> None:
    assert continue_run.fork_arguments("a", 3, "b", ["x.y=1"]) == [
        "--fork", "a", "--cycle", "3", "--name", "b", "--set", "x.y=1",
    ]  # fmt: skip
    assert continue_run.fork_arguments("a", 0, "b", [], ("m.csv", "normal")) == [
        "m.csv", "--fork", "a", "--cycle", "0", "--name", "b", "--reference", "normal",
    ]  # fmt: skip


def test_a_fork_says_where_it_came_from(page: AppTest, kept: Run) -> None:
    write_json(kept.path / PARENT, asdict(Parent("first", "stage 1, cycle 4", 40, False)))
    page.query_params["run"] = "kept"
    page.run()
    said = "Forked from first, stage 1, cycle 4, with M alone."
    assert any(said in caption.value for caption in page.caption)


# --- further cycles ------------------------------------------------------------------------------


def test_a_finished_run_goes_on_for_longer(page: AppTest, kept: Run, monkeypatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(start, "start_training", lambda how, _: started.append(how))
    page.query_params["run"] = "kept"
    page.run()
    field = next(n for n in page.number_input if n.label == "Further cycles of stage 1")
    field.set_value(5).run()
    had = kept.settings().schedule.stage_1
    wanted = f"train --resume kept --set schedule.stage_1={had + 5}"
    assert any(code.value.endswith(wanted) for code in page.code)
    next(b for b in page.button if b.key == "extend kept").click().run()
    assert started == [["--resume", "kept", "--set", f"schedule.stage_1={had + 5}"]]


def test_the_last_stage_is_extended() -> None:
    settings = apply_set(load_preset("teaching"), ["schedule.stage_1=2", "schedule.stage_2=3"])
    assert continue_run.extend_arguments("r", settings, 2)[-1] == "schedule.stage_2=5"


def test_a_run_that_cannot_be_resumed_offers_no_further_cycles(page: AppTest, kept: Run) -> None:
    (kept.path / "training.safetensors").unlink()
    page.query_params["run"] = "kept"
    page.run()
    assert not page.exception
    assert not [n for n in page.number_input if n.label.startswith("Further cycles")]


# --- a snapshot on demand, watched slices --------------------------------------------------------


def test_a_running_run_is_asked_for_a_snapshot(page: AppTest, kept: Run) -> None:
    page.query_params["run"] = "kept"
    with hold_lock(kept.path):
        page.run()
        next(b for b in page.button if b.label == "Snapshot").click().run()
        assert not page.exception
        assert (kept.path / "snapshot.json").is_file()


def test_the_user_chooses_which_watched_slices_are_shown(page: AppTest, kept: Run) -> None:
    (kept.path / "watched.json").write_text('["a:3", "b:40"]')
    page.query_params["run"] = "kept"
    page.run()
    pills = page.button_group(key=f"watched slices shown of {kept.path}")
    assert pills.options == ["a, slice 3", "b, slice 40"]
    assert pills.value == [0, 1]
    pills.set_value([1]).run()
    assert not page.exception
    snapshot = kept.snapshots()[-1]
    one = live_run.watched_picture(kept, snapshot, which=[1])
    both = live_run.watched_picture(kept, snapshot, which=[0, 1])
    assert (one == both[-one.shape[0] :]).all()
    assert one.shape[0] < both.shape[0]


def test_watched_slices_are_picked_on_the_scans(page: AppTest) -> None:
    page.session_state[state.TRAINING_VIEW] = "New run"
    page.run()
    page.toggle(key=watched_box.PICKING).set_value(True).run()
    assert not page.exception
    scan = next(box for box in page.selectbox if box.label == "Scan")
    scan.set_value(scan.options[1]).run()
    slices = next(s for s in page.select_slider if s.label.startswith("Slice, from 0"))
    slices.set_value(int(slices.value) + 1).run()
    next(b for b in page.button if b.label == "Watch this slice").click().run()
    assert not page.exception
    chosen = f"{scan.options[1]}:{slices.value}"
    assert f"--set data.watched={chosen}" in command(page)
    next(b for b in page.button if b.label == "Choose them for me instead").click().run()
    assert "data.watched" not in command(page)


def test_a_number_gives_way_to_slices() -> None:
    assert watched_box.with_slice("4", "a:1") == "a:1"
    assert watched_box.with_slice("a:1", "b:2") == "a:1,b:2"
    assert watched_box.with_slice("a:1,b:2", "a:1") == "a:1,b:2"


# --- a dead adversary ----------------------------------------------------------------------------

ALIVE = {"score": 1.5, "saturated": 0.1, "gradient": 0.3, "rank_correlation": 0.4}


@pytest.mark.parametrize(
    ("gauges", "loss", "dead"),
    [
        (ALIVE, "tanh-mae", False),
        ({"rank_correlation": 0.4}, "tanh-mae", False),
        (ALIVE | {"saturated": SATURATED, "score": 8.0}, "tanh-mae", True),
        (ALIVE | {"saturated": SATURATED - 0.01}, "tanh-mae", False),
        (ALIVE | {"gradient": 0.0}, "tanh-mae", True),
        (ALIVE | {"saturated": 1.0, "score": 50.0}, "hinge", False),
        (ALIVE | {"gradient": 0.0}, "least-squares", True),
        (ALIVE | {"saturated": 1.0, "score": 1e4, "gradient": 0.0}, "tanh-mae", True),
    ],
)
def test_a_dead_adversary_is_told_from_a_live_one(gauges, loss, dead) -> None:
    why = dead_adversary(gauges, loss)
    assert bool(why) == dead
    table = live_run.gauges_table(gauges, bool(why))
    assert table.count(":red[**") == (3 if dead else 0)


def test_the_sentence_has_the_slope_of_the_tanh() -> None:
    why = dead_adversary(ALIVE | {"saturated": 1.0, "score": 8.0, "gradient": 1e-8})
    assert "a gradient of 1e-08 reaches the fence cut" in why
    assert "sure of 100% of the images" in why
    assert "1 - tanh(s)^2, is 5e-07" in why


def test_the_shipped_run_of_the_papers_losses_shows_it_in_red(own_cache: Path) -> None:
    page = AppTest.from_file(PAGE, default_timeout=120)
    page.query_params["run"] = "demo-flair-paper"
    page.run()
    assert not page.exception
    assert any(e.value.startswith("The adversary is dead: no gradient") for e in page.error)
    table = next(m.value for m in page.markdown if "| gauge |" in m.value)
    assert ":red[**1.000**]" in table
    assert table.count(":red[**") == 3
    assert "| Rank correlation of I_ro with I_in | 0.809 |" in table


def test_a_live_adversary_is_not_red(page: AppTest, kept: Run) -> None:
    events = [json.loads(line) for line in (kept.path / "events.jsonl").read_text().splitlines()]
    for event in events:
        if event["kind"] == "epoch":
            event["gauges"] = ALIVE
    text = "".join(json.dumps(event) + "\n" for event in events)
    (kept.path / "events.jsonl").write_text(text)
    settings = from_toml((kept.path / "settings.toml").read_text())
    (kept.path / "settings.toml").write_text(to_toml(settings))
    page.query_params["run"] = "kept"
    page.run()
    table = next(m.value for m in page.markdown if "| gauge |" in m.value)
    assert ":red" not in table
    assert not page.error
