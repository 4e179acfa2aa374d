"""The document that every address opens, and where a browser finds it."""

import asyncio
import webbrowser
from concurrent.futures import ThreadPoolExecutor

import pytest
import streamlit as st

from pages.parts.links import served

APP = st.App(__file__)


@pytest.fixture
def options(monkeypatch):
    chosen = {
        "server.baseUrlPath": "",
        "server.address": "127.0.0.1",
        "server.port": 8501,
        "server.headless": False,
    }
    monkeypatch.setattr(st, "get_option", chosen.__getitem__)
    return chosen


def test_our_script_stands_before_streamlits():
    text = served.document()
    ours = text.index("window.__streamlit")
    assert text.index("<head>") < ours < text.index('type="module"')
    assert "export " not in text[:ours]
    assert text.count("oneEntryAnAct(window);") == 1


def test_there_is_a_route_for_each_page(options):
    assert [one.path for one in served.routes(["", "cuts"])] == ["/", "/cuts"]
    options["server.baseUrlPath"] = "/lab/"
    assert [one.path for one in served.routes(["", "cuts"])] == ["/lab", "/lab/cuts"]


def test_every_page_of_the_app_is_served():
    import app

    names = [name for name, _, _ in app.PAGES]
    paths = {one.path for one in app.app._user_routes}
    assert paths == {"/", *(f"/{name}" for name in names)}


@pytest.mark.parametrize(
    ("address", "host"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "localhost"), ("::1", "[::1]"), (None, "localhost")],
)
def test_the_address_is_one_that_this_machine_reaches(options, address, host):
    options["server.address"] = address
    assert served.address() == f"http://{host}:8501/"


@pytest.mark.parametrize("headless", [True, False])
def test_a_browser_opens_unless_headless(options, monkeypatch, headless):
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(served, "SOON", 0.0)
    options["server.headless"] = headless

    async def serve() -> None:
        async with served.open_browser(APP):
            await asyncio.sleep(0.05)

    # a thread has no loop yet; this one may, where a browser was tested before
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, serve()).result()
    assert opened == ([] if headless else ["http://127.0.0.1:8501/"])
