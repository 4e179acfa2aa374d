"""Messages of the browser that were on their way when the URL was written: they carry the old one.

Whoever writes a new text into the URL notes the old one by `leave`, and asks `just_left` of what a
message says before taking it for the user's word.
"""

import time

import streamlit as st

STEP_BEHIND = 3.0  # seconds the browser may lag behind the URL we wrote
LEFT = "what the url said a moment ago"  # session key: {(key, text): when}
ENDED = "when the last run of the page ended"  # session key


def leave(key: str, text: str) -> None:
    """Note under a key that the URL said `text` until now."""
    st.session_state.setdefault(LEFT, {})[key, text] = time.monotonic()


def just_left(key: str, text: str) -> bool:
    """Whether the URL said so a moment ago: what was on its way meanwhile still does."""
    when = st.session_state.get(LEFT, {}).get((key, text))
    return when is not None and time.monotonic() - when <= STEP_BEHIND


def run_ended() -> None:
    """Count what this run left in the URL from now on: its answer is complete only now.

    A run may take longer than `STEP_BEHIND`, and messages on their way wait for its end.
    """
    now, before = time.monotonic(), st.session_state.get(ENDED, 0.0)
    left: dict[tuple[str, str], float] = st.session_state.get(LEFT, {})
    left = {one: now if when > before else when for one, when in left.items()}
    st.session_state[LEFT] = {one: at for one, at in left.items() if now - at <= STEP_BEHIND}
    st.session_state[ENDED] = now
