"""Moments of one run or of several: the same slice beside or swiped over one another.

The browser has all frames (`moments.js`), packed as in the film, so that sliders and the handle ask
nothing of Python. Everything but `moments` is pure.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from ascnet_core.figures.compare import RUN_COLOURS
from ascnet_core.monitoring.comparison import aligned, wild_split
from ascnet_core.monitoring.history import History, Point
from ascnet_core.runs.folder import SnapshotData
from pages.parts.film import film
from pages.parts.shared import state

FROM = "moment to compare from"  # session key: a run's path -> place of its snapshot


@dataclass(frozen=True)
class Side:
    """One of the two to four that are compared.

    `film` is its place among the films that are sent (two moments of a run share one), `at` the
    frame of it that is shown first, `about` a line for the pointer.
    """

    name: str
    film: int
    at: int
    about: str = ""


def facts(point: Point, data: SnapshotData) -> dict[str, Any]:
    """What is said of a frame: the film's facts, and how full the wild cut is."""
    inside, outside = wild_split(point, data)
    return film.frame_facts(point) | {
        "area": point.area,
        "wild_in": inside,
        "wild_out": outside,
        "wild_input": point.gauges.get("wild_input"),
        "wild_reference": point.gauges.get("wild_reference"),
    }


def pack_run(
    history: History,
    kept: Sequence[int],
    datas: Sequence[SnapshotData],
    slices: Sequence[int],
    identity: str,
) -> bytes:
    """The kept snapshots of one run as `film.pack` packs them, with the facts of `facts`."""
    size = int(datas[-1].watched_input.shape[-1])
    header = film.header_of(history, kept, slices, size, [], identity)
    points = [history.points[place] for place in kept]
    header["frames"] = [facts(point, data) for point, data in zip(points, datas, strict=True)]
    return film.pack(header, datas, slices)


def header_of(
    sides: Sequence[Side],
    images: Sequence[Sequence[int]],
    labels: Sequence[str],
    pair: str,
    identity: str,
) -> dict[str, Any]:
    """What the browser is told beside the films.

    Parameters
    ----------
    sides
        Two to four.
    images
        For each side the slices seen at each of its frames.
    labels
        A name for each slice.
    pair
        Tells which moments are compared: while it stays, sliders stay where they are.
    identity
        Of everything that is sent.
    """
    moments, places = aligned(images)
    several = max(len(one) for one in images) > 1
    may_link = several and len({side.film for side in sides}) == len(sides)
    together = min(one[-1] for one in images)  # as far as all of them came
    return {
        "id": identity,
        "pair": pair,
        "films": 1 + max(side.film for side in sides),
        "sides": [
            {
                "name": side.name,
                "film": side.film,
                "at": side.at,
                "about": side.about,
                "colour": RUN_COLOURS[number],
            }
            for number, side in enumerate(sides)
        ],
        "labels": list(labels),
        "mayLink": may_link,
        "linked": may_link,
        "images": moments,
        "places": [list(row) for row in places],
        "moment": moments.index(together),
    }


def join(header: dict[str, Any], films: Sequence[bytes]) -> bytes:
    """Header and films, each after its length as uint32."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return b"".join(len(part).to_bytes(4, "little") + part for part in (text, *films))


HTML = """
<div class="moments" role="group" aria-label="Moments compared">
  <div class="bar">
    <span class="group" data-node="mode" role="group" aria-label="How to compare"></span>
    <span class="group" data-node="slices" role="group" aria-label="Slice"></span>
    <span class="group" data-node="pair" role="group" aria-label="Runs swiped"></span>
    <button data-node="link" title="One slider for all runs, by the slices that M was trained on"
      >aligned by slices seen</button>
  </div>
  <div class="sliders" data-node="sliders"></div>
  <div class="grid">
    <div><canvas data-node="tiles" tabindex="0" role="slider" aria-valuemin="0" aria-valuemax="100"
      aria-valuenow="50" aria-label="Handle between the two sides, percent from the left"></canvas>
    </div>
    <div><div class="title" data-node="histogramTitle"></div>
      <canvas data-node="histogram" role="img" aria-label="Histograms"></canvas>
      <table data-node="table"></table></div>
  </div>
</div>
"""

CSS = """
.moments { font-family: var(--st-font); color: var(--st-text-color); font-size: 13px;
  font-variant-numeric: tabular-nums; }
.bar { display: flex; gap: 18px; align-items: center; flex-wrap: wrap; min-height: 26px; }
.group { display: flex; gap: 4px; }
.group:empty { display: none; }
.sliders { margin: 8px 0 10px; display: grid; gap: 2px; }
.row { display: grid; grid-template-columns: 190px minmax(80px, 1fr) 230px; gap: 12px;
  align-items: center; height: 24px; }
.row[hidden] { display: none; }
.row input { width: 100%; margin: 0; accent-color: #59616b; }
.name, .taken, .says span { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.says { display: flex; gap: 28px; min-height: 22px; flex-wrap: wrap; }
.chip { display: inline-block; color: #fff; font-size: 11px; line-height: 16px; width: 16px;
  border-radius: 4px; text-align: center; text-shadow: 0 0 2px #000; }
.grid { display: grid; grid-template-columns: minmax(0, 1.35fr) minmax(0, 1fr); gap: 18px; }
.grid > div { min-width: 0; }
.title { font-weight: 600; font-size: 12px; line-height: 1.4; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; }
canvas { display: block; touch-action: pan-y; }
canvas:focus-visible { outline: 2px solid #56B4E9; outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; margin-top: 8px; font-size: 12.5px;
  table-layout: fixed; }
th, td { text-align: right; padding: 2px 0 2px 10px; vertical-align: top;
  border-bottom: 1px solid var(--st-border-color, #d0d4da); }
th:first-child, td:first-child { text-align: left; padding-left: 0; width: 31%; }
th { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.told { cursor: help; }
button, select { font: inherit; font-size: 12px; color: inherit; background: none; cursor: pointer;
  border: 1px solid var(--st-border-color, #d0d4da); border-radius: 6px; padding: 2px 9px;
  white-space: nowrap; }
button[hidden] { display: none; }
button:hover { border-color: currentColor; }
button[aria-pressed=true] { background: var(--st-secondary-background-color);
  border-color: currentColor; }
@media (max-width: 900px) { .grid { grid-template-columns: minmax(0, 1fr); } }
"""

_mount = st.components.v2.component(
    "moments_compared",
    html=HTML,
    css=CSS,
    js=film.script("film_base.js", "moments.js", "moments_controls.js"),
)


def open_moments(name: str, path: Path, place: int | None) -> None:
    """Go to the comparison of two moments of a run, from one of its snapshots."""
    st.session_state[FROM] = {str(path): place}
    st.session_state[state.TRAINING_VIEW] = "Compare"
    state.update(compare=(name,))
    st.rerun()


def moments(data: bytes, key: str) -> None:
    """Show what `join` made."""
    _mount(key=key, data=data)
