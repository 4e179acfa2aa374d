"""Agreement, report and masks of a study in a real browser, by jobs of their own processes."""

import re
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import Study, new_study
from tests.browser.conftest import settle

expect.set_options(timeout=120_000)  # ms: the machine may be busy with other things


@pytest.fixture
def study(tmp_path: Path, small_cohort: Path, small_run: Path) -> Study:
    study = new_study(tmp_path / "ms", small_cohort, small_run)
    for number, subject in enumerate(study.subjects):
        for rater, level in (("anna", 60), ("ben", 60 + 10 * number)):
            how = ("reconstruction", "bright", "raw", "", level)
            record(study, Decision(rater, subject, *how))
    return study


def address(server: str, study: Study, view: str) -> str:
    return f"{server}/tuning?{urlencode({'study': study.path, 'rater': 'anna', 'view': view})}"


def test_a_click_opens_a_subject_to_discuss(page: Page, server: str, study: Study) -> None:
    page.goto(address(server, study, "agreement"))
    page.get_by_role("button", name="Compare their masks").click()
    expect(page.get_by_text("Dice between them").first).to_be_visible()
    table = page.get_by_test_id("stDataFrame")
    table.scroll_into_view_if_needed()
    settle(page, 1000)
    box = table.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 35 + 17)  # to the first row
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + 60, box["y"] + 35 + 17)
    expect(page).to_have_url(re.compile(r"view=decide&subject=|subject=.*view=decide"))


def test_a_dot_opens_its_subject(page: Page, server: str, study: Study) -> None:
    page.goto(address(server, study, "agreement"))
    dot = page.locator(".scatterlayer .trace:has(path:nth-of-type(4)) .points path").last
    dot.scroll_into_view_if_needed()
    settle(page)
    dot.hover(force=True)
    said = page.locator(".hoverlayer .hovertext").first.text_content() or ""
    assert ": difference" in said
    dot.click(force=True)
    expect(page).to_have_url(re.compile(rf"subject={said.partition(':')[0]}"))


def test_report_and_masks_are_made_and_downloaded(page: Page, server: str, study: Study) -> None:
    page.goto(address(server, study, "report"))
    page.get_by_role("button", name="Make the report").click()
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("button", name="Download the report").click(timeout=120_000)
    assert "Study ms" in Path(download.value.path()).read_text()
    page.get_by_role("button", name="Make masks").click()
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("button", name="Download masks").click(timeout=120_000)
    with zipfile.ZipFile(download.value.path()) as packed:
        masks = [name for name in packed.namelist() if name.startswith("masks/")]
    assert len(masks) == len(study.subjects)
