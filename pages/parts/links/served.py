"""The document that every address of the app opens: Streamlit's own, after a script of ours.

The script says where the server is. Streamlit would else look for it below the page's own address
first, and each link to a page would begin with two errors in the browser's console. It also keeps
the browser's history: see history.js.
"""

import asyncio
import webbrowser
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit.file_util import get_static_dir

from pages.parts.shared.components import script

HISTORY = Path(__file__).with_name("history.js")
SOON = 1.0  # seconds until the server listens
SERVER = '{ BACKEND_BASE_URL: new URL(".", window.location.href).href }'
"""Pages lie side by side, so the server is where the page is."""


def document() -> str:
    """Streamlit's document with our script before all others."""
    text = (Path(get_static_dir()) / "index.html").read_text("utf-8")
    ours = f"window.__streamlit = {SERVER};\n{script(HISTORY)}oneEntryAnAct(window);\n"
    return text.replace("<head>", f"<head>\n<script>(() => {{\n{ours}}})();</script>", 1)


def routes(pages: Iterable[str]) -> list[Route]:
    """A route for each page by its name in the address, "" for the first one."""
    text = document()

    async def answer(_request: Request) -> HTMLResponse:
        return HTMLResponse(text, headers={"Cache-Control": "no-cache"})

    return [Route("/" + "/".join(filter(None, (_base(), page))), answer) for page in pages]


def _base() -> str:
    return str(st.get_option("server.baseUrlPath")).strip("/")


@asynccontextmanager
async def open_browser(_app: st.App) -> AsyncIterator[None]:
    """Open the first page once the server listens, unless it is headless."""
    if not st.get_option("server.headless"):
        asyncio.get_running_loop().call_later(SOON, webbrowser.open, address())
    yield


def address() -> str:
    """Where a browser on this machine finds the app."""
    host = str(st.get_option("server.address") or "localhost")
    host = "localhost" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    return f"http://{host}:{st.get_option('server.port')}/{_base()}"
