"""The view Blind comparison: which of two masks is better, not knowing what made them.

The browser holds the subject on the screen and the next one. An answer goes to Python as an act
with its own token, and is sent again until Python has said that it is on the disk. Which ways are
compared is told to the browser only once all is answered.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from ascnet_core import names
from ascnet_core.errors import UserError
from ascnet_core.files import mendable, read_json, write_json
from ascnet_core.places import cache_folder
from ascnet_core.segmentation.rules import rule_menu
from ascnet_core.segmentation.steps import step_menu
from ascnet_core.studies.folder import Study
from ascnet_core.studies.preferences import (
    COLUMNS,
    Contender,
    Pair,
    Preference,
    every_preference,
    holding,
    pair_from,
    pair_of,
    prefer,
    result_of,
    rows_of,
)
from ascnet_core.studies.raters import check_rater
from ascnet_core.studies.table import to_csv
from pages.parts.shared import components, feedback, jobs, runs, state
from pages.parts.studies.acts import Act, kept
from pages.parts.versus import versus_block

PAIR = "pair"
"""Key of the address; its value names a pair and says nothing of it."""
OTHER_RULES = ("otsu", "li")
"""The second way's rule unless another is chosen: the first of these that is not the run's own."""
_PANEL = "versus panel"
_TOLD = "what the comparison told, not yet heard"
_HELD = "subjects in the two places"
MOST_NAMED = 5
"""Subjects whose fault is said."""
HIDDEN = "<style>[class*=st-key-versus_block] { position: absolute; }</style>"
_HERE = Path(__file__).parent
_VERSUS = components.declare("ascnet_versus", _HERE / "versus")
_BLOCK = components.declare("ascnet_versus_block", _HERE / "versus_block")


def _file_of(key: str) -> Path:
    """Where a pair is kept from the moment it was chosen: the address holds its key alone."""
    return cache_folder() / "pairs" / f"{jobs.safe_name(key)}.json"


def known_pair(study: Study, key: str) -> Pair | None:
    """The pair of this name, None where nobody knows it any more."""
    kept = read_json(_file_of(key))
    if kept is not None:
        return pair_from(kept)
    return next((one.pair for one in every_preference(study) if one.pair.key == key), None)


def show(study: Study, rater: str) -> None:
    """Draw the view."""
    try:
        rater = check_rater(rater)
    except UserError:
        st.info("Write into the sidebar who compares; answers are kept under that name.")
        return
    study.cohort()  # says why if it cannot be read
    key = st.query_params.get(PAIR, "")
    pair = known_pair(study, key) if key else None
    if pair is None:
        if key:
            st.info("That comparison was never answered and is not known any more; begin anew.")
        _choose(study)
        _earlier(study, rater)
    else:
        st.html(HIDDEN)
        _stage(study, pair, rater)


# --- which two ways ------------------------------------------------------------------------------


def _choose(study: Study) -> None:
    """Two ways side by side and the button that begins."""
    st.markdown(
        "**Two ways to a mask**, shown side by side without their names, the sides chosen at "
        "random for each subject."
    )
    left, right = st.columns(2, gap="large")
    with left, st.container(border=True):
        one = _contender(study, "One way", other=False)
    with right, st.container(border=True):
        other = _contender(study, "The other", other=True)
    if st.button("Begin", type="primary", icon=":material/play_arrow:"):
        with feedback.show_user_errors(stop=False):
            pair = pair_of(one, other)
            for way in (one, other):  # a map or step that the cohort cannot have is said now
                versus_block.view_of(study, way, study.subjects[0])
            write_json(_file_of(pair.key), pair.plain())
            st.query_params[PAIR] = pair.key
            st.rerun()


def _contender(study: Study, title: str, other: bool) -> Contender:
    own = study.about["run"]
    st.markdown(f"**{title}**")
    first, second = st.columns(2)
    known = list(dict.fromkeys([own, *runs.known_runs()]))
    run = first.selectbox("Run", known, key=state.widget(f"run of {title}"))
    advised, maps = runs.run_settings(run).segmentation, runs.run_maps(run)
    name = second.selectbox(
        "Map",
        list(maps),
        index=list(maps).index(advised.map),
        format_func=lambda one: maps[one].label,
        key=state.widget(f"map of {title} {run}"),
    )
    rule = next(one for one in OTHER_RULES if one != advised.rule) if other else advised.rule
    rules = rule_menu([rule])
    chosen = first.selectbox(
        "Rule",
        rules,
        index=rules.index(rule),
        accept_new_options=True,
        key=state.widget(f"rule of {title} {run}"),
        help="It reads each subject's own histogram. Any other can be typed (peak:2, 170).",
    )
    side = second.selectbox(
        "Anomaly is",
        names.SIDES,
        index=names.SIDES.index(advised.side),
        key=state.widget(f"side of {title} {run}"),
    )
    post = st.multiselect(
        "Post-processing, in this order",
        step_menu(list(advised.post)),
        default=list(advised.post),
        accept_new_options=True,
        key=state.widget(f"post of {title} {run}"),
    )
    return Contender(run, name, chosen, side, tuple(post), study.cycle if run == own else None)


# --- the comparison ------------------------------------------------------------------------------


@st.fragment
@feedback.show_user_errors()
def _stage(study: Study, pair: Pair, rater: str) -> None:
    told = st.session_state.pop(_TOLD, {})
    answers = {str(act["token"]): keep(study, act) for act in told.get("acts", ())}
    preferences = holding(every_preference(study)).get((pair, rater), [])
    done = {one.subject for one in preferences}
    unreadable: dict[str, str] = st.session_state.setdefault(f"unreadable {pair.key}", {})
    place, below = st.container(), st.container()
    asked, looks = str(told.get("at", "")), bool(told.get("looks"))
    for at in _in_turn(study.subjects, asked, done, looks):
        if at in unreadable or _send(study, pair, rater, at, unreadable):
            continue
        break
    else:
        with place:
            _result(rater, preferences)
        _say_left_out(unreadable)
        return
    subjects = [subject for subject in study.subjects if subject not in unreadable]
    with place:
        _VERSUS(
            key=_PANEL,
            data={
                "study": study.identity,
                "rater": rater,
                "pair": pair.key,
                "seq": int(told.get("seq", 0)),
                "subjects": subjects,
                "done": sorted(done),
                "answers": answers,
                "at": at,
            },
            on_told_change=partial(components.keep_told, _PANEL, _TOLD),
        )
    with below:
        _leave_button()
        _say_left_out(unreadable)
    if not told:  # the page ends first, and with it what was on it before; the browser asks then
        return
    for following in _in_turn(study.subjects, at, {*done, at}, False):
        if following not in unreadable:
            _send(study, pair, rater, following, unreadable, keep=at)
            break


def _in_turn(subjects: Sequence[str], at: str, done: Collection[str], looks: bool) -> list[str]:
    """The open subjects from `at` on, going round; one that is looked at again comes first."""
    start = subjects.index(at) if at in subjects else 0
    order = [*subjects[start:], *subjects[:start]]
    return [one for one in order if one not in done or (looks and one == at)]


def _send(
    study: Study, pair: Pair, rater: str, subject: str, unreadable: dict[str, str], keep: str = ""
) -> bool:
    """Send a subject's masks to the browser; True, and its fault noted, if that cannot be done.

    There are two places in turn, so that the next subject is not sent again once it is reached;
    that of the subject `keep` is left alone.
    """
    try:
        block = versus_block.block_of(study, pair, rater, subject)
    except (UserError, OSError) as error:
        if not (sentence := mendable(error)):
            raise
        unreadable[subject] = sentence
        return True
    held: list[str] = st.session_state.setdefault(_HELD, ["", ""])
    if subject not in held:
        held[1 if held[0] == keep else 0] = subject
    number = held.index(subject)
    with st.container(key=f"versus_block_{number}"):
        _BLOCK(key=f"versus block {number}", data=block, height=1)
    return False


def _leave_button() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Stop here", icon=":material/close:", on_click=_leave)
        st.caption("Answers stay, and one can go on later; the table is shown then, too.")


def _say_left_out(unreadable: Mapping[str, str]) -> None:
    """Which subjects cannot be compared."""
    for subject, sentence in list(unreadable.items())[:MOST_NAMED]:
        st.warning(feedback.plain(f"{subject} is left out: {sentence}"))


def keep(study: Study, act: Act) -> str:
    """Keep an answer of the browser; "" once it is on the disk, else one sentence why it is not."""
    return kept(partial(_prefer, study, act))


def _prefer(study: Study, act: Act) -> None:
    if act["study"] != study.identity:
        raise UserError(f"The answer on {act['subject']} is of another study; open that one again.")
    pair = known_pair(study, str(act["pair"]))
    if pair is None:
        raise UserError("That comparison is not known any more; begin anew.")
    seconds = None if act.get("seconds") is None else float(act["seconds"])
    subject, better, token = (str(act[name]) for name in ("subject", "better", "token"))
    prefer(study, pair, str(act["rater"]), subject, better, seconds, token)  # type: ignore[arg-type]


def _leave() -> None:
    st.query_params.pop(PAIR, None)


# --- the table -----------------------------------------------------------------------------------


def _result(rater: str, answers: list[Preference]) -> None:
    if answers:
        st.success(f"{rater} has compared {len(answers)} subjects.", icon=":material/done_all:")
        _table(answers)
    st.button("Compare two others", icon=":material/add:", on_click=_leave)


def _earlier(study: Study, rater: str) -> None:
    """The rater's comparisons so far."""
    mine = [one for one in every_preference(study) if one.rater == rater]
    if not mine:
        return
    st.markdown("**Compared so far**")
    for (pair, _), answers in holding(mine).items():
        left = len(study.subjects) - len(answers)
        _table(answers)
        if left:
            st.button(
                f"Go on: {left} of {len(study.subjects)} subjects are open",
                key=f"go on {pair.key}",
                icon=":material/play_arrow:",
                on_click=lambda key: st.query_params.update({PAIR: key}),
                args=(pair.key,),
            )
    st.download_button(
        "All answers (CSV)",
        lambda: to_csv(rows_of(mine), COLUMNS).encode(),
        "preferences.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _table(answers: list[Preference]) -> None:
    """How often each way was better, the sign test, and each subject on request."""
    pair, result = answers[0].pair, result_of(answers)
    rows = [
        {"way": pair.a.text, "better": result.a},
        {"way": pair.b.text, "better": result.b},
        {"way": "neither", "better": result.neither},
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "way": st.column_config.Column(width="large"),
            "better": st.column_config.Column("better, subjects"),
        },
    )
    st.caption(
        f"Sign test of the first against the second, two-sided, without neither: p = {result.p:.3g}"
        f" on {result.a + result.b} of {len(answers)} subjects."
    )
    with st.expander("Each subject"):
        titles = {"a": pair.a.text, "b": pair.b.text, "neither": "neither"}
        st.dataframe(
            pd.DataFrame(
                {
                    "subject": one.subject,
                    "better": titles[one.better],
                    "at the left": titles[one.left],
                    "seconds": one.seconds,
                }
                for one in answers
            ),
            hide_index=True,
        )
