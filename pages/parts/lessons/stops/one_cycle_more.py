"""Fig. 10: one cycle more brings detail and tears holes; the moments of a run beside each other."""

import numpy as np
import streamlit as st
from scipy.ndimage import binary_fill_holes, label

from ascnet_core.figures import basics as figures
from ascnet_core.figures.basics import COLOURS
from ascnet_core.monitoring.history import Point
from pages.parts.lessons import recorded
from pages.parts.lessons.material import Bools
from pages.parts.lessons.shown import (
    REAL,
    SLOW,
    Tile,
    choose,
    picture,
    show_chart,
    show_tiles,
    square_of,
)
from pages.parts.lessons.stop import Stop

CASES = {REAL: "real heads", SLOW: "synthetic T2"}
PARTED = 2  # peaks, from which a mask means something
AROUND = 4  # pixels around lesion and masks, enlarged
PINK = {
    REAL: "Pink: a hole. A pale stripe is left out of the mask too, but it is open at an end.",
    SLOW: "Pink: a hole, which the mask encloses.",
}
STARTS = {SLOW: (14, 0), REAL: (8, 2)}  # snapshot and watched slice that show it best


def show() -> str:
    """The masks of a cycle and of the one before, their holes marked."""
    one, two, three = st.columns([1.5, 1, 2], vertical_alignment="bottom")
    with one:
        name = choose("Run", list(CASES), "run of cycles", CASES)
    points = [one for one in recorded.course(name).points if one.separated >= PARTED]
    start, slice_ = STARTS[name]
    truth = recorded.truth_of(name)
    with two:
        which = choose("Slice", list(range(1, len(truth) + 1)), f"slice {name}", default=slice_ + 1)
    indices = [point.index for point in points][1:]
    labels = {point.index: point.label for point in points}
    index = three.select_slider(
        "One cycle more: up to",
        indices,
        value=start,
        format_func=labels.__getitem__,
        key=f"lesson moment {name}",
    )
    at = [point.index for point in points].index(index)
    before, after = points[at - 1], points[at]
    data, true = recorded.moment(name, index), truth[which - 1]
    given = data.watched_input[which - 1]
    inside = given > 0
    masks = [point.mask[which - 1] for point in (before, after) if point.mask is not None]
    ever = [point.mask[which - 1] for point in points if point.mask is not None]
    # the same at every moment, so that masks can be compared by eye
    box = square_of(looked_at(ever, true), AROUND)
    levels = data.levels("reconstruction")[which - 1]
    whole = (("I_in, the lesion outlined", given), (f"I_ro, {after.label}", levels))
    tiles = [
        Tile(title, f"Watched slice {which}: {title}", picture(shown, inside, None, true))
        for title, shown in whole
    ]
    for point, mask in zip((before, after), masks, strict=True):
        holes = binary_fill_holes(mask) & ~mask
        title = f"{point.label}: {int(mask.sum())} pixels, {int(holes.sum())} in holes"
        alt = f"Watched slice {which}, enlarged around the lesion, mask over I_in, {title}"
        shown = picture(given, inside, mask, true, holes=holes, within=box)
        tiles.append(Tile(title, alt, shown))
    left, right = st.columns([2, 1], gap="medium")
    with left:
        show_tiles(tiles, 0.54, 2)
    each = [recorded.holes_of(mask) for mask in ever]
    with right:
        chart = figures.by_cycle({}, "pixels in holes")
        # both runs' peaks part in the second stage alone, so its cycles tell the moments apart
        cycles = [point.cycle for point in points]
        chart.add_bar(
            x=cycles,
            y=each,
            marker={"color": [COLOURS["chosen"] if point.index == index else COLOURS["input"]
                              for point in points]},
            hovertemplate="cycle %{x}: %{y} pixels<extra></extra>",
        )  # fmt: skip
        # a cycle without holes has no bar to be coloured
        chart.add_vline(x=after.cycle, line={"color": COLOURS["chosen"], "width": 2, "dash": "dot"})
        chart.update_xaxes(title_text=f"cycle of stage {after.stage}")
        show_chart(chart, f"Slice {which}: holes by cycle", f"holes {name}", 240)
        st.caption(PINK[name])
    if name == REAL:
        recorded.show_licence()
    return _notice(before, after, masks, true)


def looked_at(masks: list[Bools], truth: Bools) -> Bools:
    """What the enlarged pictures of a slice hold at every moment: pixels that they are about.

    The lesion, what masks mark in one piece with it, and all holes; a false piece elsewhere in the
    head would make the lesion small.
    """
    held = truth.copy()
    for mask in masks:
        held |= binary_fill_holes(mask) & ~mask
        pieces, _ = label(mask)
        held |= np.isin(pieces, np.unique(pieces[mask & truth]))
    return held


def _notice(before: Point, after: Point, masks: list[Bools], truth: Bools) -> str:
    sizes, holes = [int(mask.sum()) for mask in masks], [recorded.holes_of(mask) for mask in masks]
    dice = [recorded.dice_of(mask, truth) for mask in masks]
    return (
        f"From {before.label} to {after.label}: the mask of this slice goes from {sizes[0]} to "
        f"{sizes[1]} pixels, its holes from {holes[0]} to {holes[1]}. None of this needs a true "
        f"mask. With it (*oracle*): Dice of the slice {dice[0]:.2f}, then {dice[1]:.2f}. "
        f"How well the peaks stand apart (separation index, 0 to 1): {after.separation_index:.2f}."
    )


STOP = Stop(
    "One cycle more",
    "When is training done? The paper stops at three or four separated peaks, which come and go; "
    "a cycle more adds detail and tears holes into the mask (Fig. 10). **Move by a cycle**. On "
    "real heads the level lies between two bright peaks, so the tumour falls into stripes; what a "
    "mask encloses is a hole (pink). A cycle later the two peaks are one and all holes close; "
    "but then the masks outgrow the tumours. No holes does not mean done. On synthetic T2, slice 1 "
    "keeps holes.",
    show,
    "One cycle more adds detail, and tears holes into the mask (pink). On real heads they close, "
    "but then the mask grows past the tumour.",
)
