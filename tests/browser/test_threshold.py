"""The Threshold page in a real browser: click, drag, keys, links, downloads.

The map is the input itself: its histogram is wide and the same on every machine, and every number
on the screen can be computed here from the files.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlencode

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Prepared, prepare_scan
from ascnet_core.runs.folder import Run
from ascnet_core.segmentation.histogram import count_levels, find_peaks, quantise
from ascnet_core.segmentation.postprocess import run_steps
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.studies.folder import Study, new_study
from tests.browser.conftest import settle

READY = "globalThis.ascnetExplorer?.volumes.size > 0 && ascnetExplorer.frames > 0"
PLANES = ("axial", "coronal", "sagittal")
LEFT, RIGHT = 40, 16  # the chart's margins, in CSS pixels


@pytest.fixture(scope="module")
def subject(small_cohort: Path, small_run: Path) -> Prepared:
    """The first subject with a lesion, as the page prepares it."""
    scans = read_manifest(small_cohort).scans
    scan = next(one for one in scans if one.group != "normal")
    return prepare_scan(scan, preparation_of(Run(small_run).settings()))


@pytest.fixture
def study(small_cohort: Path, small_run: Path, tmp_path: Path) -> Study:
    """A study of the small cohort, of the test's own: what it accepts is kept there."""
    return new_study(tmp_path / "study", small_cohort, small_run)


@pytest.fixture
def link(study: Study, small_run: Path, subject: Prepared) -> Callable[..., str]:
    """Makes the address of a view of the study's cohort."""

    def make(server: str, **keys: object) -> str:
        view = {
            "cohort": study.path / "manifest.csv",
            "run": small_run,
            "subject": subject.scan.scan,
        }
        view |= {"map": "input", "rule": "otsu", "scope": "subject"} | keys
        return f"{server}/threshold?{urlencode(view)}"

    return make


