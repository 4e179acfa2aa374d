"""Decisions on the Threshold page: keys that are never lost, and what outlives the tab."""

import csv
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.studies.decisions import history, holding
from ascnet_core.studies.folder import Study, new_study
from tests.browser.conftest import settle
from tests.browser.test_threshold import chart_point, live, open_view, said
from tests.small import make_small_cohort


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight subjects, every other one with lesions."""
    return make_small_cohort(tmp_path_factory.mktemp("eight") / "c", 8, (32, 32, 12))


@pytest.fixture
def study(cohort: Path, small_run: Path, tmp_path: Path) -> Study:
    return new_study(tmp_path / "study", cohort, small_run)


@pytest.fixture
def names(cohort: Path) -> list[str]:
    return [scan.scan for scan in read_manifest(cohort).scans]


@pytest.fixture
def address(study: Study, small_run: Path, names: list[str], server: str) -> Callable[..., str]:
    """The address of a view of the study's first subject."""

    def make(**keys: object) -> str:
        view = {"cohort": study.path / "manifest.csv", "run": small_run, "subject": names[0]}
        view |= {"map": "input", "rule": "otsu", "scope": "subject"} | keys
        return f"{server}/threshold?{urlencode(view)}"

    return make


def shows(page: Page, scan: str) -> None:
    """Wait until a subject is on the screen and nothing runs."""
    page.wait_for_function(f"ascnetExplorer.data.case.endsWith(' {scan}')")
    settle(page)


def test_four_steps_within_half_a_second_are_four(
    page: Page, address: Callable[..., str], names: list[str]
) -> None:
    open_view(page, address())
    for _ in range(4):
        page.keyboard.press("n")
        page.wait_for_timeout(100)
    shows(page, names[4])
    for key in ("Shift+N", "n", "n", "Shift+N", "Shift+N"):
        page.keyboard.press(key)
    shows(page, names[3])
    assert f"subject={names[3]}" in page.url
    assert page.locator('[data-is="subject"]').inner_text() == names[3]


def test_keys_for_the_next_subject_wait_for_it(
    page: Page, address: Callable[..., str], names: list[str], study: Study
) -> None:
    open_view(page, address())
    keys = ["Enter", "n", "ArrowRight", "ArrowRight", "Enter", "n", "b", "Enter", "n"]
    for key in keys:
        page.keyboard.press(key)
    shows(page, names[3])
    entries = history(study)
    assert [entry.subject for entry in entries] == names[:3]
    first, second, third = (entry.decided for entry in entries)
    assert (first.rule, first.side) == ("otsu", "bright")
    assert second.rule == str(second.level)  # two levels from its own proposal
    assert third.side == "dark"
    assert live(page)["rule"] == "otsu"
    for step in (1, 2):
        page.keyboard.press("Shift+N")
        shows(page, names[3 - step])
    assert live(page)["t"] == second.level
    assert said(page, "kind") == "accepted"


def test_keys_work_after_a_click_on_a_button_a_menu_or_a_slider(
    page: Page, address: Callable[..., str], names: list[str], study: Study
) -> None:
    open_view(page, address(t=100))
    at = 0

    def still_answer() -> None:
        nonlocal at
        before = live(page)["t"]
        page.keyboard.press("ArrowRight")
        settle(page)
        assert live(page)["t"] == before + 1
        at += 1
        page.keyboard.press("n")
        shows(page, names[at])

    page.get_by_role("button", name="›").click()
    at += 1
    shows(page, names[at])
    still_answer()
    page.get_by_role("combobox", name="Rule", exact=True).click()
    page.get_by_role("option", name="multi-otsu:3").click()
    settle(page)
    assert live(page)["rule"] == "multi-otsu:3"
    still_answer()
    page.get_by_role("combobox", name="Post-processing, in order").click()
    page.get_by_role("option", name="open:3", exact=True).click()
    page.keyboard.press("Escape")
    settle(page)
    still_answer()
    with page.expect_download():
        page.get_by_role("button", name="Mask").click()
    still_answer()
    page.get_by_role("radio", name="dark").click()
    settle(page)
    page.keyboard.press("Enter")  # accepts, and presses nothing
    settle(page)
    assert [entry.subject for entry in holding(study)] == [names[at]]
    page.locator("input[name=opacity]").click()
    at += 1
    page.keyboard.press("n")
    shows(page, names[at])
    page.get_by_role("slider", name="Level").focus()
    at += 1
    page.keyboard.press("n")
    shows(page, names[at % 8])


