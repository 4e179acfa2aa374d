"""The Tuning page in a real browser: keys alone, a kill in the middle, several raters at once."""

import csv
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from ascnet_core.studies.decisions import decisions_of, history
from ascnet_core.studies.folder import Study, new_study
from tests.browser.conftest import ROOT, settle, start_server, stop_server
from tests.browser.tuning.desk import SAVED, SHOWN, address_of, desk, on_screen
from tests.small import make_small_cohort, make_small_run


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A manifest of twenty subjects and a run that cleans its masks by a step."""
    folder = tmp_path_factory.mktemp("tuning")
    manifest = make_small_cohort(folder / "cohort", subjects=20, size=(48, 48, 16))
    run = make_small_run(folder / "run", manifest, size=48)
    settings = run / "settings.toml"
    text = settings.read_text("utf-8")
    assert "post = []" in text
    settings.write_text(text.replace("post = []", 'post = ["components:3"]'), "utf-8")
    return manifest, run


@pytest.fixture
def study(tmp_path: Path, files: tuple[Path, Path]) -> Study:
    return new_study(tmp_path / "study", *files)


@pytest.fixture
def own_server(tmp_path: Path, app_cache: Path) -> Iterator[list]:
    """Process and address of a server that a test may kill; it may put another in its place."""
    running = list(start_server(app_cache, tmp_path / "server.log"))
    yield running
    stop_server(running[0])


# Keys pressed before Enter, by the number of the subject; the others are right as proposed.
KEYS = {
    1: ["ArrowRight", "ArrowRight", "4"],
    2: ["d", "2"],
    4: ["b"],
    5: ["p"],
    7: ["x"],
    8: ["s", "ArrowLeft"],
    12: ["r", "5"],
    14: ["Shift+ArrowLeft", "f"],
    17: ["c", "o", "d", "d", "Escape", "3"],
}


def test_twenty_subjects_by_keys_alone_over_a_kill_give_the_masks_on_the_screen(
    own_server: list, tmp_path: Path, app_cache: Path, page: Page, study: Study
) -> None:
    process, address = own_server
    page.goto(address_of(address, study.path, "anna"))
    seen: dict[str, np.ndarray] = {}
    for number in range(20):
        page.wait_for_function(SHOWN)
        for key in KEYS.get(number, []):
            page.keyboard.press(key)
        settle(page, 400) if process.poll() is None else page.wait_for_timeout(300)
        subject, mask = on_screen(page)
        seen[subject] = mask
        if number == 9:  # what is decided now, Python hears of after it was started again
            process.kill()
            process.wait()
        page.keyboard.press("Enter")
        if number == 10:
            assert len(desk(page, "outbox")) >= 2
            own_server[0], _ = process, _ = start_server(
                app_cache, tmp_path / "again.log", port=int(address.rsplit(":", 1)[1])
            )
    page.wait_for_function(SAVED)
    expect(page.locator(".queue .count")).to_have_text("20 of 20 decided")
    rows = history(study)
    assert [row.subject for row in rows] == list(study.subjects)
    decided = {subject: row.decided for subject, row in decisions_of(study, "anna").items()}
    flags = [decided[subject].flag for subject in study.subjects]
    assert [n for n, flag in enumerate(flags) if flag != "fine"] == [2, 7, 14]
    assert [flags[n] for n in (2, 7, 14)] == ["doubtful", "exclude", "flipped"]
    ratings = {n: decided[study.subjects[n]].rating for n in (1, 2, 12, 17, 3)}
    assert ratings == {1: 4, 2: 2, 12: 5, 17: 3, 3: None}
    assert decided[study.subjects[17]].note == "odd"
    assert decided[study.subjects[8]].post == ()
    assert {row.decided.post for row in rows} == {(), ("components:3",)}
    assert all(row.decided.seconds and row.decided.seconds < 600 for row in rows)

    command = [sys.executable, "-m", "ascnet_core", "study"]
    for action in ("export", "apply"):
        done = [*command, action, str(study.path), "-o", str(tmp_path / action)]
        subprocess.run(done, cwd=ROOT, check=True, capture_output=True)
    with (tmp_path / "export" / "thresholds.csv").open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 20
    for number, (subject, mask) in enumerate(seen.items()):
        made = list((tmp_path / "apply").glob(f"{subject}_*mask*.nii*"))
        made += list((tmp_path / "apply").glob(f"{subject}.nii*"))
        if number == 7:
            assert made == []
            continue
        image = nib.as_closest_canonical(nib.load(made[0]))
        np.testing.assert_array_equal(np.asarray(image.dataobj) > 0, mask, err_msg=subject)


def decide_for(page: Page, subjects: int) -> list[str]:
    """Decide on so many subjects by keys, levels one up; gives their names."""
    done = []
    for _ in range(subjects):
        page.wait_for_function(SHOWN)
        done.append(desk(page, "current"))
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
    return done


def test_two_raters_at_once_lose_nothing_and_mix_nothing_up(
    server: str, new_page: Callable[..., Page], study: Study
) -> None:
    pages = {"anna": new_page(), "ben": new_page()}
    for rater, page in pages.items():
        page.goto(address_of(server, study.path, rater, shuffled="yes", blind="yes"))
        page.wait_for_function(SHOWN)
    seen: dict[str, list[str]] = {"anna": [], "ben": []}
    for _ in range(3):
        for rater, page in pages.items():
            seen[rater] += decide_for(page, 2)
    for page in pages.values():
        page.wait_for_function(SAVED)
        expect(page.locator(".queue .count")).to_have_text("6 of 20 decided")
    assert seen["anna"] != seen["ben"]
    for rater, subjects in seen.items():
        rows = [row for row in history(study) if row.rater == rater]
        assert [row.subject for row in rows] == subjects
        assert all(row.decided.blind and not row.decided.truth_shown for row in rows)
        assert all(row.decided.rule == f"{row.decided.level}" for row in rows)


def test_blind_the_truth_is_shown_after_the_decision_on_request(
    server: str, page: Page, study: Study
) -> None:
    page.goto(address_of(server, study.path, "anna", blind="yes"))
    page.wait_for_function(SHOWN)
    has_truth = "ascnetExplorer.desk.shown?.hasTruth"
    labels = "[...ascnetExplorer.volumes.values()].some(v => v.labels.some(one => one & 2))"
    first = desk(page, "current")
    assert not page.evaluate(has_truth)
    assert not page.evaluate(labels)
    page.keyboard.press("t")
    expect(page.locator("[data-is=notice]")).to_have_text(
        "The truth is hidden until you have decided."
    )
    page.keyboard.press("Enter")
    page.wait_for_function(SAVED)
    page.keyboard.press("Shift+N")
    assert desk(page, "current") == first
    page.wait_for_function(SHOWN)
    page.keyboard.press("t")
    page.wait_for_function(has_truth)
    page.wait_for_function(SHOWN)
    page.keyboard.press("Enter")
    page.wait_for_function(SAVED)
    before, after = (row.decided for row in history(study))
    assert (before.blind, before.truth_shown, before.dice_shown) == (True, False, False)
    assert (after.blind, after.truth_shown, after.dice_shown) == (False, True, True)


def test_keys_work_wherever_the_focus_is_but_text_fields(
    server: str, page: Page, study: Study
) -> None:
    page.goto(address_of(server, study.path, "anna"))
    page.wait_for_function(SHOWN)
    page.get_by_role("textbox", name="Rater").click()
    page.keyboard.type("n")
    assert desk(page, "current") == study.subjects[0]
    page.get_by_role("textbox", name="Rater").fill("anna")
    page.locator(".queue .filters button[name=open]").click()
    page.keyboard.press("n")
    assert desk(page, "current") == study.subjects[1]
    page.locator("label", has_text="Shuffle the order").click()
    settle(page)
    page.wait_for_function(SHOWN)
    here = desk(page, "current")
    page.keyboard.press("n")
    page.wait_for_function(f"ascnetExplorer.desk.current !== {here!r}")
    page.locator(".queue .row").nth(4).click()
    assert desk(page, "current") == page.locator(".queue .row").nth(4).get_attribute("data-subject")
