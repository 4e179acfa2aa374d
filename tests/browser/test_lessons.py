"""Six stops by the arrow keys in presenter mode: each is drawn and fits the screen."""

from playwright.sync_api import Page, expect

from pages.parts.lessons.stops import STOPS

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things
MADE = 400_000  # ms: the same, for what takes some seconds on an idle one

FITS = """() => { const main = document.querySelector("[data-testid=stMain]");
  return main.scrollHeight <= main.clientHeight && main.scrollWidth <= main.clientWidth; }"""
SCREENS = ((1920, 1080), (1440, 900))  # a projector's and a laptop's


def test_a_lecturer_walks_all_stops_by_arrow_keys(server: str, page: Page) -> None:
    page.goto(f"{server}/lessons")
    expect(page.get_by_role("heading", name=f"1. {STOPS[0].title}")).to_be_visible()
    page.get_by_text("Present").click()
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    for number, stop in enumerate(STOPS, 1):
        expect(page.get_by_role("heading", name=f"{number}. {stop.title}")).to_be_visible()
        # the first stop makes the demo cohort, the fifth cuts it
        expect(page.locator(".st-key-lesson_notice")).to_be_visible(timeout=MADE)
        drawn = page.locator(".st-key-lesson_view").locator("img, canvas, .js-plotly-plot").first
        expect(drawn).to_be_visible()
        for width, height in SCREENS:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_function(FITS)  # for a moment the old size's pictures stand in the new
        page.keyboard.press("ArrowRight")
    assert page.url.endswith("stop=6")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name=f"5. {STOPS[4].title}")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
