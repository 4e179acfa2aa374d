"""Runs beside and swiped over one another, in a real browser."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from ascnet_core.monitoring.history import read_history
from ascnet_core.runs.folder import Run
from tests import made_up

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs that watch the same slices; the second parts later and trains longer."""
    folder = tmp_path_factory.mktemp("made-up")
    return made_up.write_run(folder / "early", "mss"), made_up.write_run(folder / "late", "mmmms")


@pytest.fixture
def compared(page: Page, server: str, small_cohort: Path) -> Callable[..., Locator]:
    def open_some(*chosen: Path) -> Locator:
        query = {"cohort": small_cohort, "compare": ",".join(map(str, chosen))}
        page.goto(f"{server}/training?{urlencode(query)}")
        moments = page.locator(".moments[data-drawn]")
        expect(moments).to_be_visible()
        return moments

    return open_some


def pixels(moments: Locator, name: str = "tiles") -> str:
    return moments.locator(f"canvas[data-node={name}]").evaluate("c => c.toDataURL()")


def test_one_slider_takes_each_runs_snapshot_at_or_before(
    page: Page, runs: tuple[Path, Path], compared: Callable[..., Locator]
) -> None:
    moments = compared(*runs)
    expect(moments).to_have_attribute("data-frames", "3,3")  # as far as both came
    slider = moments.get_by_role("slider", name="Slices seen, for all runs")
    slider.focus()
    page.keyboard.press("End")
    expect(moments).to_have_attribute("data-frames", "3,5")
    says = moments.locator(".says")
    expect(says).to_contain_text("early: stage 1, cycle 3, its last, 240 seen")
    expect(says).to_contain_text("late: stage 1, cycle 5, 400 seen")
    before = pixels(moments, "histogram")
    page.keyboard.press("Home")
    expect(moments).to_have_attribute("data-frames", "0,0")
    assert pixels(moments, "histogram") != before
    row = moments.locator("tr").filter(has_text="separated peaks, index")
    expect(row).to_contain_text("1, 0.00")
    # each run by itself
    moments.get_by_role("button", name="aligned by slices seen").click()
    own = moments.get_by_role("slider", name="Moment B, late")
    own.focus()
    page.keyboard.press("End")
    expect(moments).to_have_attribute("data-frames", "0,5")
    held = [read_history(Run(run)).points[-1].mask for run in runs]
    assert held[1] is not None
    assert moments.get_attribute("data-held") == f"0,{int(held[1][0].sum())}"


def test_the_handle_follows_pointer_and_arrow_keys(
    page: Page, runs: tuple[Path, Path], compared: Callable[..., Locator]
) -> None:
    moments = compared(*runs)
    moments.get_by_role("slider", name="Slices seen, for all runs").focus()
    page.keyboard.press("End")
    expect(moments).to_have_attribute("data-split", "0.50")
    middle = pixels(moments)
    tiles = moments.locator("canvas[data-node=tiles]")
    box = tiles.bounding_box()
    assert box is not None
    wide = (box["width"] - 6) / 3
    page.mouse.move(box["x"] + wide / 2, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + wide * 0.9, box["y"] + 40, steps=4)
    expect(moments).to_have_attribute("data-split", "0.90")
    page.mouse.move(box["x"] + wide * 1.8, box["y"] + 40)  # beyond the picture: all of A
    expect(moments).to_have_attribute("data-split", "1.00")
    page.mouse.up()
    page.mouse.move(box["x"] + 10, box["y"] + 40)
    expect(moments).to_have_attribute("data-split", "1.00")
    assert pixels(moments) != middle
    expect(tiles).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(moments).to_have_attribute("data-split", "0.98")
    expect(tiles).to_have_attribute("aria-valuenow", "98")
    page.keyboard.press("Home")
    expect(moments).to_have_attribute("data-split", "0.00")


def test_side_by_side_and_another_slice(
    runs: tuple[Path, Path], compared: Callable[..., Locator]
) -> None:
    moments = compared(*runs)
    swiped = pixels(moments)
    moments.get_by_role("button", name="side by side").click()
    expect(moments).to_have_attribute("data-mode", "beside")
    beside = pixels(moments)
    assert beside != swiped
    moments.get_by_role("button", name="slice 2").click()
    expect(moments).to_have_attribute("data-slice", "1")
    assert pixels(moments) != beside


def test_three_runs_share_one_swipe_by_two_menus(
    tmp_path: Path, runs: tuple[Path, Path], compared: Callable[..., Locator]
) -> None:
    third = made_up.write_run(tmp_path / "third", "fff")
    moments = compared(*runs, third)
    expect(moments.locator("tr").first).to_contain_text("third")
    before = pixels(moments)
    moments.get_by_role("combobox", name="Right of the handle").select_option("2")
    expect(moments).to_have_attribute("data-pair", "0,2")
    assert pixels(moments) != before


def test_the_film_leads_to_two_moments_of_its_run(
    page: Page, server: str, small_cohort: Path, runs: tuple[Path, Path]
) -> None:
    page.goto(f"{server}/training?{urlencode({'cohort': small_cohort, 'run': runs[1]})}")
    film = page.locator(".film")
    expect(film).to_have_attribute("data-frame", "5")
    film.locator("[data-node=slider]").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(film).to_have_attribute("data-told", "3")
    page.get_by_role("button", name="Compare two moments").click()
    moments = page.locator(".moments[data-drawn]")
    expect(moments).to_have_attribute("data-frames", "3,5")
    assert "compare=" in page.url
