"""Presenting: every stop fills the screen in large type; keys, the second window, the tour."""

import re

import pytest
from playwright.sync_api import Page, expect

from pages.parts.lessons.course import COURSE, name_of
from pages.parts.start import tour
from tests.browser.conftest import settle

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things
MADE = 400_000  # ms: the same, for what takes some seconds on an idle one
SCREENS = ((1920, 1080), (1440, 900), (1024, 768))  # a new projector's, a laptop's, an old one's
BODY, SMALLEST = 28, 20  # px on the projector

# What is seen of the page and lies outside the window.
OUTSIDE = """() => [...document.querySelectorAll(
    ".st-key-lesson :is(h1, p, img, canvas, button, .js-plotly-plot, .vega-embed, "
      + "[data-testid=stBidiComponentIsolated])")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([, box]) => box.width > 2 && box.height > 2 && (box.left < -1 || box.top < -1
    || box.right > innerWidth + 1 || box.bottom > innerHeight + 1))
  .map(([one]) => `${one.tagName} ${one.textContent.slice(0, 40)}`)"""
# Texts in the view, its charts' included, that are smaller than a limit.
SMALL = """(limit) => [...document.querySelectorAll(".st-key-lesson_stage *")]
  .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .filter((one) => one.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .filter((one) => one.getBoundingClientRect().width > 2)
  .map((one) => [one, parseFloat(getComputedStyle(one).fontSize) * (one.currentCSSZoom ?? 1)])
  .filter(([, size]) => size < limit).map(([one, size]) => `${size} ${one.textContent}`)"""
# Words of a chart and choices of a menu that are cut off; rows of pictures that are out of line.
CUT = """() => [
  ...[...document.querySelectorAll(".st-key-lesson_view .js-plotly-plot")].flatMap((plot) => {
    const room = plot.getBoundingClientRect();
    return [...plot.querySelectorAll("text")].filter((one) => {
      const box = one.getBoundingClientRect();
      return box.width && (box.left < room.left - 2 || box.right > room.right + 2);
    });
  }),
  ...[...document.querySelectorAll(".st-key-lesson [role=radiogroup], .st-key-lesson .head")]
    .filter((one) => one.scrollWidth > one.clientWidth + 1),
  ...[...document.querySelectorAll(".tiles")].filter((row) => {
    const across = Number(getComputedStyle(row).getPropertyValue("--across"));
    const tops = [...row.querySelectorAll("img")].map((one) => one.getBoundingClientRect().top);
    return tops.some((top, at) => Math.abs(top - tops[at - at % across]) > 1);
  }),
].map((one) => `${one.tagName} ${one.textContent}`)"""
# Names of peaks that reach into a histogram's plot, and histograms without their last level.
ASTRAY = """() => [...document.querySelectorAll(".st-key-lesson_view .js-plotly-plot")]
  .flatMap((plot) => {
    const top = plot.querySelector(".nsewdrag").getBoundingClientRect().top;
    const names = [...plot.querySelectorAll(".annotation-text")];
    const last = [...plot.querySelectorAll(".xtick text")].some((one) => one.textContent === "255"
      && one.checkVisibility({ visibilityProperty: true, opacityProperty: true }));
    return [...names.filter((one) => one.getBoundingClientRect().bottom > top + 3)
      .map((one) => one.textContent), ...(names.length && last ? [] : ["no names or no 255"])];
  })"""
BODY_TYPE = """() => [...document.querySelectorAll(
    ".st-key-lesson_text p, .st-key-lesson_notice p")]
  .map((one) => parseFloat(getComputedStyle(one).fontSize))"""


def title(page: Page, number: int) -> None:
    """Wait for a stop's title, its view and what there is to notice."""
    expect(
        page.get_by_role("heading", name=f"{number}. {COURSE[number - 1].title}")
    ).to_be_visible()
    drawn = page.locator(".st-key-lesson_view").locator("img, canvas, .js-plotly-plot").first
    expect(drawn).to_be_attached(timeout=MADE)
    expect(page.locator(".st-key-lesson_notice p").first).to_be_visible(timeout=MADE)
    settle(page)  # after a reload the keys are heard a moment after the page is drawn


