"""Rules compared on a study: a column a subject, a point a rule, over all subjects."""

from collections.abc import Mapping, Sequence

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
    best = {
        one.subject: one.truth.oracle_level
        for found in rules.values()
        for one in found
        if one.truth
    }
    low, high = (-260, 260) if from_oracle else (-4, 259)
    figure = go.Figure()
    hatch = {"shape": "/", "fgcolor": COLOURS["input"], "size": 9, "solidity": 0.06}
    figure.add_bar(
        x=list(subjects),
        y=[high - low] * len(subjects),
        base=low,
        width=1.0,
        marker={
            "color": "rgba(0,0,0,0)",
            "line": {"width": 0},
            "pattern": hatch if from_oracle else {"shape": ""},
        },
        hovertemplate="%{x}<extra></extra>",
        showlegend=False,
    )
    for (label, found), (colour, symbol) in zip(rules.items(), _LOOKS, strict=False):
        shown = [one for one in found if one.level is not None]
        if from_oracle:
            shown = [one for one in shown if one.truth is not None]
        heights = [(one.level or 0) - (best[one.subject] if from_oracle else 0) for one in shown]
        figure.add_scatter(
            x=[one.subject for one in shown],
            y=heights,
            name=f"<i>{label}</i>" if from_oracle else label,
            mode="markers",
            marker={
                "color": colour,
                "symbol": f"{symbol}-open" if from_oracle else symbol,
                "size": 9,
                "line": {"width": 1.5 if from_oracle else 0},
            },
            hovertemplate="%{x}: %{y}<extra>" + label + "</extra>",
        )
    known = [one for one in subjects if one in decided and (not from_oracle or one in best)]
    if known:
        figure.add_scatter(
            x=known,
            y=[decided[one] - (best[one] if from_oracle else 0) for one in known],
            name="decided",
            mode="markers",
            marker={"color": "#333333", "symbol": "line-ew-open", "size": 17, "line": {"width": 3}},
            hovertemplate="%{x}: %{y}<extra>decided</extra>",
        )
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
    figure.update_yaxes(range=[low, high])
    if from_oracle:
        figure.add_hline(y=0, line={"color": COLOURS["truth"], "width": 2})
        ends = [abs(y) for trace in figure.data[1:] for y in trace.y]
        figure.update_yaxes(range=[-max(10, *ends) * 1.1, max(10, *ends) * 1.1])
    else:
        figure.update_yaxes(tickvals=[0, 64, 128, 192, 255])
    return figure
