"""A blind comparison by keys alone: every answer is kept once, also across a killed server."""

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ascnet_core.studies.folder import Study, new_study
from ascnet_core.studies.preferences import every_preference
from tests.browser.conftest import PATIENCE, settle, start_server, stop_server


@pytest.fixture
def study(small_cohort: Path, small_run: Path, tmp_path: Path) -> Study:
    return new_study(tmp_path / "ms", small_cohort, small_run)


def shows(page: Page, subject: str) -> None:
    """Wait until the masks of this subject are drawn."""
    expect(page.locator(".versus")).to_have_attribute("data-at", subject, timeout=PATIENCE)
    expect(page.locator("[data-node=waiting]")).to_be_hidden(timeout=PATIENCE)


def waiting(page: Page, answers: int) -> None:
    """Wait until so many answers are not on the disk yet."""
    locator = page.locator(".versus")
    expect(locator).to_have_attribute("data-waiting", str(answers), timeout=PATIENCE)


def test_subjects_are_compared_by_keys_alone(
    study: Study, page: Page, tmp_path: Path, app_cache: Path
) -> None:
    process, address = start_server(app_cache, tmp_path / "first.log")
    port = address.rpartition(":")[2]
    try:
        page.goto(f"{address}/tuning?study={study.path}&rater=anna&view=versus")
        page.get_by_role("button", name="Begin").click()
        subjects = list(study.subjects)
        shows(page, subjects[0])
        settle(page)
        # names of colours in the style of every page say nothing of this one
        text = re.sub(r"<style.*?</style>", "", page.content(), flags=re.DOTALL)
        assert "otsu" not in text
        assert "reconstruction" not in text
        left = page.locator("[data-node=left]")
        marked = left.get_attribute("data-marked") or ""
        page.keyboard.press("w")
        page.keyboard.press("m")
        page.keyboard.press("m")
        page.keyboard.press("s")
        expect(left).to_have_attribute("data-marked", marked)
        page.keyboard.press("ArrowLeft")
        shows(page, subjects[1])
        page.keyboard.press("ArrowDown")
        shows(page, subjects[2])
        page.keyboard.press("u")  # a changed mind
        shows(page, subjects[1])
        page.keyboard.press("ArrowRight")
        shows(page, subjects[2])
        waiting(page, 0)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        page.keyboard.press("ArrowLeft")  # nobody hears it now
        waiting(page, 1)
        process, _ = start_server(app_cache, tmp_path / "second.log", port=int(port))
        shows(page, subjects[3])
        waiting(page, 0)
        page.keyboard.press("ArrowDown")
        page.get_by_text("anna has compared 4 subjects").wait_for()
        settle(page)
    finally:
        stop_server(process)
    answers = every_preference(study)
    assert [one.subject for one in answers] == [
        subjects[0], subjects[1], subjects[1], subjects[2], subjects[3],
    ]  # fmt: skip
    assert answers[0].better == answers[0].left
    assert answers[1].better == answers[4].better == "neither"
    assert answers[2].better == ("b" if answers[2].left == "a" else "a")
    assert answers[3].better == answers[3].left
    assert all(one.seconds is not None and one.seconds >= 0 for one in answers)
