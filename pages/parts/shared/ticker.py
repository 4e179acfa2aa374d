"""A clock for live views: at each tick only those fragments are run again that have something new.

`st.fragment(run_every=...)` would make and send all it holds at each tick, changed or not, and in
tabs that nobody sees too: a training beside it would pay for that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ascnet_core.runs.folder import Run
from ascnet_core.runs.lock import lock_holder
from pages.parts.shared import components

SECONDS = 2.0  # each tick costs the browser some 40 ms, changed or not: the page is gone through
HIDDEN = "<style>.st-key-ticker { display: none; }</style>"

_mount = components.declare("ascnet_ticker", Path(__file__))


@dataclass(frozen=True)
class Part:
    """A fragment's `state`: it is run again when that has changed, at most each `seconds`."""

    state: Callable[[], object]
    seconds: float = SECONDS


def due(parts: Mapping[str, Part], seen: dict[str, tuple[object, float]], now: float) -> list[str]:
    """Keys of the fragments to run again; `seen` is set to what they will have shown.

    Parameters
    ----------
    parts
        By the fragment's key.
    seen
        State and time of each fragment's last run; one that is missing has shown the present.
    now
        Seconds, of any clock that does not go back.
    """
    found = []
    for key, part in parts.items():
        state = part.state()
        before, when = seen.setdefault(key, (state, now))
        if state != before and now - when >= part.seconds:
            seen[key] = state, now
            found.append(key)
    return found


def tick(clock: str, parts: Mapping[str, Part], ended: Callable[[], bool]) -> None:
    """Mount a clock for these fragments; where `ended`, the page is run once more without it.

    Call it before the fragments are drawn: what changes meanwhile is then found at the next tick.
    """
    seen: dict[str, tuple[object, float]] = {}
    due(parts, seen, time.monotonic())

    def heard() -> None:
        changed = due(parts, seen, time.monotonic()) if _alone() and not ended() else []
        if changed:
            with suppress(StreamlitAPIException):  # the page has been left meanwhile
                st.rerun(changed)

    def hands() -> None:
        if _alone() and ended():
            st.rerun()
        _mount(key=clock, data={"ms": round(1000 * SECONDS)}, on_tick_change=heard)

    with st.container(key="ticker"):
        st.html(HIDDEN)
        st.fragment(hands, key=f"{clock} hands")()


def follow(
    clock: str, runs: Sequence[Run], parts: Callable[[list[bool]], Mapping[str, Part]]
) -> None:
    """Mount a clock while any of these runs trains; `parts` is told which of them do.

    Once one begins or ends the page is made anew: what an ended run offers is another thing.
    """

    def active() -> list[bool]:
        return [lock_holder(run.path) is not None for run in runs]

    before = active()
    if any(before):
        tick(clock, parts(before), lambda: active() != before)


def _alone() -> bool:
    """Whether this run of the script is for the clock alone.

    Requests that come while the script runs are run together afterwards, and `st.rerun` drops the
    rest of such a run: a click that came with a tick would be lost. The next tick is soon there.
    """
    context = get_script_run_ctx()
    return context is not None and len(context.fragment_ids_this_run or []) == 1
