"""A fork from the page: the film's cycle, other settings, the run that comes of it."""

from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, expect

from ascnet_core.cli import main
from ascnet_core.runs.folder import Run
from ascnet_core.runs.parent import read_parent

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things
TINY = ("data.size=48", "network.width=2", "schedule.stage_1=2", "schedule.steps=4")


def command(page: Page, text: str) -> None:
    """Wait until the command line at the form's foot holds `text`."""
    expect(page.locator("code").filter(has_text=text).first).to_be_visible()


def test_a_run_is_forked_from_the_films_cycle_with_other_settings(
    page: Page, server: str, small_cohort: Path, tmp_path: Path
) -> None:
    first, fork = tmp_path / "trained" / "first", tmp_path / "trained" / "fork"
    changes = [f"--set={change}" for change in TINY]
    assert main(["train", str(small_cohort), "--name", str(first), "--device=cpu", *changes]) == 0
    page.goto(f"{server}/training?{urlencode({'cohort': small_cohort, 'run': first})}")
    film = page.locator(".film")
    expect(film).to_have_attribute("data-frame", "2")
    film.locator("[data-node=slider]").focus()
    page.keyboard.press("ArrowLeft")
    cycle = page.get_by_role("combobox", name="Open a cycle on any scan")
    expect(cycle).to_have_value("stage 1, cycle 1")
    page.get_by_role("button", name="Fork from here").click()
    # the form is the run's, and says so
    expect(page.get_by_text("Fork of first, stage 1, cycle 1.")).to_be_visible()
    command(page, "--cycle 1")
    expect(page.get_by_role("spinbutton", name="Width of M, feature maps")).to_be_disabled()
    field = page.get_by_role("spinbutton", name="Cycles of stage 1")
    expect(field).to_have_value("2")
    field.fill("1")
    field.press("Enter")
    command(page, "schedule.stage_1=1")
    # slices of one's own choice are watched
    page.get_by_text("Pick watched slices on the scans").click()
    page.get_by_role("button", name="Watch this slice").click()
    command(page, "data.watched=demo")
    name = page.get_by_role("textbox", name="Name of the run")
    name.fill(str(fork))
    name.press("Enter")
    command(page, "trained/fork")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_test_id("stProgress").filter(has_text="finished").first).to_be_visible()
    said = page.get_by_text("Forked from first, stage 1, cycle 1, with M")
    expect(said.first).to_be_visible()  # the log says it, too
    reader = Run(fork)
    assert [s.total_cycle for s in reader.snapshots()] == [0, 1]
    assert reader.settings().data.watched == reader.watched_names()
    assert len(reader.watched_names()) == 1
    origin = read_parent(fork)
    assert origin is not None
    assert origin.run == "first"
    # a finished run goes on for longer
    page.get_by_role("button", name="Go on for longer").click()
    command(page, "schedule.stage_1=2")
    page.get_by_role("button", name="Go on", exact=True).click()
    expect(page.get_by_text("Watched slices, stage 1, cycle 2")).to_be_visible()
    expect(page.get_by_test_id("stProgress").filter(has_text="finished").first).to_be_visible()
    assert [s.total_cycle for s in reader.snapshots()] == [0, 1, 2]
