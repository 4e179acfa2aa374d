"""Coming to a subject: its line is at the decision that was accepted, else where its rule says.

What a decision brings along (map, range, side, steps, edits of pieces) goes again with its subject:
the next one finds what was chosen before.
"""

import time
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from ascnet_core.studies.decisions import Decision
from pages.parts.shared import feedback, runs, state
from pages.parts.shared.state import View
from pages.parts.studies import keeping
from pages.parts.threshold import accepting

BROUGHT = ("map", "range", "side", "post")


@dataclass(frozen=True)
class Arrival:
    """Where one has arrived, when (`time.monotonic`), and the view at its decision and before."""

    place: tuple[Any, ...]
    since: float
    before: View | None = None
    adopted: View | None = None


def _place(view: View) -> tuple[Any, ...]:
    rater = keeping.rater_of(view)
    return view.cohort, view.run, view.cycle, view.flip, view.study, rater, view.scan


def arrive() -> View:
    """The session's view with everything named, at the subject's decision if it is new here.

    A level or, on opening a link, a rule that the link names comes before the decision. Raises
    UserError.
    """
    view, last = state.current(), st.session_state.get(state.ARRIVED)
    full = runs.complete(view)
    if full.study != keeping.NEW and not keeping.fits(full):
        st.toast(feedback.plain(keeping.misfit(full)), icon=":material/link_off:")
        view, full = replace(view, study=""), replace(full, study="")
    place = _place(full)
    if last is not None and last.place == place:
        state.show(replace(view, scan=full.scan))
        return full
    if last is not None and last.adopted is not None:
        view = restored(view, last.before, last.adopted)
    arrival = Arrival(place, time.monotonic())
    if view.t is None and not (last is None and view.rule):
        full = runs.complete(view)
        entry = keeping.kept(full).on(accepting.subject_of(full))
        if entry is not None and entry.decided.threshold is not None:
            adopted = at_decision(view, full, entry.decided)
            arrival = replace(arrival, before=view, adopted=adopted)
            view = adopted
    st.session_state[state.ARRIVED] = arrival
    return runs.complete(state.show(view))


def stay(view: View) -> None:
    """Note that a complete view is of the subject that is on the screen already."""
    arrival = st.session_state[state.ARRIVED]
    st.session_state[state.ARRIVED] = replace(arrival, place=_place(view))


def seconds() -> float | None:
    """How long the subject has been on the screen."""
    arrival = st.session_state.get(state.ARRIVED)
    return None if arrival is None else round(time.monotonic() - arrival.since, 1)


def at_decision(view: View, full: View, decision: Decision) -> View:
    """A view at a decision; what is the same as in the complete view `full` stays as it is."""
    brought = {name: getattr(decision, name) for name in BROUGHT}
    if decision.map == "input":
        del brought["range"]
    changes = {name: value for name, value in brought.items() if value != getattr(full, name)}
    level = {"t": decision.level, "upper": decision.upper, "pieces": decision.pieces}
    return replace(view, **level, **changes)


def restored(view: View, before: View | None, adopted: View) -> View:
    """A view without what a decision brought along; what was chosen since stays."""
    same = [name for name in BROUGHT if getattr(view, name) == getattr(adopted, name)]
    return replace(view, **{name: getattr(before, name) for name in same})
