"""Figures of the lessons that no other page has."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from ascnet_core.figures.basics import COLOURS, layout


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
    figure.update_yaxes(range=[0, 1])
    return layout(figure, height, "subject", "Dice")


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
    return layout(figure, height, "cycle", title)