def test_every_stop_fills_the_screen_in_large_type(server: str, page: Page) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{server}/lessons?present=1")
    for number in range(1, len(COURSE) + 1):
        title(page, number)
        for width, height in SCREENS:
            page.set_viewport_size({"width": width, "height": height})
            settle(page)
            assert page.evaluate(OUTSIDE) == [], (number, width)
            assert page.evaluate(CUT) == [], (number, width)
        page.set_viewport_size({"width": 1920, "height": 1080})
        settle(page)
        assert min(page.evaluate(BODY_TYPE)) >= BODY, number
        assert page.evaluate(SMALL, SMALLEST) == [], number
        page.keyboard.press("PageDown")
    assert f"stop={len(COURSE)}" in page.url
    page.reload()
    title(page, len(COURSE))
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    assert "present=1" in page.url
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    assert "present" not in page.url


def test_histograms_name_their_last_level_and_their_peaks_above_the_bars(
    server: str, page: Page
) -> None:
    for view in ("no_common_gap", "trading_sides", "another_seed"):
        number = next(n for n, stop in enumerate(COURSE, 1) if name_of(stop) == view)
        page.set_viewport_size({"width": 1920, "height": 1080})
        page.goto(f"{server}/lessons?present=1&stop={number}")
        title(page, number)
        for width, height in SCREENS:
            page.set_viewport_size({"width": width, "height": height})
            settle(page)
            assert page.evaluate(ASTRAY) == [], (view, width)


def viewer_stop() -> int:
    """The number of the stop with the viewer of the Threshold page."""
    return next(n for n, stop in enumerate(COURSE, 1) if stop.title == "Clicking the peak")


def test_page_keys_turn_whatever_has_the_focus_and_arrows_go_to_it(server: str, page: Page) -> None:
    number = viewer_stop()
    page.goto(f"{server}/lessons?present=1&stop={number}")
    title(page, number)
    histogram = page.locator(".st-key-lesson_view .histogram")
    expect(histogram).to_be_visible(timeout=MADE)
    page.wait_for_function("globalThis.ascnetExplorer?.frames > 0", timeout=MADE)
    level = page.locator(".st-key-lesson_view .level").first
    histogram.click(position={"x": 300, "y": 60})
    clicked = level.text_content()
    page.keyboard.press("ArrowLeft")  # the line's, as the viewer has the focus
    expect(level).not_to_have_text(str(clicked))
    page.keyboard.press("PageDown")
    title(page, number + 1)
    page.keyboard.press("PageUp")
    title(page, number)
    page.keyboard.press("ArrowLeft")  # nothing in the view has the focus
    title(page, number - 1)
    page.goto(f"{server}/lessons?present=1")
    title(page, 1)
    page.locator(".st-key-lesson_view input[type=range]").first.focus()
    page.keyboard.press("ArrowRight")  # the slider's
    settle(page)
    title(page, 1)
    page.keyboard.press("PageDown")
    title(page, 2)


def test_a_click_in_the_enlarged_viewer_sets_the_line_where_it_is_clicked(
    server: str, page: Page
) -> None:
    number = viewer_stop()
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{server}/lessons?present=1&stop={number}")
    title(page, number)
    histogram = page.locator(".st-key-lesson_view .histogram")
    expect(histogram).to_be_visible(timeout=MADE)
    page.wait_for_function("globalThis.ascnetExplorer?.frames > 0", timeout=MADE)
    settle(page)  # what is above it may still grow
    box = histogram.bounding_box()
    assert box is not None
    levels = []
    for share in (0.5, 0.75):
        page.mouse.click(box["x"] + share * box["width"], box["y"] + 0.3 * box["height"])
        settle(page)
        found = re.search(r"\d+", str(page.locator(".st-key-lesson_view .level").text_content()))
        assert found
        levels.append(int(found[0]))
    # a quarter of the canvas is a little more than a quarter of 256 levels
    assert 64 <= levels[1] - levels[0] <= 80
    page.keyboard.press("h")
    keys = page.locator(".st-key-lesson_view .help")
    expect(keys).to_be_visible()
    assert keys.evaluate(
        """one => one.scrollHeight <= one.clientHeight
          && one.getBoundingClientRect().top >= one.parentElement.getBoundingClientRect().top"""
    )


