"""How two raters agree as a plotly figure: the plot of Bland and Altman."""

import math
from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from ascnet_core.figures.basics import COLOURS, layout
from ascnet_core.studies.agreement import agreement


def bland_altman(
    names: Sequence[str], first: Sequence[float], second: Sequence[float], x: str, y: str
) -> go.Figure:
    """Second minus first against their mean, one dot a subject, whose name is its `customdata`.

    A line is the bias, dashed ones the limits of agreement; bars at the right are their 95 %
    confidence intervals. `x` and `y` are the titles of the axes.
    """
    found = agreement(first, second)
    figure = go.Figure()
    means = [(a + b) / 2 for a, b in zip(first, second, strict=True)]
    width = max(means, default=0) - min(means, default=0) or 1
    lines = [("bias", found.bias, found.bias_error, "solid")]
    lines += [
        (name, value, found.limit_error, "dash")
        for name, value in (("upper limit", found.high), ("lower limit", found.low))
    ]
    line = {"color": COLOURS["fence"], "width": 1.5}
    for place, (name, value, around, dash) in enumerate(lines):
        if math.isnan(value):
            continue
        figure.add_hline(
            y=value,
            line=line | {"dash": dash},
            annotation={"text": f"{name} {value:.3g}", "font": {"size": 11}},
            annotation_position="right",
        )
        if not math.isnan(around):
            figure.add_scatter(
                x=[max(means) + width * (0.06 + 0.03 * place)],
                y=[value],
                error_y={"array": [around], "color": line["color"], "thickness": 1.2, "width": 4},
                mode="markers",
                marker={"color": line["color"], "size": 1},
                hovertemplate=f"{name} {value:.4g} ± {around:.4g}<extra></extra>",
                showlegend=False,
            )
    figure.add_scatter(
        x=means,
        y=[b - a for a, b in zip(first, second, strict=True)],
        mode="markers",
        customdata=list(names),
        # what stands in a figure is read as HTML
        text=[escape(name) for name in names],
        marker={"size": 9, "color": COLOURS["input"], "line": {"width": 1, "color": "#333333"}},
        hovertemplate="%{text}: difference %{y:.4g}, mean %{x:.4g}<extra></extra>",
        showlegend=False,
    )
    layout(figure, 270, escape(x), escape(y))
    return figure.update_layout(margin_r=116)
