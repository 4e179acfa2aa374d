"""A clock for live views: each tick runs only those fragments again that have something new.

`st.fragment(run_every=...)` draws and sends all it holds at each tick, changed or not, also in tabs
that nobody sees. That would slow down a training on the same machine.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import lock_holder
from pages.parts.shared import components

SECONDS = 2.0  # each tick costs the browser some 40 ms, even where nothing changed
HIDDEN = "<style>.st-key-ticker { display: none; }</style>"

_mount = components.declare("ascnet_ticker", Path(__file__))


class Part(NamedTuple):
    """A fragment's `state`: it is run again when that has changed, at most each `seconds`."""

    state: Callable[[], object]
    seconds: float = SECONDS


def due(parts: Mapping[str, Part], seen: dict[str, tuple[object, float]], now: float) -> list[str]:
    """Keys of the fragments to run again; `parts` are by these keys, `now` is in seconds.

    `seen` holds state and time of each fragment's last run, and is brought up to date. A fragment
    that is not in it has just been drawn.
    """
    found = []
    for key, part in parts.items():
        state = part.state()
        before, when = seen.setdefault(key, (state, now))
        if state != before and now - when >= part.seconds:
            seen[key] = state, now
            found.append(key)
    return found


def follow(
    clock: str,
    runs: Sequence[Run],
    parts: Callable[[list[bool]], Mapping[str, Part]],
    offers: Callable[[], object] = tuple,
) -> None:
    """Mount a clock while any of these runs trains; `parts` gets whether each of them does.

    When a run begins or ends, or `offers` gives something else, the whole page is drawn again: it
    offers other things then. Call it before the fragments are drawn, so that the next tick finds
    what changed meanwhile.
    """

    def now() -> tuple[list[bool], object]:
        return [lock_holder(run.path) is not None for run in runs], offers()

    # A place without a clock, too: a fragment is known by its place, and a click that is on its way
    # while the clock goes would be lost if all that follows moved up.
    place = st.container(key="ticker")
    before = now()
    if not any(before[0]):
        return
    watched, seen = parts(before[0]), dict[str, tuple[object, float]]()
    due(watched, seen, time.monotonic())

    def heard() -> None:
        changed = due(watched, seen, time.monotonic()) if _alone() and now() == before else []
        if changed:
            with suppress(StreamlitAPIException):  # The user has left the page.
                st.rerun(changed)

    def hands() -> None:
        if _alone() and now() != before:
            st.rerun()
        _mount(key=clock, data={"ms": round(1000 * SECONDS)}, on_tick_change=heard)

    with place:
        st.html(HIDDEN)
        st.fragment(hands, key=f"{clock} hands")()


def _alone() -> bool:
    """Whether this run is for the clock alone: `st.rerun` would drop a click that came with it."""
    context = get_script_run_ctx()
    return context is not None and len(context.fragment_ids_this_run or []) == 1
