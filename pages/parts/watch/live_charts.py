"""The charts of a live run: tables made of its events, and Vega's specifications for them.

Vega's charts change in place; plotly's would blink at every tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import streamlit as st

from ascnet_core.imaging.slices import evenly

if TYPE_CHECKING:
    import pandas as pd

# pandas is imported where a table is made: the app's first picture must not wait for it.


def event_rows(events: Iterable[Mapping[str, Any]], kind: str, what: str) -> list[dict[str, Any]]:
    """Rows {step, phase, name: value} of the losses or gauges in events of a kind."""
    return [
        {"step": event.get("step", 0), "phase": event.get("phase", ""), **event[what]}
        for event in events
        if event.get("kind") == kind and event.get(what)
    ]


def thinned(rows: Sequence[dict[str, Any]], points: int = 300) -> list[dict[str, Any]]:
    """At most `points` rows, evenly spread, first and last among them."""
    return [rows[i] for i in evenly(len(rows), points)]


def long_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Columns step, term, value of all terms in rows that are numbers."""
    import pandas as pd

    content = [
        {"step": row["step"], "term": name, "value": value}
        for row in rows
        for name, value in row.items()
        if name not in ("step", "phase") and isinstance(value, int | float)
    ]
    return pd.DataFrame(content, columns=["step", "term", "value"])


CLOSE = 28  # grey levels between two peaks whose names would overlap
# The first is the text's colour on the page, light or dark.
OTHERS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#7F7F7F"]
COLOURS = ["currentColor", *OTHERS]


def _number(field: str, **more: Any) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", **more}


def loss_spec(table: pd.DataFrame) -> dict[str, Any]:
    """The chart of `long_table`: logarithmic where every value is positive."""
    positive = bool(len(table)) and float(table["value"].min()) > 0
    return {
        "mark": {"type": "line", "strokeWidth": 1.6, "clip": True},
        "encoding": {
            "x": _number("step", title="training step", axis={"tickCount": 6, "grid": False}),
            "y": _number(
                "value",
                title="loss, mean since last point" + (", log" if positive else ""),
                scale={"type": "log", "nice": False} if positive else {"type": "linear"},
                axis={"format": "~g", "tickCount": 5},
            ),
            "color": {
                "field": "term",
                "type": "nominal",
                "title": None,
                "legend": {"orient": "top", "columns": 4, "labelLimit": 200},
                "scale": {"range": COLOURS},
            },
        },
        "height": 230,
    }


def histogram_spec(name: str = "I_ro") -> dict[str, Any]:
    """The chart of `histogram_table`, of a map by its short name."""
    thousands = "datum.value >= 1000 ? datum.value / 1000 + 'k' : datum.value"
    bars = {
        "mark": {"type": "area", "interpolate": "step-after", "color": "currentColor"},
        "encoding": {
            "x": _number(
                "level",
                title=f"grey level of {name}, 0–255 (raw)",
                scale={"domain": [0, 256], "nice": False},
                axis={"values": [0, 64, 128, 192, 255], "grid": False},
            ),
            "y": _number(
                "pixels",
                title="pixels, log",
                stack=None,
                scale={"type": "symlog", "constant": 1},
                axis={"values": [0, *(10**n for n in range(1, 7))], "labelExpr": thousands},
            ),
        },
    }
    peaks = {
        "transform": [{"filter": "datum.peak > 0"}],
        "mark": {
            "type": "text",
            "dy": -7,
            "color": "currentColor",
            "fontSize": 11,
            "align": {"expr": "datum.align"},
        },
        "encoding": {
            "x": _number("level"),
            "y": _number("pixels"),
            "text": {"field": "name", "type": "nominal"},
        },
    }
    return {"layer": [bars, peaks]}


def draw(
    table: pd.DataFrame,
    spec: Mapping[str, Any],
    alt: str,
    height: int | Literal["stretch", "content"] = "content",
) -> None:
    """Draw a table by a specification; `alt` says what the chart shows.

    The data has a name: it is then there when the chart is made. Else Vega draws an empty chart
    first, and warns that it finds no extent.
    """
    named = {"data": {"name": "table"}, "datasets": {"table": table}}
    st.vega_lite_chart({**spec, **named}, width="stretch", height=height, alt=alt)


def show_histogram(
    info: Mapping[str, Any], name: str = "I_ro", height: int | Literal["stretch"] = 200
) -> None:
    """Draw the histogram in a snapshot's `info`; `name` is the short name of its map."""
    levels = ", ".join(str(peak["position"]) for peak in info.get("peaks", ())) or "none"
    alt = f"Histogram of {name} over grey levels 0 to 255; peaks at {levels}."
    draw(histogram_table(info), histogram_spec(name), alt, height)


def histogram_table(info: Mapping[str, Any]) -> pd.DataFrame:
    """The histogram in a snapshot's `info`: level, pixels, peak (0 or number from 1), name.

    `align` says where a peak's name stands: left of the peak where the next one is close.
    """
    import pandas as pd

    counts = np.asarray(info.get("counts", np.zeros(256)), np.int64)
    table = pd.DataFrame({"level": np.arange(256), "pixels": counts, "peak": 0, "name": ""})
    table["align"] = "center"
    levels = [int(peak["position"]) for peak in info.get("peaks", ())]
    for number, (level, after) in enumerate(zip(levels, [*levels[1:], 256], strict=False), 1):
        table.loc[level, ["peak", "name"]] = [number, f"peak {number} · {level}"]
        if after - level < CLOSE < level:
            table.loc[level, "align"] = "right"
    return table
