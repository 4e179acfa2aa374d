"""A link to a path of this machine: the question in a real browser, and what the answer opens."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import start_server, stop_server

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


@pytest.fixture(scope="module")
def careful_server(tmp_path_factory: pytest.TempPathFactory, app_cache: Path) -> Iterator[str]:
    """The address of an app that asks about every link, as it does by default."""
    process, address = start_server(app_cache, tmp_path_factory.mktemp("log") / "server.log", "")
    yield address
    stop_server(process)


def test_a_link_asks_and_opens_in_this_tab_alone(
    new_page: Callable[..., Page], careful_server: str, small_cohort: Path, small_run: Path
) -> None:
    link = f"{careful_server}/data?{urlencode({'cohort': small_cohort, 'run': small_run})}"
    page = new_page()
    page.goto(link)
    question = page.locator(".st-key-link_question")
    expect(question.get_by_text("This link opens paths on this machine")).to_be_visible()
    for path in (small_cohort, small_run):
        expect(question.get_by_text(str(path), exact=True)).to_be_visible()
    expect(page.get_by_text("4 subjects")).to_have_count(0)
    question.get_by_role("button", name="Open it").click()
    expect(page.get_by_text("4 subjects, 4 scans")).to_be_visible()
    expect(question).to_have_count(0)
    page.get_by_role("link", name="Cuts").click()  # another page asks no more
    expect(page.locator(".cuts")).to_have_attribute("data-slice", re.compile(r"\d+"))
    other = new_page()
    other.goto(link)
    expect(other.locator(".st-key-link_question")).to_be_visible()


def test_a_link_with_odd_words_fetches_nothing_and_can_be_left(
    page: Page, careful_server: str, tmp_path: Path
) -> None:
    folder = tmp_path / "![x](https:" / "example.org" / "x.png) <b>$a$"
    folder.mkdir(parents=True)
    page.goto(f"{careful_server}/threshold?{urlencode({'cohort': folder})}")
    question = page.locator(".st-key-link_question")
    expect(question.get_by_text(str(folder), exact=True)).to_be_visible()
    expect(question.locator("img")).to_have_count(0)  # `page` also looks at what is asked for
    question.get_by_role("button", name="Show the demo instead").click()
    expect(page.locator(".viewer, .st-key-stage").first).to_be_visible()
    expect(page).not_to_have_url(re.compile("example"))


def test_a_server_that_others_reach_opens_no_path_that_its_owner_did_not_name(
    page: Page, app_cache: Path, tmp_path: Path, small_cohort: Path
) -> None:
    process, address = start_server(app_cache, tmp_path / "log", "", bound="0.0.0.0")
    try:
        page.goto(f"{address}/data?{urlencode({'cohort': small_cohort})}")
        alert = page.get_by_role("alert").filter(has_text="ascnet app --data FOLDER")
        expect(alert).to_be_visible()
        expect(page.get_by_text("4 subjects, 4 scans")).to_have_count(0)
        page.get_by_role("button", name="Show the demo instead").click()
        expect(page.get_by_text("8 subjects")).to_be_visible()
        page.get_by_role("tab", name="Path on this machine").click()
        page.get_by_role("textbox", name="Manifest (CSV) or folder").fill(str(small_cohort))
        page.get_by_role("button", name="Open path").click()
        expect(alert).to_be_visible()
        expect(page.get_by_text("4 subjects, 4 scans")).to_have_count(0)
    finally:
        stop_server(process)
