"""What one watches of a run lies inside the window, whatever its size, also while it trains."""

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from ascnet_core.runs.folder import Run
from ascnet_core.runs.requests import ask
from ascnet_core.runs.start import start_training
from tests import made_up

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things

PARTS = {
    "watched-slices": "img",
    "histogram": "svg.marks, canvas.marks",
    "advice": "[data-testid=stAlertContainer]",
    "heat-map": ".js-plotly-plot .main-svg",
    "main-curve": ".js-plotly-plot .main-svg",
}
Box = dict[str, float]
Opens = Callable[[str, int, int], Page]


@pytest.fixture
def opens(new_page: Callable[..., Page], server: str) -> Opens:
    def open_run(run: str, width: int, height: int) -> Page:
        page = new_page(width, height)
        page.goto(f"{server}/training?{urlencode({'run': run})}")
        for name, content in PARTS.items():
            expect(page.locator(f".st-key-{name} {content}").first).to_be_visible()
        return page

    return open_run


@pytest.fixture(scope="module")
def training(tmp_path_factory: pytest.TempPathFactory, small_cohort: Path) -> Iterator[Run]:
    """A run that trains for longer than its test looks at it."""
    run = Run(tmp_path_factory.mktemp("trained") / "under-way")
    changes = ["data.size=48", "network.width=2", "schedule.stage_1=500", "schedule.steps=4"]
    options = [part for change in changes for part in ("--set", change)]
    start_training([str(small_cohort), "--name", str(run.path), "--preset", "teaching", *options])
    yield run
    ask(run.path, "stop")


def boxes(page: Page) -> dict[str, Box]:
    """Where each part and what it shows lies: left, top, right, bottom in pixels."""
    found = {}
    for name, content in PARTS.items():
        for what in (f".st-key-{name}", f".st-key-{name} {content}"):
            box = page.locator(what).first.bounding_box()
            assert box is not None, what
            x, y, width, height = box["x"], box["y"], box["width"], box["height"]
            found[what] = {"left": x, "top": y, "right": x + width, "bottom": y + height}
    return found


def all_inside(page: Page, width: int, height: int) -> None:
    for what, box in boxes(page).items():
        assert box["left"] >= 0, what
        assert box["top"] >= 0, what
        assert box["right"] <= width, what
        assert box["bottom"] <= height, what
        assert box["bottom"] - box["top"] > 60, what
    head = page.locator(".st-key-head").bounding_box()
    assert head is not None
    assert head["height"] < 50  # the list of runs is a line


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1920, 1080)])
def test_a_shipped_run_is_seen_without_scrolling(opens: Opens, width: int, height: int) -> None:
    page = opens("demo-flair", width, height)
    all_inside(page, width, height)
    # what is looked up now and then begins below, and the window shows that there is something
    tabs = page.get_by_role("tab", name="Film of the run").bounding_box()
    assert tabs is not None
    assert max(box["bottom"] for box in boxes(page).values()) <= tabs["y"] < height


def test_a_larger_window_shows_larger_pictures(opens: Opens) -> None:
    small, large = (boxes(opens("demo-flair", *size)) for size in ((1440, 900), (1920, 1080)))
    for what, box in small.items():
        if "advice" not in what:
            more = large[what]["bottom"] - large[what]["top"]
            assert more > 1.15 * (box["bottom"] - box["top"]), what


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1920, 1080)])
def test_a_run_that_trains_is_seen_and_nothing_jumps(
    opens: Opens, training: Run, width: int, height: int
) -> None:
    page = opens(str(training.path), width, height)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    all_inside(page, width, height)
    before, said = boxes(page), page.get_by_text("Watched slices,").inner_text()
    expect(page.get_by_text("Watched slices,")).not_to_have_text(said)
    after = boxes(page)
    for what, box in before.items():
        if "js-plotly" not in what and "svg" not in what:  # they may just be drawn anew
            assert after[what] == pytest.approx(box, abs=1), what
    all_inside(page, width, height)


def test_a_small_window_stacks_the_parts_by_their_worth(opens: Opens) -> None:
    page = opens("demo-flair", 1024, 768)
    found = boxes(page)
    tops = [found[f".st-key-{name}"]["top"] for name in PARTS]
    assert tops == sorted(tops)
    assert found[".st-key-histogram"]["bottom"] <= 768
    assert all(box["right"] <= 1024 for box in found.values())
    manage = page.get_by_role("button", name="Manage").bounding_box()
    assert manage is not None
    assert manage["x"] + manage["width"] <= 1024
    name = page.get_by_role("heading", name="demo-flair")
    assert name.evaluate("name => name.scrollWidth <= name.clientWidth")  # not cut


def test_a_row_opens_its_run_wherever_it_is_clicked(opens: Opens) -> None:
    page = opens("demo-flair", 1440, 900)
    page.get_by_role("button", name="All runs").click()
    page.get_by_role("textbox", name="Search").fill("two-cut")
    page.get_by_role("textbox", name="Search").press("Enter")
    expect(page.get_by_text("2 of ")).to_be_visible()
    box = page.locator(".st-key-run-list canvas").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 35 * 2.5)
    expect(page.get_by_role("heading", name="lgg-flair")).to_be_visible()
    expect(page.locator(".st-key-run-list")).to_have_count(0)
    expect(page.get_by_role("radio", name="Runs")).to_be_checked()
    all_inside(page, 1440, 900)


def test_a_run_that_died_is_seen_with_its_reason(opens: Opens, tmp_path: Path) -> None:
    run = made_up.write_run(tmp_path / "made-up" / "dead", "mmss")
    events = (run / "events.jsonl").read_text().splitlines(keepends=True)
    (run / "events.jsonl").write_text("".join(events[:-1]))
    page = opens(str(run), 1440, 900)
    expect(page.get_by_text("ended before its time")).to_be_visible()
    all_inside(page, 1440, 900)
