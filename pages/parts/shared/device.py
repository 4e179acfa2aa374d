"""The device that torch finds. Importing torch takes 2.4 s, so no page waits for it."""

import sys
import threading
import time
from concurrent.futures import Future

import streamlit as st


def find_device() -> tuple[str, int]:
    """The device in words, and how many GPUs there are."""
    try:
        import torch

        if torch.cuda.is_available():
            return f"GPU: {torch.cuda.get_device_name()}", torch.cuda.device_count()
        return f"CPU, {torch.get_num_threads()} threads", 0
    except (ImportError, OSError, RuntimeError) as error:
        return f"none: torch cannot be loaded ({error})", 0


@st.cache_resource(show_spinner=False)
def _asked() -> Future[tuple[str, int]]:
    """The device, asked for once a server in a thread, after the first picture is sent."""
    found: Future[tuple[str, int]] = Future()

    def ask() -> None:
        if "torch" not in sys.modules:
            time.sleep(2)
        found.set_result(find_device())

    threading.Thread(target=ask, daemon=True).start()
    return found


def known_device() -> tuple[str, int]:
    """`find_device`, or "looking…" and 0 until that is known; then the page is drawn again."""
    asked = _asked()
    if asked.done():
        return asked.result()

    @st.fragment(run_every=0.5)
    def wait() -> None:
        if asked.done():
            st.rerun()

    wait()
    return "looking…", 0
