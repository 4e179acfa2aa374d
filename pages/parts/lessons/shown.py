"""How the stops show it: slices as titled pictures in rows, charts with a title and axis titles."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from ascnet_core.figures import basics as figures
from ascnet_core.figures.basics import COLOURS, PLAIN
from ascnet_core.segmentation.histogram import Counts, find_peaks
from pages.parts.lessons import presenting
from pages.parts.lessons.material import Bools, Bytes, Patient
from pages.parts.shared import cohorts, pictures, state

COHORT = "demo"
RUN, PAPER, SLOW, REAL = "demo-flair", "demo-flair-paper", "demo-t2", "lgg-flair"
AUTOENCODER = "demo-flair-autoencoder"
ENLARGED = 4
AROUND = 2  # pixels
EDGE = 36  # levels from the end of the scale, where a name would be cut
AFAR = 22  # px: type in a chart that is presented
KEY = 30  # px above a chart for the line that names its colours
ROW, ROW_AFAR = 16, 26  # px of a row of peaks' names above a histogram
SHORT = {"reconstruction": "I_ro", "wild": "wild cut", "fence": "fence cut"}
"""Maps by the names that fit above a picture."""
NAMES = {
    RUN: "the variant (demo-flair)",
    SLOW: "a slow one (demo-t2)",
    PAPER: "the paper's losses (demo-flair-paper)",
}


Box = tuple[slice, slice]
"""Rows and columns of a slice (y, x)."""


class Tile(NamedTuple):
    """A picture with the title above it; `alt` says what is on it to who cannot see it."""

    title: str
    alt: str
    picture: pictures.Picture


def picture(
    values: Bytes,
    inside: Bools,
    mask: Bools | None,
    truth: Bools | None,
    colour: str = "mask",
    holes: Bools | None = None,
    within: Box | None = None,
) -> pictures.Picture:
    """A slice (y, x) inside its region as RGB: a mask laid over it, the true mask outlined.

    `colour` is a key of `COLOURS`; `holes` are laid over it in that of what is chosen. Slices are
    turned to the screen's convention, and cut to the region, or to what is `within` a box.
    """
    box = within or box_of(inside)
    shown = pictures.as_rgb(pictures.display((values * inside)[box]))
    for laid, name, opacity in ((mask, colour, 0.5), (holes, "chosen", 0.9)):
        if laid is not None:
            marked = pictures.display((laid & inside)[box])
            shown = pictures.over(shown, marked, COLOURS[name], opacity)
    shown = pictures.enlarge(shown, ENLARGED)
    if truth is not None:
        held = pictures.enlarge(pictures.display(truth[box]), ENLARGED)
        shown[pictures.outline(held)] = pictures.rgb(COLOURS["truth"])
    return shown


def box_of(held: Bools, around: int = AROUND) -> Box:
    """The rows and columns that hold a mask or region, and some pixels around it."""
    rows, columns = (slice(max(0, one.start - around), one.stop + around) for one in _spans(held))
    return rows, columns


def square_of(held: Bools, around: int = AROUND) -> Box:
    """A square of a slice that holds a mask and some pixels around it, moved in where it leaves."""
    wide = max(one.stop - one.start for one in _spans(held)) + 2 * around
    square = []
    for one, length in zip(_spans(held), held.shape, strict=True):
        start = (one.start + one.stop - wide) // 2
        start = max(0, min(start, length - wide))
        square.append(slice(start, min(start + wide, length)))
    return square[0], square[1]


def _spans(held: Bools) -> Box:
    rows, columns = (np.flatnonzero(held.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def slice_of(
    patient: Patient, name: str, mask: Bools | None = None, colour: str = "mask"
) -> pictures.Picture:
    """A patient's slice of a map, with a mask (X, Y) over it and the lesion's outline."""
    turned = None if mask is None else mask.T
    return picture(patient.maps[name].T, patient.region.T, turned, patient.truth.T, colour)


def _address(shown: pictures.Picture) -> str:
    """A picture as a data address for HTML."""
    held = io.BytesIO()
    Image.fromarray(shown).save(held, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode("ascii")


def show_tiles(tiles: Sequence[Tile], share: float = 1.0, across: int | None = None) -> None:
    """Pictures beside each other, `across` in a row; a row is `share` of the view's height."""
    figures_ = "".join(
        f"<figure><figcaption>{html.escape(tile.title)}</figcaption>"
        f'<img src="{_address(tile.picture)}" alt="{html.escape(tile.alt)}"></figure>'
        for tile in tiles
    )
    style = f"--across: {across or len(tiles)}; --share: {share}"
    st.html(f'<div class="tiles" style="{style}">{figures_}</div>')


