"""Six stops by the arrow keys in presenter mode: each is drawn and fits the screen."""

from playwright.sync_api import Page, expect

from pages.parts.lesson_stops import STOPS

HEIGHTS = """() => { const main = document.querySelector("[data-testid=stMain]");
  return [main.scrollHeight, main.clientHeight]; }"""


def test_a_lecturer_walks_all_stops_by_arrow_keys(server: str, page: Page) -> None:
    page.goto(f"{server}/lessons")
    expect(page.get_by_role("heading", name=f"1. {STOPS[0].title}")).to_be_visible()
    page.get_by_text("Present").click()
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    for number, stop in enumerate(STOPS, 1):
        expect(page.get_by_role("heading", name=f"{number}. {stop.title}")).to_be_visible()
        # the first stop makes the demo cohort
        expect(page.locator(".st-key-lesson_notice")).to_be_visible(timeout=90_000)
        drawn = page.locator(".st-key-lesson_view").locator("img, canvas, .js-plotly-plot").first
        expect(drawn).to_be_visible()
        whole, seen = page.evaluate(HEIGHTS)
        assert whole <= seen, stop.title
        page.keyboard.press("ArrowRight")
    assert page.url.endswith("stop=6")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name=f"5. {STOPS[4].title}")).to_be_visible(timeout=30_000)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stSidebar")).to_be_visible(timeout=30_000)
