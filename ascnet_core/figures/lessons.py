"""Figures of the lessons that no other page has."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from ascnet_core.figures.basics import COLOURS


def dice_by_subject(
    subjects: Sequence[str],
    mask_free: Mapping[str, Sequence[float]],
    oracle: Mapping[str, Sequence[float]],
    *,
    height: int = 320,
) -> go.Figure:
    """Dice of each subject under several ways to choose its threshold.

    Parameters
    ----------
    subjects
        Names, one for each value.
    mask_free, oracle
        Way to Dice in [0, 1]. Ways that need masks are drawn open, and their names say *oracle*.
    """
    figure = go.Figure()
    colours = (COLOURS["mask"], COLOURS["fence"], COLOURS["reference"])
    for (name, values), colour in zip(mask_free.items(), colours, strict=False):
        figure.add_scatter(
            x=list(subjects),
            y=list(values),
            name=name,
            mode="markers",
            marker={"color": colour, "size": 12},
        )
    for name, values in oracle.items():
        figure.add_scatter(
            x=list(subjects),
            y=list(values),
            name=f"<i>{name} (oracle)</i>",
            mode="markers",
            marker={"color": "#555555", "size": 14, "symbol": "diamond-open"},
        )
    _finish(figure, "subject", "Dice", height)
    figure.update_yaxes(range=[0, 1])
    return figure


def course(
    values: Mapping[str, Sequence[float | None]], title: str, *, height: int = 240
) -> go.Figure:
    """A number of several runs against the cycle; a gap where it is not defined.

    Parameters
    ----------
    values
        Run to its value at cycles 0, 1, 2, ...
    title
        What the number is, for the axis.
    """
    figure = go.Figure()
    for (name, line), colour in zip(
        values.items(), (COLOURS["fence"], COLOURS["mask"]), strict=False
    ):
        figure.add_scatter(
            x=list(range(len(line))),
            y=list(line),
            name=name,
            mode="lines+markers",
            line={"color": colour},
        )
    return _finish(figure, "cycle", title, height)


def _finish(figure: go.Figure, x: str, y: str, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 56, "r": 12, "t": 12, "b": 44},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        dragmode=False,
    )
    figure.update_xaxes(title_text=x, fixedrange=True)
    figure.update_yaxes(title_text=y, fixedrange=True)
    return figure
