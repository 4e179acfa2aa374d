"""Every URL key and session key of the app by name, and the view they make up.

A `View` is what a copied link holds: which cohort, run, cycle and subject, where in the volume,
and which threshold. The session keeps the current one under `VIEW`; the URL mirrors it, with
every value that equals its default left out. Pages read it with `current()` and change it with
`update()`.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import quote, unquote, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ascnet_core.errors import UserError
from ascnet_core.names import RANGES, SCOPES, SIDES, RangeKind, Scope, Side
from ascnet_core.segmentation.pieces import ACTS, Edit
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.settings.method import INPUT
from ascnet_core.settings.methods import METHODS
from ascnet_core.studies.raters import check_rater
from pages.parts.shared import late
from pages.parts.shared.feedback import plain

# Session keys; `widget(name)` makes those of widgets.
VIEW = "view"
WRITTEN = "view written to the url"
PASSED = "query"  # key of `late.leave`
OPENED = "cohorts opened"
AGREED = "paths that the user opened"  # their real paths
AGREED_RUNS = "folders of runs that the user opened"
ARRIVED = "subject come to"  # with its decision, see threshold/arriving.py
NEW_STUDY = "name of a new study"
VIEWER = "threshold viewer"  # the component's own state
TOLD = "what the viewer told, not yet heard"
HEARD = "what was heard of the viewer"  # {"seq": number of its last message or act}
DRAWN = "histogram on the screen"  # (its key, its view, whether the cohort's is to come)
PROBLEM = "why the last decision was not kept"
HINT = "how a level by hand came about"
FORGOT = "that edits of pieces ended with their mask"  # a sentence, or nothing
SURFACE = "case whose mask is open in 3-D"  # its key
LAST = "last threshold in force"  # (its scale, the threshold)
TRAIN_ON = "sets to train on"  # (cohort, reference) chosen on the Data page
FORK = "run and cycle to fork from"  # (run, cycle): the form of a new run starts from them
TRAINING_VIEW = "training view wanted"  # one of its names, before its switch is drawn
LESSON_KEYS = "lesson keys"  # the component that hears them
LESSON_HEARD = "number of the last lesson key heard"
LESSON_CLOCK = "lesson clock"  # the component of the speaker's window
STOP = "stop"  # URL key: the lesson shown
PRESENT, NOTES, SHEET = "present", "notes", "sheet"  # URL keys: how the lessons are shown, "1"
TOUR = "tour"  # URL key: the stop of the tour, kept beside the view

MAPS = (*dict.fromkeys(one.name for method in METHODS.values() for one in method.maps), INPUT.name)
"""Whatever a link may name; `runs.run_maps` says which of them a run has."""

LEFT_TO_RUN: Any = ""
"""Nothing was chosen: the run's own value is taken."""


@dataclass(frozen=True)
class View:
    """What is looked at; every field is a URL key (`scan` is written as `subject`).

    `cohort` is "demo", "demo-t2", "demo-ct" or the path of a manifest or folder; `run` a name under
    `checkpoints/` or a path; `cycle` counts over both stages, None is the finished model; `scan` is
    the scan's name in the cohort, "" the first anomalous one. `slice` is the axial slice and `at`
    the voxel (x, y) of the cursor, all in RAS voxels from 0; None asks for the middle. `map` and
    `range` say what is thresholded on which scale. An empty `map`, `range`, `rule`, `side` or
    `scope`, and None for `post` (the post-processing steps in order), ask for what the run
    recommends; `runs.complete` fills them in. `flip` averages the cuts over the scan and its
    mirror image. `t` and `upper` are levels 0..255 set by hand; None leaves them to `rule`.
    `pieces` are edits of this very mask's connected pieces; `forget_pieces` knows when they end.
    `study` is where decisions are kept ("": the newest that fits) and `rater` who decides ("": the
    login name); `blind` hides the truth and all scores.
    `compare` are the runs that the Training page compares; empty on every other view.
    """

    cohort: str = "demo"
    run: str = "demo-flair"
    cycle: int | None = None
    scan: str = ""
    slice: int | None = None
    at: tuple[int, int] | None = None
    map: str = ""
    range: RangeKind = LEFT_TO_RUN
    rule: str = ""
    t: int | None = None
    upper: int | None = None
    side: Side = LEFT_TO_RUN
    scope: Scope = LEFT_TO_RUN
    flip: bool = False
    post: tuple[str, ...] | None = None
    pieces: tuple[Edit, ...] = ()
    study: str = ""
    rater: str = ""
    blind: bool = False
    compare: tuple[str, ...] = ()


