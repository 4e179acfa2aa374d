"""How long the Threshold page takes to its first subject, where the rule reads a whole cohort.

    python -m tests.benchmarks.first_subject [--subjects 40] [--size 96x96x32]

Seconds from the visit until the planes are drawn, and until the cohort's threshold is there: on a
server that knows nothing, after a restart, and in a second visit of the same server. Then
milliseconds from the key N to the next subject, the cohort being counted.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

from ascnet_core.imaging.phantom.demo import make_demo
from tests.browser.conftest import CHROMIUM, FLAGS, start_server, stop_server

PLANES = "globalThis.ascnetExplorer?.volumes.size > 0 && ascnetExplorer.frames > 0"
THRESHOLD = "!ascnetExplorer.data.none"
STEPS = 10


def visit(page: Page, address: str) -> tuple[float, float]:
    """Seconds to the planes, and to the cohort's threshold."""
    begun = time.monotonic()
    page.goto(address)
    page.wait_for_function(PLANES)
    planes = time.monotonic() - begun
    page.wait_for_function(THRESHOLD)
    return planes, time.monotonic() - begun


def step(page: Page) -> float:
    """Milliseconds from the key N until another subject is drawn."""
    before = page.evaluate("[ascnetExplorer.data.case, performance.now()]")
    page.keyboard.press("n")
    page.wait_for_function(
        "([seen]) => ascnetExplorer.data.case !== seen && "
        "ascnetExplorer.volumes.has(ascnetExplorer.data.volumes)",
        arg=before,
    )
    return float(page.evaluate("performance.now()")) - float(before[1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--subjects", type=int, default=40)
    parser.add_argument("--size", default="96x96x32")
    arguments = parser.parse_args()
    x, y, z = map(int, arguments.size.split("x"))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        cohort = make_demo(Path(folder) / "c", subjects=arguments.subjects, size=(x, y, z))
        query = urlencode({"cohort": cohort, "run": "demo-flair", "scope": "cohort"})
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for when in ("first visit", "after a restart"):
            process, server = start_server(Path(folder) / "cache", Path(folder) / "log")
            try:
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.set_default_timeout(600_000)
                planes, threshold = visit(page, f"{server}/threshold?{query}")
                print(f"{when}: planes after {planes:.1f} s, threshold after {threshold:.1f} s")
                if when != "first visit":
                    warm = [visit(page, f"{server}/threshold?{query}") for _ in range(STEPS)]
                    planes, threshold = (median(times) for times in zip(*warm, strict=True))
                    print(f"again: planes after {planes:.1f} s, threshold after {threshold:.1f} s")
                    times = [step(page) for _ in range(STEPS)]
                    print(f"next subject by N: median {median(times):.0f} ms of {STEPS}")
                page.close()
            finally:
                stop_server(process)
        browser.close()


if __name__ == "__main__":
    main()
