"""A server on a free loopback port, and Debian's chromium to drive the app with."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, sync_playwright

from ascnet_core import places
from tests.small import make_small_cohort, make_small_run

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 120_000  # ms: the machine may be busy with other things


IDLE = "!document.querySelector('[data-testid=stApp][data-test-script-state=running]')"


def settle(page: Page, milliseconds: int = 600) -> None:
    """Wait so long, and on until Python has answered the page's last message and nothing runs."""
    page.wait_for_timeout(milliseconds)
    page.wait_for_function(IDLE)
    page.wait_for_timeout(200)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in Path(item.path).parents:
            item.add_marker(pytest.mark.browser)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_server(
    cache: Path,
    log: Path,
    open_folders: str = tempfile.gettempdir(),
    bound: str = "127.0.0.1",
    port: int | None = None,
) -> tuple[subprocess.Popen[bytes], str]:
    """Start the app, wait until it answers, give the process and its address.

    `open_folders` open without a question; "" asks about every link, as the app does by default.
    `port` is a free one if none is given.
    """
    port = port or _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    command += ["--server.port", str(port), "--server.address", bound, "--server.headless", "true"]
    command += ["--server.fileWatcherType", "none"]
    environment = {**os.environ, "ASCNET_CACHE": str(cache), places.OPEN_FOLDERS: open_folders}
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return process, address
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    stop_server(process)
    raise RuntimeError(f"the app did not start: {log.read_text(errors='replace')}")


def stop_server(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def app_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache folder of the tests' servers."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, app_cache: Path) -> Iterator[str]:
    """The address of a running app that tests share."""
    process, address = start_server(app_cache, tmp_path_factory.mktemp("log") / "server.log")
    yield address
    stop_server(process)


@pytest.fixture
def fresh_server(tmp_path: Path, app_cache: Path) -> Iterator[str]:
    """The address of an app that nobody has visited yet."""
    process, address = start_server(app_cache, tmp_path / "server.log")
    yield address
    stop_server(process)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's chromium; where it is missing the tests fail in CI and are skipped elsewhere."""
    if not shutil.which(CHROMIUM):
        reason = f"there is no {CHROMIUM}; install the package chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens tabs of 1440 x 900; afterwards none may have asked for anything outside, or broken."""
    contexts, outside, broken = [], [], []

    def look(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "blob:", "data:")):
            outside.append(request.url)

    def open_tab(width: int = 1440, height: int = 900) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True
        )
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", look)
        page.on("pageerror", lambda error: broken.append(str(error)))
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert outside == []
    assert broken == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A tab of 1440 x 900."""
    return new_page()


@pytest.fixture(scope="session")
def small_cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of four phantom subjects of 48 x 48 x 16 voxels, two of them with lesions."""
    return make_small_cohort(tmp_path_factory.mktemp("cohort") / "small", size=(48, 48, 16))


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory, small_cohort: Path) -> Path:
    """A run with an untrained network of width 2."""
    return make_small_run(tmp_path_factory.mktemp("runs") / "small-run", small_cohort, size=48)
