"""The tour: five real views of the demo cohort, with a bar that leads from one to the next."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import streamlit as st

from pages.parts.shared import state

HOME = "pages/start.py"


class Stop(NamedTuple):
    """A page, what there is to see, and what of the view differs from its default."""

    page: str
    title: str
    sentence: str
    changes: Mapping[str, Any] = MappingProxyType({})


STOPS = (
    Stop("pages/cuts.py", "Two cuts", "One slice as input, fence and wild cut, and as I_ro."),
    Stop(
        "pages/threshold.py",
        "Click the peak",
        "The brightest peak of I_ro is the lesion. Click it: its top is marked. Go there, to the "
        "valley left of it, marks all of it.",
    ),
    Stop(
        "pages/threshold.py",
        "A plain threshold fails",
        "The input alone, without the network, under Otsu's rule, on the same subject.",
        {"map": "input", "rule": "otsu"},
    ),
    Stop(
        "pages/training.py",
        "Peaks part",
        "The shipped run, cycle by cycle: when would you have stopped?",
    ),
    Stop(
        "pages/evaluation.py",
        "Is it any good?",
        "Subjects that it never saw, beside methods without training.",
        {"scope": "cohort"},
    ),
)


def view_of(changes: Mapping[str, Any], run: str) -> state.View:
    """The view of a stop, on the demo cohort."""
    return state.change(state.View(run=run), **changes)


def query_of(changes: Mapping[str, Any], run: str, number: int | None = None) -> dict[str, str]:
    """The query of a stop. It names the demo, so that it also leads there from another cohort."""
    named = {"cohort": "demo", "run": run} | state.to_query(view_of(changes, run))
    return named if number is None else named | {state.TOUR: str(number)}


def number_of(text: str | None) -> int | None:
    """The stop that a link's `tour` names, from 1; None where it names none."""
    return int(text) if text and text.isdigit() and 1 <= int(text) <= len(STOPS) else None


def open_stop(number: int, run: str) -> None:
    """Go to a stop; before the first and behind the last lies Start. Does not return."""
    if not 1 <= number <= len(STOPS):
        st.switch_page(HOME)
    stop = STOPS[number - 1]
    # not by the link alone: it may be the one that the browser held a moment ago
    st.session_state[state.VIEW] = view_of(stop.changes, run)
    st.switch_page(stop.page, query_params=query_of(stop.changes, run, number))


def _leave() -> None:
    st.query_params.pop(state.TOUR, None)


def show_bar(page: str) -> None:
    """Above a page (its title) that the tour visits: where one is, back, next, and a way out."""
    number = number_of(st.query_params.get(state.TOUR))
    if number is None or Path(STOPS[number - 1].page).stem != page.lower():
        return
    stop = STOPS[number - 1]
    run = st.query_params.get("run", state.DEFAULT.run)
    st.html(Path(__file__).with_name("tour.css"))
    with st.container(key="tour", horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Tour, {number} of {len(STOPS)} · {stop.title}** · {stop.sentence}")
        with st.container(horizontal=True, width="content", gap="small"):
            if st.button("Back", key="tour back", icon=":material/chevron_left:"):
                open_stop(number - 1, run)
            last = number == len(STOPS)
            label = "To Start" if last else "Next"
            if st.button(label, key="tour next", icon=":material/chevron_right:", type="primary"):
                open_stop(number + 1, run)
            st.button(
                "Leave the tour",
                key="tour leave",
                on_click=_leave,
            )
