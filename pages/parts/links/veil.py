"""What earlier runs of a page drew is hidden while another subject or run is made ready."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages.parts.shared.state import View

SHOWN = "cohort, scan, run and cycle on the screen"  # session key
# Streamlit marks what this run of the page has not drawn anew. It keeps the focus, so that a key
# pressed meanwhile is heard.
VEIL = """
<style>
[data-testid="stMain"] [data-stale="true"] {
  opacity: 0 !important; transition: none !important; pointer-events: none;
}
</style>
<i hidden></i>
"""


@contextmanager
def veiled(view: View) -> Iterator[None]:
    """Hide the old picture inside the block where the view is of another subject, run or cycle.

    A mask must not stand under another name, not for a moment. Another threshold leaves all as it
    is.
    """
    now = view.cohort, view.scan, view.run, view.cycle
    place = st.sidebar.empty()  # where it takes no room
    if st.session_state.get(SHOWN, now) != now:
        place.html(VEIL)
    yield
    place.empty()
    st.session_state[SHOWN] = now
