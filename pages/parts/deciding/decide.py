"""Decide: a queue of subjects, the viewer, and what is decided of the subject on the screen.

The browser draws and decides by itself, and tells Python. Each of its messages holds all acts that
it has not read an answer to, where it is, and what it wants next; so a message may be lost, and
come twice.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.studies.decisions import Entry
from ascnet_core.studies.export import tables
from ascnet_core.studies.folder import Study
from ascnet_core.studies.table import THRESHOLDS
from pages.parts.deciding import decide_acts, decide_package, queue
from pages.parts.deciding.decide_ahead import Ahead, ahead
from pages.parts.deciding.decide_said import Knowledge, learn
from pages.parts.shared import components, feedback, state
from pages.parts.shared.feedback import plain
from pages.parts.shared.question import offer
from pages.parts.tuning.chosen import BLIND, SUBJECT, YES, open_subject
from pages.parts.tuning.download import download_masks
from pages.parts.viewer import viewer

SHUFFLED = "shuffled"
"""Key of the address."""
AHEAD = 2
"""Subjects prepared before they are looked at."""
STEP = 0.05
"""Seconds between two looks for a message while one waits."""

_HERE = Path(__file__).parent
STYLE = _HERE / "decide.css"
_DESK = "tuning desk"
_TOLD = "what the desk told, not yet heard"
_QUEUE = components.declare("ascnet_queue", _HERE / "queue")
_PANEL = components.declare("ascnet_decide_panel", _HERE / "panel")


def show(study: Study, rater: str) -> None:
    """Draw the view."""
    st.html(STYLE)
    with st.sidebar:
        blind = _switch(
            BLIND,
            "Blind",
            "Truth, Dice and other raters' levels stay hidden until your decision stands. "
            "Each decision says whether it was blind.",
        )
        shuffled = _switch(
            SHUFFLED,
            "Shuffle the order",
            "Another order for each rater, always the same one for you.",
        )
        st.download_button(
            THRESHOLDS,
            data=lambda: tables(study)[THRESHOLDS],
            file_name=f"{study.name}-{THRESHOLDS}",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
            help="All decisions of all raters that hold, read from the disk.",
        )
        download_masks(study, rater)
    study.cohort()  # says why if it cannot be read
    subjects, linked = queue.in_order(study, rater, shuffled), st.query_params.get(SUBJECT, "")
    if linked and linked not in subjects:
        sentence = f"{linked}: no such subject in study {study.name}; choose one that it has."
        st.error(plain(sentence), icon=":material/error:")
        offer([(subjects[0], ":material/person:", partial(open_subject, subjects[0]))])
        return
    _stage(study, rater, blind, shuffled)


def _switch(name: str, label: str, sentence: str) -> bool:
    def changed(name: str) -> None:
        if st.session_state[state.widget(name)]:
            st.query_params[name] = YES
        else:
            st.query_params.pop(name, None)

    value = st.query_params.get(name) == YES
    st.toggle(label, **state.bound(name, value, changed), help=sentence)
    return value


# A message reruns only this. Where it ends early the browser keeps its acts and tells them again.
@st.fragment
@feedback.show_user_errors()
def _stage(study: Study, rater: str, blind: bool, shuffled: bool) -> None:
    told: Mapping[str, Any] = st.session_state.pop(_TOLD, {})
    answers = decide_acts.do_all(study, told.get("acts", ()))
    order = queue.in_order(study, rater, shuffled)
    rows, mine = queue.rows(study, rater, order, blind)
    wanted = _wanted(told, order, mine)
    looked_at = told.get("on") or {}
    asks = {subject: _ask(study, subject, mine, blind, told) for subject in wanted}
    st.query_params[SUBJECT] = wanted[0]
    here, held, packages = asks[wanted[0]], told.get("held", {}), []
    needed = [one for one in asks.values() if one is here or one.subject not in held]
    wishes = [decide_package.work_of(one) for one in needed]
    workshop, session, said = ahead(), _session(), learn(study, rater)
    more = said.wishes(mine)
    workshop.wish(session, [*wishes, *more])
    on = looked_at if looked_at.get("subject") == here.subject else None
    ready = partial(_ready, workshop, said)
    package, parts = ready(here, wishes[0][0], on)
    if package:
        packages.append(package)
    with st.container(key="desk"):
        left, middle, right = st.columns([1.15, 4.3, 1.5], gap="small")
        with left:
            data = {
                "study": study.identity,
                "rater": rater,
                "blind": blind,
                "rows": rows,
                "subject": wanted[0],
                "heard": told.get("number", 0),
                "answers": answers,
                "learning": bool(more) or not (said.ground.complete or said.missing),
                "packages": packages,
            }
            heard = partial(components.keep_told, _DESK, _TOLD)
            _QUEUE(key=_DESK, data=data, on_told_change=heard)
        with middle:
            viewer.show_at_desk()
        with right:
            _PANEL(key="ascnet decide panel", data={})
    if package and parts and held.get(here.subject) != parts[0]["key"]:
        viewer.show_volumes(decide_package.block_of(package, parts), "volumes 0")
    with st.container(key="waiting"):
        waiting = st.empty()
    for number, (one, (name, _)) in enumerate(zip(needed, wishes, strict=True)):
        if one is here and package:
            continue
        found, its = None, None
        while not found:
            # Each turn lets a message of the browser in: it is heard at once.
            waiting.html("<i hidden></i>")
            workshop.wish(session, [*wishes[number:], *more])
            found, its = ready(one, name, on if one is here else None, STEP)
        block = decide_package.block_of(found, its or ({"key": "", "parts": []}, []))
        viewer.show_volumes(block, f"volumes {number}")


def _wanted(told: Mapping[str, Any], order: list[str], mine: Mapping[str, Entry]) -> list[str]:
    """The subject on the screen and those that come next."""
    known = set(order)
    if wants := [one for one in told.get("wants", ()) if one in known]:
        return list(dict.fromkeys(wants))[: 1 + AHEAD]
    still = [one for one in order if one not in mine]
    linked = st.query_params.get(SUBJECT, "")
    first = linked if linked in known else (still or order)[0]
    place = order.index(first)
    after = [one for one in (*order[place + 1 :], *order[:place]) if one not in mine]
    return [first, *after[:AHEAD]]


def _ask(
    study: Study, subject: str, mine: Mapping[str, Entry], blind: bool, told: Mapping[str, Any]
) -> decide_package.Asked:
    entry, on = mine.get(subject), told.get("on") or {}
    looks = entry is not None and subject in told.get("looks", ())
    line = on if on.get("subject") == subject else None
    return decide_package.ask(study, subject, entry, blind and not looks, line)


def _ready(
    workshop: Ahead,
    said: Knowledge,
    asked: decide_package.Asked,
    name: str,
    told: Mapping[str, Any] | None,
    seconds: float = 0.0,
) -> tuple[dict[str, Any] | None, decide_package.Parts | None]:
    """The package of a subject and its volumes, where both are ready within so many seconds."""
    try:
        parts = workshop.found(name, seconds)
        return (
            (decide_package.package_of(asked, parts, said, told), parts) if parts else (None, None)
        )
    except (UserError, OSError, MemoryError) as error:
        return decide_package.without_picture(asked, feedback.plain(str(error))), None


def _session() -> str:
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    return context.session_id if context else ""