DEFAULT = View()
URL_NAMES = {field.name: field.name for field in fields(View)} | {"scan": "subject"}
YES_NO = ("yes", "no")
FORGOTTEN = "Edits of pieces ended with the mask they were made on."
_OF_MASK = (
    *("cohort", "scan", "run", "cycle", "map", "range", "flip", "scope"),
    *("rule", "t", "upper", "side", "post"),
)
NO_STEPS = "none"  # in the URL: post-processing switched off on purpose


def _whole(text: str, most: float = math.inf) -> int:
    if not 0 <= int(text) <= most:
        raise ValueError(text)
    return int(text)


def _one_of(allowed: Iterable[str], text: str) -> str:
    if text not in allowed:
        raise ValueError(text)
    return text


def _rater(text: str) -> str:
    try:
        return check_rater(text) if text else text
    except UserError as error:
        raise ValueError(text) from error


def _parse(name: str, text: str) -> Any:
    """The value of one URL key; ValueError when the text means nothing."""
    if name in ("t", "upper"):
        return _whole(text, 255)
    if name in ("slice", "cycle"):
        return _whole(text)
    if name == "at":
        x, y = text.split(".")
        return _whole(x), _whole(y)
    if name in ("flip", "blind"):
        return _one_of(YES_NO, text) == YES_NO[0]
    if name == "rater":
        return _rater(text)
    if name == "post":
        return () if text == NO_STEPS else tuple(step for step in text.split(",") if step)
    if name == "compare":
        return tuple(run for run in text.split(",") if run)
    if name == "pieces":
        return tuple(_edit(one) for one in text.split(",") if one)
    allowed = {"map": MAPS, "range": RANGES, "side": SIDES, "scope": SCOPES}.get(name)
    return _one_of(allowed, text) if allowed else text


def _edit(text: str) -> Edit:
    act, voxel, scan = text.split(":")
    x, y, z = (_whole(place) for place in voxel.split("."))
    return Edit(unquote(scan), (x, y, z), "keep" if _one_of(ACTS, act) == "keep" else "drop")


def _write(name: str, value: Any) -> str:
    if name == "pieces":
        return ",".join(
            f"{edit.act}:{'.'.join(map(str, edit.voxel))}:{quote(edit.scan, safe='')}"
            for edit in value
        )
    if name == "at":
        return f"{value[0]}.{value[1]}"
    if name in ("flip", "blind"):
        return YES_NO[0] if value else YES_NO[1]
    if name == "post":
        return ",".join(value) or NO_STEPS
    if name == "compare":
        return ",".join(value)
    return str(value)


def from_query(query: Mapping[str, str]) -> tuple[View, list[str]]:
    """The view a query string asks for, and one sentence for each value that could not be read."""
    values: dict[str, Any] = {}
    problems = []
    for name, key in URL_NAMES.items():
        if key not in query or (name in ("cohort", "run") and not query[key].strip()):
            continue
        try:
            values[name] = _parse(name, query[key])
        except ValueError:
            problems.append(
                f"The link's {key}={query[key]} means nothing here; the default stands."
            )
    return View(**values), problems


def to_query(view: View) -> dict[str, str]:
    """The query of a view, defaults left out, so that a link is as short as it can be."""
    return {
        key: _write(name, getattr(view, name))
        for name, key in URL_NAMES.items()
        if getattr(view, name) != getattr(DEFAULT, name)
    }


def link(page: str, view: View) -> str:
    """The address of a page (its URL path, "threshold") at a view, relative to the app's root."""
    query = urlencode(to_query(view), safe=":,/")
    return f"/{page}?{query}" if query else f"/{page}"


_OF_A_LEVEL = {
    "cohort", "scan", "run", "cycle", "map", "range", "rule", "scope", "flip", "study", "rater",
}  # fmt: skip


def change(view: View, **changes: Any) -> View:
    """A view with changes; what depends on them falls back to its default.

    Another cohort forgets the subject and the place; another subject the place; another map the
    rule, where none comes along; another cohort, run, cycle or averaging the study. All of these,
    and another map, range, rule, scope, study or rater, forget the level set by hand: it belongs to
    what it was set on.
    """
    given = set(changes)
    changes = {name: value for name, value in changes.items() if value != getattr(view, name)}
    forgotten: dict[str, Any] = {}
    if "cohort" in changes:
        forgotten |= {"scan": "", "slice": None, "at": None}
    if "scan" in changes:
        forgotten |= {"slice": None, "at": None}
    if "run" in changes:
        forgotten |= {"cycle": None, "map": "", "rule": "", "side": "", "scope": ""}
        forgotten |= {"flip": False, "post": None}
    if "map" in changes and "rule" not in given:
        forgotten["rule"] = ""  # peak 2 of one map is none of another
    if {"cohort", "run", "cycle", "flip"} & set(changes):
        forgotten["study"] = ""
    if _OF_A_LEVEL & set(changes):
        forgotten |= {"t": None, "upper": None}
    return forget_pieces(view, replace(view, **(forgotten | changes)))


