"""Every page in both themes: axe finds nothing serious, and the parts that it cannot see are there.

axe-playwright-python bundles axe-core (MPL 2.0), so nothing is fetched.
"""

from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import Study, new_study
from tests.browser.conftest import settle

expect.set_options(timeout=120_000)  # ms: the machine may be busy with other things

SERIOUS = ("serious", "critical")
# A page's address and a text or element that is there once all of it is.
PAGES = {
    "start": ("/", "text=What to keep in mind"),
    "lessons": ("/lessons", ".st-key-lesson img"),
    "presenting": ("/lessons?present=1", ".st-key-lesson img"),
    "data": ("/data", "[data-testid=stPlotlyChart]"),
    "tuning": ("/tuning", "text=kept for good"),
    "evaluation": ("/evaluation", "button:has-text('Evaluate')"),
}
OF_A_SCAN = {"cuts": ".cuts[data-slice]", "threshold": "[data-node=values] b"}
TRAINING = ("Runs", "New run", "Compare", "Reference lab")
TUNING = {
    "decide": ".queue .row",
    "rules": "[data-testid=stPlotlyChart]",
    "versus": "button:has-text('Begin')",
    "agreement": "[data-testid=stPlotlyChart]",
    "report": "button:has-text('Make the report')",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, small_cohort: Path, small_run: Path) -> Study:
    study = new_study(tmp_path_factory.mktemp("study") / "ms", small_cohort, small_run)
    for number, subject in enumerate(study.subjects):
        for rater, level in (("anna", 60), ("ben", 60 + 10 * number)):
            how = ("reconstruction", "bright", "raw", "", level)
            record(study, Decision(rater, subject, *how))
    return study


def check(page: Page) -> None:
    """axe in the light theme and, after a change of the system's preference, in the dark one."""
    settle(page)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", theme)
        page.wait_for_timeout(2000)  # colours pass over into each other
        found = Axe().run(page).response["violations"]
        said = [
            (theme, one["id"], node["target"], node["html"][:200])
            for one in found
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]
        assert said == []


@pytest.mark.parametrize("name", PAGES)
def test_pages(page: Page, server: str, name: str) -> None:
    address, there = PAGES[name]
    page.goto(server + address)
    page.locator(there).first.wait_for()
    check(page)


@pytest.mark.parametrize("name", OF_A_SCAN)
def test_pages_of_a_scan(
    page: Page, server: str, name: str, small_cohort: Path, small_run: Path
) -> None:
    page.goto(f"{server}/{name}?{urlencode({'cohort': small_cohort, 'run': small_run})}")
    page.locator(OF_A_SCAN[name]).first.wait_for()
    check(page)


@pytest.mark.parametrize("view", TRAINING)
def test_views_of_training(page: Page, server: str, view: str) -> None:
    page.goto(f"{server}/training?run=demo-flair")
    page.get_by_role("radio", name=view).or_(page.get_by_role("button", name=view)).first.click()
    check(page)


@pytest.mark.parametrize("view", TUNING)
def test_views_of_tuning(page: Page, server: str, study: Study, view: str) -> None:
    query = {"study": study.path, "rater": "anna", "view": view}
    page.goto(f"{server}/tuning?{urlencode(query)}")
    page.locator(TUNING[view]).first.wait_for()
    check(page)
