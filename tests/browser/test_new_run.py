"""From the form to a run: a preset saved, a warning seen, a reference spoilt, two runs compared."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from ascnet_core.runs.folder import Run
from ascnet_core.settings.presets import load_preset, user_presets
from tests.browser.run_form import command, fill

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things
PRESET = "browser-test-lecture"  # in the user's own folder, so it has an unlikely name


@pytest.fixture
def saved() -> Iterator[Path]:
    """Where the preset will be; it is taken away again whatever happens."""
    path = user_presets() / f"{PRESET}.toml"
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def start(page: Page, run: Path) -> None:
    name = page.get_by_role("textbox", name="Name of the run")
    name.fill(str(run))
    name.press("Enter")
    command(page, run.name)
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_test_id("stProgress").filter(has_text="finished").first).to_be_visible()


def test_a_preset_a_warning_a_spoilt_reference_and_what_it_moves(
    page: Page, server: str, small_cohort: Path, tmp_path: Path, saved: Path
) -> None:
    page.goto(f"{server}/training?{urlencode({'cohort': small_cohort})}")
    page.get_by_text("New run", exact=True).click()
    fill(page, "Slice size, pixels", 48)
    fill(page, "Width of M, feature maps", 2)
    fill(page, "Cycles of stage 1", 1)
    fill(page, "Steps in an epoch (0: all slices)", 4)
    expect(
        page.get_by_test_id("stAlert").filter(has_text="hardly move its weights")
    ).to_be_visible()
    # what was set becomes a preset of one's own
    page.get_by_role("button", name="Save as preset").click()
    page.get_by_role("textbox", name="Name of the preset").fill(PRESET)
    page.get_by_role("button", name="Save", exact=True).click()
    command(page, f"--preset {PRESET}")
    assert load_preset(PRESET).schedule.steps == 4
    clean, spoilt = tmp_path / "trained" / "clean", tmp_path / "trained" / "spoilt"
    start(page, clean)
    # the same again with lesions left in the reference
    page.get_by_text("New run", exact=True).click()
    page.get_by_role("combobox", name="Preset").click()
    page.get_by_role("option", name=PRESET).click()
    command(page, f"--preset {PRESET}")
    page.get_by_text("Reference lab: fewer slices").click()
    expect(page.get_by_text("As it is:")).to_be_visible()
    slider = page.get_by_role("slider", name="Lesion slices left in")
    for _ in range(40):
        slider.press("ArrowRight")
    command(page, "reference.contamination=0.2")
    expect(page.get_by_text("with lesion by their masks")).to_be_visible()
    start(page, spoilt)
    assert Run(spoilt).settings().reference.contamination == 0.2
    assert "left in on purpose" in (spoilt / "card.md").read_text()
    # both stand side by side; a run kept elsewhere comes with its neighbours
    page.goto(f"{server}/training?{urlencode({'cohort': small_cohort, 'run': spoilt})}")
    page.get_by_text("Reference lab", exact=True).click()
    expect(page.get_by_text("20 % lesion slices left in on purpose")).to_be_visible()
    expect(page.get_by_role("combobox", name="Compared with")).to_have_value("clean")
    expect(page.get_by_text("orange: moved in with clean; blue: moved out")).to_be_visible()
    # the preset goes as it came
    page.get_by_text("New run", exact=True).click()
    page.get_by_role("combobox", name="Preset").click()
    page.get_by_role("option", name=PRESET).click()
    command(page, f"--preset {PRESET}")
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name=f"Delete {PRESET}").click()
    command(page, "--preset teaching")
    assert not saved.exists()
