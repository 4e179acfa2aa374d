"""While another run is made ready, the old one's mask does not stand under its name."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import settle

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things

# Notes at each frame how dense the viewer is, 0 where it is hidden.
WATCH = """(viewer) => {
  window.seen = [];
  const look = () => {
    let shown = viewer.isConnected ? 1 : 0;
    for (let node = viewer; node; node = node.parentElement ?? node.getRootNode().host) {
      shown *= Number(getComputedStyle(node).opacity);
    }
    window.seen.push(shown);
    requestAnimationFrame(look);
  };
  look();
}"""


def test_the_old_picture_is_hidden_until_the_new_one_is_there(page: Page, server: str) -> None:
    page.goto(f"{server}/threshold?subject=demo1-004")
    expect(page.locator(".viewer")).to_be_visible()
    settle(page)
    page.locator(".viewer").evaluate(WATCH)
    page.get_by_role("button", name="›").click()
    expect(page).to_have_url(re.compile("subject=demo1-005"))
    settle(page)
    assert page.evaluate("window.seen[0]") == 1
    assert page.evaluate("window.seen.includes(0)")
    assert page.evaluate("window.seen.at(-1)") == 1  # there again
    page.evaluate("window.seen.length = 0")
    page.get_by_role("radio", name="dark").or_(page.get_by_role("button", name="dark")).click()
    settle(page)
    assert not page.evaluate("window.seen.includes(0)")  # another threshold keeps the picture
