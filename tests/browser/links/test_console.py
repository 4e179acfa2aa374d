"""The browser's console stays empty on every page, opened by its own address."""

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from tests.browser.conftest import settle

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things

PAGES = {
    "": "A tour of",
    "lessons": "Present",
    "data": "subjects",
    "cuts": "Cuts of",
    "threshold": "Rule",
    "tuning": "threshold per subject",
    "training": "Losses",
    "training?compare=demo-flair,demo-t2": "pixels",
    "training?run=lgg-flair": "Losses",
    "evaluation": "Evaluate",
}
"""Their addresses, and words that stand on them once they are drawn."""


@pytest.mark.parametrize("address", PAGES)
def test_nothing_is_written_to_the_console(page: Page, server: str, address: str) -> None:
    written = list[str]()

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            written.append(f"{message.text} ({message.location.get('url')})")

    page.on("console", hear)
    page.goto(f"{server}/{address}")
    expect(page.get_by_text(PAGES[address]).first).to_be_visible()
    settle(page, 1500)
    assert written == []
