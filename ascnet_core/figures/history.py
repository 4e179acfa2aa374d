"""The course of a training as plotly figures: histograms in time, peaks, and when to stop."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from ascnet_core.figures.basics import COLOURS, add_curve, layout
from ascnet_core.monitoring.history import Point
from ascnet_core.monitoring.peak_tracks import Track
from ascnet_core.monitoring.stop_rules import INDEX, QUANTISER, STABLE, TORN

Along = Literal["cycle", "images"]

HEIGHT = 420
MOST_RIDGES = 40
"""More ridge lines would hide each other; of longer courses every n-th is drawn."""

TRACK_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F")
ORACLE = "#CC79A7"
LEVEL_TITLE = "grey level of {}, 0–255 (raw)"
LEVEL_TICKS = [0, 64, 128, 192, 255]


def times(points: Sequence[Point], along: Along = "cycle") -> tuple[list[float], str]:
    """Where points lie on the time axis, and its title.

    Along "cycle" a complete cycle lies at its number (counted over both stages), and moments within
    it evenly before. Along "images" a point lies at the number of slices that M has seen.
    """
    if along == "images":
        return [float(point.images_seen) for point in points], "slices that M was trained on"
    found = []
    for index, point in enumerate(points):
        own = [n for n, other in enumerate(points) if other.total_cycle == point.total_cycle]
        closed = points[own[-1]].ends_cycle or point.total_cycle == 0
        share = (own.index(index) + 1) / (len(own) + (0 if closed else 1))
        found.append(point.total_cycle - 1 + share if point.total_cycle else 0.0)
    return found, "cycle, counted over both stages (0: before training)"


def _shares(points: Sequence[Point]) -> NDArray[np.float64]:
    """Counts (N, 256) as shares of each point's sum, in percent."""
    counts = np.array([point.counts for point in points], float).reshape(-1, 256)
    return np.asarray(100 * counts / np.maximum(1, counts.sum(axis=1, keepdims=True)))


def _over_time(
    figure: go.Figure,
    along: Along,
    xs: Sequence[float],
    title: str,
    row: int | None = None,
    top: int = 12,
) -> go.Figure:
    """Lay out a figure whose time axis is below the panel `row`."""
    figure.update_xaxes(title_text=title, row=row)
    if along == "cycle" and xs and max(xs) <= 12:
        figure.update_xaxes(dtick=1)
    return layout(figure, HEIGHT, left=60, top=top)


def timeline(
    points: Sequence[Point],
    along: Along = "cycle",
    *,
    now: int | None = None,
    name: str = "I_ro",
    compact: bool = False,
) -> go.Figure:
    """Heat map of the histograms of the map `name` in time, with peaks and the run's threshold.

    A line marks the point of index `now`. `compact` is for a low chart, without a scale
    of the greys, whose height is left to the page.
    """
    xs, title = times(points, along)
    shares = _shares(points)
    figure = go.Figure()
    figure.add_heatmap(
        x=xs,
        y=np.arange(256),
        z=np.log10(np.maximum(shares.T, 1e-3)),
        colorscale="Greys",
        zmin=-3,
        zmax=1.5,
        customdata=shares.T,
        hovertemplate="%{x:.4g}, level %{y}: %{customdata:.3f} %<extra></extra>",
        colorbar={
            "title": {"text": "share of pixels, log", "side": "right"},
            "tickvals": [-3, -2, -1, 0, 1],
            "ticktext": ["0.001 %", "0.01 %", "0.1 %", "1 %", "10 %"],
            "thickness": 12,
        },
    )
    marks = [(x, peak) for x, point in zip(xs, points, strict=True) for peak in point.peaks]
    figure.add_scatter(
        x=[x for x, _ in marks],
        y=[peak.position for _, peak in marks],
        customdata=[100 * peak.share for _, peak in marks],
        mode="markers",
        name="peak",
        marker={"symbol": "diamond", "size": 7, "color": COLOURS["wild"],
                "line": {"width": 1, "color": "#000000"}},
        hovertemplate="%{x:.4g}: peak at %{y}, %{customdata:.2f} % of the pixels<extra></extra>",
    )  # fmt: skip
    levels = [point.threshold.level if point.threshold else None for point in points]
    line = {"color": COLOURS["mask"], "width": 1.5, "dash": "dot"}
    add_curve(figure, xs, levels, "threshold of the run's rule", line, marker={"size": 4},
              hovertemplate="%{x:.4g}: threshold %{y}<extra></extra>")  # fmt: skip
    if now is not None and 0 <= now < len(xs):
        figure.add_vline(x=xs[now], line={"color": COLOURS["truth"], "width": 2})
    figure.update_yaxes(title_text=LEVEL_TITLE.format(name), range=[0, 255], tickvals=LEVEL_TICKS)
    if not compact:
        return _over_time(figure, along, xs, title)
    figure.update_yaxes(title_text=f"grey level of {name}")
    figure.update_traces(showscale=False, selector={"type": "heatmap"})
    return _low(_over_time(figure, along, xs, title.partition(",")[0], top=24), xs)


