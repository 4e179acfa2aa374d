"""Data to plotly figures: one meaning, one colour; every axis has a title; oracle is hatched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

PLAIN = {"displayModeBar": False}
"""Plotly's `config` of a chart without a bar of buttons over it."""

# Okabe-Ito: told apart by colour-blind eyes.
COLOURS = {
    "mask": "#D55E00",
    "truth": "#56B4E9",
    "reference": "#009E73",
    "input": "#7F7F7F",
    "fence": "#0072B2",
    "wild": "#E69F00",
    "reconstruction": "#333333",
    "residual": "#009E73",
    "chosen": "#CC79A7",
    "good": "#009E73",
    "warning": "#E69F00",
    "focus": "#0072B2",
}

MAP_TITLES = {
    "input": "I_in (input)",
    "fence": "fence cut",
    "wild": "wild cut",
    "reconstruction": "I_ro (reconstruction)",
    "residual": "residual I_in - I_fc",
}


def layout(
    figure: go.Figure, height: int, x: str = "", y: str = "", *, left: int = 56, top: int = 12
) -> go.Figure:
    """Set a figure's height, margins, legend and axis titles (empty: as they are); the figure."""
    figure.update_layout(
        height=height,
        margin={"l": left, "r": 12, "t": top, "b": 44},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        dragmode=False,
        hovermode="closest",
    )
    # a margin grows where larger type needs it, as when the lessons are presented
    axis = {"fixedrange": True, "automargin": True, "title_standoff": 6}
    figure.update_xaxes(**axis, **({"title_text": x} if x else {}))
    figure.update_yaxes(**axis, **({"title_text": y} if y else {}))
    return figure


def add_curve(
    figure: go.Figure, x: Any, y: Any, name: str, line: Mapping[str, Any], **more: Any
) -> None:
    """Add a line with a marker at each value."""
    figure.add_scatter(x=x, y=y, name=name, mode="lines+markers", line=line, **more)


def histogram(
    counts: Mapping[str, NDArray[Any]], peaks: Sequence[int] = (), *, log: bool = True
) -> go.Figure:
    """Histograms of maps on 256 levels, one over the other, with the last one's peaks named.

    `counts` holds by a map's name (a key of `COLOURS`) its counts (256,) in voxels or pixels; later
    ones lie on top. `peaks` are levels of the last map. A `log` axis leaves out counts of 0.
    """
    figure = go.Figure()
    names = list(counts)
    for name in names:
        shown = np.asarray(counts[name], dtype=float)
        if log:
            shown = np.where(shown > 0, shown, np.nan)
        top = name == names[-1]
        figure.add_bar(
            x=np.arange(256),
            y=shown,
            name=MAP_TITLES.get(name, name),
            marker={"color": COLOURS.get(name, "#333333"), "line": {"width": 0}},
            opacity=0.9 if top else 0.45,
            hovertemplate="level %{x}: %{y:,.0f}<extra></extra>",
        )
    figure.update_layout(barmode="overlay", bargap=0, showlegend=len(names) > 1)
    layout(figure, 200, "grey level, 0–255 (raw 0 to 1)", "pixels" + (", log" if log else ""))
    figure.update_xaxes(range=[-1, 256], tickvals=[0, 64, 128, 192, 255])
    # "1k" instead of plotly's full powers, with one label a decade.
    figure.update_yaxes(type="log" if log else "linear", nticks=5, tickformat="~s")
    if log:
        figure.update_yaxes(dtick=1)
    for number, level in enumerate(peaks, 1):
        figure.add_annotation(
            x=level,
            y=1.0,
            yref="paper",
            text=f"peak {number} · {level}",
            showarrow=False,
            yanchor="top",
            yshift=-16 * ((number + 1) % 2),  # two peaks can be close to each other
            font={"size": 11},
            bgcolor="rgba(255,255,255,0.75)",
        )
        figure.add_vline(x=level, line={"color": COLOURS["mask"], "width": 1, "dash": "dot"})
    return figure


def positions(inputs: NDArray[Any], reference: NDArray[Any], *, bins: int = 20) -> go.Figure:
    """Where in the head the input and the reference slices lie (0 to 1), as shares of each set."""
    figure = go.Figure()
    for name, values in (("input", inputs), ("reference", reference)):
        counts, edges = np.histogram(values, bins, (0, 1))
        figure.add_scatter(
            x=np.repeat(edges, 2),
            y=np.concatenate([[0], np.repeat(100 * counts / max(1, len(values)), 2), [0]]),
            name=f"{name} ({len(values)} slices)",
            mode="lines",
            line={"color": COLOURS[name], "width": 2},
            fill="tozeroy",
            opacity=0.8,
            hovertemplate="%{y:.1f} %<extra></extra>",
        )
    figure.update_layout(showlegend=True)
    title = "position in the head: 0 lowest slice with tissue, 1 highest"
    return layout(figure, 220, title, "share of the set, %")


