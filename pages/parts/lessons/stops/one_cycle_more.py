"""Stopping too early and too late: the snapshots of a run."""

import streamlit as st

from ascnet_core.monitoring.advisor import advise
from ascnet_core.runs.folder import Run, resolve_run
from pages.parts.lessons.shown import NAMES
from pages.parts.lessons.stop import Stop
from pages.parts.watch import live_charts, live_run, stopping


def show() -> str:
    """A run's snapshots, with what the advisor would have said at each."""
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        name = st.selectbox("Run", list(NAMES), format_func=NAMES.__getitem__, key="lesson run")
    run = Run(resolve_run(name))
    snapshots, history = run.snapshots(), stopping.history_of(run)
    index = right.select_slider(
        "Moment of the training",
        options=range(len(snapshots)),
        value=len(snapshots) - 1,
        format_func=lambda i: snapshots[i].label,
        key=f"lesson moment {name}",
    )
    snapshot, point = snapshots[index], history.points[index]
    one, two = st.columns([1, 1.1], gap="medium")
    one.image(live_run.watched_picture(run, snapshot), width="stretch")
    with two:
        live_charts.show_histogram(snapshot.info, height=230)
        advice = advise(history.points[: index + 1])
        box, icon = stopping.BOXES[advice.kind]
        box(stopping.sentence_of(advice, "running"), icon=icon)
    holes = "no mask" if point.holes is None else f"enclosed holes in the mask: {point.holes}"
    same = "" if point.stability is None else f", Dice {point.stability:.2f} with the mask before"
    return (
        f"{snapshot.label}: {point.separated} separated "
        f"{'peak' if point.separated == 1 else 'peaks'}, separation index "
        f"{point.separation_index:.2f}, {holes}{same}. None of this needs a true mask."
    )


STOP = Stop(
    "One cycle more: when to stop",
    "When is training done? The paper looks at the histogram: three or four separated peaks, "
    "which come and go, while longer training tears holes (Figs. 9 and 10). **Move through the "
    "run**: first one hump, then peaks. The advisor writes the same down as rules: separated, "
    "stable from cycle to cycle, few holes, and more than brightness. Compare a slow run, one "
    "hump for nine cycles, and the paper's own losses, where the discriminator soon sends "
    "nothing.",
    show,
)
