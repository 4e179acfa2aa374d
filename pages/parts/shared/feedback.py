"""What pages say while work goes on and when it fails: a progress bar, a sentence."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.files import mendable
from pages.parts.shared import jobs

_CODE_OR_MARK = re.compile(r"(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)|[\\\[\]*$<]")


def plain(text: str) -> str:
    """Text for Markdown in which brackets, stars, dollars and the like mean nothing.

    Names of files and words of a link are shown as they are: none can become a picture, which the
    browser would fetch, or a formula. What stands between backticks stays code, in which Markdown
    takes every letter as it is. All comes on one line: at the end of a paragraph code would end.
    """
    line = " ".join(text.splitlines())
    return _CODE_OR_MARK.sub(lambda found: found[0] if found["ticks"] else f"\\{found[0]}", line)


@contextmanager
def show_user_errors(stop: bool = True) -> Iterator[None]:
    """Show a `UserError` raised inside as its one sentence; with `stop` the page ends there.

    What the file system refuses (a full disk, a name too long) is shown in the same way.
    """
    try:
        yield
        return
    except (UserError, OSError, MemoryError) as error:
        if not (sentence := mendable(error)):
            raise
    st.error(plain(sentence), icon=":material/error:")
    if stop:
        st.stop()


@contextmanager
def progress_bar(text: str, patience: float = 0.0) -> Iterator[Callable[..., None]]:
    """A progress bar while the block runs, where that takes longer than `patience` seconds.

    It yields report(done, total) or (done, total, more); `more` stands behind `text`.
    """
    begun = time.monotonic()
    bar = None if patience else st.progress(0.0, text=text)

    def report(done: int, total: int, more: str = "") -> None:
        nonlocal bar
        if bar is None and time.monotonic() - begun > patience:
            bar = st.progress(0.0, text=text)
        if bar is not None:
            bar.progress(min(1.0, done / max(1, total)), text=f"{text}{plain(more)}")

    try:
        yield report
    finally:
        if bar is not None:
            bar.empty()


def duration(seconds: float | None) -> str:
    """Seconds in words: `3 min 20 s`; empty where unknown."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def follow_job(folder: Path, result: str, label: str) -> None:
    """How far the job in a folder is, and a way to end it; once it has ended the page runs anew."""

    @st.fragment(run_every=1)
    def live() -> None:
        job = jobs.read(folder, result)
        if job.status != "running":
            st.rerun()
        left, right = st.columns([4, 1], vertical_alignment="center")
        text = f"{label}: {plain(job.text)} · {duration(job.seconds)} so far"
        left.progress(job.share, text=text)
        if right.button("Cancel", icon=":material/close:", width="stretch", key=f"end {folder}"):
            jobs.cancel(folder)

    live()
