"""The film as a file of its own: downloaded from the page, opened without server and network."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, expect

from tests import made_up

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


def test_the_downloaded_film_runs_from_a_file(
    new_page: Callable[..., Page],
    chromium: Browser,
    server: str,
    small_cohort: Path,
    tmp_path: Path,
) -> None:
    run = made_up.write_run(tmp_path / "parted", "mmss")
    page = new_page()
    page.goto(f"{server}/training?{urlencode({'cohort': small_cohort, 'run': run})}")
    expect(page.locator(".film")).to_have_attribute("data-frame", "4")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Film as HTML").click()
    file = tmp_path / "film.html"
    waiting.value.save_as(file)
    assert waiting.value.suggested_filename == "parted.html"

    context = chromium.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    asked, broken = [], []
    alone = context.new_page()
    alone.on("request", lambda request: asked.append(request.url))
    alone.on("pageerror", lambda error: broken.append(str(error)))
    alone.goto(file.as_uri())
    film = alone.locator(".film")
    expect(film).to_have_attribute("data-frame", "4")
    assert int(film.get_attribute("data-held") or 0) > 0
    tiles = alone.locator("canvas[data-node=tiles]")
    last = tiles.evaluate("c => c.toDataURL()")
    alone.locator("[data-node=slider]").focus()
    alone.keyboard.press("Home")
    expect(film).to_have_attribute("data-frame", "0")
    assert tiles.evaluate("c => c.toDataURL()") != last
    alone.get_by_role("button", name="one snapshot on").click()
    expect(film).to_have_attribute("data-frame", "1")
    alone.get_by_role("button", name="loop").click()  # off: it stops at the end
    alone.get_by_role("button", name="play", exact=True).click()
    expect(film).to_have_attribute("data-frame", "4")
    expect(alone.locator("[data-node=play]")).to_contain_text("play")
    assert film.evaluate("f => getComputedStyle(f).fontFamily").startswith("system-ui")
    context.close()
    assert asked == [file.as_uri()]
    assert broken == []
