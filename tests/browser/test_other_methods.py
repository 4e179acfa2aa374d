"""Another method than ASC-Net from the form to the film and to Threshold."""

import re
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from ascnet_core.runs.folder import Run
from tests.browser.conftest import settle
from tests.browser.run_form import command, fill

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


def test_a_denoising_autoencoder_is_trained_watched_filmed_and_thresholded(
    page: Page, server: str, small_cohort: Path, tmp_path: Path
) -> None:
    run = tmp_path / "denoising"
    page.goto(f"{server}/training?{urlencode({'cohort': small_cohort})}")
    page.get_by_text("New run", exact=True).click()
    page.locator("[data-testid=stSelectbox]", has_text="Preset").first.locator("input").click()
    page.get_by_role("option", name="denoising-autoencoder").click()
    command(page, "--preset denoising-autoencoder")
    fill(page, "Slice size, pixels", 32)
    fill(page, "Width of M, feature maps", 2)
    fill(page, "Cycles of stage 1", 2)
    fill(page, "Steps in an epoch (0: all slices)", 4)
    name = page.get_by_role("textbox", name="Name of the run")
    name.fill(str(run))
    name.press("Enter")
    command(page, run.name)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_test_id("stProgress").filter(has_text="finished").first).to_be_visible()
    assert Run(run).settings().method.name == "denoising-autoencoder"
    expect(page.get_by_text("I_in, output, residual from left to right")).to_be_visible()
    page.get_by_role("tab", name="Losses and gauges").click()
    expect(page.get_by_role("cell", name="Mean residual on references")).to_be_visible()
    page.get_by_role("tab", name="Film of the run").click()
    film = page.locator(".film")
    expect(film).to_have_attribute("data-frame", "2")
    settle(page)  # the page is drawn once more when the run has ended
    expect(film.get_by_text("I_in · output · residual · mask on I_in")).to_be_visible()
    expect(film.get_by_text("The joint histogram needs the two cuts of ASC-Net")).to_be_visible()
    film.get_by_role("button", name="one snapshot back").click()
    expect(film).to_have_attribute("data-frame", "1")
    page.get_by_role("button", name="Open this cycle in Threshold").click()
    expect(page).to_have_url(re.compile(r"[?&]cycle=1\b"))  # of the frame on the screen
    expect(page.get_by_text("Histogram of residual over the cohort")).to_be_visible()
    page.goto(f"{server}/cuts?{urlencode({'cohort': small_cohort, 'run': run})}")
    expect(page.get_by_text("The page Cuts needs the two cuts of ASC-Net")).to_be_visible()
