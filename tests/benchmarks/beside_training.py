"""What a tab costs a training on the same processor, and how fast pages answer beside one.

    python -m tests.benchmarks.beside_training [--pairs 4] [--seconds 25] [--clicks 15]

Starts a real training (preset teaching: 96 x 96, one thread) on a small phantom cohort, and beside
it a server and headless chromium, all on the same cores. Measures

- steps per second in spells without and with a tab that watches the live view, in turn, so that
  drift cancels; and the processor time that server and browser spend in each (bar: the training
  loses less than 10 %),
- milliseconds from a click or key to the frame that shows its pixels, on Threshold (a level, its
  post-processed mask), Cuts (next slice), Training (another snapshot) and Lessons (next stop)
  (bar: medians under 1500).

The load of the machine stands beside the figures: on a busy one they are worth little. Ends with
status 1 where a bar is missed.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, sync_playwright

from ascnet_core.runs.folder import Run
from ascnet_core.runs.requests import ask
from ascnet_core.runs.start import start_training
from tests.benchmarks.viewer import READY, measure_clicks
from tests.browser.conftest import CHROMIUM, FLAGS, start_server, stop_server
from tests.small import make_small_cohort

SHIPPED = "demo-flair"
PATIENCE = 900_000  # ms: opening a page is not what is measured
SETTLE = 5.0  # seconds that a spell's begin is left out: the page is being made

# From an event to the second frame after `done` holds: by then its picture has been shown.
ANSWER = """([kind, done]) => {
  globalThis.answer = null;
  const holds = eval(done);
  const before = holds.of();
  const listen = (event) => {
    const look = () => {
      if (holds.is(before)) requestAnimationFrame(() => requestAnimationFrame(() => {
        globalThis.answer = performance.now() - event.timeStamp;
      }));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  };
  window.addEventListener(kind, listen, { capture: true, once: true });
}"""
# the first big picture of the page has another source and is decoded
PICTURE = """(() => {
  const image = () => [...document.querySelectorAll("[data-testid=stMain] img")]
    .find((one) => one.naturalWidth > 100 && one.complete);
  return { of: () => image()?.src, is: (before) => ![undefined, before].includes(image()?.src) };
})()"""
CUTS = """(() => {
  const panel = [...document.querySelectorAll("*")].map((n) => n.shadowRoot?.querySelector(".cuts"))
    .find(Boolean);
  return { of: () => panel.dataset.slice, is: (b) => panel.dataset.slice !== b };
})()"""
# Another title, and below it a picture that no rerun is about to replace. Timed from the key's
# release: no other listener sees the page's key go down.
STOP = """(() => {
  const title = () => document.querySelector(".st-key-lesson h1")?.textContent;
  const view = () => {
    const all = [...document.querySelectorAll(".st-key-lesson_view *")];
    const drawn = all.concat(all.flatMap((n) => [...(n.shadowRoot?.querySelectorAll("*") ?? [])]))
      .filter((n) => ["IMG", "CANVAS"].includes(n.tagName) || n.matches(".js-plotly-plot"));
    return drawn.some((n) => !n.closest("[data-stale=true]")
      && n.getBoundingClientRect().width > 50 && (n.tagName !== "IMG" || n.complete));
  };
  const notice = () => document.querySelector(".st-key-lesson_notice")?.textContent;
  return { of: () => [title(), notice()],
    is: (b) => title() !== b[0] && notice() && notice() !== b[1] && view() };
})()"""


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its living descendants."""
    tick = os.sysconf("SC_CLK_TCK")
    spent: dict[int, tuple[int, float]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            spent[int(entry.name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) / tick
    family = {pid}
    while True:
        more = {one for one, (parent, _) in spent.items() if parent in family} - family
        if not more:
            return sum(spent[one][1] for one in family if one in spent)
        family |= more


def steps_per_second(run: Run, begin: float, end: float) -> float:
    """Speed between two wall clock times, from the events' own times."""
    kept = [
        (event["time"], event["step"])
        for event in run.events()
        if event["kind"] == "step" and begin <= event["time"] <= end
    ]
    (first, low), (last, high) = kept[0], kept[-1]
    return (high - low) / (last - first)


def spell(run: Run, seconds: float, pids: dict[str, int]) -> dict[str, float]:
    """Speed, and the share of a core that each process tree took, over `seconds`."""
    time.sleep(SETTLE)
    begin, before = time.time(), {name: cpu_seconds(pid) for name, pid in pids.items()}
    time.sleep(seconds)
    end = time.time()
    found = {n: (cpu_seconds(pid) - before[n]) / (end - begin) for n, pid in pids.items()}
    return {"steps": steps_per_second(run, begin, end), **found}


def open_tab(browser: Browser) -> Page:
    """A tab of 1440 x 900 that waits long."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(PATIENCE)
    return page


def watching(browser: Browser, address: str, run: Run) -> Page:
    """A tab on the run's live view, its first pictures drawn."""
    page = open_tab(browser)
    page.goto(f"{address}/training?{urlencode({'run': run.path})}")
    page.get_by_text("Watched slices").first.wait_for()
    page.get_by_text("Film of the run").wait_for()
    return page


def timed(page: Page, kind: str, done: str, act: Callable[[], None]) -> float:
    """Milliseconds from what `act` does (an event of `kind`) until `done` is on the screen."""
    page.evaluate(ANSWER, [kind, done])
    act()
    page.wait_for_function("globalThis.answer !== null")
    took = float(page.evaluate("globalThis.answer"))
    page.wait_for_timeout(600)  # what follows an answer (the link, a tick) is not the next click's
    return took


def answers(
    browser: Browser, address: str, cohort: Path, clicks: int
) -> Iterator[tuple[str, float, float]]:
    """Each page with the median and the longest of its times, in ms."""
    page = open_tab(browser)
    view = {"cohort": cohort, "run": SHIPPED, "post": "open-close:5"}
    page.goto(f"{address}/threshold?{urlencode(view)}")
    page.wait_for_function(READY)
    page.wait_for_timeout(3000)
    found = measure_clicks(page, clicks)
    yield (
        "Threshold: click a level, post-processed mask",
        found["click_ms"],
        found["click_max_ms"],
    )

    page.goto(f"{address}/cuts?{urlencode({'cohort': cohort, 'run': SHIPPED, 'slice': 3})}")
    page.locator(".cuts[data-slice]").wait_for()
    page.locator("canvas[data-node=tiles]").focus()
    press = page.keyboard.press
    times = [
        timed(page, "keydown", CUTS, lambda key=key: press(key))  # type: ignore[misc]
        for key in there_and_back("ArrowUp", "ArrowDown", clicks, 8)
    ]
    yield "Cuts: key to the next slice", median(times), max(times)

    page.goto(f"{address}/training?{urlencode({'run': SHIPPED})}")
    slider = page.get_by_role("slider", name="Snapshot").first
    page.get_by_text("Watched slices").first.wait_for()
    page.get_by_text("Film of the run").wait_for()
    page.wait_for_timeout(2000)
    slider.focus()
    times = [
        timed(page, "keydown", PICTURE, lambda key=key: press(key))  # type: ignore[misc]
        for key in there_and_back("ArrowLeft", "ArrowRight", clicks, 6)
    ]
    yield "Training: another snapshot", median(times), max(times)

    page.goto(f"{address}/lessons")
    page.get_by_text("Present").click()
    page.get_by_test_id("stSidebar").wait_for(state="hidden")  # from then on keys are heard
    page.locator(".st-key-lesson_notice").wait_for()
    page.wait_for_timeout(2000)
    for key in there_and_back("ArrowRight", "ArrowLeft", 10, 5):  # each stop once: caches are warm
        timed(page, "keyup", STOP, lambda key=key: press(key))  # type: ignore[misc]
    times = [
        timed(page, "keyup", STOP, lambda key=key: press(key))  # type: ignore[misc]
        for key in there_and_back("ArrowRight", "ArrowLeft", clicks, 5)
    ]
    yield "Lessons: arrow to the next stop", median(times), max(times)
    page.close()


def there_and_back(one: str, other: str, number: int, turn: int) -> list[str]:
    """Keys to press: `turn` of one, `turn` of the other, and so on."""
    return [one if place // turn % 2 == 0 else other for place in range(number)]


@contextmanager
def training(folder: Path, cohort: Path) -> Iterator[Run]:
    """A run of the preset teaching, under way; stopped afterwards."""
    run = Run(folder / "runs" / "beside")
    changes = ["schedule.stage_1=500", "schedule.log_every=5"]
    options = [part for change in changes for part in ("--set", change)]
    start_training([str(cohort), "--name", str(run.path), "--preset", "teaching", *options])
    try:
        deadline = time.monotonic() + PATIENCE / 1000
        while len(run.snapshots()) < 2 and time.monotonic() < deadline:
            time.sleep(0.5)
        yield run
    finally:
        ask(run.path, "stop")
        while run.status() == "running":
            time.sleep(0.2)


def main() -> int:
    """Measure, print, compare with the bars."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pairs", type=int, default=4, help="spells without and with a tab")
    parser.add_argument("--seconds", type=float, default=25, help="length of a spell")
    parser.add_argument("--clicks", type=int, default=15, help="clicks a page; 0: leave them out")
    given = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        cohort = make_small_cohort(folder / "cohort", size=(96, 96, 24))
        process, address = start_server(folder / "cache", folder / "server.log")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            with training(folder, cohort) as run:
                print(f"load at the start {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
                own = os.getpid()
                ratios, shares = [], {"server": [], "browser": []}
                for _ in range(given.pairs):
                    speeds = []
                    for watched in (False, True):
                        page = watching(browser, address, run) if watched else open_tab(browser)
                        # what this process started: the server, the training and the browser
                        pids = {"server": process.pid, "all": own, "run": trainer_of(run)}
                        found = spell(run, given.seconds, pids)
                        page.close()
                        speeds.append(found["steps"])
                        rest = found["all"] - found["server"] - found["run"]
                        print(
                            f"{'one tab' if watched else 'no tab ':8} {found['steps']:6.2f} steps/s"
                            f"   server {found['server']:4.0%} of a core, browser {rest:4.0%}"
                            f"   load {os.getloadavg()[0]:.1f}"
                        )
                        if watched:
                            shares["server"].append(found["server"])
                            shares["browser"].append(rest)
                    ratios.append(speeds[1] / speeds[0])
                if ratios:
                    kept = median(ratios)
                    print(
                        f"one tab: the training keeps {kept:.1%} of its speed (pairs "
                        f"{', '.join(f'{one:.2f}' for one in ratios)}; bar 90 %); server "
                        f"{median(shares['server']):.0%}, browser {median(shares['browser']):.0%} "
                        "of a core"
                    )
                    missed = kept < 0.9
                if given.clicks:
                    for what, middle, worst in answers(browser, address, cohort, given.clicks):
                        print(
                            f"{what:38} median {middle:5.0f} ms, longest {worst:5.0f}   (bar 1500)"
                            f"   load {os.getloadavg()[0]:.1f}",
                            flush=True,
                        )
                        missed = missed or middle >= 1500
            browser.close()
        finally:
            stop_server(process)
    return int(missed)


def trainer_of(run: Run) -> int:
    """The pid of the process that trains."""
    from ascnet_core.runs.lock import lock_holder

    holder = lock_holder(run.path)
    assert holder is not None, run.log(5)
    return int(holder["pid"])


if __name__ == "__main__":
    sys.exit(main())
