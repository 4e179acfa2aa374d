"""When it fails: the paper's losses sort brightness anew, and their discriminator falls silent."""

import streamlit as st

from ascnet_core.figures import basics as figures
from ascnet_core.figures.basics import MAP_TITLES
from ascnet_core.metrics.overlap import oracle_cohort_threshold
from pages.parts.lessons import recorded
from pages.parts.lessons.material import patients
from pages.parts.lessons.shown import NAMES, PAPER, RUN, Tile, show_chart, show_tiles, slice_of
from pages.parts.lessons.stop import Stop

MAPS = ("input", "fence", "wild", "reconstruction")


def show() -> str:
    """The same slice cut by the paper's losses and by the variant."""
    known = {run: patients(run, "flair") for run in (PAPER, RUN)}
    names = list(known[PAPER])
    who = st.columns([1, 3])[0].selectbox("Patient", names, index=1, key="lesson failing patient")
    left, right = st.columns([2.4, 1], gap="medium")
    with left:
        show_tiles(
            [
                Tile(
                    f"{'paper' if run == PAPER else 'variant'}: {MAP_TITLES[name].split(' (')[0]}",
                    f"{who}, {MAP_TITLES[name]} of {NAMES[run]}",
                    slice_of(held[who], name),
                )
                for run, held in known.items()
                for name in MAPS
            ],
            0.5,
            4,
        )
    points = recorded.course(PAPER).points[1:]
    chart = figures.by_cycle({}, "0 to 1")
    lines = {
        "saturated": ("share of images that D is certain of", figures.COLOURS["mask"]),
        "gradient": ("what the fence cut can learn from D", figures.COLOURS["fence"]),
    }
    for name, (title, colour) in lines.items():
        values = [point.gauges.get(name) for point in points]
        cycles = [point.total_cycle for point in points]
        figures.add_curve(chart, cycles, values, title, {"color": colour})
    chart.update_xaxes(dtick=1)
    with right:
        show_chart(
            chart,
            "Paper's losses: discriminator D",
            "silent discriminator",
            260,
            "By cycle: the share of images that D is certain of rises to 1, what the fence cut can "
            "learn from D falls to 0",
            lines=dict(lines.values()),
        )
    wild = {}
    for run, held in known.items():
        patient = held[who]
        normal = patient.region & ~patient.truth
        wild[run] = [patient.maps["wild"][where].mean() / 255 for where in (patient.truth, normal)]
    best = {
        name: oracle_cohort_threshold([one.tables[kind] for one in known[run].values()], "bright")
        for name, run, kind in (
            ("paper", PAPER, "reconstruction"),
            ("variant", RUN, "reconstruction"),
            ("input", PAPER, "input"),
        )
    }
    return (
        f"The wild cut of the paper's losses is {wild[PAPER][0]:.2f} bright in this lesion and "
        f"{wild[PAPER][1]:.2f} elsewhere, that of the variant {wild[RUN][0]:.2f} and "
        f"{wild[RUN][1]:.2f}. Mean Dice of {len(names)} patients at the best single level "
        f"(*oracle*): {best['paper'][1]:.2f} on the paper's I_ro, {best['input'][1]:.2f} on the "
        f"plain scan, {best['variant'][1]:.2f} on the variant's I_ro."
    )


STOP = Stop(
    "When the paper's losses fail",
    "Nothing in the paper's losses asks the wild cut to hold the anomaly. From the second cycle on "
    "the fence hears nothing of the discriminator D, which grows sure of every image, and the cuts "
    "share out brightness: the *lesion* is where the wild cut is darkest. The rival to beat is a "
    "threshold on the plain scan, and this run does not. The variant has **no adversary** at all; "
    "it learns from blobs laid over normal slices. **Choose a patient** and compare the rows.",
    show,
    "The paper's losses alone share out brightness: their I_ro is worse than the plain scan. "
    "The variant has no adversary; it learns from blobs.",
)
