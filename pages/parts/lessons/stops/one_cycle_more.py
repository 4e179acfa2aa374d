"""Fig. 10: one cycle more brings detail and tears holes; the moments of a run beside each other."""

import streamlit as st
from scipy.ndimage import binary_fill_holes

from ascnet_core.figures import basics as figures
from ascnet_core.figures.basics import COLOURS
from ascnet_core.monitoring.history import Point
from pages.parts.lessons import recorded
from pages.parts.lessons.material import Bools, Bytes
from pages.parts.lessons.shown import REAL, SLOW, Tile, choose, picture, show_chart, show_tiles
from pages.parts.lessons.stop import Stop

CASES = {REAL: "real heads (lgg-flair)", SLOW: "synthetic T2 (demo-t2)"}
STARTS = {SLOW: (14, 0), REAL: (8, 2)}  # snapshot and watched slice that show it best


def show() -> str:
    """The masks of a cycle and of the one before, their holes marked."""
    one, two, three = st.columns([1.5, 1, 2], vertical_alignment="bottom")
    with one:
        name = choose("Run", list(CASES), "run of cycles", CASES)
    points = [point for point in recorded.course(name).points if point.mask is not None]
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
    left, right = st.columns([2, 1], gap="medium")
    with left:
        data = recorded.moment(name, index)
        levels = data.levels("reconstruction")[which - 1]
        given = data.watched_input[which - 1]
        inside = given > 0
        show_tiles(
            [
                Tile("I_in, the lesion outlined", f"Watched slice {which}, I_in",
                     picture(given, inside, None, truth[which - 1])),
                Tile(f"I_ro, {after.label}", f"Watched slice {which}, I_ro at {after.label}",
                     picture(levels, inside, None, truth[which - 1])),
                *(_mask(point, given, which - 1, truth[which - 1]) for point in (before, after)),
            ],
            0.56 if name == SLOW else 0.52,
            2,
        )  # fmt: skip
    holes = {point.index: recorded.holes_of(point.mask[which - 1]) for point in points}  # type: ignore[index]
    with right:
        chart = figures.by_cycle({}, "holes in the mask, pixels")
        chart.add_bar(
            x=[point.total_cycle for point in points],
            y=list(holes.values()),
            marker={"color": [COLOURS["chosen"] if point.index == index else COLOURS["input"]
                              for point in points]},
            hovertemplate="cycle %{x}: %{y} pixels<extra></extra>",
        )  # fmt: skip
        show_chart(chart, f"Slice {which}: holes by cycle", f"holes {name}", 240)
    if name == REAL:
        recorded.show_licence()
    return _notice(before, after, which - 1, truth[which - 1])


def _mask(point: Point, given: Bytes, which: int, truth: Bools) -> Tile:
    """The mask of a moment over I_in, the pixels that it encloses in another colour."""
    assert point.mask is not None
    mask = point.mask[which]
    holes = binary_fill_holes(mask) & ~mask
    shown = picture(given, given > 0, mask, truth, holes=holes)
    said = f"{int(mask.sum())} pixels, {int(holes.sum())} in holes"
    return Tile(f"{point.label}: {said}", f"Mask of {point.label} over I_in: {said}", shown)


def _notice(before: Point, after: Point, which: int, truth: Bools) -> str:
    masks = [point.mask[which] for point in (before, after) if point.mask is not None]
    sizes, holes = [int(mask.sum()) for mask in masks], [recorded.holes_of(mask) for mask in masks]
    dice = [recorded.dice_of(mask, truth) for mask in masks]
    return (
        f"From {before.label} to {after.label}: the mask of this slice goes from {sizes[0]} to "
        f"{sizes[1]} pixels, its holes from {holes[0]} to {holes[1]}. None of this needs a true "
        f"mask. With it (*oracle*): Dice of the slice {dice[0]:.2f}, then {dice[1]:.2f}. "
        f"{after.separated} separated {'peak' if after.separated == 1 else 'peaks'}, separation "
        f"index {after.separation_index:.2f}."
    )


STOP = Stop(
    "One cycle more",
    "When is training done? The paper stops at three or four separated peaks, which come and go; "
    "a cycle more adds detail and tears holes into the mask (Fig. 10). **Move by a cycle** and "
    "compare the two masks: pink pixels are holes that the mask encloses. On real heads holes grow "
    "while two bright peaks lie side by side, and close at once when they become one. Training "
    "shows the same for your own runs, with an advisor that uses no mask.",
    show,
    "One cycle more adds detail, and tears holes into the mask (pink). Peaks come and go: look at "
    "more than the last cycle.",
)
