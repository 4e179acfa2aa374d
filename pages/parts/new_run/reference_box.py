"""The reference lab of the form: sliders of `reference.*`, and what they make of some scans."""

from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ascnet_core.figures.basics import COLOURS
from ascnet_core.imaging.reference import SliceSet
from ascnet_core.imaging.reference_draw import draw_reference
from ascnet_core.imaging.slices import evenly
from ascnet_core.settings.preparation import draw_of
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import about, value_of
from pages.parts.data.sets import Preview
from pages.parts.shared import pictures, tables

SHARE, CONTAMINATION = "reference.share", "reference.contamination"
LOW, HIGH = "reference.level_low", "reference.level_high"
LEAST = 0.001  # the smallest share kept; a slider that begins there would have odd steps
STRIP = 12  # slices of a strip
FRAME = 3  # pixels of the frame around a slice with lesion


def reference_sliders(settings: Settings, prefix: str) -> dict[str, Any]:
    """The sliders; values by key, shares as 0 to 1."""
    left, middle, right = st.columns(3)

    def share(column: DeltaGenerator, key: str, label: str, most: float, step: float) -> float:
        before: float = value_of(settings, key)
        percent = column.slider(
            label,
            min_value=0.0,
            max_value=most,
            value=100 * before,
            step=step,
            format="%.4g",
            key=f"{prefix} {key}",
            help=f"{about(key).help} (`{key}`, as a share of 1)",
        )
        return as_share(percent, before)

    kept = share(left, SHARE, "Share kept, %", 100.0, 1.0)
    lesions = share(middle, CONTAMINATION, "Lesion slices left in, % of the reference", 50.0, 0.5)
    low, high = right.slider(
        "Levels of the head, 0 lowest to 1 highest",
        min_value=0.0,
        max_value=1.0,
        value=(settings.reference.level_low, settings.reference.level_high),
        step=0.01,
        key=f"{prefix} reference.levels",
        help=f"{about(LOW).help} {about(HIGH).help} (`{LOW}`, `{HIGH}`)",
    )
    return {SHARE: max(LEAST, kept), CONTAMINATION: lesions, LOW: low, HIGH: high}


def as_share(percent: float, before: float) -> float:
    """A slider's per cent as a share; exactly `before` where the slider was not moved."""
    return before if percent == 100 * before else round(percent / 100, 6)


def strip_of(found: SliceSet) -> pictures.Picture:
    """Slices from low to high in the head, evenly spread; those with lesion framed, (H, W, 3)."""
    order = np.argsort(found.positions, kind="stable")
    shown = []
    for index in order[evenly(len(found), STRIP)]:
        picture = pictures.as_rgb(pictures.grey(pictures.display(found.images[index])))
        if found.lesion[index]:
            for edge in (np.s_[:FRAME], np.s_[-FRAME:]):
                picture[edge] = picture[:, edge] = pictures.rgb(COLOURS["truth"])
        shown.append(picture)
    # white fills a short strip: strips of one length have the same scale
    shown += [np.full_like(shown[0], 255)] * (STRIP - len(shown))
    return pictures.side_by_side(shown, gap=2)


def counts_sentence(found: SliceSet, times: float) -> str:
    """What a reference holds, scaled up from the sample."""
    lesions = int(found.lesion.sum())
    about = "about " if times > 1 else ""
    text = (
        f"{about}{tables.counted(round(times * len(found)), 'slice')}, levels "
        f"{found.positions.min():.2f} to {found.positions.max():.2f}"
    )
    if lesions:
        count, share = round(times * lesions), 100 * lesions / len(found)
        text += f", {about}{count} of them ({share:.1f} %) with lesion by their masks"
    return text


def reference_preview(settings: Settings, seen: Preview) -> int:
    """Both strips; about how many slices training has. UserError where they cannot be drawn."""
    whole, draw = seen.pools.reference, draw_of(settings)
    drawn = draw_reference(whole, seen.pools.lesions, draw)
    st.markdown(f"**As it is:** {counts_sentence(whole, seen.times_reference)}")
    st.image(strip_of(whole), width="stretch", alt="Slices of the reference as it is")
    if draw.takes_all:
        st.caption("Move a slider to see what training would have instead.")
    else:
        st.markdown(f"**In training:** {counts_sentence(drawn, seen.times_reference)}")
        st.image(strip_of(drawn), width="stretch", alt="Slices of the reference in training")
        st.caption(
            "From low to high in the head; a blue frame is a slice with lesion. Inputs stay as "
            "they are. Train once with and once without, then compare both runs under *Reference "
            "lab* above: what moves to the wild cut?"
        )
    if seen.scans < seen.all_scans:
        st.caption(f"Preview from {seen.scans} of {seen.all_scans} scans; training takes all.")
    return round(seen.times_reference * len(drawn))
