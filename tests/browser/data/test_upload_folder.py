"""A folder and a zip are uploaded, indexed, named, and what was left out is said."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ascnet_core.imaging.cohort import read_manifest
from tests.browser.conftest import settle

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


@pytest.fixture
def study(small_cohort: Path, tmp_path: Path) -> Path:
    """Two patients in folders of their own, and a file that is no scan."""
    folder = tmp_path / "my-study"
    for scan in read_manifest(small_cohort).scans[:2]:
        place = folder / scan.subject
        place.mkdir(parents=True)
        for name, path in (("FLAIR", scan.image), ("mask", scan.mask), ("brain", scan.region)):
            shutil.copy(path, place / f"{name}.nii.gz")
    (folder / "notes.txt").write_text("by hand")
    return folder


def upload(page: Page, server: str, what: str, path: Path) -> None:
    page.goto(f"{server}/data")
    page.get_by_role("tab", name="Upload").click()
    page.get_by_text(what, exact=True).click()
    settle(page)
    uploader = page.get_by_test_id("stFileUploader").first
    uploader.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_role("button", name="Open uploads")).to_be_visible()
    settle(page)


def test_a_folder_is_uploaded_and_indexed(page: Page, server: str, study: Path) -> None:
    upload(page, server, "A folder", study)
    expect(page.get_by_role("textbox", name="Name of the cohort")).to_have_attribute(
        "placeholder", "my-study"
    )
    page.get_by_role("button", name="Open uploads").click()
    expect(page.get_by_text("2 subjects, 2 scans, 2 with a mask")).to_be_visible()
    expect(page.get_by_text("1 file left out")).to_be_visible()
    expect(page.get_by_role("combobox", name="Cohort", exact=True)).to_have_value("my-study")


def test_a_zip_gets_the_name_that_was_typed(page: Page, server: str, study: Path) -> None:
    packed = shutil.make_archive(str(study), "zip", study)
    upload(page, server, "Files or a zip", Path(packed))
    name = page.get_by_role("textbox", name="Name of the cohort")
    name.fill("tumours")
    name.press("Enter")
    settle(page)
    page.get_by_role("button", name="Open uploads").click()
    expect(page.get_by_text("2 subjects, 2 scans, 2 with a mask")).to_be_visible()
    expect(page.get_by_role("combobox", name="Cohort", exact=True)).to_have_value("tumours")
