"""How fast the film of a run with 200 snapshots follows its slider, in headless chromium.

    python -m tests.benchmarks.film

Makes up two runs in a temporary folder, opens the Training page on a server of its own and moves
the slider to 60 places: from the slider's event to the frame on the screen (bar: 10 frames a
second, so a median under 100 ms), and the drawing alone. Then the same with both runs compared,
by the slider and by the handle that swipes. Ends with status 1 where the bar is missed.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright

from tests import made_up
from tests.browser.conftest import CHROMIUM, FLAGS, start_server, stop_server
from tests.small import make_small_cohort

SCRUB = """
async (film) => {
  // 60 places of the slider, each awaited until its picture is on the screen
  const slider = film.querySelector("[data-node=slider], .sliders input");
  const shown = () => parseInt(film.dataset.frame ?? film.dataset.frames);
  const times = [];
  for (let n = 0; n < 60; n++) {
    const at = (n * 37) % (+slider.max + 1), from = performance.now();
    slider.value = at;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    while (shown() !== at) await new Promise(requestAnimationFrame);
    times.push([performance.now() - from, +film.dataset.took]);
  }
  return JSON.stringify(times);
}
"""

SWIPE = """
async (moments) => {
  // the handle by its keys, 60 times
  const tiles = moments.querySelector("[data-node=tiles]"), times = [];
  for (let n = 0; n < 60; n++) {
    const from = performance.now(), drawn = moments.dataset.drawn;
    const key = n % 50 < 25 ? "ArrowLeft" : "ArrowRight";
    tiles.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    while (moments.dataset.drawn === drawn) await new Promise(requestAnimationFrame);
    times.push([performance.now() - from, +moments.dataset.took]);
  }
  return JSON.stringify(times);
}
"""


def report(what: str, times: list[list[float]]) -> float:
    """Print and return the median in milliseconds until the picture is on the screen."""
    shown, drawn = median(t[0] for t in times), median(t[1] for t in times)
    print(
        f"{what}: to the screen {shown:.1f} ms ({1000 / shown:.0f} frames/s), "
        f"drawing {drawn:.1f} ms"
    )
    return shown


def main() -> int:
    """Measure film, comparison and handle."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        cohort = make_small_cohort(folder / "small", size=(48, 48, 16))
        run = made_up.write_run(folder / "long", "ms" * 100, size=96)
        other = made_up.write_run(folder / "other", "sm" * 100, size=96)
        process, address = start_server(folder / "cache", folder / "server.log")
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(120_000)
            page.goto(f"{address}/training?{urlencode({'cohort': cohort, 'run': run})}")
            film = page.locator(".film[data-frame]")
            film.locator("[data-node=count]", has_text="201 of 201").wait_for()
            medians = [report("film", json.loads(film.evaluate(SCRUB)))]
            query = {"cohort": cohort, "compare": f"{run},{other}"}
            page.goto(f"{address}/training?{urlencode(query)}")
            moments = page.locator(".moments[data-drawn]")
            moments.wait_for()
            medians.append(report("two runs", json.loads(moments.evaluate(SCRUB))))
            medians.append(report("handle", json.loads(moments.evaluate(SWIPE))))
            browser.close()
        finally:
            stop_server(process)
    return int(max(medians) >= 100)


if __name__ == "__main__":
    sys.exit(main())
