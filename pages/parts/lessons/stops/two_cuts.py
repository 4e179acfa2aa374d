"""Two cuts, and what each peak holds."""

import streamlit as st

from ascnet_core.figures import basics as figures
from ascnet_core.figures.basics import COLOURS
from ascnet_core.segmentation.histogram import count_levels, find_peaks
from pages.parts.lessons.shown import level_of, tile, two_columns
from pages.parts.lessons.stop import Stop


def show() -> str:
    """The pixels of a peak of I_ro, in the input and both cuts."""
    case, right = two_columns("cuts")
    region, z, levels = case.prepared.region, level_of(case), case.maps["reconstruction"]
    peaks = find_peaks(count_levels(levels, region))
    labels = [f"peak {n} · level {peak.position}" for n, peak in enumerate(peaks, 1)]
    chosen = right.segmented_control(
        "Peak of I_ro", labels, default=labels[-1], key="lesson peak", required=True
    )
    peak = peaks[labels.index(chosen) if chosen in labels else -1]
    lit = (levels >= peak.left) & (levels <= peak.right) & region
    names = ("input", "fence", "wild", "reconstruction")
    for column, name in zip(st.columns(4), names, strict=True):
        column.markdown(f"**{figures.MAP_TITLES[name]}**")
        column.image(tile(case, name, z, lit, COLOURS["wild"]), width="stretch")
    means = {name: float(case.maps[name][lit].mean()) / 255 for name in names[:3]}
    truth = case.prepared.truth
    held = "" if truth is None else f" Of them {truth[lit].mean():.0%} are lesion (*oracle*)."
    return (
        f"This peak holds {lit.sum() / region.sum():.1%} of the voxels. There the input is "
        f"{means['input']:.2f} on average, the fence cut {means['fence']:.2f}, the wild cut "
        f"{means['wild']:.2f}.{held}"
    )


STOP = Stop(
    "Two cuts, and what each peak holds",
    "The network cuts a slice in two. The fence cut should look like a normal image, the wild "
    "cut holds what the fence cannot; a reconstructor of three numbers makes I_ro from both "
    "(paper, Fig. 2). So each peak of I_ro is a kind of pair: this much fence, that much wild. "
    "**Choose a peak** and see its voxels light up in all four images.",
    show,
)
