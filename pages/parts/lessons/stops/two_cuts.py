"""Fig. 2: two cuts, and what each of their peaks holds, as images."""

import streamlit as st

from ascnet_core.segmentation.histogram import find_peaks
from pages.parts.lessons.material import patients
from pages.parts.lessons.shown import RUN, Tile, choose, histogram, show_chart, show_tiles, slice_of
from pages.parts.lessons.stop import Stop
from pages.parts.shared.tables import counted

MAPS = ("fence", "wild", "reconstruction")
LETTERS = {"fence": "fence cut, I_fc", "wild": "wild cut, I_wc", "reconstruction": "both: I_ro"}
TITLES = {"fence": "the fence cut", "wild": "the wild cut", "reconstruction": "I_ro"}


def show() -> str:
    """Each peak of a cut's histogram as an image: the pixels that lie in it."""
    known = patients(RUN, "flair")
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    names = list(known)
    who = left.selectbox("Patient", names, index=names.index("demo1-004"), key="lesson cut patient")
    with right:
        name = choose("Image", MAPS, "cut", LETTERS, "reconstruction")
    patient = known[who]
    table, levels = patient.tables[name], patient.maps[name]
    peaks = find_peaks(table.levels)
    title = TITLES[name]
    tiles = [
        Tile("I_in, the scan", f"{who}, a slice of I_in", slice_of(patient, "input")),
        Tile(
            title.removeprefix("the "), f"{who}, the same slice of {title}", slice_of(patient, name)
        ),
    ]
    total = int(table.levels.sum())
    for number, peak in enumerate(peaks, 1):
        lit = (levels >= peak.left) & (levels <= peak.right)
        tiles.append(
            Tile(
                f"peak {number} · level {peak.position}",
                f"{who}, pixels of peak {number} of {title}, lit over I_in",
                slice_of(patient, "input", lit, "wild"),
            )
        )
    show_tiles(tiles, 0.56, 5)
    show_chart(
        histogram(table.levels, name), f"{who}: histogram of {title}", "histogram of cut", 200
    )
    last = peaks[-1]
    held, outer = table.lesion, slice(last.left, last.right + 1)
    assert held is not None
    inside = int(table.levels[outer].sum())
    many = counted(len(peaks), "peak")
    return (
        f"{title[0].upper()}{title[1:]} has {many}. Peak {len(peaks)}, "
        f"the brightest, holds {inside / total:.1%} of the voxels of the brain and "
        f"{held[outer].sum() / table.true:.0%} of the lesion; {held[outer].sum() / inside:.0%} of "
        "it is lesion (*oracle*: the true mask is needed to know)."
    )


STOP = Stop(
    "Two cuts, and what each peak holds",
    "ASC-Net cuts a slice in two. The **fence cut** should look like a normal image (here the "
    "lesion is dimmed, not gone), the **wild cut** holds what the fence cannot. A reconstructor of "
    "three numbers makes the third image, I_ro, from both (paper, Fig. 2). Its histogram has a few "
    "peaks with valleys between them, and each peak is a kind of pair: this much fence, that much "
    "wild. **Choose an image** and see which pixels lie in each of its peaks.",
    show,
    "The fence cut should look normal, the wild cut holds the rest. I_ro joins both: fluid, tissue "
    "and anomaly are three peaks of its histogram.",
)
