"""The section that says when to stop: advice, rules, charts, and what goes into the film."""

import io
import json
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from ascnet_core.monitoring.advisor import advise
from ascnet_core.monitoring.history import History, read_history
from ascnet_core.monitoring.stop_rules import RULES
from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import hold_lock
from pages.parts.film import film, film_export
from pages.parts.shared import disk
from pages.parts.watch import board, live_run, stopping
from pages.parts.watch.advice import sentence_of
from tests import made_up


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run whose peaks part in its third cycle."""
    gauges = {"rank_correlation": 0.4, "saturated": 0.2}
    return Run(made_up.write_run(tmp_path_factory.mktemp("runs") / "parted", "mmssss", gauges))


def section(path: str) -> None:
    """What AppTest runs."""
    from pathlib import Path

    from ascnet_core.runs.folder import Run
    from pages.parts.watch import board

    board.show_board(Run(Path(path)))
    board.show_details(Run(Path(path)))


def shown(path: Path, tab: str = board.FILM) -> AppTest:
    app = AppTest.from_function(section, args=(str(path),), default_timeout=90)
    app.session_state[board.OPEN] = tab
    app.run()
    assert not app.exception
    return app


def test_the_section_says_the_advice_with_its_rules_and_figures(own_cache: Path, run: Run) -> None:
    app = shown(run.path)
    assert app.success[0].value.startswith(
        "Stop at cycle 6: the rules are met since cycle 5 (3 separated peaks, index 1.00"
    )
    table = next(one.value for one in app.markdown if "| rule |" in one.value)
    assert all(name in table for name in RULES)
    assert "✗" not in table
    # one cycle everywhere: the headline's is the table's
    assert all("| 6 |" in line for line in table.splitlines() if "✓" in line)
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Separation"] == "1.00"
    assert figures["Stability"] == "1.00"
    assert figures["Rank corr."] == "0.40"
    assert figures["Holes"] == "0"
    # this run keeps no weights, and the page says what that means
    assert any("none can be opened" in caption.value for caption in app.caption)


@pytest.mark.parametrize(
    ("letters", "box"), [("mm", "info"), ("sssmm", "warning"), ("qqqq", "warning")]
)
def test_other_advice_has_its_own_box(
    own_cache: Path, tmp_path: Path, letters: str, box: str
) -> None:
    app = shown(made_up.write_run(tmp_path / letters, letters))
    assert len(getattr(app, box)) == 1


def test_all_charts_can_be_chosen(own_cache: Path, run: Run) -> None:
    app = shown(run.path, board.CHARTS)
    groups = {group.label: group for group in app.button_group}
    groups["Histograms in time"].set_value("Ridge lines")
    groups["Curves"].set_value("Tracked peaks")
    groups["Time axis"].set_value("images")
    app.run()
    assert not app.exception
    values = [group.value for group in app.button_group]
    assert "Ridge lines" in values
    assert "images" in values


def test_a_run_without_snapshots_says_what_to_do(own_cache: Path, tmp_path: Path) -> None:
    folder = made_up.write_run(tmp_path / "young", "")
    (folder / "snapshots" / "000-s1-c0").rename(tmp_path / "elsewhere")
    assert "kept no snapshot" in shown(folder).info[0].value


def test_a_dead_adversary_is_red(own_cache: Path, tmp_path: Path) -> None:
    app = shown(made_up.write_run(tmp_path / "dead", "mmmm", {"saturated": 0.99}))
    assert "discriminator" in app.error[0].value


def test_advice_to_go_on_tells_of_a_run_that_has_ended() -> None:
    advice = advise(made_up.story("mm"))
    assert "has ended: **Go on** above" in sentence_of(advice, "Go on")
    assert "has ended" not in sentence_of(advice)


def test_the_button_that_goes_on_is_named_as_it_stands_on_the_page(tmp_path: Path) -> None:
    run = Run(made_up.write_run(tmp_path / "ended", "mm"))
    assert live_run.way_on(run) == ""  # a run without its training cannot go on
    (run.path / "training.safetensors").write_bytes(b"")
    assert live_run.way_on(run) == "Go on for longer"
    with (run.path / "events.jsonl").open("a") as events:
        events.write('{"kind": "stop"}\n')
    assert live_run.way_on(run) == "Go on"
    with hold_lock(run.path):
        assert live_run.way_on(run) == ""


def test_a_new_snapshot_alone_is_measured(own_cache: Path, tmp_path: Path) -> None:
    folder = made_up.write_run(tmp_path / "growing", "mm")
    first = stopping.history_of(Run(folder))
    again = stopping.history_of(Run(folder))
    assert again.points[1].counts is first.points[1].counts


def test_several_sessions_may_look_at_a_run_at_once(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(made_up.write_run(tmp_path / "shared", "mmmmmm"))
    load, stamp = Run.load_snapshot, disk.stamp

    def slow(*how: Any) -> Any:
        time.sleep(0.01)  # lets another session have its turn
        return stamp(*how)

    def looked_at(number: int) -> History:
        time.sleep(0.03 * number)
        return stopping.history_of(run)

    monkeypatch.setattr(disk, "stamp", slow)
    monkeypatch.setattr(Run, "load_snapshot", lambda *how: time.sleep(0.02) or load(*how))
    with ThreadPoolExecutor(8) as sessions:
        found = list(sessions.map(looked_at, range(16)))
    labels = [point.label for point in found[0].points]
    assert len(labels) == 7
    assert all([point.label for point in one.points] == labels for one in found)


@given(st.integers(0, 500), st.integers(1, 8), st.sampled_from([16, 96, 160, 240]))
def test_the_film_keeps_within_its_size_and_never_loses_an_end(
    frames: int, slices: int, size: int
) -> None:
    kept = film.kept_frames(frames, slices, size)
    weight = slices * len(film.MAPS) * size * size
    assert kept == sorted(set(kept))
    if frames:
        assert kept[0] == 0
        assert kept[-1] == frames - 1
        assert len(kept) * weight <= film.BUDGET or len(kept) <= 2
    if frames * weight <= film.BUDGET:
        assert len(kept) == frames
        assert film.thinning_sentence(frames, len(kept), slices) == ""
    else:
        assert film.thinning_sentence(frames, len(kept), slices) or len(kept) == frames
    steps = set(np.diff(kept[1:]))
    assert len(steps) <= 1


def test_two_hundred_snapshots_of_one_slice_fit_whole() -> None:
    assert film.fitting_slices(4, 96, 200) == 1
    assert len(film.kept_frames(200, 1, 96)) == 200
    assert film.fitting_slices(4, 96, 11) == 4


def test_the_bytes_hold_counts_joints_input_and_cuts_in_this_order(run: Run) -> None:
    history = read_history(run)
    datas = [run.load_snapshot(point.index) for point in history.points]
    kept, slices, size = [0, 3, 6], (1,), made_up.SIZE
    header = film.header_of(history, kept, slices, size, film.loss_lines(run.events()), "x")
    packed = film.pack(header, [datas[place] for place in kept], slices)
    (length,) = struct.unpack_from("<I", packed)
    assert length % 4 == 0
    told = json.loads(packed[4 : 4 + length])
    assert [frame["cycle"] for frame in told["frames"]] == kept
    assert told["frames"][2]["level"] == history.points[6].threshold.level
    assert told["frames"][0]["level"] is None
    assert told["losses"][0] == {"name": "total", "x": [10, 20, 30, 40, 50, 60],
                                 "y": [1 / n for n in range(1, 7)]}  # fmt: skip
    rest = packed[4 + length :]
    counts = np.frombuffer(rest, "<u4", 3 * 256).reshape(3, 256)
    np.testing.assert_array_equal(counts[2], datas[6].counts)
    after = 3 * 1024 + 3 * 4096
    plane = size * size
    pictures = np.frombuffer(rest, np.uint8, offset=after).reshape(-1, size, size)
    assert len(pictures) == 1 + 3 * 3
    np.testing.assert_array_equal(pictures[0], datas[6].watched_input[1])
    np.testing.assert_array_equal(pictures[1 + 3 * 2 + 2], datas[6].maps["reconstruction"][1])
    assert len(rest) == after + 10 * plane


def test_losses_are_thinned_evenly_and_gaps_left_out() -> None:
    events = [
        {"kind": "step", "step": n, "losses": {"tie": n / 2, "total": None}} for n in range(1000)
    ]
    (line,) = film.loss_lines([{"kind": "start"}, *events])
    assert line["name"] == "tie"
    assert len(line["x"]) <= film.LOSS_POINTS
    assert len(set(np.diff(line["x"]))) == 1


def test_a_joint_histogram_is_a_picture_of_logarithms() -> None:
    joint = np.zeros((64, 64), np.int64)
    joint[3, 5], joint[0, 0] = 9, 99
    picture = film.joint_picture(joint)
    assert picture[0, 0] == 255
    assert picture[3, 5] == 128  # log 10 is half of log 100
    assert picture.sum() == 255 + 128
    assert film.joint_picture(np.zeros((64, 64), np.int64)).sum() == 0


def test_dice_is_laid_over_only_when_asked_and_says_why_it_cannot(
    own_cache: Path, run: Run
) -> None:
    app = shown(run.path, board.CHARTS)
    assert not app.toggle[0].value
    app.toggle[0].set_value(True)
    app.run()
    assert not app.exception
    assert "manifest.csv" in app.warning[0].value  # the made-up run names no cohort
    # the advice does not hang on it
    assert app.success[0].value.startswith("Stop at cycle 6")


def test_dice_of_a_run_with_its_cohort_is_drawn(
    own_cache: Path, tmp_path: Path, small_cohort: Path
) -> None:
    from ascnet_core.imaging.cohort import read_manifest
    from ascnet_core.imaging.prepare import prepare_scan
    from ascnet_core.segmentation.histogram import quantise
    from ascnet_core.settings.preparation import preparation_of

    folder = made_up.write_run(tmp_path / "known", "sss")
    toml = (folder / "settings.toml").read_text(encoding="utf-8")
    (folder / "settings.toml").write_text(toml.replace("size = 96", "size = 32"))
    run = Run(folder)
    scans = read_manifest(small_cohort).scans
    rows = [f"{s.subject},{s.image},{s.mask or ''},{s.region}" for s in scans]
    text = "subject,image,mask,region\n" + "\n".join(rows) + "\n"
    (folder / "manifest.csv").write_text(text, encoding="utf-8")
    prepared = prepare_scan(scans[1], preparation_of(run.settings()))
    watched = quantise(prepared.slices())[5:7]
    from safetensors.numpy import load_file, save_file

    for snapshot in run.snapshots():
        arrays = load_file(snapshot.path / "cuts.safetensors")
        arrays["watched_input"] = np.ascontiguousarray(watched)
        save_file(arrays, snapshot.path / "cuts.safetensors")
    history = read_history(run)
    scores = stopping.oracle_scores(run, history)
    assert scores is not None
    truth = prepared.truth_slices()
    assert truth is not None
    mask = history.points[3].mask
    both = 2 * (mask & truth[5:7]).sum() / (mask.sum() + truth[5:7].sum())
    assert scores[3] == pytest.approx(both)


@given(st.integers(1, 1000))
def test_a_gif_has_few_frames_and_both_ends(number: int) -> None:
    kept = film.every_nth(number, film_export.MOST_FRAMES)
    assert kept[0] == 0
    assert kept[-1] == number - 1
    assert len(kept) <= film_export.MOST_FRAMES
    if number <= film_export.MOST_FRAMES:
        assert kept == list(range(number))


def test_the_gif_shows_every_frame_with_its_mask(run: Run) -> None:
    history = read_history(run)
    picture = Image.open(io.BytesIO(film_export.gif_of(run, history, (0, 1))))
    assert picture.n_frames == len(history.points)
    assert picture.width == 5 * film_export.SIDE
    picture.seek(6)
    colours = np.asarray(picture.convert("RGB")).astype(int)
    reddish = (colours[..., 0] - colours[..., 2]) > 60
    assert reddish.mean() > 0.01  # the mask survives the file's few colours
    data = run.load_snapshot(6)
    shown = film_export.tiles(history.points[6], data, (1,), history.method.pictures())
    assert shown.shape == (made_up.SIZE, 5 * made_up.SIZE, 3)
    # patient's right on the left, anterior at the top
    mask = history.points[6].mask[1][::-1, ::-1]
    last = shown[:, 4 * made_up.SIZE :].astype(int)
    np.testing.assert_array_equal(last[..., 0] != last[..., 2], mask)
    first = shown[:, : made_up.SIZE, 0]
    np.testing.assert_array_equal(first, data.watched_input[1][::-1, ::-1])


def test_a_cycle_is_made_the_result_from_the_page(
    own_cache: Path, tmp_path: Path, small_run: Path
) -> None:
    from ascnet_core.runs.result import result_of
    from ascnet_core.training.checkpoint import load_model, save_model

    folder = made_up.write_run(tmp_path / "weighty", "sss")
    model, settings = load_model(small_run)
    run = Run(folder)
    for snapshot in run.snapshots():
        save_model(snapshot.path / "model.safetensors", model, settings, {"step": snapshot.step})
    (folder / "model.safetensors").write_bytes(
        (run.snapshots()[-1].path / "model.safetensors").read_bytes()
    )
    assert result_of(run).total_cycle == 3
    app = shown(folder)
    choice = app.selectbox[0]
    assert choice.value == 3
    assert "Look at cycle 3 in Threshold" in [one.label for one in app.button]
    choice.set_value(2)
    app.run()
    next(one for one in app.button if one.label.startswith("Yes")).click()
    app.run()
    assert not app.exception
    assert result_of(run).total_cycle == 2
