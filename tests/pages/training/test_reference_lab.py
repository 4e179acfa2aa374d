"""The reference lab: two runs on the same slices."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from ascnet_core.figures.basics import COLOURS
from ascnet_core.monitoring.reference_effect import Figures
from ascnet_core.settings.text import apply_set, from_toml, to_toml
from pages.parts.compare import reference_lab

PAGE = Path(__file__).resolve().parents[3] / "pages" / "training.py"
pytestmark = pytest.mark.usefixtures("own_cache")


def rgb(name: str) -> list[int]:
    return [int(COLOURS[name][i : i + 2], 16) for i in (1, 3, 5)]


@pytest.fixture
def page(runs: Path, small_cohort: Path) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=60)
    at.query_params["cohort"] = str(small_cohort)
    at.session_state["training view wanted"] = "Reference lab"
    return at


def add(runs: Path, small_run: Path, name: str, *changes: str, noise: float = 0.0) -> None:
    """A copy of a run with other settings, its weights shaken by some noise."""
    from safetensors import safe_open
    from safetensors.numpy import load_file, save_file

    shutil.copytree(small_run, runs / name)
    path = runs / name / "settings.toml"
    path.write_text(to_toml(apply_set(from_toml(path.read_text()), changes)))
    weights = runs / name / "model.safetensors"
    with safe_open(weights, "numpy") as opened:
        header = opened.metadata()
    arrays, rng = load_file(weights), np.random.default_rng(0)
    for key, value in arrays.items():
        if value.dtype == np.float32 and "running" not in key:
            arrays[key] = (value + noise * rng.standard_normal(value.shape)).astype(np.float32)
    save_file(arrays, weights, header)


def test_with_one_run_it_says_what_to_do(page, runs, small_run) -> None:
    add(runs, small_run, "alone")
    page.run()
    assert not page.exception
    assert "Train two runs" in page.info[0].value


def test_two_runs_are_shown_on_the_same_slices(page, runs, small_run) -> None:
    add(runs, small_run, "clean")
    add(runs, small_run, "other-seed", "schedule.seed=5")
    add(runs, small_run, "spoilt", "reference.contamination=0.2", noise=0.3)
    page.query_params["run"] = "clean"
    page.run()
    assert not page.exception
    assert not page.error
    # the partner differs in its reference alone
    second = f"{reference_lab.SECOND} clean"
    assert page.selectbox(key=reference_lab.FIRST).value == "clean"
    assert page.selectbox(key=second).value == "spoilt"
    table = next(h.proto.body for h in page.get("html") if "class='lab'" in h.proto.body)
    assert "<th>clean</th><th>spoilt</th>" in table
    assert table.count("<tr class='oracle'>") == 2
    assert "+0.000" not in table
    assert not page.warning
    assert any("20 % lesion slices left in" in caption.value for caption in page.caption)
    page.toggle(key=reference_lab.OUTLINE).set_value(True).run()
    assert not page.exception
    page.selectbox(key=second).set_value("other-seed").run()
    assert "`schedule.seed`" in page.warning[0].value


def test_runs_of_other_slices_are_refused_in_a_sentence(page, runs, small_run) -> None:
    add(runs, small_run, "small")
    add(runs, small_run, "large", "data.size=48")
    page.query_params["run"] = "small"
    page.run()
    assert any("data.size" in error.value for error in page.error)


def test_what_moves_in_is_orange_and_what_moves_out_blue() -> None:
    one = np.array([[[0.0, 1.0, 0.5]]], np.float32)
    other = np.array([[[1.0, 0.0, 0.5]]], np.float32)
    painted = reference_lab.difference(one, other)[0, 0]
    assert painted.tolist() == [rgb("wild"), rgb("fence"), [0, 0, 0]]


def test_figures_are_told_with_their_change_and_oracles_only_with_masks() -> None:
    one, other = Figures(0.1, 0.25, 0.8, 0.05), Figures(0.06, 0.125, 0.5, 0.05)
    table = reference_lab.figure_table("a", "<b>", one, other)
    assert "<th>&lt;b&gt;</th>" in table
    assert "<tr><td>mean</td><td>0.100</td><td>0.060</td><td>-0.040</td></tr>" in table
    lesions = "<td>in lesions, oracle</td><td>0.800</td><td>0.500</td><td>-0.300</td>"
    assert f"<tr class='oracle'>{lesions}</tr>" in table
    blind = Figures(0.1, 0.2, None, None)
    assert "oracle<" not in reference_lab.figure_table("a", "b", blind, other)
    assert "oracle<" in table


def test_the_window_holds_all_tissue() -> None:
    tissue = np.zeros((2, 10, 12), bool)
    tissue[0, 3, 4] = tissue[1, 6, 11] = True
    window = reference_lab.window_of(tissue)
    assert tissue[window].sum() == 2
    assert tissue[window].shape == (2, 6, 9)


def test_slices_stand_as_they_are_looked_at_with_their_masks_outlined() -> None:
    picture = np.zeros((1, 60, 50), np.uint8)
    picture[0, 0, 0] = 255  # lowest row, first column: shown at the bottom right
    mask = np.zeros((1, 60, 50), bool)
    mask[0, 20:30, 20:30] = True
    shown = reference_lab.row_of(picture, mask, 2)
    assert shown[-1, 2 * 50 - 1].tolist() == [255, 255, 255]
    blue = (shown == rgb("truth")).all(axis=2)
    assert blue[:, : 2 * 50].sum() == 4 * 19  # the border of 20 x 20 pixels
    assert shown.shape == (120, 2 * 100 + reference_lab.GAP, 3)
