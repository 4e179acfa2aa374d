"""A run is exported, deleted and imported again, in a real browser."""

import time
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from ascnet_core.runs.folder import Run
from ascnet_core.runs.manage import read_note, write_note
from tests import made_up
from tests.browser.conftest import settle

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


def content_of(run: Path) -> dict[str, bytes]:
    return {p.relative_to(run).as_posix(): p.read_bytes() for p in run.rglob("*") if p.is_file()}


def test_a_run_goes_into_a_file_away_and_comes_back(
    page: Page, server: str, small_cohort: Path, small_run: Path, tmp_path: Path
) -> None:
    run = made_up.write_run(tmp_path / "made-up" / "going", "ms")
    for name in ("settings.toml", "model.safetensors"):
        (run / name).write_bytes((small_run / name).read_bytes())
    write_note(run, "Comes back")
    before = content_of(run)
    page.goto(f"{server}/training?{urlencode({'cohort': small_cohort, 'run': run})}")
    page.get_by_role("button", name="Manage").click()
    export = page.get_by_role("button", name="Export as one file")
    expect(export).to_be_visible()
    settle(page)  # a page that is made anew has another file behind the button a moment later
    with page.expect_download() as waiting:
        export.click()
    assert waiting.value.suggested_filename == "going.zip"
    waiting.value.save_as(tmp_path / "going.zip")

    page.get_by_role("button", name="Delete this run").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("going")
    expect(dialog).to_contain_text("Comes back")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_have_count(0)
    assert content_of(run) == before
    page.get_by_role("button", name="Manage").click()
    page.get_by_role("button", name="Delete this run").click()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="demo-flair")).to_be_visible()
    assert not run.exists()

    page.get_by_role("button", name="All runs").click()
    page.get_by_role("button", name="Import a run").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "going.zip")
    name = page.get_by_role("textbox", name="Name").last
    expect(name).to_have_value("going")
    name.fill(str(tmp_path / "elsewhere" / "back"))
    name.press("Enter")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="back · preset")).to_be_visible()
    assert content_of(tmp_path / "elsewhere" / "back") == before
    assert Run(tmp_path / "elsewhere" / "back").status() == "finished"
    page.get_by_role("button", name="Manage").click()
    note = page.get_by_role("textbox", name="Note")
    expect(note).to_have_value("Comes back")
    note.fill("Came back")
    note.press("Control+Enter")
    deadline = time.monotonic() + 90
    while read_note(tmp_path / "elsewhere" / "back") != "Came back":  # it is saved on leaving
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Threshold", exact=True).click()
    expect(page.locator("canvas.histogram")).to_be_visible()
