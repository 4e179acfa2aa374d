"""The charts of a live run: tables made of its events, and Vega's specifications for them.

Vega's charts change in place; plotly's would blink at every tick.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

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


def histogram_spec(name: str = "I_ro", most: int = 1) -> dict[str, Any]:
    """The chart of `histogram_table`, of a map by its short name, up to `most` pixels a level.

    Vega complains of a scale that it has to find before the table has come.
    """
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
                scale={"type": "symlog", "constant": 1, "domain": [0, max(1, most)]},
                axis={"values": [0, *(10**n for n in range(1, 7))], "labelExpr": thousands},
            ),
        },
    }
    # Every other name a line higher: two peaks can be close to each other.
    peaks = [
        {
            "transform": [{"filter": f"datum.peak > 0 && datum.peak % 2 == {odd}"}],
            "mark": {"type": "text", "dy": dy, "color": "currentColor", "fontSize": 11},
            "encoding": {
                "x": _number("level"),
                "y": _number("pixels"),
                "text": {"field": "name", "type": "nominal"},
            },
        }
        for odd, dy in ((1, -7), (0, -20))
    ]
    return {"layer": [bars, *peaks]}


def show_histogram(info: Mapping[str, Any], name: str = "I_ro", height: int = 200) -> None:
    """Draw the histogram in a snapshot's `info`; `name` is the short name of its map."""
    table = histogram_table(info)
    spec = histogram_spec(name, int(table["pixels"].max())) | {"height": height}
    peaks = ", ".join(table.loc[table["peak"] > 0, "name"])
    alt = f"Histogram of {name} over grey levels 0 to 255: {peaks or 'no peak'}"
    st.vega_lite_chart(table, spec, width="stretch", alt=alt)


def histogram_table(info: Mapping[str, Any]) -> pd.DataFrame:
    """The histogram in a snapshot's `info`: level, pixels, peak (0 or number from 1), name."""
    import pandas as pd

    counts = np.asarray(info.get("counts", np.zeros(256)), np.int64)
    table = pd.DataFrame({"level": np.arange(256), "pixels": counts, "peak": 0, "name": ""})
    for number, peak in enumerate(info.get("peaks", ()), 1):
        level = int(peak["position"])
        table.loc[level, ["peak", "name"]] = [number, f"peak {number} · {level}"]
    return table
