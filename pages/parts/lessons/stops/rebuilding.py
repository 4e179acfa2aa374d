"""Fig. 5: what a reconstruction does to a lesion, by a shipped denoising autoencoder."""

import streamlit as st

from ascnet_core.metrics.overlap import oracle_threshold
from pages.parts.lessons.material import patients
from pages.parts.lessons.shown import (
    AUTOENCODER,
    Tile,
    histogram,
    names_with_lesion,
    show_chart,
    show_tiles,
    slice_of,
)
from pages.parts.lessons.stop import Stop

START = 43  # of 255: the best level of the first patient shown
MOST = 96  # level above any residual here


def show() -> str:
    """Input, output and residual of an autoencoder, and a mask of the residual."""
    known = patients(AUTOENCODER, "flair")
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    names = list(known)
    who = left.selectbox("Patient", names, index=names.index("demo1-004"), key="lesson rebuilt")
    level = right.slider("Level of the residual", 0, MOST, START, key="lesson residual level")
    patient = known[who]
    maps, lesion, normal = patient.maps, patient.truth, patient.region & ~patient.truth
    table = patient.tables["residual"]
    dice = float(table.dice("bright")[level])
    bright = (2 * maps["residual"].clip(0, 127)).astype("uint8")
    doubled = patient._replace(maps={**maps, "residual": bright})
    show_tiles(
        [
            Tile("I_in, the scan", f"{who}, a slice of I_in", slice_of(patient, "input")),
            Tile(
                "output of the autoencoder",
                f"{who}, the same slice as the autoencoder rebuilds it: the lesion is still there",
                slice_of(patient, "reconstruction"),
            ),
            Tile(
                "residual, twice as bright",
                f"{who}, difference of the two: grey in the whole brain",
                slice_of(doubled, "residual"),
            ),
            Tile(
                f"residual kept at {level}: Dice {dice:.2f}",
                f"{who}, the mask of level {level} over I_in, Dice {dice:.2f}",
                slice_of(patient, "input", maps["residual"] >= level),
            ),
        ],
        0.56,
    )
    chart = histogram(table.levels, "residual", level, table.lesion)
    chart.update_xaxes(
        title_text="grey level of the residual (255: raw 1)",
        range=[-1, MOST + 1],
        tickvals=list(range(0, MOST + 1, 16)),
    )
    show_chart(chart, f"{who}: histogram of the residual", "histogram of the residual", 190,
               lines=names_with_lesion("residual"))  # fmt: skip
    mean = {
        name: [float(maps[name][where].mean()) / 255 for where in (lesion, normal)]
        for name in ("input", "reconstruction", "residual")
    }
    best = {name: oracle_threshold(patient.tables[name], "bright")[1] for name in patient.tables}
    return (
        f"In this slice the lesion is {mean['input'][0]:.2f} bright in the scan and "
        f"{mean['reconstruction'][0]:.2f} in the output: it is rebuilt. The residual is "
        f"{mean['residual'][0]:.2f} in the lesion and {mean['residual'][1]:.2f} in normal tissue, "
        "which is not rebuilt exactly either. Best Dice of any level (*oracle*): "
        f"{best['residual']:.2f} on the residual, {best['input']:.2f} on the scan itself."
    )


STOP = Stop(
    "Rebuild the slice, and look at the rest",
    "The common idea before ASC-Net: train a network to rebuild normal images, and take what it "
    "fails to rebuild for the lesion (paper, Fig. 5). But it rebuilds lesions too, and normal "
    "tissue not exactly. **Move the level**: no cut through the residual gives the lesion alone. "
    "This network is a small *denoising* autoencoder, trained for a few minutes "
    "(`demo-flair-autoencoder`); larger ones do better, and fail in the same way.",
    show,
    "An autoencoder should fail at the lesion. It rebuilds most of it, and changes normal tissue "
    "too: no level of the residual gives the lesion alone.",
)
