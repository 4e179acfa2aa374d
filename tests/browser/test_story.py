"""The whole story of a run in one tab: start, watch, pause, refresh, go on, stop, look back, use.

Nothing here waits for a clock: every step waits for what a person would wait for.
"""

import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from ascnet_core.monitoring.advisor import advise
from ascnet_core.monitoring.history import read_history
from ascnet_core.runs.folder import Run
from ascnet_core.runs.result import result_of
from tests.browser.conftest import settle
from tests.browser.run_form import command, fill

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things
TRAINED = 600_000  # ms: the same, for what takes ten seconds on an idle one
CYCLES = 5
# An epoch's steps: what is left after two cycles lasts until a tab that lags has paused the run.
STEPS = 100
READY = "globalThis.ascnetExplorer?.volumes.size > 0 && ascnetExplorer.frames > 0"


def status(page: Page, word: str) -> Locator:
    return page.get_by_test_id("stProgress").filter(has_text=word).first


def start(page: Page, run: Path) -> None:
    """Fill in the form for a run of some ten seconds, and start it."""
    page.get_by_text("New run", exact=True).click()
    fill(page, "Slice size, pixels", 48)
    fill(page, "Width of M, feature maps", 2)
    fill(page, "Cycles of stage 1", CYCLES)
    fill(page, "Steps in an epoch (0: all slices)", STEPS)
    name = page.get_by_role("textbox", name="Name of the run")
    name.fill(str(run))
    name.press("Enter")
    command(page, run.name)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("heading", name=run.name)).to_be_visible()


LOADED = "document.images.length && [...document.images].every((one) => one.complete)"
BROKEN = "[...document.images].filter((one) => one.complete && !one.naturalWidth).length"


@pytest.fixture
def console(page: Page) -> list[str]:
    """What the tab wrote on its console as errors."""
    said: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        url = message.location["url"]
        # Streamlit looks for its server below the page's own path first, and is told 404
        if message.type == "error" and not re.search(r"/\w+/_stcore/(health|host-config)$", url):
            said.append(f"{message.text} {url}")

    page.on("console", hear)
    return said


def test_a_run_from_the_form_to_a_threshold_on_an_earlier_cycle(
    page: Page, server: str, small_cohort: Path, tmp_path: Path, console: list[str]
) -> None:
    run = Run(tmp_path / "trained" / "story")
    page.goto(f"{server}/training?{urlencode({'cohort': small_cohort})}")
    settle(page)
    page.wait_for_function(LOADED)  # a picture of a view that is left may be gone when asked for
    start(page, run.path)

    # two cycles pass before one's eyes
    expect(page.get_by_text(re.compile(r"Watched slices, stage 1, cycle [2-4]"))).to_be_visible(
        timeout=TRAINED
    )
    page.get_by_role("tab", name="Losses and gauges").click()
    expect(page.get_by_role("cell", name="Rank correlation of I_ro with I_in")).to_be_visible()

    # paused; a refreshed tab finds it as it was
    page.get_by_role("button", name="Pause").click()
    expect(status(page, "paused")).to_be_visible()
    assert run.status() == "paused"
    paused_at = run.progress()
    assert paused_at is not None
    assert paused_at.step < CYCLES * STEPS
    page.reload()
    expect(status(page, "paused")).to_be_visible()
    expect(page.get_by_text(f"step {paused_at.step} of {CYCLES * STEPS}").first).to_be_visible()
    assert run.status() == "paused"

    # gone on with, to its end
    page.get_by_role("button", name="Go on").click()
    expect(status(page, "finished")).to_be_visible(timeout=TRAINED)
    expect(page.get_by_text(f"step {CYCLES * STEPS} of {CYCLES * STEPS}").first).to_be_visible()
    assert [snapshot.total_cycle for snapshot in run.snapshots()] == list(range(CYCLES + 1))

    # the advice is that of the folder
    sentence = advise(read_history(run)).sentence
    said = page.get_by_test_id("stAlert").filter(has_text=sentence[1:])
    expect(said).to_have_count(1)  # while the page is drawn anew, the old one may stand beside it
    expect(said).to_be_visible()

    # the film from its last frame to the first, and to the last but one
    film = page.locator(".film")
    expect(film).to_have_attribute("data-frame", str(CYCLES))
    tiles = film.locator("canvas[data-node=tiles]")
    last = tiles.evaluate("c => c.toDataURL()")
    film.locator("[data-node=slider]").focus()
    page.keyboard.press("Home")
    expect(film).to_have_attribute("data-frame", "0")
    expect(film.locator("[data-node=said]")).to_contain_text("start")
    assert tiles.evaluate("c => c.toDataURL()") != last
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    expect(film).to_have_attribute("data-frame", str(CYCLES - 1))

    # back by one cycle
    cycle = page.get_by_role("combobox", name="Open a cycle on any scan")
    expect(cycle).to_have_value(re.compile(rf"stage 1, cycle {CYCLES - 1}\b"))
    page.get_by_role("button", name="Make it the result").click()
    page.get_by_role("button", name="Yes, make it the result").click()
    expect(page.get_by_text(f"The run's result: stage 1, cycle {CYCLES - 1}.")).to_be_visible()
    result = result_of(run)
    assert result is not None
    assert result.total_cycle == CYCLES - 1

    # and on to a scan
    page.get_by_role("button", name="Open this cycle in Threshold").click()
    page.wait_for_url(re.compile(rf"/threshold\?.*\bcycle={CYCLES - 1}\b"))
    page.wait_for_function(READY)
    expect(page.locator("canvas.histogram")).to_be_visible()
    expect(page.get_by_role("combobox", name="Cycle")).to_have_value(f"stage 1, cycle {CYCLES - 1}")
    assert page.get_by_test_id("stException").count() == 0
    assert console == []
    assert page.evaluate(BROKEN) == 0
