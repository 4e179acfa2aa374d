"""Light and dark: canvases, charts and the menu's choice; what a screen reader hears; keys."""

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

expect.set_options(timeout=120_000)  # ms: the machine may be busy with other things

# The mean brightness, 0 to 255, of what is drawn on a canvas.
BRIGHTNESS = """canvas => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0, seen = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    if (pixels[at + 3] < 128) continue;
    sum += pixels[at];
    seen += 1;
  }
  return sum / seen;
}"""


@pytest.fixture
def threshold(server: str, small_cohort: Path, small_run: Path) -> str:
    """The address of the Threshold page on a scan with a lesion."""
    query = {"cohort": small_cohort, "run": small_run}
    return f"{server}/threshold?{urlencode(query)}"


def test_the_viewer_follows_the_theme_and_says_what_it_shows(page: Page, threshold: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(threshold)
    histogram = page.locator("[data-node=histogram]")
    expect(page.locator("[data-node=values] b").first).to_be_visible()
    expect(page.locator("[data-node=said]")).to_contain_text("Dice")
    settle(page)
    light = histogram.evaluate(BRIGHTNESS)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(500)
    assert histogram.evaluate(BRIGHTNESS) < light - 100
    # The link past the sidebar leads to the viewer, whose keys work there.
    page.keyboard.press("Tab")
    expect(page.get_by_test_id("stSkipToContent")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".viewer")).to_be_focused()
    before = page.locator("[data-node=said]").inner_text()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-node=said]")).not_to_have_text(before)
    expect(page.locator("[data-node=said]")).to_have_text(
        re.compile(r"^Threshold at least \d+, Dice 0\.\d{3}, \d+\.\d millilitres$")
    )
    expect(page.locator("[data-plane=axial] canvas")).to_have_attribute(
        "aria-label", re.compile(r"^axial \d+ of \d+")
    )
    expect(histogram).to_have_attribute("aria-label", re.compile("peaks at .*Threshold at least"))


def test_a_theme_chosen_on_one_page_stays_on_all(page: Page, server: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{server}/tuning")
    expect(page.get_by_role("heading", name="Tuning", level=1)).to_be_attached()
    settle(page)
    page.get_by_test_id("stMainMenuButton").click()
    page.get_by_test_id("stMainMenuItem-theme-Dark").click()
    app = page.get_by_test_id("stApp")
    expect(app).to_have_css("color-scheme", "dark")
    page.goto(f"{server}/evaluation")
    expect(app).to_have_css("color-scheme", "dark")


def test_a_chart_in_the_reconstructions_colour_follows_the_text(page: Page, server: str) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{server}/lessons")
    page.get_by_role("radio", name="ASC-Net's image of it, I_ro").click()
    bar = page.locator(".js-plotly-plot .bars path[style*='rgb(51, 51, 51)']").nth(40)
    expect(bar).to_have_css("fill", "rgb(47, 45, 43)")
    page.emulate_media(color_scheme="dark")
    expect(bar).to_have_css("fill", "rgb(237, 235, 232)")


def test_targets_of_the_viewer_are_large_enough(page: Page, threshold: str) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(threshold)
    expect(page.locator("[data-node=values] b").first).to_be_attached()
    settle(page)
    for box in page.locator(".viewer button:visible, .viewer label:visible").all():
        size = box.bounding_box()
        assert size is not None
        assert size["height"] >= 24, box.inner_text()
        assert size["width"] >= 24, box.inner_text()
