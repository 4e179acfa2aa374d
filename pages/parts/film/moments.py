"""Moments of one run or of several: the same slice beside or swiped over one another.

All frames are sent to the browser (`moments.js`), packed as in the film, so its sliders and the
handle need no answer from Python.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from ascnet_core.figures.compare import RUN_COLOURS
from ascnet_core.monitoring.comparison import aligned, wild_split
from ascnet_core.monitoring.history import History, Point
from ascnet_core.runs.folder import SnapshotData
from pages.parts.film import film
from pages.parts.shared import components, state

FROM = "moment to compare from"  # session key: a run's path -> index of its snapshot


class Side(NamedTuple):
    """One of the two to four that are compared.

    `film` is its number among the films that are sent (two moments of a run share one), `at` the
    frame that is shown first, `about` a line that is shown under the pointer.
    """

    name: str
    film: int
    at: int
    about: str = ""


def facts(point: Point, data: SnapshotData) -> dict[str, Any]:
    """The numbers of a frame: those of the film, and how full the wild cut is."""
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
    points = [history.points[index] for index in kept]
    header["frames"] = [facts(point, data) for point, data in zip(points, datas, strict=True)]
    return film.pack(header, datas, slices)


def header_of(
    sides: Sequence[Side],
    images: Sequence[Sequence[int]],
    labels: Sequence[str],
    pair: str,
    identity: str,
) -> dict[str, Any]:
    """What is sent to the browser beside the films.

    `images` holds for each side the slices that were seen at each of its frames, `labels` a name
    for each slice. While `pair` stays the same, the browser leaves its sliders where they are;
    `identity` differs when anything that is sent does.
    """
    moments, shown = aligned(images)
    several = max(len(one) for one in images) > 1
    may_link = several and len({side.film for side in sides}) == len(sides)
    together = min(one[-1] for one in images)  # the last moment that all of them reached
    return {
        "id": identity,
        "pair": pair,
        "films": 1 + max(side.film for side in sides),
        "sides": [
            side._asdict() | {"colour": RUN_COLOURS[number]} for number, side in enumerate(sides)
        ],
        "labels": labels,
        "mayLink": may_link,
        "linked": may_link,
        "images": moments,
        "places": [list(row) for row in shown],
        "moment": moments.index(together),
    }


def join(header: dict[str, Any], films: Sequence[bytes]) -> bytes:
    """Header and films, each after its length as uint32."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    return b"".join(len(part).to_bytes(4, "little") + part for part in (text, *films))


show = components.declare("moments_compared", Path(__file__).with_name("moments"))
"""Shows as `data` what `join` made."""


def open_moments(name: str, path: Path, index: int | None) -> None:
    """Go to the comparison of two moments of a run; `index` is that of the first snapshot."""
    st.session_state[FROM] = {str(path): index}
    st.session_state[state.TRAINING_VIEW] = "Compare"
    state.update(compare=(name,))
    st.rerun()
