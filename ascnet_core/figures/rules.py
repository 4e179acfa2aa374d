"""Rules compared on a study: a column a subject, a point a rule, over all subjects."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ascnet_core.figures.basics import COLOURS, layout
from ascnet_core.studies.rules_compared import Found

_LOOKS = (
    (COLOURS["mask"], "circle"),
    (COLOURS["fence"], "square"),
    (COLOURS["reference"], "triangle-up"),
    (COLOURS["wild"], "triangle-down"),
    (COLOURS["chosen"], "cross"),
    (COLOURS["truth"], "star"),
    (COLOURS["input"], "x"),
)
MOST = len(_LOOKS)
"""Rules that can be told apart in one plot."""
_NAMED = 40
"""Subjects whose names fit below the plot."""


def levels_by_subject(
    subjects: Sequence[str],
    rules: Mapping[str, Sequence[Found]],
    decided: Mapping[str, int],
    from_oracle: bool = False,
) -> go.Figure:
    """The level of each rule for each subject; rules by their labels, at most `MOST`.

    `decided` are a rater's levels. With `from_oracle` heights are levels above the subject's own
    best one, which is ORACLE knowledge: points are open, the ground is hatched. The first trace
    covers the whole column of a subject, so that a click anywhere in it finds the subject.
    """
    zero = dict.fromkeys(subjects, 0)
    if from_oracle:
        several = [one for found in rules.values() for one in found]
        zero = {one.subject: one.truth.oracle_level for one in several if one.truth}
    low, high = (-260, 260) if from_oracle else (-4, 259)
    figure = go.Figure(_columns(subjects, low, high, from_oracle))
    for (label, found), (colour, symbol) in zip(rules.items(), _LOOKS, strict=False):
        levels = {one.subject: one.level for one in found if one.level is not None}
        look = {"color": colour, "symbol": symbol, "size": 9, "line": {"width": 0}}
        if from_oracle:
            look |= {"symbol": f"{symbol}-open", "line": {"width": 1.5}}
        name = f"<i>{label}</i>" if from_oracle else label
        figure.add_trace(_points(levels, zero, label, name, look))
    known = {one: decided[one] for one in subjects if one in decided and one in zero}
    if known:
        dash = {"color": "#333333", "symbol": "line-ew-open", "size": 17, "line": {"width": 3}}
        figure.add_trace(_points(known, zero, "decided", "decided", dash))
    title = "levels above the subject's own best (oracle)" if from_oracle else "grey level, 0–255"
    layout(figure, 360, "subject", title)
    figure.update_traces(unselected={"marker": {"opacity": 1}})
    figure.update_layout(barmode="overlay", bargap=0, showlegend=True)
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(subjects),
        range=[-0.5, len(subjects) - 0.5],
        showticklabels=len(subjects) <= _NAMED,
        showgrid=False,
        automargin=True,
    )
    figure.update_yaxes(range=[low, high], tickvals=None if from_oracle else [0, 64, 128, 192, 255])
    if from_oracle:
        figure.add_hline(y=0, line={"color": COLOURS["truth"], "width": 2})
        end = 1.1 * max(10, *(abs(y) for trace in figure.data[1:] for y in trace.y))
        figure.update_yaxes(range=[-end, end])
    return figure


def _columns(subjects: Sequence[str], low: int, high: int, hatched: bool) -> go.Bar:
    """A column a subject, of the whole height, not seen but for its hatching."""
    hatch = {"shape": "/", "fgcolor": COLOURS["input"], "size": 9, "solidity": 0.06}
    return go.Bar(
        x=list(subjects),
        y=[high - low] * len(subjects),
        base=low,
        width=1.0,
        marker={
            "color": "rgba(0,0,0,0)",
            "line": {"width": 0},
            "pattern": hatch if hatched else {"shape": ""},
        },
        hovertemplate="%{x}<extra></extra>",
        showlegend=False,
    )


def _points(
    levels: Mapping[str, int], zero: Mapping[str, int], label: str, name: str, look: Any
) -> go.Scatter:
    """A point a subject, at its level above that subject's `zero`; without one it has none."""
    shown = [one for one in levels if one in zero]
    return go.Scatter(
        x=shown,
        y=[levels[one] - zero[one] for one in shown],
        name=name,
        mode="markers",
        marker=look,
        hovertemplate="%{x}: %{y}<extra>" + label + "</extra>",
    )
