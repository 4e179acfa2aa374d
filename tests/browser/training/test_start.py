"""Starting on patients by the page: settings are proposed, refusals stand at the button."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from ascnet_core.imaging.cohort import read_manifest, write_manifest
from ascnet_core.runs.folder import Run
from tests.browser.conftest import settle
from tests.browser.run_form import command, fill

expect.set_options(timeout=60_000)  # ms: the machine may be busy with other things


def open_form(page: Page, server: str, cohort: Path) -> None:
    page.goto(f"{server}/training?{urlencode({'cohort': cohort})}")
    page.get_by_text("New run", exact=True).click()
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    settle(page)


def name_it(page: Page, run: Path) -> None:
    name = page.get_by_role("textbox", name="Name of the run")
    name.fill(str(run))
    name.press("Enter")
    command(page, run.name)


@pytest.fixture
def patients(real_data: Path, tmp_path: Path) -> Path:
    """Two of the ten patients of `brats`, under a manifest that the server opens."""
    rows = [
        {"subject": scan.subject, "image": scan.image, "mask": scan.mask, "region": scan.region,
         "modality": scan.modality}
        for scan in read_manifest(real_data / "brats.csv").scans[:2]
    ]  # fmt: skip
    for row in rows:
        for column in ("image", "mask", "region"):
            copy = tmp_path / "data" / row[column].name
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(row[column].read_bytes())
            row[column] = copy
    write_manifest(tmp_path / "brats.csv", rows)
    return tmp_path / "brats.csv"


def test_patients_without_a_normal_group_are_trained_on_as_proposed(
    page: Page, server: str, patients: Path, tmp_path: Path
) -> None:
    open_form(page, server, patients)
    expect(page.get_by_role("combobox", name="Reference: what is normal")).to_have_value(
        "lesion-free slices of the same cohort"
    )
    expect(page.get_by_test_id("stAlert").filter(has_text="its fence turns white")).to_be_visible()
    page.get_by_role("button", name="Take it").click()
    command(page, "--preset two-cut-self-training")
    expect(page.get_by_text("The form holds it.")).to_be_visible()
    for label, value in (
        ("Slice size, pixels", 48),
        ("Width of M, feature maps", 2),
        ("Cycles of stage 1", 1),
        ("Steps in an epoch (0: all slices)", 3),
    ):
        fill(page, label, value)
    run = tmp_path / "trained" / "first"
    name_it(page, run)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_test_id("stProgress").filter(has_text="finished").first).to_be_visible()
    assert Run(run).settings().corruption.margin == 0


def test_what_hinders_the_start_is_in_the_window_beside_the_button(
    page: Page, server: str, patients: Path, tmp_path: Path
) -> None:
    open_form(page, server, patients)
    # what only the scans tell: the process refuses it, and nothing is left of the run
    field = page.get_by_role("textbox", name="Watched slices")
    field.fill("nobody:3")
    field.press("Enter")
    run = tmp_path / "trained" / "refused"
    name_it(page, run)
    start = page.get_by_role("button", name="Start training")
    # at the foot of the form, as whoever reads its command line
    page.get_by_test_id("stCode").last.scroll_into_view_if_needed()
    start.click()
    said = page.get_by_test_id("stAlert").filter(has_text="has no scan 'nobody'")
    expect(said).to_be_in_viewport()
    expect(start).to_be_in_viewport()
    above, button = said.bounding_box(), start.bounding_box()
    assert above is not None
    assert button is not None
    assert 0 <= button["y"] - above["y"] - above["height"] < 60
    assert not run.parent.exists()
    expect(field).to_have_value("nobody:3")
    # what the manifest tells: there is nothing to press
    reference = page.get_by_role("combobox", name="Reference: what is normal")
    reference.scroll_into_view_if_needed()
    settle(page)  # scrolling closes an open list
    reference.click()
    page.get_by_role("option", name="the cohort's normal group").click()
    expect(start).to_be_disabled()
    start.scroll_into_view_if_needed()
    expect(
        page.get_by_test_id("stAlert").filter(has_text="has no normal group; take its")
    ).to_be_in_viewport()


def test_the_form_outlasts_other_pages_and_a_reload(
    new_page: Callable[..., Page], server: str, small_cohort: Path
) -> None:
    page = new_page()
    open_form(page, server, small_cohort)
    fill(page, "Seed", 7)
    rate = page.get_by_role("textbox", name="Learning rate of M")
    rate.fill("abc")
    rate.press("Enter")
    expect(page.get_by_text("It must be a number.", exact=False).first).to_be_visible()
    batch = page.get_by_role("spinbutton", name="Batch of M, slices")
    batch.fill("100000000000")
    batch.press("Enter")
    expect(page.get_by_text("It must be at most 65536.").first).to_be_visible()
    expect(page.get_by_role("button", name="Start training")).to_be_disabled()
    page.get_by_role("link", name="Evaluation").click()
    expect(page.get_by_role("heading", name="Evaluation", exact=True).first).to_be_visible()
    settle(page)
    page.get_by_role("link", name="Training").click()
    settle(page)
    page.get_by_text("New run", exact=True).click()
    expect(page.get_by_role("spinbutton", name="Seed")).to_have_value("7")
    settle(page)
    page.reload()
    expect(page.get_by_role("spinbutton", name="Seed")).to_have_value("7")
    expect(page.get_by_role("textbox", name="Learning rate of M")).to_have_value("abc")
    # another tab begins with an empty form
    other = new_page()
    open_form(other, server, small_cohort)
    expect(other.get_by_role("spinbutton", name="Seed")).to_have_value("0")