def _low(figure: go.Figure, xs: Sequence[float]) -> go.Figure:
    """Leave a figure's height to the page; two of them, one above the other, have one time axis."""
    figure.update_layout(height=None, margin={"l": 52, "b": 34}, font={"size": 12})
    if len(xs) > 1:
        # as wide as a heat map's first and last column
        figure.update_xaxes(range=[xs[0] - (xs[1] - xs[0]) / 2, xs[-1] + (xs[-1] - xs[-2]) / 2])
    return figure


def ridge_indices(number: int) -> list[int]:
    """Which of `number` points get a ridge line: every n-th, counted from the newest back."""
    step = -(-number // MOST_RIDGES) if number else 1
    return sorted(range(number - 1, -1, -step))


def ridges(points: Sequence[Point], along: Along = "cycle", *, name: str = "I_ro") -> go.Figure:
    """Histograms as lines one behind the other, the newest in front (below)."""
    xs, title = times(points, along)
    chosen = ridge_indices(len(points))
    bases = dict(zip(chosen, reversed(range(len(chosen))), strict=True))
    heights = np.cbrt(_shares(points))  # a lesion's peak must show beside the whole brain's
    tallest = max(float(heights.max(initial=0)), 1e-9)
    figure = go.Figure()
    for index, base in bases.items():
        line = base + 3.0 * heights[index] / tallest
        label = points[index].label or f"{xs[index]:.4g}"
        # the foot closes the outline, so that a ridge hides what lies behind it
        figure.add_scatter(
            x=[0, *range(256), 255],
            y=[base, *line, base],
            mode="lines",
            fill="toself",
            fillcolor="rgba(255,255,255,0.85)",
            line={"color": COLOURS["reconstruction"], "width": 1.2},
            name=label,
            text=label,
            hoverinfo="text",
            showlegend=False,
        )
        marks = [peak.position for peak in points[index].peaks]
        figure.add_scatter(
            x=marks,
            y=[float(line[level]) for level in marks],
            mode="markers",
            marker={"symbol": "diamond", "size": 6, "color": COLOURS["wild"]},
            hovertemplate=label + ": peak at %{x}<extra></extra>",
            showlegend=False,
        )
    labelled = chosen[:: max(1, len(chosen) // 12)]
    figure.update_xaxes(title_text=LEVEL_TITLE.format(name), range=[0, 255], tickvals=LEVEL_TICKS)
    figure.update_yaxes(
        title_text=f"{title.split(',')[0]}; height: cube root of the share of pixels",
        tickvals=[bases[index] for index in labelled],
        ticktext=[f"{xs[index]:.4g}" for index in labelled],
        showgrid=False,
        zeroline=False,
    )
    return layout(figure, HEIGHT, left=60)


def tracked_peaks(
    points: Sequence[Point], tracks: Sequence[Track], along: Along = "cycle"
) -> go.Figure:
    """The position, height and separation of every peak over time; a cross where one is lost."""
    xs, title = times(points, along)
    figure = make_subplots(rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.05,
                           row_heights=[0.5, 0.25, 0.25])  # fmt: skip
    totals = [max(1, int(point.counts.sum())) for point in points]
    for track in tracks:
        colour = TRACK_COLOURS[(track.number - 1) % len(TRACK_COLOURS)]
        x = [xs[p.index] for p in track.points]
        symbols = ["circle"] * len(x)
        if track.lost:
            symbols[-1] = "x"
        rows: tuple[list[float], ...] = (
            [p.position for p in track.points],
            [100 * p.height / totals[p.index] for p in track.points],
            [p.separation for p in track.points],
        )
        for row, values in enumerate(rows, 1):
            add_curve(
                figure,
                x,
                values,
                f"peak {track.number}",
                {"color": colour, "width": 1.8},
                marker={"size": 7, "symbol": symbols},
                legendgroup=f"peak {track.number}",
                showlegend=row == 1,
                customdata=[[p.position, 100 * p.share, p.separation] for p in track.points],
                hovertemplate="at %{customdata[0]}, %{customdata[1]:.2f} % of the pixels, "
                "separation %{customdata[2]:.2f}",
                row=row,
                col=1,
            )
    figure.add_hline(y=0.5, line={"color": COLOURS["input"], "dash": "dot", "width": 1}, row=3)
    figure.update_yaxes(title_text="position, level", range=[0, 255], tickvals=LEVEL_TICKS, row=1)
    figure.update_yaxes(title_text="height, %", type="log", tickformat="~g", nticks=4,
                        row=2)  # fmt: skip
    figure.update_yaxes(title_text="separation", range=[-0.05, 1.05], row=3)
    return _over_time(figure, along, xs, title, row=3, top=36)


def course(
    points: Sequence[Point],
    along: Along = "cycle",
    *,
    oracle: Sequence[float | None] | None = None,
    name: str = "I_ro",
) -> go.Figure:
    """Separation index, stability, rank correlation; below them holes and mask area.

    Dotted lines are the advisor's numbers. `oracle`, the Dice of each point's mask with true masks,
    is dashed and in italics, as the method does not have this knowledge.
    """
    xs, title = times(points, along)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06,
                           row_heights=[0.66, 0.34])  # fmt: skip
    ranks = [None if p.rank_correlation is None else abs(p.rank_correlation) for p in points]
    indices = [p.separation_index for p in points]
    torn, area = [p.hole_share for p in points], [p.area for p in points]
    lines: tuple[tuple[str, Sequence[float | None], str, int], ...] = (
        ("separation index", indices, "fence", 1),
        ("mask stability (Dice with the one before)", [p.stability for p in points], "mask", 1),
        (f"abs. rank correlation, {name} and I_in", ranks, "input", 1),
        ("mask like a threshold of I_in (Dice)", [p.input_dice for p in points], "wild", 1),
        ("holes, share of the filled mask", torn, "reference", 2),
        ("mask, share of the tissue", area, "truth", 2),
    )
    for label, values, colour, row in lines:
        line = {"color": COLOURS[colour], "width": 1.8}
        hover = {"hovertemplate": "%{x:.4g}: %{y:.3f}", "marker": {"size": 5}}
        add_curve(figure, xs, values, label, line, row=row, col=1, **hover)
    if oracle is not None:
        line = {"color": ORACLE, "width": 2, "dash": "dash"}
        hover = {
            "hovertemplate": "%{x:.4g}: oracle Dice %{y:.3f}",
            "marker": {"size": 6, "symbol": "diamond-open"},
        }
        name = "<i>oracle: Dice with true masks</i>"
        add_curve(figure, xs, list(oracle), name, line, row=1, col=1, **hover)
    limits = (
        (INDEX, f"index {INDEX}", COLOURS["fence"], 1),
        (STABLE, f"stable {STABLE}", COLOURS["mask"], 1),
        (QUANTISER, f"quantiser {QUANTISER}", COLOURS["input"], 1),
        (TORN, f"holes {TORN}", COLOURS["reference"], 2),
    )
    for value, text, colour, row in limits:
        figure.add_hline(
            y=value,
            line={"color": colour, "width": 1, "dash": "dot"},
            annotation={"text": text, "font": {"size": 10, "color": colour}},
            annotation_position="bottom right" if value == QUANTISER else "top left",
            row=row,
        )
    figure.update_yaxes(title_text="0 to 1", range=[-0.03, 1.06], row=1)
    figure.update_yaxes(title_text="share, 0 to 1", rangemode="tozero", row=2)
    return _over_time(figure, along, xs, title, row=2, top=56)


def main_course(points: Sequence[Point], along: Along = "cycle") -> go.Figure:
    """Separation index and mask stability alone, for a low chart; dotted: what the advisor wants.

    Its height is left to the page.
    """
    xs, title = times(points, along)
    figure = go.Figure()
    lines: tuple[tuple[str, Sequence[float | None], str, float], ...] = (
        ("separation index", [p.separation_index for p in points], "fence", INDEX),
        ("mask stability", [p.stability for p in points], "mask", STABLE),
    )
    for label, values, colour, wanted in lines:
        line = {"color": COLOURS[colour], "width": 2}
        hover = {"hovertemplate": "%{x:.4g}: %{y:.3f}", "marker": {"size": 6}}
        add_curve(figure, xs, values, f"{label} (wanted: {wanted:g})", line, **hover)
        figure.add_hline(y=wanted, line={"color": COLOURS[colour], "width": 1, "dash": "dot"})
    figure.update_yaxes(title_text="0 to 1", range=[-0.03, 1.06], tickvals=[0, 0.25, 0.5, 0.75, 1])
    return _low(_over_time(figure, along, xs, title.partition(",")[0], top=24), xs)


def course_in_words(points: Sequence[Point]) -> str:
    """What `main_course` shows of the newest point, for those who cannot see it."""
    newest = points[-1]
    text = f"Curves by cycle, 0 to 1. At {newest.label}: separation index "
    text += f"{newest.separation_index:.2f}"
    stable = "none yet" if newest.stability is None else f"{newest.stability:.2f}"
    return f"{text}, mask stability {stable}."