def show_chart(
    figure: go.Figure,
    title: str,
    key: str,
    height: int,
    alt: str = "",
    lines: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """A chart under its title; `alt` is what it shows, for who cannot see it.

    `lines` names what is drawn by its colour (CSS) beside the title: these words break where a
    narrow chart would cut its own.
    """
    # the title is no part of the chart, which would cut it
    words = "".join(
        f'<span><i style="background: {colour}"></i>{_named(name)}</span>'
        for name, colour in lines.items()
    )
    named = f"<div>{words}</div>" if words else ""
    st.html(f'<div class="chart-title"><b>{html.escape(title)}</b>{named}</div>')
    above = len(figure.data) > 1 and not lines
    afar = presenting.chosen(state.PRESENT)
    row = ROW_AFAR if afar else ROW
    # the `yshift` of a name above a histogram is its row, from 0, until the row's height is known
    rows = 1 + max((said.yshift or 0 for said in figure.layout.annotations), default=-1)
    figure.update_layout(height=height, margin_t=(KEY if above else 8) + row * rows)
    for said in figure.layout.annotations:
        said.yshift = row * (said.yshift or 0)
    if lines:
        figure.update_layout(showlegend=False)
    if afar:
        # plotly leaves out the last level where half of it would not fit beside the axis
        figure.update_layout(font_size=AFAR, legend_font_size=AFAR, margin_r=AFAR)
        figure.update_annotations(font_size=AFAR)
    st.plotly_chart(figure, config=PLAIN, key=f"lesson {key}", alt=alt or title)


def _named(name: str) -> str:
    """A name as HTML, an oracle's in italics as everywhere."""
    text = html.escape(name)
    return f"<em>{text}</em>" if "(oracle)" in name else text


def histogram(
    counts: Counts,
    name: str,
    level: int | None = None,
    lesion: NDArray[Any] | None = None,
    *,
    narrow: bool = False,
) -> go.Figure:
    """A map's histogram with its peaks named as on Threshold, a level, and the lesion's share.

    In a `narrow` one, where names would lie over each other, peaks have their number alone.
    `lesion` (256,) are the voxels that the true mask marks: drawn hatched and called an oracle.
    """
    found = [peak.position for peak in find_peaks(counts)]
    figure = figures.histogram({name: counts}, found)
    figure.data[0].name = figures.MAP_TITLES.get(name, name) if lesion is None else "all voxels"
    if lesion is not None:
        figure.add_bar(
            x=np.arange(256),
            y=np.where(lesion > 0, lesion, np.nan),
            name="<i>lesion (oracle)</i>",
            marker={"color": COLOURS["truth"], "pattern": {"shape": "/", "size": 4},
                    "line": {"width": 0}},
            hovertemplate="level %{x}: %{y:,.0f} of the lesion<extra></extra>",
        )  # fmt: skip
    if level is not None:
        figure.add_vline(x=level, line={"color": COLOURS["mask"], "width": 3})
    top = np.log10(max(10, counts.max()))
    figure.update_yaxes(title_text="voxels, log", range=[-0.1, top * 1.05])
    # names stand above the plot, neighbours in two rows, so that none hides a bar or meets a line
    for number, said in enumerate(figure.layout.annotations):
        end = "left" if said.x < EDGE else "right" if said.x > 255 - EDGE else "center"
        said.update(xanchor=end, yanchor="bottom", yshift=number % 2, bgcolor=None)
    if narrow:
        for number, said in enumerate(figure.layout.annotations, 1):
            said.update(text=f"{number}", xanchor="center", yshift=0)
        figure.update_xaxes(title_text="grey level, 0–255")
    return figure


def names_with_lesion(name: str) -> dict[str, str]:
    """The names of a `histogram` with its lesion, and their colours (CSS)."""
    blue = COLOURS["truth"]
    hatched = f"repeating-linear-gradient(135deg, {blue} 0 2px, transparent 2px 5px)"
    return {"all voxels": COLOURS[name], "lesion (oracle)": hatched}


def choose(label: str, options: Sequence[Any], key: str, names: Mapping[Any, str] | None = None,
           default: Any = None) -> Any:  # fmt: skip
    """One of a few, all on the screen."""
    # not as the control's default: an exercise may set the choice before the control is drawn
    st.session_state.setdefault(f"lesson {key}", options[0] if default is None else default)
    chosen = st.segmented_control(
        label,
        options,
        format_func=(lambda one: names.get(one, one)) if names else str,
        key=f"lesson {key}",
        required=True,
    )
    return options[0] if chosen is None else chosen


def choose_subject(key: str) -> str:
    """A subject of the demo cohort that has a lesion."""
    scans = cohorts.load_cohort(COHORT).scans
    names = [scan.scan for scan in scans if scan.group == "anomalous"]
    return str(st.selectbox("Subject", names, key=f"lesson subject {key}"))
