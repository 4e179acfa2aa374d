"""How long it takes from `streamlit run app.py` to the first useful picture, in headless chromium.

    python -m tests.benchmarks.first_picture [--starts 5]

Each start is a fresh server and a fresh page: seconds until the server answers, and until a picture
of the Start page has been painted (bar: median under 5 s). The browser itself is already running,
as a user's is. Ends with status 1 where the bar is missed.
"""

import argparse
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS

BAR = 5.0
ROOT = Path(__file__).parents[2]
PAINTED = """() => [...document.querySelectorAll("img")].some(
  (image) => image.complete && image.naturalWidth > 100)"""


def free_port() -> int:
    """A port of the loopback that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def start(browser: Browser) -> tuple[float, float]:
    """Start a server and open its first page: seconds to its first answer, and to the picture."""
    port = free_port()
    # as a user has it: compiled modules are kept
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.port", str(port), "--server.headless", "true"]
    begun = time.monotonic()
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        while True:
            if server.poll() is not None:
                raise SystemExit(f"streamlit ended with status {server.returncode}")
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                break
            except (urllib.error.URLError, TimeoutError):
                time.sleep(0.02)
        answers = time.monotonic() - begun
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(address)
        page.wait_for_function(PAINTED, timeout=120_000)
        painted = time.monotonic() - begun
        page.close()
        return answers, painted
    finally:
        server.terminate()
        server.wait()


def main() -> int:
    """Measure, print, compare with the bar."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--starts", type=int, default=5, help="how many servers to start")
    arguments = parser.parse_args()
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for _ in range(arguments.starts):
            found.append(start(browser))
            print("server answers after {:.1f} s, picture after {:.1f} s".format(*found[-1]))
        browser.close()
    middle = median(painted for _, painted in found)
    print(f"median to the picture {middle:.1f} s   (bar {BAR:.0f} s)")
    return 1 if middle >= BAR else 0


if __name__ == "__main__":
    sys.exit(main())