def position_overlap(inputs: NDArray[Any], reference: NDArray[Any], bins: int = 20) -> float:
    """Share (0..1) of the two position histograms that overlaps; 1 = drawn from the same levels."""
    first, second = (
        np.histogram(values, bins, (0, 1))[0] / max(1, len(values))
        for values in (inputs, reference)
    )
    return float(np.minimum(first, second).sum())


def label_of(row: Mapping[str, Any]) -> str:
    """A method's name for charts and tables: method, run and rule; an oracle is marked."""
    run = row.get("run")
    name = str(row["method"])
    if isinstance(run, str) and run and run not in name:
        name = f"{name} ({run})"
    rule = str(row["rule"])
    said = row.get("kind") != "oracle" or rule.startswith("oracle")
    return f"{name} · {rule}" + ("" if said else " (oracle)")


def dice_boxes(rows: pd.DataFrame) -> go.Figure:
    """Box plot of subject Dice, one box a method and rule from the top; oracle boxes are hatched.

    `rows` (of an evaluation) has the columns method, run, map, rule, kind, subject and dice.
    """
    figure = go.Figure()
    keys = [key for key in ("method", "run", "map", "rule", "kind") if key in rows.columns]
    groups = [
        (dict(zip(keys, key, strict=True)), part)
        for key, part in rows.groupby(keys, sort=False, dropna=False)
    ]
    # Mask-free methods come first, each kind from good to bad.
    groups.sort(key=lambda item: (item[0]["kind"] == "oracle", -item[1]["dice"].mean()))
    several = rows[rows["kind"] != "oracle"].groupby("method")["map"].nunique()
    labels = []
    for key, part in groups:
        label = label_of(key)
        if several.get(key["method"], 1) > 1 or label in labels:
            label += f" · {key['map']}"
        labels.append(label)
        learned = isinstance(key.get("run"), str) and bool(key["run"])
        colour = COLOURS["mask"] if learned else COLOURS["input"]
        oracle = key["kind"] == "oracle"
        figure.add_box(
            x=part["dice"],
            name=label,
            orientation="h",
            boxpoints="all",
            jitter=0.4,
            pointpos=0,
            marker={"color": colour, "size": 5, "opacity": 0.75},
            line={"color": colour, "width": 1.5},
            fillcolor="rgba(0,0,0,0)",
            boxmean=True,
            customdata=part["subject"],
            hovertemplate="%{customdata}: Dice %{x:.3f}<extra></extra>",
            showlegend=False,
            opacity=0.6 if oracle else 1.0,
        )
        if oracle:
            low, high = np.nanpercentile(part["dice"], [25, 75])
            figure.add_bar(
                y=[label],
                x=[max(high - low, 0.004)],
                base=[low],
                width=0.5,
                orientation="h",
                marker={
                    "color": "rgba(0,0,0,0)",
                    "line": {"width": 0},
                    "pattern": {"shape": "/", "fgcolor": "#888888", "size": 7, "solidity": 0.25},
                },
                hoverinfo="skip",
                showlegend=False,
            )
    layout(figure, 430, "Dice of a subject, 0 to 1", "method · rule")
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_yaxes(
        automargin=True, autorange="reversed", categoryorder="array", categoryarray=labels
    )
    return figure


def dice_by_subject(
    subjects: Sequence[str],
    mask_free: Mapping[str, Sequence[float]],
    oracle: Mapping[str, Sequence[float]],
) -> go.Figure:
    """Dice of each subject by the way its threshold is chosen.

    Ways that need masks (`oracle`) are drawn open and marked as such.
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


def by_cycle(values: Mapping[str, Sequence[float | None]], title: str) -> go.Figure:
    """A number of one or two runs at cycles 0, 1, 2, ...; a gap where it is None."""
    figure = go.Figure()
    colours = (COLOURS["fence"], COLOURS["mask"])
    for (name, line), colour in zip(values.items(), colours, strict=False):
        add_curve(figure, list(range(len(line))), list(line), name, {"color": colour})
    return layout(figure, 240, "cycle", title)
