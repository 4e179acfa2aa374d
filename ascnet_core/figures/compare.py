"""Several runs as plotly figures: one panel a quantity, one colour and one dash a run."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ascnet_core.figures.basics import layout
from ascnet_core.figures.history import Along
from ascnet_core.monitoring.comparison import Curve

RUN_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")
"""One a run, of Okabe and Ito's; dashes tell the runs apart where colours cannot."""
RUN_DASHES = ("solid", "dash", "dot", "dashdot")
PANEL = 190  # pixels of a panel's height
COLUMNS = 3
AXES = {"images": "slices that M was trained on", "cycle": "cycle, counted over both stages"}


class Panel(NamedTuple):
    """A quantity: the name of its curves, its title, and its range (None: that of its values)."""

    name: str
    title: str
    span: tuple[float, float] | None = None
    log: bool = False


COURSE = (
    Panel("separation_index", "separation index", (0, 1)),
    Panel("rank", "abs. rank correlation, I_ro and I_in", (0, 1)),
    Panel("stability", "mask stability (Dice)", (0, 1)),
    Panel("separated", "separated peaks"),
    Panel("holes", "holes, share of the filled mask"),
    Panel("area", "mask, share of the tissue"),
)
"""What is known of every snapshot; see `comparison.course_curves`."""


def _log_ticks(values: Sequence[float]) -> list[float]:
    """About five round numbers from the smallest to the largest value (all above 0)."""
    low, high = (math.log10(end) for end in (min(values, default=1), max(values, default=1)))
    every = max(1, math.ceil((high - low) / 5))
    decades = range(math.floor(low), math.ceil(high) + 1, every)
    steps = (1, 2, 5) if high - low < 2 else (1,)
    return [step * 10.0**power for power in decades for step in steps]


def laid_over(
    runs: Mapping[str, Mapping[str, Curve]],
    panels: Sequence[Panel],
    along: Along = "images",
) -> go.Figure:
    """Curves of at most four runs laid over one another, one panel a quantity.

    `runs` holds by a run's name its curves by name. A curve that a run lacks is left out, and so
    are values of a logarithmic panel that are not positive.
    """
    rows = max(1, -(-len(panels) // COLUMNS))
    figure = make_subplots(
        rows=rows,
        cols=COLUMNS,
        shared_xaxes="all",
        horizontal_spacing=0.06,
        vertical_spacing=0.2 / rows,
        subplot_titles=[panel.title for panel in panels],
    )
    shown: set[str] = set()
    for index, panel in enumerate(panels):
        row, col = index // COLUMNS + 1, index % COLUMNS + 1
        for number, (run, curves) in enumerate(runs.items()):
            curve = curves.get(panel.name)
            if curve is None:
                continue
            values = [v if v is None or v > 0 or not panel.log else None for v in curve.values]
            xs = curve.images if along == "images" else curve.cycles
            figure.add_scatter(
                x=list(xs),
                y=values,
                name=run,
                legendgroup=run,
                legendrank=number,
                showlegend=run not in shown,
                mode="lines+markers" if len(xs) <= 40 else "lines",
                marker={"size": 4},
                line={
                    "color": RUN_COLOURS[number % len(RUN_COLOURS)],
                    "dash": RUN_DASHES[number % len(RUN_DASHES)],
                    "width": 1.8,
                },
                hovertemplate="%{x:,.4~g}: %{y:.4~g}",
                row=row,
                col=col,
            )
            shown.add(run)
        if panel.span is not None:
            low, high = panel.span
            room = 0.04 * (high - low)
            figure.update_yaxes(range=[low - room, high + room], row=row, col=col)
        elif panel.log:
            ticks = _log_ticks([v for curves in runs.values() if panel.name in curves
                                for v in curves[panel.name].values if v])  # fmt: skip
            figure.update_yaxes(type="log", tickformat="~g", tickvals=ticks, row=row, col=col)
        else:
            figure.update_yaxes(rangemode="tozero", row=row, col=col)
        if index + COLUMNS >= len(panels):  # nothing below it
            figure.update_xaxes(title_text=AXES[along], showticklabels=True, row=row, col=col)
    figure.update_annotations(font_size=12)
    figure.update_xaxes(tickformat="~s", nticks=6)
    layout(figure, rows * PANEL + 70, left=44, top=60)
    figure.update_layout(legend={"y": 1, "yref": "container", "yanchor": "top"})
    return figure