def open_view(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function(READY)
    settle(page)


def live(page: Page) -> dict:
    return json.loads(page.evaluate("JSON.stringify(ascnetExplorer.live)"))


def said(page: Page, name: str) -> str:
    return page.locator(f'[data-is="{name}"]').inner_text()


def picture(page: Page, plane: str) -> str:
    return page.locator(f"[data-plane={plane}] canvas").evaluate("c => c.toDataURL()")


def chart_point(page: Page, level: int, down: float = 120) -> tuple[float, float]:
    box = page.locator("canvas.histogram").bounding_box()
    assert box is not None
    wide = box["width"] - LEFT - RIGHT
    return box["x"] + LEFT + (level + 0.5) / 256 * wide, box["y"] + down


def dice_of(subject: Prepared, mask: np.ndarray) -> float:
    assert subject.truth is not None
    return 2 * (mask & subject.truth).sum() / (mask.sum() + subject.truth.sum())


def mask_at(subject: Prepared, t: int, side: str = "bright") -> np.ndarray:
    levels = quantise(np.where(subject.region, subject.scaled, 0))
    return ((levels >= t) if side == "bright" else (levels <= t)) & subject.region


def free_level(subject: Prepared, near: int) -> int:
    """A level near a wish that no peak would catch."""
    levels = quantise(np.where(subject.region, subject.scaled, 0))
    peaks = [p.position for p in find_peaks(count_levels(levels, subject.region))]
    return min((t for t in range(256) if all(abs(t - p) > 8 for p in peaks)),
               key=lambda t: abs(t - near))  # fmt: skip


def test_a_deep_link_on_a_fresh_server_shows_the_very_view(
    fresh_server: str, page: Page, link: Callable[..., str], subject: Prepared
) -> None:
    address = link(fresh_server, t=171, side="dark", slice=7, at="20.25", post="components:3")
    open_view(page, address)
    assert live(page) == {"t": 171, "upper": None, "side": "dark", "rule": ""}
    assert said(page, "level") == "≤ 171"
    assert page.locator("[data-plane=axial] .title").inner_text() == "axial 8 of 16"
    assert "20, 25, 7" in page.locator(".values").inner_text()
    links = page.locator("[data-testid=stSidebarNavLink]")
    expect(links).to_have_count(8)
    expect(links.nth(4)).to_contain_text("Threshold")
    mask = mask_at(subject, 171, "dark")
    assert said(page, "dice") == f"{dice_of(subject, mask):.3f}"


def test_a_copied_link_opens_the_same_view(
    server: str, new_page: Callable[..., Page], link: Callable[..., str], subject: Prepared
) -> None:
    first = new_page()
    open_view(first, link(server, post="open:3"))
    level = free_level(subject, 140)
    first.mouse.click(*chart_point(first, level))
    settle(first)
    first.locator("button[name=link]").click()
    expect(first.locator("button[name=link]")).to_have_text("Copied")
    copied = first.evaluate("navigator.clipboard.readText()")
    assert unquote(copied) == unquote(first.url)
    second = new_page()
    open_view(second, copied)
    assert live(second) == live(first)
    assert picture(second, "axial") == picture(first, "axial")
    assert said(second, "dice after") == said(first, "dice after")


def test_click_and_drag_move_threshold_mask_and_dice(
    server: str, page: Page, link: Callable[..., str], subject: Prepared
) -> None:
    open_view(page, link(server))
    page.locator("button[name=fit]").click()
    before = {plane: picture(page, plane) for plane in PLANES}
    level = free_level(subject, 110)
    page.mouse.move(*chart_point(page, level))
    page.mouse.down()
    page.wait_for_timeout(100)
    assert live(page)["t"] == level
    assert said(page, "dice") == f"{dice_of(subject, mask_at(subject, level)):.3f}"
    frames = page.evaluate("ascnetExplorer.frames")
    dice = set()
    for step in range(1, 21):
        page.mouse.move(*chart_point(page, level + 3 * step))
        page.wait_for_timeout(40)
        dice.add(said(page, "dice"))
    assert page.evaluate("ascnetExplorer.frames") - frames >= 15
    assert len(dice) >= 15
    assert "&t=" not in page.url
    for plane, picture_before in before.items():
        assert picture(page, plane) != picture_before
    page.mouse.up()
    settle(page)
    assert live(page)["t"] == level + 60
    mask = mask_at(subject, level + 60)
    assert said(page, "dice") == f"{dice_of(subject, mask):.3f}"
    assert said(page, "volume") == f"{mask.sum() * np.prod(subject.spacing) / 1000:.1f} ml"
    assert f"&t={level + 60}" in page.url
    assert page.get_by_label("Level, 0 to 255").input_value() == str(level + 60)


def test_a_click_on_a_peak_takes_that_peak(
    server: str, page: Page, link: Callable[..., str], subject: Prepared
) -> None:
    open_view(page, link(server))
    levels = quantise(np.where(subject.region, subject.scaled, 0))
    peaks = find_peaks(count_levels(levels, subject.region))
    shown = page.evaluate("ascnetExplorer.data.peaks.map(p => p.position)")
    assert shown == [peak.position for peak in peaks]
    place = peaks[0].position
    page.mouse.click(*chart_point(page, place + 1))
    settle(page)
    assert live(page) == {"t": place, "upper": None, "side": "bright", "rule": "peak:1"}
    assert "rule=peak" in page.url
    assert said(page, "kind") == "mask-free"


def test_the_keyboard_alone(
    server: str, page: Page, link: Callable[..., str], subject: Prepared
) -> None:
    open_view(page, link(server, t=100, slice=8))
    title = page.locator("[data-plane=axial] .title")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    settle(page)
    assert live(page)["t"] == 93
    expect(title).to_have_text("axial 10 of 16")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("b")
    settle(page)
    assert live(page)["side"] == "dark"
    assert live(page)["t"] == 93
    assert said(page, "dice") == f"{dice_of(subject, mask_at(subject, 93, 'dark')):.3f}"
    page.keyboard.press("b")
    page.keyboard.press("p")
    settle(page)
    assert live(page)["rule"].startswith("peak:")
    page.keyboard.press("Enter")
    settle(page)
    assert said(page, "accepted") == f"Accepted at {live(page)['t']} · 1 in all"
    page.keyboard.press("n")
    page.wait_for_function(f"!location.search.includes('subject={subject.scan.scan}')")
    page.wait_for_function(f"!ascnetExplorer.data.case.endsWith('{subject.scan.scan}')")


def test_post_processing_answers_with_before_and_after(
    server: str, page: Page, link: Callable[..., str], subject: Prepared
) -> None:
    open_view(page, link(server, post="open:3,components:5"))
    level = free_level(subject, 120)
    page.mouse.click(*chart_point(page, level))
    settle(page)
    mask = mask_at(subject, level)
    after = run_steps(mask, ["open:3", "components:5"], subject.region)
    assert said(page, "dice") == f"{dice_of(subject, mask):.3f}"
    assert said(page, "dice after") == f"{dice_of(subject, after):.3f}"
    cleaned = picture(page, "axial")
    page.get_by_role("button", name=re.compile("Clear all")).click()
    settle(page)
    assert picture(page, "axial") != cleaned


def test_the_wheel_the_band_and_a_drawn_region(
    server: str, page: Page, link: Callable[..., str]
) -> None:
    open_view(page, link(server, t=100, slice=8))
    box = page.locator("[data-plane=axial] canvas").bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.wheel(0, -100)
    expect(page.locator("[data-plane=axial] .title")).to_have_text("axial 10 of 16")
    page.keyboard.down("Shift")
    page.mouse.click(*chart_point(page, 160))
    page.keyboard.up("Shift")
    settle(page)
    assert (live(page)["t"], live(page)["upper"]) == (100, 160)
    assert "upper=160" in page.url
    page.locator("button[name=band]").click()
    settle(page)
    assert live(page)["upper"] is None
    page.locator("button[name=rectangle]").click()
    page.mouse.move(middle[0] - 25, middle[1] - 25)
    page.mouse.down()
    page.mouse.move(middle[0] + 25, middle[1] + 25, steps=4)
    page.mouse.up()
    page.wait_for_function("ascnetExplorer.data.hint !== ''")
    assert "drawn region" in said(page, "sentence")


def test_field_and_slider_move_the_same_line(
    server: str, page: Page, link: Callable[..., str], subject: Prepared
) -> None:
    open_view(page, link(server))
    field = page.get_by_label("Level, 0 to 255")
    field.fill("77")
    field.press("Enter")
    settle(page)
    assert live(page)["t"] == 77
    slider = page.get_by_role("slider", name="Level")
    slider.focus()
    slider.press("ArrowRight")
    settle(page)
    assert live(page)["t"] == 78
    assert said(page, "dice") == f"{dice_of(subject, mask_at(subject, 78)):.3f}"


def test_the_downloaded_mask_lies_on_the_scans_grid(
    server: str, page: Page, link: Callable[..., str], subject: Prepared, tmp_path: Path
) -> None:
    open_view(page, link(server, t=150))
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Mask").click()
    file = tmp_path / "mask.nii.gz"
    waiting.value.save_as(file)
    mask, image = nib.load(file), nib.load(subject.scan.image)
    assert mask.shape == image.shape
    assert np.array_equal(mask.affine, image.affine)
    assert int(np.asanyarray(mask.dataobj).sum()) == int(mask_at(subject, 150).sum())


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_the_page_has_room_for_everything(
    server: str, new_page: Callable[..., Page], link: Callable[..., str], width: int, height: int
) -> None:
    page = new_page(width, height)
    open_view(page, link(server))
    main = page.locator("[data-testid=stMain]")
    assert main.evaluate("m => m.scrollWidth <= m.clientWidth")
    chart = page.locator("canvas.histogram").bounding_box()
    numbers = page.locator(".numbers").bounding_box()
    assert chart is not None
    assert numbers is not None
    if width == 1440:
        assert main.evaluate("m => m.scrollHeight <= m.clientHeight")
        assert numbers["x"] >= chart["x"] + chart["width"]
    else:
        assert numbers["y"] >= chart["y"] + chart["height"] - 1


def test_a_rule_that_finds_nothing_parks_the_line_until_a_threshold_is_there(
    page: Page, server: str, link: Callable[..., str]
) -> None:
    open_view(page, link(server, rule="peak:99"))
    assert said(page, "level") == "none"
    assert said(page, "kind") == "none found"
    assert "no such peak" in said(page, "sentence")
    assert said(page, "volume") == "0.0 ml"
    parked = {"t": 255, "upper": None, "side": "bright", "rule": "peak:99", "none": True}
    assert live(page) == parked
    with_mask = {plane: picture(page, plane) for plane in PLANES}
    page.locator("input[name=mask]").uncheck()
    page.wait_for_timeout(200)
    assert {plane: picture(page, plane) for plane in PLANES} == with_mask  # no mask is drawn
    page.locator("input[name=mask]").check()
    accept = page.get_by_role("button", name="Accept")
    expect(accept).to_be_disabled()
    page.keyboard.press("b")  # the other side finds nothing either, and keeps nothing
    settle(page)
    assert said(page, "volume") == "0.0 ml"
    assert live(page) == parked | {"t": live(page)["t"], "side": "dark"}
    page.mouse.click(*chart_point(page, 120))
    settle(page)
    assert live(page) == {"t": 120, "upper": None, "side": "dark", "rule": ""}
    assert picture(page, "axial") != with_mask["axial"]
    assert said(page, "sentence") == "The rule “peak:99” proposes nothing."
    expect(accept).to_be_enabled()
    assert said(page, "level") == "≤ 120"
