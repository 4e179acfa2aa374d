"""What the advisor says of a run: its box, the figures of the newest cycle, and the rules."""

from typing import Literal

import streamlit as st

from ascnet_core.monitoring.advisor import Advice, advise
from ascnet_core.monitoring.history import History, Point, cycle_ends
from ascnet_core.monitoring.stop_rules import HOLD, QUANTISER, STABLE
from ascnet_core.runs.folder import Run, short_name
from ascnet_core.runs.result import result_of
from pages.parts.links import of_run
from pages.parts.shared import tables

BOXES = {
    "stop": (st.success, ":material/flag:"),
    "go on": (st.info, ":material/arrow_forward:"),
    "go back": (st.warning, ":material/undo:"),
    "quantiser": (st.warning, ":material/contrast:"),
    "dead adversary": (st.error, ":material/heart_broken:"),
}


def sentence_of(advice: Advice, button: str = "") -> str:
    """The advice as a sentence; `button` is that which goes on with a run that has ended."""
    text = advice.sentence[:1].upper() + advice.sentence[1:] + "."
    if advice.kind == "go on" and button:
        text += f" The run has ended: **{button}** above trains it further."
    return text


def show_advice(history: History, button: str) -> None:
    """The advisor's box, and the way to look where it says stop.

    `button` is that which goes on with a run that has ended, or nothing.
    """
    if not history.method.two_cuts:
        st.info(history.method.lacks("The advisor"), icon=":material/flag:")
        return
    advice = advise(history)
    box, icon = BOXES[advice.kind]
    with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
        box(sentence_of(advice, button), icon=icon)
        offer_a_look(history, advice)


def show_rules(history: History) -> None:
    """The figures of the newest cycle, and all rules with their figures."""
    if not history.method.two_cuts:
        st.info(history.method.lacks("The advisor"), icon=":material/flag:")
        return
    advice, ends = advise(history), cycle_ends(history.points)
    left, right = st.columns([1, 1.3], gap="medium")
    with left:
        if ends:
            show_figures(ends[-1], ends[-2] if len(ends) > 1 else None)
        st.caption(
            f"Mask on the watched slices by the run's rule, {history.rule} ({history.side}) on "
            f"the {history.map}, threshold from each snapshot's own counts. No true mask is used. "
            "`--stop-when separated` stops a training by the same rules."
        )
    with right:
        rows = [
            (
                ":green[✓]" if rule.held else ":red[✗]",
                rule.name,
                rule.figure,
                "" if rule.cycle is None else str(rule.cycle),
                rule.threshold,
            )
            for rule in advice.rules
        ]
        heads = ("", "rule", "figure", "in cycle", "wanted")
        table = tables.markdown(heads, rows, (":-:", ":--", ":--", "--:", ":--"))
        st.markdown(f"<small>\n\n{table}\n\n</small>", unsafe_allow_html=True)
        st.caption(
            f"Each of the last {HOLD} complete cycles must meet the rules. Shown is the newest "
            "cycle that does not, else the newest."
        )
        with st.popover("What the rules mean", icon=":material/help:"):
            st.markdown("\n".join(f"- **{rule.name}**: {rule.meaning}" for rule in advice.rules))


def offer_a_look(history: History, advice: Advice) -> None:
    """Where the rules are met: a button to see on a scan what they cannot see."""
    kept = [p for p in history.points if p.total_cycle == advice.best_cycle]
    if advice.kind != "stop" or not kept or kept[-1].path is None:
        return
    run = Run(kept[-1].path.parents[1])
    result = result_of(run)
    is_result = result is not None and result.total_cycle == advice.best_cycle
    if not (kept[-1].has_model or is_result):
        return
    if st.button(
        f"Look at cycle {advice.best_cycle} in Threshold",
        icon=":material/equalizer:",
        key=f"look at the advised cycle of {run.path}",
        help="The rules see no true mask. Whether the mask holds the lesion is seen on scans.",
        width="content",
    ):
        # the cycle that is the result is opened as the run is: its snapshot may keep no network
        cycle = advice.best_cycle if kept[-1].has_model else None
        of_run.open_run("pages/threshold.py", short_name(run.path), cycle)


def show_figures(now: Point, before: Point | None) -> None:
    """Gauges of the newest complete cycle, with the change since the one before."""
    gauges: tuple[tuple[str, str, str, Literal["normal", "off", "inverse"], str], ...] = (
        (
            "Separation",
            "separation_index",
            ".2f",
            "normal",
            "Index: mean of the largest separations between neighbouring peaks, one fewer than the "
            f"{now.peaks_wanted} peaks wanted; 0 to 1.",
        ),
        (
            "Stability",
            "stability",
            ".2f",
            "normal",
            f"Dice with the mask of the cycle before; {STABLE} and more counts as stable.",
        ),
        (
            "Rank corr.",
            "rank_correlation",
            ".2f",
            "off",
            "Spearman's rank correlation of I_ro with I_in in the region. From "
            f"{QUANTISER} on (either sign) it warns of a quantiser of brightness; a lesion is "
            "little of the tissue: the mask decides.",
        ),
        (
            "Holes",
            "holes",
            "d",
            "inverse",
            "Pixels of the watched slices that the mask encloses (paper, Fig. 10).",
        ),
    )
    for column, (title, name, digits, colour, about) in zip(st.columns(4), gauges, strict=True):
        value, old = getattr(now, name), getattr(before, name, None)
        shown, delta = "–", None
        if value is not None:
            shown = format(value, digits)
            # a mask without holes needs no change beside it
            if old is not None and (value or name != "holes"):
                delta = format(value - old, f"+{digits}")
        column.metric(title, shown, delta, delta_color=colour, help=about)
