"""How fast the Tuning page goes on, and what it takes, in headless chromium.

    python -m tests.benchmarks.tuning [--size 96x96x32] [--subjects 12] [--json FILE]
                                      [--training] [--many] [--raters SECONDS]

Makes phantom subjects and an untrained run in a temporary folder, opens a study on a server of its
own and measures, in the browser:

- next_ms: from Enter to the frame with the next subject, prepared ahead (bar: median 150 ms at
  96x96x32, 400 ms at 181x217x181, beside nothing; three times that with --training);
- rerun_ms: from a message to Python's answer while subjects are accepted in haste and counted
  beside; calm_rerun_ms: the same at one subject in two seconds, once all are counted (bar with
  --many, 500 subjects in the queue: 300 ms);
- server_mb and browser_mb: memory after 20 subjects and at the end (with --many after 100).

--raters lets two raters decide at once for so long and counts what was lost or mixed up.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.studies.decisions import history
from ascnet_core.studies.folder import Study, new_study
from tests.browser.conftest import CHROMIUM, FLAGS, ROOT, start_server, stop_server
from tests.browser.tuning.desk import SAVED, SHOWN, address_of
from tests.small import make_small_cohort, make_small_run

AHEAD = """() => {
  const { desk, volumes } = ascnetExplorer, rows = desk.rows.filter((row) => row.number === null);
  const next = rows.find((row) => row.subject > desk.current);
  return !next || volumes.has(desk.packages.get(next.subject)?.data?.volumes);
}"""
"""Whether the next subject of a queue in the order of names is held."""
LISTEN = """() => {
  globalThis.waits = [];
  globalThis.trips = [];
  const store = ascnetExplorer, sent = {};
  window.addEventListener("keydown", (event) => { // before the page
    const before = store.desk.current;
    const look = () => {
      const { desk, data, drawn } = store;
      if (desk.current !== before && desk.shown === data && drawn > event.timeStamp &&
          store.volumes.has(data.volumes)) waits.push(performance.now() - event.timeStamp);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, true);
  let heard = store.desk.heard;
  setInterval(() => {
    const { desk } = store;
    sent[desk.number] ??= desk.sentAt;
    if (desk.heard === heard) return;
    heard = desk.heard;
    if (sent[heard]) trips.push(performance.now() - sent[heard]);
  }, 5);
}"""


def make_study(folder: Path, size: tuple[int, int, int], subjects: int) -> Study:
    """A study of so many subjects, two phantoms under many names."""
    manifest = make_small_cohort(folder / "cohort", subjects=2, size=size)
    scans = read_manifest(manifest).scans
    many = manifest.with_name("many.csv")
    with many.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(["subject", "image", "mask", "region"])
        for number in range(subjects):
            one = scans[number % 2]
            files = (one.image, one.mask, one.region)
            table.writerow([f"S{number:04}", *(str(file) for file in files)])
    run = make_small_run(folder / "run", manifest, size=96)
    return new_study(folder / "study", many, run)


def server_mb(process: "subprocess.Popen[bytes]") -> float:
    """Resident memory of the server."""
    text = Path(f"/proc/{process.pid}/status").read_text("utf-8")
    return int(text.split("VmRSS:")[1].split()[0]) / 1024


def browser_mb(page: Page) -> float:
    """Memory of the page's JavaScript, arrays included, after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")
    return float(used["usedSize"] + used.get("backingStorageSize", 0)) / 2**20


def measure(
    browser: Browser, process: Any, address: str, study: Study, looked_at: int
) -> dict[str, Any]:
    """Accept so many subjects, each once the next one is prepared."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    begun = time.monotonic()
    page.goto(address_of(address, study.path, "anna"))
    page.wait_for_function(SHOWN, timeout=300_000)
    found: dict[str, Any] = {"open_s": time.monotonic() - begun}
    page.evaluate(LISTEN)
    for number in range(looked_at):
        page.wait_for_function(AHEAD, timeout=300_000)
        page.wait_for_timeout(300)
        page.keyboard.press("Enter")
        page.wait_for_function(f"waits.length > {number}", timeout=300_000)
        if number == min(20, looked_at - 1):
            found |= {"server_mb": server_mb(process), "browser_mb": browser_mb(page)}
    page.wait_for_function(SAVED, timeout=300_000)
    waits, trips = page.evaluate("waits"), page.evaluate("trips")
    found |= {"next_ms": median(waits), "next_max_ms": max(waits), "rerun_ms": median(trips)}
    page.wait_for_function("!ascnetExplorer.desk.learning", timeout=600_000)
    page.evaluate("trips.length = 0")
    for _ in range(10):
        page.keyboard.press("n")
        page.wait_for_timeout(2000)
    found |= {"calm_rerun_ms": median(page.evaluate("trips"))}
    found |= {"server_mb_end": server_mb(process), "browser_mb_end": browser_mb(page)}
    page.close()
    return found


def two_raters(browser: Browser, address: str, study: Study, seconds: float) -> dict[str, int]:
    """Let two raters decide at once; count decisions that are lost, doubled or another's."""
    pages = {}
    for rater in ("anna", "ben"):
        pages[rater] = browser.new_context().new_page()
        pages[rater].goto(address_of(address, study.path, rater, shuffled="yes"))
        pages[rater].wait_for_function(SHOWN, timeout=300_000)
    made: dict[str, list[tuple[str, int]]] = {"anna": [], "ben": []}
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for rater, page in pages.items():
            if not page.evaluate(SHOWN):
                continue
            for _ in range(1 + number % 3):
                page.keyboard.press("ArrowRight" if rater == "anna" else "ArrowLeft")
            before = page.evaluate("[ascnetExplorer.desk.current, ascnetExplorer.live.t]")
            page.keyboard.press("Enter")
            made[rater].append(tuple(before))
            number += 1
    for page in pages.values():
        page.wait_for_function(SAVED, timeout=300_000)
        page.context.close()
    rows = Counter((row.rater, row.subject, row.decided.level) for row in history(study))
    wanted = Counter((rater, *one) for rater, several in made.items() for one in several)
    return {
        "decided": sum(wanted.values()),
        "lost": sum((wanted - rows).values()),
        "not_theirs": sum((rows - wanted).values()),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--size", default="96x96x32", help="voxels of the volumes")
    parser.add_argument("--subjects", type=int, default=12, help="subjects accepted")
    parser.add_argument("--many", action="store_true", help="500 in the queue, 100 looked at")
    parser.add_argument("--training", action="store_true", help="beside a training")
    parser.add_argument("--raters", type=float, default=0.0, help="seconds that two raters decide")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args()
    x, y, z = (int(part) for part in given.size.split("x"))
    found: dict[str, Any] = {"size": given.size, "beside": "training" if given.training else ""}
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        study = make_study(folder, (x, y, z), 500 if given.many else given.subjects + 4)
        process, address = start_server(folder / "cache", folder / "server.log")
        training = None
        if given.training:
            command = [sys.executable, "-m", "ascnet_core", "train", folder / "cohort/manifest.csv"]
            command += ["--name", folder / "training", "--preset", "teaching"]
            training = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
            time.sleep(15)
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            if given.raters:
                found |= two_raters(browser, address, study, given.raters)
            else:
                looked_at = 100 if given.many else given.subjects
                found |= measure(browser, process, address, study, looked_at)
            browser.close()
        finally:
            stop_server(process)
            if training is not None:
                training.kill()
                training.wait()
    for name, value in found.items():
        print(f"{name:16} {value if isinstance(value, str | int) else f'{value:.1f}'}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 1 if found.get("lost") or found.get("not_theirs") else 0


if __name__ == "__main__":
    sys.exit(main())
