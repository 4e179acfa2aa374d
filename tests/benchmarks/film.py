"""How fast the film of a run with 200 snapshots follows its slider, in headless chromium.

    python -m tests.benchmarks.film

Makes up a run in a temporary folder, opens the Training page on a server of its own and moves the
slider to 60 places: from the slider's event to the frame on the screen (bar: 10 frames a second,
so a median under 100 ms), and the drawing alone. Ends with status 1 where the bar is missed.
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
  const slider = film.querySelector("[data-node=slider]");
  const times = [];
  for (let n = 0; n < 60; n++) {
    const at = (n * 37) % (+slider.max + 1), from = performance.now();
    slider.value = at;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    while (+film.dataset.frame !== at) await new Promise(requestAnimationFrame);
    times.push([performance.now() - from, +film.dataset.took]);
  }
  return JSON.stringify(times);
}
"""


def main() -> int:
    """Print both medians in milliseconds and the frames a second they allow."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        cohort = make_small_cohort(folder / "small", size=(48, 48, 16))
        run = made_up.write_run(folder / "long", "ms" * 100, size=96)
        process, address = start_server(folder / "cache", folder / "server.log")
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(120_000)
            page.goto(f"{address}/training?{urlencode({'cohort': cohort, 'run': run})}")
            film = page.locator(".film[data-frame]")
            film.locator("[data-node=count]", has_text="201 of 201").wait_for()
            times = json.loads(film.evaluate(SCRUB))
            browser.close()
        finally:
            stop_server(process)
    shown, drawn = median(t[0] for t in times), median(t[1] for t in times)
    print(f"slider to screen {shown:.1f} ms ({1000 / shown:.0f} frames/s), drawing {drawn:.1f} ms")
    return int(shown >= 100)


if __name__ == "__main__":
    sys.exit(main())
