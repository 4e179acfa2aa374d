"""The form of a new run, as a person fills it in."""

from playwright.sync_api import Page, expect


def command(page: Page, text: str) -> None:
    """Wait until the command line at the form's foot holds `text`."""
    expect(page.locator("code").filter(has_text=text).first).to_be_visible()


def fill(page: Page, label: str, value: object) -> None:
    field = page.get_by_role("spinbutton", name=label)
    field.fill(str(value))
    field.press("Enter")
    command(page, f"={value}")