def test_text_fields_keep_their_keys_and_escape_leaves_them(
    page: Page, address: Callable[..., str], names: list[str]
) -> None:
    open_view(page, address())
    field = page.get_by_label("Level, 0 to 255")
    field.click()
    page.keyboard.press("n")
    settle(page)
    shows(page, names[0])
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    shows(page, names[1])
    field.fill("")
    field.press("Enter")
    settle(page)
    assert live(page)["rule"] == "otsu"
    field.fill("44")
    field.press("Enter")
    settle(page)
    assert live(page)["t"] == 44
    field.fill("")
    field.press("Enter")
    settle(page)
    assert live(page)["rule"] == "otsu"
    assert field.input_value() == str(live(page)["t"])


def test_another_session_downloads_every_decision(
    new_page: Callable[..., Page],
    address: Callable[..., str],
    names: list[str],
    tmp_path: Path,
) -> None:
    first = new_page()
    open_view(first, address(t=90))
    first.keyboard.press("Enter")
    first.keyboard.press("n")
    first.keyboard.press("Enter")
    shows(first, names[1])
    second = new_page()
    open_view(second, address(subject=names[3]))
    assert said(second, "accepted") == "2 accepted so far"
    with second.expect_download() as waiting:
        second.get_by_role("button", name="CSV").click()
    waiting.value.save_as(tmp_path / "thresholds.csv")
    with (tmp_path / "thresholds.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["subject"] for row in rows] == names[:2]
    assert rows[0]["level"] == "90"
    first.reload()
    first.wait_for_function("globalThis.ascnetExplorer?.frames > 0")
    settle(first)
    assert said(first, "accepted").endswith("2 in all")


def test_blind_nothing_of_the_truth_is_on_the_screen(
    page: Page, address: Callable[..., str], names: list[str], study: Study
) -> None:
    open_view(page, address(subject=names[1], blind="yes", t=120))
    blind = page.locator("[data-plane=axial] canvas").evaluate("c => c.toDataURL()")
    page.keyboard.press("t")
    page.keyboard.press("t")
    settle(page)
    assert page.locator("[data-plane=axial] canvas").evaluate("c => c.toDataURL()") == blind
    labels = "[...ascnetExplorer.volumes.values()].every(v => v.labels.every(bits => bits < 2))"
    assert page.evaluate(labels)
    expect(page.locator('[data-is="dice"]')).to_be_hidden()
    expect(page.locator('[data-is="truth"]')).to_be_hidden()
    expect(page.locator('[data-is="oracle"]')).to_be_hidden()
    page.keyboard.press("Enter")
    settle(page)
    page.reload()
    page.wait_for_function("globalThis.ascnetExplorer?.frames > 0")
    settle(page)
    expect(page.locator('[data-is="dice"]')).to_be_hidden()
    page.get_by_text("Blind", exact=True).click()
    settle(page)
    expect(page.locator('[data-is="dice"]')).to_be_visible()
    page.keyboard.press("Enter")
    settle(page)
    page.get_by_text("Blind", exact=True).click()
    settle(page)
    page.keyboard.press("Enter")  # what was seen once is seen
    settle(page)
    seen = [(e.decided.blind, e.decided.dice_shown, e.decided.truth_shown) for e in history(study)]
    assert seen == [(True, False, False), (False, True, True), (False, True, True)]


def test_a_subject_without_lesion_says_so(
    page: Page, address: Callable[..., str], names: list[str]
) -> None:
    open_view(page, address(subject=names[0], t=100))
    assert page.evaluate("ascnetExplorer.data.true") == 0
    row = page.locator("tr.main")
    expect(row).to_contain_text("No lesion")
    assert said(page, "dice").endswith(" voxels marked")
    assert said(page, "oracle") == "–"
    page.mouse.click(*chart_point(page, 120))
    settle(page)
    assert said(page, "dice").endswith(" voxels marked")


def test_the_subject_comes_first_and_the_cohorts_histogram_by_itself(
    fresh_server: str, page: Page, small_run: Path, tmp_path: Path
) -> None:
    manifest = make_small_cohort(tmp_path / "c", 12, (32, 32, 12))
    view = {"cohort": manifest, "run": small_run, "map": "wild", "rule": "otsu", "scope": "cohort"}
    page.goto(f"{fresh_server}/threshold?{urlencode(view)}")
    page.wait_for_function("globalThis.ascnetExplorer?.volumes.size > 0 && ascnetExplorer.frames")
    kinds = [said(page, "kind")]
    alone = page.evaluate("ascnetExplorer.data.counts.reduce((a, b) => a + b)")
    page.wait_for_function("!ascnetExplorer.data.none")
    settle(page)
    kinds.append(said(page, "kind"))
    assert kinds == ["not known yet", "mask-free"]
    assert page.evaluate("ascnetExplorer.data.counts.reduce((a, b) => a + b)") > 6 * alone
    expect(page.get_by_text("of 12 scans of the cohort")).to_have_count(0)