def test_a_small_window_shows_every_stops_number_and_the_switch(server: str, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(f"{server}/lessons?stop=7")
    title(page, 7)
    settle(page)
    assert page.evaluate(CUT) == []
    switch = page.get_by_text("Present", exact=True).bounding_box()
    last = page.get_by_role("radio", name=f"{len(COURSE)}").bounding_box()
    assert switch is not None
    assert last is not None
    assert switch["height"] < 30
    assert last["x"] + last["width"] < switch["x"] < 1000


def test_the_second_window_follows_and_turns_the_first(server: str, page: Page) -> None:
    page.goto(f"{server}/lessons?present=1")
    title(page, 1)
    with page.expect_popup() as opened:
        page.locator(".st-key-lesson_notes a").first.click()
    notes = opened.value
    expect(
        notes.get_by_role("heading", name=f"1 of {len(COURSE)} · {COURSE[0].title}")
    ).to_be_visible()
    expect(notes.get_by_text(f"Next: {COURSE[1].title}")).to_be_visible()
    expect(notes.get_by_role("timer")).to_have_text(re.compile(r"\d+ min"))
    page.bring_to_front()
    page.keyboard.press("PageDown")
    title(page, 2)
    expect(notes.get_by_role("heading", name=f"2 of {len(COURSE)}")).to_be_visible()
    notes.bring_to_front()
    notes.keyboard.press("PageDown")
    title(page, 3)
    expect(notes.get_by_role("heading", name=f"3 of {len(COURSE)}")).to_be_visible()


def test_a_terms_meaning_shows_on_keyboard_focus(server: str, page: Page) -> None:
    page.goto(f"{server}/lessons")
    title(page, 1)
    term = page.locator(".st-key-lesson_text .term").first
    meaning = term.locator(".meaning")
    expect(meaning).to_be_hidden()
    term.focus()
    expect(meaning).to_be_visible()


def test_the_sheet_prints_without_the_page_around_it(server: str, page: Page) -> None:
    page.goto(f"{server}/lessons?sheet=1")
    expect(page.get_by_role("heading", name="Terms")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    expect(page.get_by_role("heading", name=f"1. {COURSE[0].title}")).to_be_visible()
    assert page.pdf().count(b"/Type /Page\n") > 2


@pytest.mark.parametrize("number", range(1, len(tour.STOPS) + 1))
def test_each_stop_of_the_tour_shows_itself_at_once(server: str, page: Page, number: int) -> None:
    stop = tour.STOPS[number - 1]
    query = "&".join(f"{key}={value}" for key, value in
                     tour.query_of(stop.changes, "demo-flair", number).items())  # fmt: skip
    page.goto(f"{server}/{stop.page.removeprefix('pages/').removesuffix('.py')}?{query}")
    bar = page.locator(".st-key-tour")
    expect(bar.get_by_text(f"Tour, {number} of {len(tour.STOPS)}")).to_be_visible(timeout=MADE)
    seen = page.locator("canvas, img, [data-testid=stDataFrame]").first
    expect(seen).to_be_visible(timeout=MADE)
    settle(page)
    box = seen.bounding_box()
    assert box is not None
    assert box["y"] + min(box["height"], 150) <= 900
    page.reload()
    expect(bar).to_be_visible()
    assert f"tour={number}" in page.url


def test_the_tour_leads_on_and_back_and_lets_go(server: str, page: Page) -> None:
    page.goto(server)
    page.get_by_role("link", name="2 · Click the peak").click()
    bar = page.locator(".st-key-tour")
    expect(bar.get_by_text("Tour, 2 of 5")).to_be_visible(timeout=MADE)
    bar.get_by_role("button", name="Next").click()
    expect(bar.get_by_text("Tour, 3 of 5")).to_be_visible()
    page.wait_for_function("location.search.includes('rule=otsu')")
    bar.get_by_role("button", name="Back").click()
    expect(bar.get_by_text("Tour, 2 of 5")).to_be_visible()
    page.wait_for_function("!location.search.includes('otsu')")
    bar.get_by_role("button", name="Leave the tour").click()
    expect(bar).to_be_hidden()
    page.wait_for_function("!location.search.includes('tour')")
