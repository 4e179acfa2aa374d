"""The Cuts page in a real browser: wheel, keys, cursor, peaks, rectangles, window and zoom."""

import base64
import io
import json
import re
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Prepared, prepare_scan
from ascnet_core.runs.folder import Run
from ascnet_core.segmentation.histogram import count_levels, find_peaks, quantise
from ascnet_core.settings.preparation import preparation_of

expect.set_options(timeout=90_000)  # ms: the machine may be busy with other things


@pytest.fixture(scope="module")
def subject(small_cohort: Path, small_run: Path) -> Prepared:
    scans = read_manifest(small_cohort).scans
    scan = next(one for one in scans if one.group != "normal")
    return prepare_scan(scan, preparation_of(Run(small_run).settings()))


@pytest.fixture
def panel(page: Page, server: str, small_cohort: Path, small_run: Path, subject) -> Locator:
    """The panel on slice 7 (counted from 0) of the first subject with a lesion."""
    query = {"cohort": small_cohort, "run": small_run, "subject": subject.scan.scan, "slice": 7}
    page.goto(f"{server}/cuts?{urlencode(query)}")
    found = page.locator(".cuts")
    expect(found).to_have_attribute("data-slice", "7")
    return found


def tiles_of(panel: Locator) -> dict[str, float]:
    box = panel.locator("canvas[data-node=tiles]").bounding_box()
    assert box
    return box


def place(box: dict[str, float], column: int, row: int, x: float, y: float) -> tuple[float, float]:
    """The point at the shares x, y of a tile; three columns, two rows, 2 pixels between them."""
    width, height = (box["width"] - 4) / 3, (box["height"] - 2) / 2
    left, top = column * (width + 2) + x * width, row * (height + 2) + y * height
    return box["x"] + left, box["y"] + top


def test_wheel_and_keys_turn_the_slices_and_the_link_follows(page: Page, panel: Locator) -> None:
    box = tiles_of(panel)
    page.mouse.move(box["x"] + box["width"] / 6, box["y"] + box["height"] / 4)
    page.mouse.wheel(0, -120)
    expect(panel).to_have_attribute("data-slice", "8")
    page.mouse.wheel(0, 120)
    page.mouse.wheel(0, 120)
    expect(panel).to_have_attribute("data-slice", "6")
    panel.locator("canvas[data-node=tiles]").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(panel).to_have_attribute("data-slice", "9")
    expect(page).to_have_url(re.compile("slice=9"))
    page.keyboard.press("End")
    expect(panel).to_have_attribute("data-slice", "15")
    expect(page).to_have_url(re.compile("slice=15"))
    page.reload()
    expect(page.locator(".cuts")).to_have_attribute("data-slice", "15")


def test_one_cursor_reads_the_same_voxel_in_every_map(page, panel, subject) -> None:
    box = tiles_of(panel)
    page.mouse.move(*place(box, 0, 0, 0.45, 0.55))
    readout = panel.locator("[data-node=readout]")
    expect(readout).to_contain_text("voxel")
    text = readout.inner_text()
    x, y, z = (int(n) for n in re.search(r"voxel (\d+), (\d+), (\d+)", text).groups())
    assert z == 7
    level = int(re.search(r"I_in (\d+)", text).group(1))
    assert level == quantise(subject.scaled)[x, y, z]
    # The same place in another tile is the same voxel.
    page.mouse.move(*place(box, 1, 1, 0.45, 0.55))
    expect(readout).to_contain_text(f"voxel {x}, {y}, {z}")


def test_the_patients_right_is_on_the_left(page, panel, subject) -> None:
    box = tiles_of(panel)
    page.mouse.move(box["x"] + box["width"] * 0.12, box["y"] + box["height"] / 4)
    readout = panel.locator("[data-node=readout]")
    expect(readout).to_contain_text("voxel")
    x = int(re.search(r"voxel (\d+)", readout.inner_text()).group(1))
    assert x > subject.region.shape[0] / 2  # RAS: x grows towards the patient's right


def test_a_peak_lights_its_pixels_and_says_what_they_are(page, panel, subject) -> None:
    levels = quantise(subject.scaled)
    assert len(find_peaks(count_levels(levels, subject.region))) >= 1
    button = panel.locator("[data-node=fencePeaks] button").first
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(panel.locator("[data-node=answer]")).to_contain_text("ml")
    pick = json.loads(panel.get_attribute("data-pick"))
    assert pick["map"] == "fence"
    assert int(panel.get_attribute("data-lit")) > 0
    panel.get_by_role("button", name="Clear the choice").click()
    expect(panel).to_have_attribute("data-lit", "0")
    expect(panel.locator("[data-node=answer]")).to_contain_text("Click a peak")


def test_a_rectangle_of_pairs_lights_the_pixels_within(page, panel, subject) -> None:
    box = panel.locator("canvas[data-node=joint]").bounding_box()
    page.mouse.move(box["x"] + 45, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 60, steps=4)
    page.mouse.move(box["x"] + box["width"] - 10, box["y"] + box["height"] - 36, steps=4)
    page.mouse.up()
    expect(panel.locator("[data-node=answer]")).to_contain_text("fence")
    pick = json.loads(panel.get_attribute("data-pick"))
    assert pick["kind"] == "pairs"
    # Everything was chosen: every pixel of the region in this slice is lit.
    assert pick["fence"][1] - pick["fence"][0] > 200
    assert pick["wild"][1] - pick["wild"][0] > 200
    expect(panel).to_have_attribute("data-lit", str(int(subject.region[:, :, 7].sum())))


def test_levels_dragged_over_a_histogram_light_up(page, panel) -> None:
    box = panel.locator("canvas[data-node=wildChart]").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 60, steps=5)
    page.mouse.up()
    expect(panel.locator("[data-node=answer]")).to_contain_text("wild")
    assert int(panel.get_attribute("data-lit")) > 0


def test_window_zoom_and_reset_change_the_picture(page: Page, panel: Locator) -> None:
    canvas = panel.locator("canvas[data-node=tiles]")
    box = tiles_of(panel)
    outside = (box["x"] + box["width"] + 40, box["y"] + box["height"] + 20)

    def picture() -> np.ndarray:
        page.mouse.move(*outside)  # no cursor lines in the picture
        page.wait_for_timeout(200)
        address = canvas.evaluate("c => c.toDataURL('image/png')")
        content = base64.b64decode(address.partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))

    def at(x: float, y: float) -> tuple[float, float]:
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    before = picture()
    page.mouse.move(*at(1 / 6, 1 / 4))
    page.mouse.down()
    page.mouse.move(*at(1 / 6, 1 / 4 - 0.1), steps=4)
    page.mouse.move(*at(1 / 6 - 0.1, 1 / 4 - 0.1), steps=4)
    page.mouse.up()
    windowed = picture()
    assert np.abs(windowed.astype(int) - before).sum() > 0
    page.mouse.move(*at(1 / 6, 1 / 4))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    zoomed = picture()
    assert np.abs(zoomed.astype(int) - windowed).sum() > 0
    canvas.focus()
    page.keyboard.press("0")
    again = picture()
    focus_ring_free = (slice(4, -4), slice(4, -4))
    assert np.array_equal(again[focus_ring_free], before[focus_ring_free])
