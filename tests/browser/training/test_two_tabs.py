"""Two tabs on one run that trains: each soon offers what the other one asked for."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from ascnet_core.runs.folder import Run
from ascnet_core.runs.requests import ask
from ascnet_core.runs.start import start_training
from tests.browser.conftest import settle

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


def test_a_tab_follows_what_is_asked_for_elsewhere(
    new_page: Callable[..., Page], server: str, small_cohort: Path, tmp_path: Path
) -> None:
    run = tmp_path / "trained" / "watched-twice"
    changes = ["data.size=48", "network.width=2", "schedule.stage_1=500", "schedule.steps=4"]
    options = [part for change in changes for part in ("--set", change)]
    start_training([str(small_cohort), "--name", str(run), "--preset", "teaching", *options])
    first, second = new_page(), new_page()
    try:
        for page in (first, second):
            page.goto(f"{server}/training?{urlencode({'run': run})}")
            page.get_by_role("tab", name="Film of the run").click()
            # live like the rest: the film and the ways to look come with the first snapshot
            expect(page.locator(".film")).to_be_visible()
            expect(page.get_by_role("button", name="Cuts", exact=True)).to_be_enabled()
        first.get_by_role("button", name="Pause").click()
        for page in (first, second):
            expect(page.get_by_role("button", name="Go on")).to_be_visible()
        film = first.locator(".film")
        film.get_by_role("button", name="one snapshot back").click()
        settle(first)
        film.get_by_role("button", name="one snapshot on").click()
        settle(first)
        second.get_by_role("button", name="Go on").click()
        expect(first.get_by_role("button", name="Pause")).to_be_visible()
        main = second.get_by_test_id("stMainBlockContainer")  # the header has a Stop of its own
        main.get_by_role("button", name="Stop", exact=True).click()
        for page in (first, second):
            stopped = page.get_by_test_id("stProgress").filter(has_text="stopped")
            expect(stopped.first).to_be_visible()
            expect(page.get_by_role("button", name="Go on")).to_be_visible()
        # the film that stood at its end went on with the run, and so did what opens beside it
        newest = Run(run).snapshots()[-1]
        expect(film).to_have_attribute("data-place", str(newest.index))
        expect(film).to_have_attribute("data-told", str(newest.index))
        settle(first)
        first.get_by_role("button", name="Open this cycle in Threshold").click()
        expect(first).to_have_url(re.compile(rf"[?&]cycle={newest.total_cycle}\b"))
        second.get_by_role("button", name="Threshold", exact=True).click()
        expect(second).to_have_url(re.compile(rf"[?&]cycle={newest.total_cycle}\b"))
    finally:
        ask(run, "stop")
