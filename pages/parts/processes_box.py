"""How many processes a training has: a field where there are several GPUs, nothing elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import Future

import streamlit as st

from ascnet_core.training.launch import processes_of
from ascnet_core.training.run_folder import Run

KEY = "processes of the new run"


def count_gpus() -> int:
    """GPUs that torch sees; waits for torch (2.4 s) where it is not loaded yet."""
    try:
        import torch

        return torch.cuda.device_count()
    except (ImportError, OSError, RuntimeError):
        return 0


@st.cache_resource(show_spinner=False)
def _asked() -> Future[int]:
    """The count, asked once a server by a thread, and not before the first picture is sent."""
    found: Future[int] = Future()

    def ask() -> None:
        if "torch" not in sys.modules:
            time.sleep(2)
        found.set_result(count_gpus())

    threading.Thread(target=ask, daemon=True).start()
    return found


def known_gpus() -> int:
    """GPUs that torch sees; 0 until it is known, and then the page is drawn again."""
    asked = _asked()
    if asked.done():
        return asked.result()

    @st.fragment(run_every=0.5)
    def wait() -> None:
        if asked.done():
            st.rerun()

    wait()
    return 0


def choose_processes(gpus: int) -> int:
    """The field; the number of processes chosen."""
    return int(
        st.number_input(
            "Processes (GPUs)",
            min_value=1,
            max_value=gpus,
            value=1,
            key=KEY,
            help=f"One process a GPU, of {gpus}. They share each batch equally; batch norm and "
            "dropout act on the whole batch, so the losses are those of one process.",
        )
    )


def processes_as_before(run: Run) -> int:
    """As many as the run was last trained by, if there are GPUs for them; else 1."""
    wanted = processes_of(run.command().rpartition("\n")[2])
    return wanted if 1 < wanted <= count_gpus() else 1