def forget_pieces(before: View, after: View) -> View:
    """The view after a change, without the edits of pieces that were made on another mask."""
    if after.pieces and after.pieces == before.pieces and _another_mask(before, after):
        return replace(after, pieces=())
    return after


def _another_mask(before: View, after: View) -> bool:
    """Whether two views threshold differently; what a run recommends may be filled in."""
    left = ("", None)
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in _OF_MASK}
    return any(
        one != other and (name in ("t", "upper") or not (one in left or other in left))
        for name, (one, other) in pairs.items()
    )


def in_fragment() -> bool:
    """Whether a fragment asked for this run.

    URL and widgets outside of it are then not the user's new word: a busy browser sends what they
    were before it had read our last answer.
    """
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def went_back() -> bool:
    """Whether the browser's Back or Forward asked for this run: its URL is then the user's word."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _from_outside(query: dict[str, str]) -> bool:
    """Whether the user changed the URL. A quick second click still carries the query before it."""
    if went_back():
        return query != st.session_state.get(WRITTEN)
    if not query or query == st.session_state.get(WRITTEN):
        return False
    if TOLD in st.session_state or in_fragment():
        return False
    return not late.just_left(PASSED, urlencode(query))


def _written(query: dict[str, str]) -> None:
    """Note that the URL now holds `query`, and that it held another until now."""
    before = st.session_state.get(WRITTEN)
    if before is not None and before != query:
        late.leave(PASSED, urlencode(before))
    st.session_state[WRITTEN] = query


def current() -> View:
    """The view of this session, taken from the URL when that was opened or changed from outside."""
    query = st.query_params.to_dict()
    before = known = st.session_state.get(VIEW)
    if known is None or _from_outside(query):
        known, problems = _with_known_rule(*from_query(query))
        for problem in problems:
            st.toast(plain(problem), icon=":material/link_off:")
        if before is not None and bool(before.compare) != bool(known.compare):
            st.session_state[TRAINING_VIEW] = "Compare" if known.compare else "Runs"
        st.session_state[VIEW] = known
        _written(query)
    return known


def leave_address() -> View:
    """The session's view on a page whose address holds no view but other things by these keys."""
    view: View = st.session_state.setdefault(VIEW, DEFAULT)
    _written(st.query_params.to_dict())
    return view


def _with_known_rule(view: View, problems: list[str]) -> tuple[View, list[str]]:
    """The view and what could not be read of its link; a rule that there is not is left out."""
    try:
        if view.rule:
            parse_rule(view.rule)
        return view, problems
    except UserError as error:
        return replace(view, rule=""), [*problems, f"{error} The run's own rule is taken."]


def show(view: View) -> View:
    """Make a view the session's and write it into the URL; return it.

    Edits of pieces that were made on another mask are forgotten, which `FORGOT` then says.
    """
    if (known := st.session_state.get(VIEW)) is not None:
        view = forget_pieces(known, view)
        if view.pieces or _another_mask(known, view):
            gone = bool(known.pieces) and not view.pieces and known.scan == view.scan
            st.session_state[FORGOT] = FORGOTTEN if gone else ""
    st.session_state[VIEW] = view
    query = to_query(view)
    if TOUR in st.query_params:
        query[TOUR] = st.query_params[TOUR]
    if query != st.query_params.to_dict():
        st.query_params.from_dict(query)
    _written(query)
    return view


def update(**changes: Any) -> View:
    """Change the session's view, and with it the URL."""
    return show(change(current(), **changes))


def open_page(page: str, **changes: Any) -> None:
    """Go to a page file ("pages/threshold.py") with a changed view; does not return."""
    view = change(current(), **changes)
    st.session_state[VIEW] = view
    st.switch_page(page, query_params=to_query(view))


def widget(name: str) -> str:
    """The session key of the widget that chooses `name`."""
    return f"choose {name}"


def bound(name: str, value: Any, changed: Callable[..., None], *more: Any) -> dict[str, Any]:
    """Arguments of the widget that chooses `name`: it shows `value` and calls `changed(name)`."""
    st.session_state[widget(name)] = value
    return {"key": widget(name)} | calls(changed, name, *more)


def calls(changed: Callable[..., None], *arguments: Any) -> dict[str, Any]:
    """Arguments of a widget that calls `changed` with these once the user changed it."""
    return {"on_change": _unless_told, "args": (changed, *arguments)}


def _unless_told(changed: Callable[..., None], *arguments: Any) -> None:
    """Call it, but where the viewer's message asked for this run: widgets may lag then."""
    if not (st.session_state.get(VIEWER) or {}).get("told"):
        changed(*arguments)
