"""When to stop, and the film of a run, in a real browser."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from ascnet_core.monitoring.history import read_history
from ascnet_core.runs.folder import Run
from tests import made_up
from tests.browser.conftest import settle

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things

VISIT = """
async (film) => {
  // 60 places of the slider, each awaited until its picture is on the screen
  const slider = film.querySelector("[data-node=slider]");
  const shown = [];
  for (let n = 0; n < 60; n++) {
    const at = (n * 37) % (+slider.max + 1);
    slider.value = at;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    while (+film.dataset.frame !== at) await new Promise(requestAnimationFrame);
    shown.push(film.querySelector("canvas").toDataURL());
  }
  return new Set(shown).size;
}
"""


def put_weights(run: Path, source: Path) -> None:
    """Give every snapshot the weights of another run, so that it can be opened."""
    for snapshot in (run / "snapshots").iterdir():
        (snapshot / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes())
    (run / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes())


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory, small_run: Path) -> Path:
    """A run whose peaks part in its third cycle, with weights in its snapshots."""
    folder = made_up.write_run(tmp_path_factory.mktemp("made-up") / "parted", "mmssss")
    settings = (small_run / "settings.toml").read_text(encoding="utf-8")
    rule = settings.replace('rule = "otsu"', 'rule = "rightmost-valley"')
    (folder / "settings.toml").write_text(rule, encoding="utf-8")
    put_weights(folder, small_run)
    return folder


@pytest.fixture
def open_run(page: Page, server: str, small_cohort: Path) -> Callable[[Path], Locator]:
    def open_one(run: Path) -> Locator:
        page.goto(f"{server}/training?{urlencode({'cohort': small_cohort, 'run': run})}")
        film = page.locator(".film")
        expect(film).to_have_attribute("data-frame", "0" if not run else _last(run))
        settle(page)  # its place is measured, and clicked
        return film

    return open_one


def _last(run: Path) -> str:
    return str(len(Run(run).snapshots()) - 1)


def canvas(film: Locator, name: str) -> str:
    return film.locator(f"canvas[data-node={name}]").evaluate("c => c.toDataURL()")


def test_one_slider_drives_cuts_mask_histogram_and_curves(
    page: Page, parted: Path, open_run: Callable[[Path], Locator]
) -> None:
    film = open_run(parted)
    expect(page.get_by_text("(3 separated peaks, index")).to_be_visible()
    names = ("tiles", "histogram", "course", "losses")
    before = {name: canvas(film, name) for name in names}
    points = read_history(Run(parted)).points
    assert int(film.get_attribute("data-held") or -1) == int(points[6].mask[:2].sum())
    film.locator("[data-node=slider]").focus()
    page.keyboard.press("Home")
    expect(film).to_have_attribute("data-frame", "0")
    assert film.get_attribute("data-held") == "0"  # one peak: no threshold, no mask
    after = {name: canvas(film, name) for name in names}
    assert all(before[name] != after[name] for name in ("histogram", "course", "losses"))
    said = film.locator("[data-node=said]")
    expect(said).to_contain_text("no threshold")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(film).to_have_attribute("data-frame", "3")
    expect(said).to_contain_text("stage 1, cycle 3")
    level = points[3].threshold.level
    expect(said).to_contain_text(f"threshold ≥ {level}")


def test_play_loops_and_pauses_by_the_space_bar(
    page: Page, parted: Path, open_run: Callable[[Path], Locator]
) -> None:
    film = open_run(parted)
    film.locator("[data-node=said]").click()
    page.keyboard.press(" ")
    expect(film.locator("[data-node=play]")).to_contain_text("pause")
    expect(film).to_have_attribute("data-frame", "0")
    expect(film).to_have_attribute("data-frame", "4")
    page.keyboard.press(" ")
    expect(film.locator("[data-node=play]")).to_contain_text("play")
    stands = film.get_attribute("data-frame")
    page.wait_for_timeout(600)
    assert film.get_attribute("data-frame") == stands


def test_a_click_on_a_curve_jumps_there(
    page: Page, parted: Path, open_run: Callable[[Path], Locator]
) -> None:
    film = open_run(parted)
    losses = film.locator("canvas[data-node=losses]")
    box = losses.bounding_box()
    assert box is not None
    wide = box["width"] - 52
    losses.click(position={"x": 32 + wide * 2 / 6, "y": 20})
    expect(film).to_have_attribute("data-frame", "2")


def test_the_cycle_on_the_film_opens_in_threshold(
    page: Page, parted: Path, open_run: Callable[[Path], Locator]
) -> None:
    film = open_run(parted)
    film.locator("[data-node=slider]").focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(film).to_have_attribute("data-frame", "4")
    cycle = page.get_by_role("combobox", name="Open a cycle on any scan")
    expect(cycle).to_have_value("stage 1, cycle 4")
    page.get_by_role("button", name="Open this cycle in Threshold").click()
    page.wait_for_url("**/threshold?*")
    expect(page.locator("canvas.histogram")).to_be_visible()
    assert "cycle=4" in page.url


def test_a_film_of_200_snapshots_shows_each_place_of_its_slider(
    page: Page, tmp_path: Path, open_run: Callable[[Path], Locator]
) -> None:
    run = made_up.write_run(tmp_path / "long", "ms" * 100, size=96)
    film = open_run(run)
    expect(film.locator("[data-node=count]")).to_have_text("201 of 201")
    assert film.evaluate(VISIT) > 1


def test_an_earlier_cycle_is_made_the_runs_result(
    page: Page, parted: Path, open_run: Callable[[Path], Locator]
) -> None:
    from ascnet_core.runs.result import result_of
    from ascnet_core.training.checkpoint import load_model, save_model

    run = Run(parted)
    model, settings = load_model(parted)
    for snapshot in run.snapshots():
        save_model(snapshot.path / "model.safetensors", model, settings, {"step": snapshot.step})
    film = open_run(parted)
    film.locator("[data-node=slider]").focus()
    page.keyboard.press("ArrowLeft")
    cycle = page.get_by_role("combobox", name="Open a cycle on any scan")
    expect(cycle).to_have_value("stage 1, cycle 5")
    page.get_by_role("button", name="Make it the result").click()
    page.get_by_role("button", name="Yes, make it the result").click()
    expect(page.get_by_text("The run's result: stage 1, cycle 5.")).to_be_visible()
    result = result_of(run)
    assert result is not None
    assert result.total_cycle == 5
