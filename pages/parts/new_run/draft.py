"""What is typed into the form of a new run outlasts other pages, and a reload of the tab.

Streamlit forgets a widget's value where the widget is not drawn, and everything on a reload. So
the values are kept in the session under a key of our own, and in the browser's tab.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from ascnet_core import __version__
from pages.parts.new_run import preset_box, schedule_box, watched_box
from pages.parts.shared import components, state

COHORT = "input cohort of the new run"
FOLLOWED = "cohort of the view that the form took last"  # no widget
REFERENCE = "reference of the new run"  # and behind it the cohort
NAME = "name of the new run"

_DRAFT = "form of the new run"
_SET = "values that the form takes before it is drawn"
_TAB = "form of the new run in the tab"
_PLAIN = (COHORT, FOLLOWED, NAME, preset_box.CHOSEN, preset_box.COMPARED, schedule_box.KEY)
_PREFIXES = (preset_box.FORM, REFERENCE, watched_box.PICKING)
_SENT = "new run"

_component = components.declare("draft_of_new_run", Path(__file__).with_suffix(""))


def _belongs(key: object) -> bool:
    return key in _PLAIN or str(key).startswith(_PREFIXES)


def values() -> dict[str, Any]:
    """What the form's widgets hold now, by key, as JSON may hold it."""
    found = {str(key): value for key, value in st.session_state.items() if _belongs(key)}
    known = (str, int, float, bool, tuple, list, type(None))
    return {key: value for key, value in found.items() if isinstance(value, known)}


def remember() -> None:
    """Keep the form's values; call it once its widgets are drawn."""
    st.session_state[_DRAFT] = st.session_state.get(_DRAFT, {}) | values()


def forget_name() -> None:
    """The run has begun: its name is used up."""
    for kept in (st.session_state, st.session_state.get(_DRAFT, {})):
        kept.pop(NAME, None)


def fill(wanted: Mapping[str, Any]) -> None:
    """Give fields of the form these values when it is drawn next; for callbacks of buttons."""
    st.session_state[_SET] = dict(wanted)


def restore() -> None:
    """Give the fields what they held, where another page was shown meanwhile; may rerun.

    Values are set in a run of their own: a widget that is drawn in the same run would complain of
    its default.
    """
    wanted = st.session_state.pop(_SET, None)
    held = st.session_state.get(_DRAFT)
    if wanted is None and held and NAME not in st.session_state:
        wanted = {NAME: "", **held}
    if wanted is not None:
        for key, value in wanted.items():
            st.session_state[key] = tuple(value) if isinstance(value, list) else value
        st.rerun()


def in_tab(view: str | None) -> None:
    """Keep the form in the browser's tab, too; after a reload it gives form and view back.

    `view` is the view of the page that is shown now; None before it is known.
    """
    known = st.session_state.get(_DRAFT)
    fork = st.session_state.get(state.FORK)
    held = (known or {}) | values()  # what was just changed is not remembered yet
    sent = {"version": __version__, "view": view, "values": held, "fork": fork}
    told = components.reported(_TAB).get("told")
    if known is None and isinstance(told, Mapping):
        _take(told)
    with st.container(key="draft_of_new_run"):
        _component(
            data={"kept": json.dumps(sent) if known else ""},
            key=_TAB,
            on_told_change=lambda: None,
        )


def _take(told: Mapping[str, Any]) -> None:
    """Take the form that the tab held, if this version of the app wrote it."""
    st.session_state[_DRAFT] = {}
    try:
        kept = json.loads(str(told.get("kept") or "null"))
        version, view, held = kept["version"], kept["view"], dict(kept["values"])
        fork = kept["fork"]
    except (TypeError, ValueError, KeyError):
        return
    if version != __version__:
        return
    st.session_state[_DRAFT] = {key: value for key, value in held.items() if _belongs(key)}
    if told.get("reloaded") and view == "New run":
        st.session_state[state.TRAINING_VIEW] = view
        if isinstance(fork, list) and len(fork) == 2:
            st.session_state[state.FORK] = (str(fork[0]), int(fork[1]))
