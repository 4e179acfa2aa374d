"""The browser's Back undoes one step of the user: a page, a subject, a run."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


def test_each_back_lands_on_the_step_before(page: Page, server: str) -> None:
    page.goto(server)
    page.get_by_role("button", name="Open the demo in Threshold").click()
    expect(page.locator(".viewer")).to_be_visible()
    expect(page).to_have_url(re.compile("/threshold.*subject=demo1-002"))
    settle(page)
    page.get_by_role("button", name="›").click()
    expect(page).to_have_url(re.compile("/threshold.*subject=demo1-003"))
    settle(page)
    page.get_by_role("link", name="Cuts").click()
    expect(page.locator(".cuts")).to_be_visible()
    expect(page).to_have_url(re.compile("/cuts.*subject=demo1-003"))
    settle(page)
    page.go_back()
    expect(page).to_have_url(re.compile("/threshold.*subject=demo1-003"))
    expect(page.locator(".viewer")).to_be_visible()
    settle(page)
    page.go_back()
    expect(page).to_have_url(re.compile("/threshold.*subject=demo1-002"))
    expect(page.get_by_text(re.compile("Subject 2 of"))).to_be_visible()
    settle(page)
    page.go_back()
    expect(page).to_have_url(re.compile(f"^{server}/$"))
    expect(page.get_by_role("button", name="Open the demo in Threshold")).to_be_visible()
