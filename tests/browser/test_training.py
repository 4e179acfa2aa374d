"""Two cycles of the teaching preset from the form to the finished run, in a real browser."""

from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

from ascnet_core.runs.folder import Run

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


def fill(page: Page, label: str, value: object) -> None:
    field = page.get_by_role("spinbutton", name=label)
    field.fill(str(value))
    field.press("Enter")
    expect(page.locator("code").filter(has_text=f"={value}").first).to_be_visible()


def status(page: Page, word: str) -> Locator:
    return page.get_by_test_id("stProgress").filter(has_text=word).first


def test_two_cycles_of_the_teaching_preset(
    page: Page, server: str, small_cohort: Path, tmp_path: Path
) -> None:
    run = tmp_path / "trained" / "two-cycles"
    page.goto(f"{server}/training?{urlencode({'cohort': small_cohort})}")
    page.get_by_text("New run", exact=True).click()
    fill(page, "Slice size, pixels", 48)
    fill(page, "Width of M, feature maps", 2)
    fill(page, "Cycles of stage 1", 2)
    fill(page, "Steps in an epoch (0: all slices)", 12)
    name = page.get_by_role("textbox", name="Name of the run")
    name.fill(str(run))
    name.press("Enter")
    expect(page.locator("code").filter(has_text="two-cycles").first).to_be_visible()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("heading", name="two-cycles")).to_be_visible()
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollTop === 0")
    expect(page.get_by_text("step 24 of 24")).to_be_visible()
    expect(status(page, "finished")).to_be_visible()
    expect(page.get_by_text("Watched slices, stage 1, cycle 2")).to_be_visible()
    page.get_by_role("tab", name="Losses and gauges").click()
    expect(page.get_by_role("cell", name="Rank correlation of I_ro with I_in")).to_be_visible()
    page.get_by_role("tab", name="Film of the run").click()
    # What was trained lies in the folder and opens in the other pages.
    assert Run(run).status() == "finished"
    assert len(Run(run).snapshots()) == 3
    cuts = page.get_by_role("button", name="Cuts", exact=True)
    expect(cuts).to_have_count(1)  # while the page is made anew for the ended run there are two
    cuts.click()
    expect(page.locator(".cuts")).to_be_visible()


def test_a_running_training_is_stopped_by_its_button_and_survives_a_reload(
    page: Page, server: str, small_cohort: Path, tmp_path: Path
) -> None:
    run = tmp_path / "trained" / "long"
    page.goto(f"{server}/training?{urlencode({'cohort': small_cohort})}")
    page.get_by_text("New run", exact=True).click()
    fill(page, "Slice size, pixels", 48)
    fill(page, "Width of M, feature maps", 2)
    fill(page, "Steps in an epoch (0: all slices)", 5000)
    name = page.get_by_role("textbox", name="Name of the run")
    name.fill(str(run))
    name.press("Enter")
    expect(page.locator("code").filter(has_text="trained/long").first).to_be_visible()
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("Watched slices, start")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Watched slices, start")).to_be_visible()
    main = page.get_by_test_id("stMainBlockContainer")  # the header has a Stop of its own
    main.get_by_role("button", name="Stop", exact=True).click()
    expect(status(page, "stopped")).to_be_visible()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    assert Run(run).status() == "stopped"
