"""Evaluating a cohort in a real browser: from the button to the subject in Threshold."""

import re
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


def test_evaluate_shows_tables_and_opens_a_subject(
    page: Page, server: str, app_cache: Path, small_cohort: Path, small_run: Path
) -> None:
    query = {"cohort": small_cohort, "run": small_run, "rule": "otsu"}
    page.goto(f"{server}/evaluation?{urlencode(query)}")
    page.get_by_role("button", name="Evaluate", exact=True).click()
    expect(page.get_by_text("Dice of each subject")).to_be_visible()
    expect(page.get_by_text("Mask-free: the rule saw no mask")).to_be_visible()
    (folder,) = (app_cache / "evaluations").glob("small*")
    rows = pd.read_csv(folder / "subjects.csv")
    assert set(rows["kind"]) == {"mask-free", "oracle"}
    assert {"asc-net", "input-threshold"} <= set(rows["method"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Subjects (CSV)").click()
    assert pd.read_csv(download.value.path()).shape == rows.shape

    own = rows[(rows["method"] == "asc-net") & (rows["rule"] == "otsu") & (rows["truth_ml"] > 0)]
    worst = own.sort_values("dice")["subject"].iloc[0]
    table = page.get_by_test_id("stDataFrame").nth(1)
    expect(table).to_be_visible()
    table.scroll_into_view_if_needed()
    settle(page, 1000)
    box = table.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 35 + 17)  # to the first row
    page.wait_for_timeout(300)
    page.mouse.click(box["x"] + 60, box["y"] + 35 + 17)
    expect(page).to_have_url(re.compile(rf"/threshold\?.*subject={worst}"))
