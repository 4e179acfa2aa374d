"""A piece of the mask dropped by a click, taken back by a key, and repeated by `segment`."""

import io
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect
from scipy import ndimage

from ascnet_core.cli import main
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.volume import read_volume
from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import new_study
from pages.parts.shared.state import from_query
from tests.browser.conftest import PATIENCE, settle
from tests.browser.test_threshold import open_view, said

LEVEL = 90


def masks(study, out: Path, scan: str) -> np.ndarray:
    """The mask that `segment --study` makes of a scan."""
    assert main(["segment", "--study", str(study.path), "-o", str(out)]) == 0
    (file,) = out.glob(f"{scan}_mask.*")
    return read_volume(file).data > 0


def point_on(page: Page, mask: np.ndarray) -> tuple[float, float, tuple[int, int, int]]:
    """A point of the axial plane on the mask, and the voxel there."""
    box = page.locator("[data-plane=axial] canvas").bounding_box()
    assert box is not None
    for down in np.linspace(0.25, 0.75, 25):
        for right in np.linspace(0.25, 0.75, 25):
            x, y = box["x"] + right * box["width"], box["y"] + down * box["height"]
            page.mouse.move(x, y)
            page.wait_for_timeout(20)
            where = page.locator(".values .where").inner_text()
            voxel = tuple(map(int, re.findall(r"\d+", where)))
            if mask[voxel]:
                return x, y, voxel
    raise AssertionError("no point of the slice lies on the mask")


def test_a_click_drops_a_piece_a_key_brings_it_back_and_segment_repeats_it(
    server: str, page: Page, small_cohort: Path, small_run: Path, tmp_path: Path
) -> None:
    scan = next(one for one in read_manifest(small_cohort).scans if one.group != "normal")
    study = new_study(str(tmp_path / "study"), small_cohort, str(small_run), ["anna"])
    how = ("residual", "bright", "subject", "", LEVEL)
    record(study, Decision("anna", scan.subject, *how))
    others = [one for one in study.subjects if one != scan.subject]
    for other in others:
        record(study, Decision("anna", other, *how[:-1], None, flag="exclude"))
    plain = masks(study, tmp_path / "plain", scan.scan)
    labels, number = ndimage.label(plain, np.ones((3, 3, 3)))
    assert number > 1
    middle = int(plain.sum(axis=(0, 1)).argmax())

    view = {"cohort": small_cohort, "run": small_run, "subject": scan.scan, "map": "residual"}
    view |= {"range": "subject", "side": "bright", "t": LEVEL, "post": "none", "scope": "subject"}
    open_view(page, f"{server}/threshold?{urlencode(view | {'slice': middle})}")
    before = said(page, "volume")
    x, y, voxel = point_on(page, plain)
    page.locator("button[name=pieces]").click()
    page.mouse.click(x, y)
    settle(page)
    left = plain & (labels != labels[voxel])
    spacing = read_volume(scan.image).spacing
    ml = float(np.prod(spacing)) / 1000
    assert said(page, "volume") == before
    assert said(page, "volume after") == f"{left.sum() * ml:.1f} ml"
    less = (plain.sum() - left.sum()) * ml
    assert said(page, "edited") == f"1 piece dropped, {less:.1f} ml less"

    page.mouse.click(x, y)  # there is no mask any more
    settle(page)
    assert said(page, "edited").startswith("1 piece dropped")
    page.keyboard.press("z")
    settle(page)
    expect(page.locator('[data-is="edited"]')).to_be_hidden()
    assert "pieces" not in page.url

    page.locator("button[name=pieces]").click()
    page.keyboard.down("Alt")
    page.keyboard.down("Shift")
    page.mouse.click(x, y)
    page.keyboard.up("Shift")
    page.keyboard.up("Alt")
    settle(page)
    assert said(page, "edited").startswith("1 piece kept alone")
    with page.expect_download() as download:
        page.get_by_role("button", name="Mask", exact=True).click()
    download.value.save_as(tmp_path / "shown.nii.gz")
    shown = read_volume(tmp_path / "shown.nii.gz").data > 0
    assert np.array_equal(shown, labels == labels[voxel])

    link = dict(parse_qsl(urlsplit(page.url).query))
    (edit,) = from_query(link)[0].pieces
    record(study, Decision("anna", scan.subject, *how, pieces=[edit]))
    assert np.array_equal(masks(study, tmp_path / "edited", scan.scan), shown)

    page.reload()
    settle(page, 3000)
    assert said(page, "edited").startswith("1 piece kept alone")
    page.locator("canvas.histogram").click(position={"x": 500, "y": 100})
    settle(page)
    assert said(page, "edited") == "Edits of pieces ended with the mask they were made on."


def test_the_mask_in_space_is_drawn_and_closed_again(
    server: str, page: Page, small_cohort: Path, small_run: Path
) -> None:
    view = {"cohort": small_cohort, "run": small_run, "map": "input", "t": 150}
    open_view(page, f"{server}/threshold?{urlencode(view)}")
    page.get_by_role("button", name="3-D").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".js-plotly-plot canvas").first).to_be_visible(timeout=PATIENCE)
    page.wait_for_timeout(2000)
    shot = Image.open(io.BytesIO(dialog.locator(".js-plotly-plot").screenshot())).convert("RGB")
    red, green, blue = np.moveaxis(np.asarray(shot, int), 2, 0)
    assert ((red > green + 60) & (green > blue)).sum() > 500, "the mask is not to be seen"
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    settle(page)
    page.keyboard.press("ArrowUp")
    settle(page, 1500)
    expect(dialog).to_be_hidden()
