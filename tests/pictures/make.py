"""Make the README's pictures: start the app, drive it in chromium, keep what is seen.

Run: python -m tests.pictures.make [NAME ...], a NAME being `threshold` or one of `STILLS`.

Writes threshold.gif (a line that is dragged over the histogram, the mask after it) and a PNG a
page beside this file. It opens what the repository ships, so anyone gets the same pictures.
"""

import io
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from ascnet_core.imaging.phantom.demo import make_demo
from ascnet_core.places import OWN_FOLDER
from ascnet_core.studies.counts.gathering import gather
from ascnet_core.studies.decisions import Decision, record
from ascnet_core.studies.folder import Study, new_study
from tests.browser.conftest import CHROMIUM, FLAGS, settle, start_server, stop_server

HERE = Path(__file__).resolve().parent
SIZE = (1440, 900)
VIEWER_READY = "globalThis.ascnetExplorer?.volumes.size > 0 && ascnetExplorer.frames > 0"
LEFT, RIGHT = 40, 16  # margins of the histogram, in CSS pixels
STILLS = {
    "start": "A tour of five stops",
    "cuts": "Rank correlation",
    "data": "Subjects",
    "training": "Histograms of",
    "stopping": "Histograms of",
    "evaluation": "Evaluation",
    "compare": "The same slice",
    "lessons": "Lessons",
    "tuning": "of 20 decided",
}
DECIDED = (213, 213, 216, 204, 208, 213, 219, 202, 211)
"""Levels of the study in the picture, for its first subjects."""
PLACES = {
    "start": "",
    "stopping": "training?run=demo-t2",
    "compare": "training?compare=demo-flair,demo-flair-paper",
    "lessons": "lessons?stop=3",
}
"""Where a still is taken that is not the page of its name."""
TOPS = ("stopping",)
"""Stills that begin with their text."""
UP = "(node) => node.scrollIntoView({block: 'start'})"


def screenshot(page: Page) -> Image.Image:
    """What is seen now, as 8-bit RGB."""
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def save_png(picture: Image.Image, name: str) -> None:
    """Keep a still small: 256 colours suffice for grey slices and flat panels."""
    small = picture.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(HERE / f"{name}.png", optimize=True)


def film(page: Page, address: str) -> None:
    """Drag the line over the histogram, click the rightmost peak, and keep each moment."""
    page.goto(f"{address}/threshold")
    page.wait_for_function(VIEWER_READY)
    page.wait_for_function("!ascnetExplorer.data.none")  # the cohort is counted
    settle(page, 3000)
    save_png(screenshot(page), "threshold")
    box = page.locator("canvas.histogram").bounding_box()
    if box is None:
        raise RuntimeError("the histogram is not on the page")

    def at(level: float) -> float:
        return box["x"] + LEFT + (level + 0.5) / 256 * (box["width"] - LEFT - RIGHT)

    height = box["y"] + 110
    frames = []
    page.mouse.move(at(120), height)
    page.mouse.down()
    for level in [*range(120, 236, 8), *range(228, 180, -8)]:
        page.mouse.move(at(level), height)
        page.wait_for_timeout(60)
        frames.append(screenshot(page))
    page.mouse.up()
    settle(page, 800)
    frames += [screenshot(page)] * 6
    small = [frame.resize((960, 600), Image.Resampling.LANCZOS) for frame in frames]
    palette = small[len(small) // 2].quantize(128)
    flat = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in small]
    flat[0].save(
        HERE / "threshold.gif", save_all=True, append_images=flat[1:], duration=140, loop=0
    )


def make_study(folder: Path) -> Study:
    """A study of the demo cohort, of which a part is decided."""
    manifest = make_demo(folder / "demo", contrast="flair", subjects=20, seed=1)
    study = new_study(folder / "demo-study", manifest, "demo-flair")
    for number, (subject, level) in enumerate(zip(study.subjects, DECIDED, strict=False)):
        one = Decision("anna", subject, "reconstruction", "bright", "raw", "", level)
        record(study, replace(one, flag="doubtful" if number in (2, 6) else "fine"))
    gather(study)
    return study


def main() -> None:
    """Make the named pictures anew, or all."""
    wanted = sys.argv[1:] or ["threshold", *STILLS]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        cache = Path(folder) / "cache"
        os.environ[OWN_FOLDER] = str(cache)
        process, address = start_server(cache, Path(folder) / "server.log")
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
            page.set_default_timeout(180_000)
            if "threshold" in wanted:
                film(page, address)
            for name, text in STILLS.items():
                if name not in wanted:
                    continue
                place = PLACES.get(name, name)
                if name == "tuning":
                    path = quote(str(make_study(Path(folder)).path), safe="")
                    place = f"tuning?study={path}&rater=anna"
                page.goto(f"{address}/{place}")
                page.locator("section, [data-testid=stMain]").get_by_text(text).first.wait_for()
                if name == "evaluation":
                    page.get_by_role("button", name="Evaluate").last.click()
                    page.get_by_role("button", name="Evaluate again").wait_for()
                settle(page, 5000)
                if name in TOPS:
                    page.get_by_text(text).first.evaluate(UP)
                    settle(page, 3000)
                save_png(screenshot(page), name)
            browser.close()
        finally:
            stop_server(process)


if __name__ == "__main__":
    main()
