"""Figures of the lessons that no other page has."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from ascnet_core.figures.basics import COLOURS, layout


def dice_by_subject(
    subjects: Sequence[str],
    mask_free: Mapping[str, Sequence[float]],
    oracle: Mapping[str, Sequence[float]],
) -> go.Figure:
    """Dice of each subject by the way its threshold is chosen.

    `mask_free` and `oracle` map the name of a way to Dice in [0, 1], one a subject. Ways that need
    masks are drawn open and marked as oracle.
    """
    figure = go.Figure()
    colours = (COLOURS["mask"], COLOURS["fence"], COLOURS["reference"])
    plain = [{"color": colour, "size": 12} for colour in colours]
    drawn = [(*way, marker) for way, marker in zip(mask_free.items(), plain, strict=False)]
    opened = {"color": "#555555", "size": 14, "symbol": "diamond-open"}
    drawn += [(f"<i>{name} (oracle)</i>", values, opened) for name, values in oracle.items()]
    for name, values, marker in drawn:
        figure.add_scatter(
            x=list(subjects), y=list(values), name=name, mode="markers", marker=marker
        )
    figure.update_yaxes(range=[0, 1])
    return layout(figure, 320, "subject", "Dice")


def course(values: Mapping[str, Sequence[float | None]], title: str) -> go.Figure:
    """A number of one or two runs at cycles 0, 1, 2, ...; a gap where it is None."""
    figure = go.Figure()
    colours = (COLOURS["fence"], COLOURS["mask"])
    for (name, line), colour in zip(values.items(), colours, strict=False):
        figure.add_scatter(
            x=list(range(len(line))),
            y=list(line),
            name=name,
            mode="lines+markers",
            line={"color": colour},
        )
    return layout(figure, 240, "cycle", title)
