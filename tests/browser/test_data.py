"""Uploading a NIfTI with its mask in a real browser, and opening it."""

import re
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from ascnet_core.imaging.cohort import read_manifest

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


def test_an_uploaded_nifti_is_read_shown_and_opened(
    page: Page, server: str, small_cohort: Path, small_run: Path
) -> None:
    scan = next(s for s in read_manifest(small_cohort).scans if s.group == "anomalous")
    query = urlencode({"cohort": small_cohort, "run": small_run})
    page.goto(f"{server}/data?{query}")
    page.get_by_role("tab", name="Upload").click()
    chooser = page.locator("[data-testid=stFileUploader] input[type=file]")
    chooser.nth(0).set_input_files(scan.image)
    expect(page.get_by_test_id("stFileChip")).to_have_count(1)
    page.get_by_text("Masks apart").click()
    chooser.nth(1).set_input_files(scan.mask)
    expect(page.get_by_test_id("stFileChip")).to_have_count(2)
    page.wait_for_timeout(1500)  # both must be on the server, not only in the list
    page.get_by_role("button", name="Open uploads").click()
    expect(page).to_have_url(re.compile("uploads"))
    expect(page.get_by_text("1 subject, 1 scan, 1 with a mask")).to_be_visible()
    expect(page.get_by_text("with lesion by their masks").first).to_be_visible()
    # The upload has lesion slices and lesion-free ones: both sets are there.
    expect(page.get_by_text("overlap by")).to_be_visible()
    page.get_by_role("link", name="Cuts").click()
    expect(page.locator(".cuts")).to_have_attribute("data-slice", re.compile(r"\d+"))
    expect(page).to_have_url(re.compile("uploads"))


def test_a_file_that_is_no_image_is_said_in_one_sentence(
    page: Page, server: str, small_cohort: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.nii.gz"
    wrong.write_bytes(b"this is no NIfTI file")
    page.goto(f"{server}/data?{urlencode({'cohort': small_cohort})}")
    page.get_by_role("tab", name="Upload").click()
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(wrong)
    page.get_by_role("button", name="Open uploads").click()
    alert = page.get_by_role("alert").filter(has_text="wrong.nii.gz").first
    expect(alert).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)
