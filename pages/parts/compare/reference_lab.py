"""The reference lab: two runs trained with different references, cut on the same slices.

What moves to the wild cut is shown in pictures and figures; what needs true masks is called oracle.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.figures.basics import COLOURS
from ascnet_core.imaging.cohort import read_manifest
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.imaging.slices import box_of
from ascnet_core.monitoring.reference_effect import (
    Figures,
    Sample,
    figures_of,
    most_changed,
    need_same_slices,
    other_differences,
    sample_slices,
)
from ascnet_core.places import MODEL
from ascnet_core.runs.card import reference_in_words
from ascnet_core.runs.folder import Run, list_runs
from ascnet_core.settings.tables import Settings
from pages.parts.shared import cohorts, feedback, pictures, runs, state
from pages.parts.shared.feedback import progress_bar

Pair = tuple[np.ndarray, np.ndarray]
"""The wild cuts of both runs, (N, S, S) each."""
FIRST, SECOND = "first run of the lab", "second run of the lab"
OUTLINE = "outline of the lab"
PLACE = "slices of the lab"
SHOWN = 6  # slices side by side
HIGH = 150  # pixels of a slice before the browser scales it, about
GAP = 3  # pixels between slices
STYLE = Path(__file__).with_suffix(".css")  # of the table


def show_lab() -> None:
    names, current = lab_runs(), state.current()
    with feedback.show_user_errors(stop=False):
        method = runs.run_settings(current.run).method
        if not method.two_cuts:
            st.info(method.lacks("The reference lab"), icon=":material/science:")
    if len(names) < 2:
        st.info(
            "Train two runs that differ in their reference: choose New run above, open Reference "
            "lab in the form, and start once with and once without lesion slices left in."
        )
        return
    left, right = st.columns([1, 1.9], gap="medium")
    with left:
        both = choose_runs(names, current.run)
        one, other = (runs.run_settings(name) for name in both)
        how = need_same_slices(one, other)
        show_warning(both, one, other)
        sample, wild = cut_both(both, current.cohort, how)
        titles = short(both[0]), short(both[1])
        show_figures(titles, sample, wild)
        chosen, truth = choose_slices(sample, wild)
    with right:
        show_slices(titles, sample, wild, chosen, truth)


def lab_runs() -> list[str]:
    """Runs that have a model and two cuts: those under `checkpoints/`, else with the view's own.

    A view's own run that is kept elsewhere is named by its path, and so are its neighbours.
    """
    names, current = runs.known_runs(), state.current().run
    if current not in names:
        try:
            beside = list_runs(runs.run_folder(current).parent)
        except UserError:
            beside = []
        names = [*names, *(str(path) for path in beside if (path / MODEL).is_file())]
    return [name for name in names if runs.method_of(Run(runs.run_folder(name))).two_cuts]


def choose_runs(names: Sequence[str], current: str) -> tuple[str, str]:
    """The two menus; the second begins at the run of `partner`."""
    first = st.selectbox(
        "Run",
        names,
        index=list(names).index(current) if current in names else 0,
        key=FIRST,
        format_func=short,
        help="Any run that has a model; it is cut as it is now.",
    )
    st.caption(about(first))
    others = [name for name in names if name != first]
    second = st.selectbox(
        "Compared with",
        others,
        index=others.index(partner(first, others)),
        key=f"{SECOND} {first}",
        format_func=short,
        help="Best is a run that differs in its reference alone: then nothing else moves things to "
        "the wild cut.",
    )
    st.caption(about(second))
    return first, second


def about(name: str) -> str:
    """What a run was shown as normal."""
    return f"Reference: {reference_in_words(runs.run_folder(name), runs.run_settings(name))}"


def short(name: str) -> str:
    """A run's name without its folder."""
    return name.rsplit("/", 1)[-1]


def partner(name: str, others: Sequence[str]) -> str:
    """The run of `others` whose settings differ least from a run's, the reference left out."""

    def unlike(other: str) -> tuple[int, bool]:
        try:
            one, two = runs.run_settings(name), runs.run_settings(other)
        except UserError:
            return 10_000, True
        return len(other_differences(one, two)), one.reference == two.reference

    return min(others, key=unlike)


def show_warning(both: Sequence[str], one: Settings, other: Settings) -> None:
    """Warn where more than the reference differs, or a run is not finished."""
    states = [(short(name), Run(runs.run_folder(name)).status()) for name in both]
    unfinished = [f"{name} is {how}" for name, how in states if how != "finished"]
    keys = other_differences(one, other)
    lines = []
    if keys:
        named = ", ".join(f"`{key}`" for key in keys[:6]) + (" and more" if len(keys) > 6 else "")
        lines.append(f"These runs differ in more than their reference: {named}.")
    if unfinished:
        lines.append(f"{', '.join(unfinished)}: not trained as long as its schedule says.")
    if lines:
        lines.append("What moves may come from that.")
        st.warning(" ".join(lines), icon=":material/warning:")


@st.cache_resource(show_spinner=False, max_entries=4)
def _sample(manifest: Path, changed: str, how: Preparation) -> Sample:
    with progress_bar("Taking scans into slices") as report:
        return sample_slices(read_manifest(manifest), how, progress=report)


@st.cache_resource(show_spinner=False, max_entries=6)
def _wild(
    run: str, changed: str, manifest: Path, cohort_changed: str, how: Preparation
) -> np.ndarray:
    from ascnet_core.segmentation.cuts import cut_slices

    sample = _sample(manifest, cohort_changed, how)
    with progress_bar(f"Cutting with {short(run)}") as report:
        network = runs.load_model(run)
        cuts = cut_slices(network, sample.images, progress=report, names=["wild"])
    wild = np.where(sample.tissue, cuts["wild"], np.float32(0))
    wild.setflags(write=False)
    return wild


def cut_both(both: tuple[str, str], cohort: str, how: Preparation) -> tuple[Sample, Pair]:
    """The slices and both runs' wild cuts, 0 outside the tissue. Raises UserError."""
    manifest = cohorts.manifest_of(cohort)
    changed = cohorts.cohort_stamp(cohorts.load_cohort(cohort))
    sample = _sample(manifest, changed, how)
    first, second = (_wild(name, runs.run_stamp(name), manifest, changed, how) for name in both)
    return sample, (first, second)


def figure_table(first: str, second: str, one: Figures, other: Figures) -> str:
    """The figures of both runs and their change as a small table, oracles in italics."""
    head = "".join(f"<th>{escape(text)}</th>" for text in ("wild cut", first, second, "change"))
    lines = [f"<table class='lab'><tr>{head}</tr>"]
    rows = (
        ("mean", one.mean, other.mean),
        ("share above 0.5", one.above, other.above),
        ("in lesions, oracle", one.inside, other.inside),
        ("elsewhere, oracle", one.outside, other.outside),
    )
    for name, before, after in rows:
        if before is None or after is None:
            continue
        mark = " class='oracle'" if "oracle" in name else ""
        cells = (name, f"{before:.3f}", f"{after:.3f}", f"{after - before:+.3f}")
        lines.append(f"<tr{mark}>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return "\n".join([*lines, "</table>"])


def show_figures(titles: tuple[str, str], sample: Sample, wild: Pair) -> None:
    """Both runs in a table, and by how much they differ."""
    one, other = (figures_of(cut, sample) for cut in wild)
    st.html(STYLE)
    st.html(figure_table(*titles, one, other))
    text = f"Over the tissue of {len(sample.images)} slices, 0 to 1. "
    if one.inside is None:
        text += "Only masks could say whether what moves is lesion; there are none here."
    else:
        text += "Oracle: by the true masks, which the method does not have."
    st.caption(text)


def choose_slices(sample: Sample, wild: Pair) -> tuple[np.ndarray, np.ndarray | None]:
    """The slider and the switch; which slices to show, and their true masks if asked for."""
    order = most_changed(*wild, sample.tissue)
    pages, page = -(-len(order) // SHOWN), 1
    if pages > 1:
        page = st.slider(
            f"Slices, {SHOWN} at a time, most changed first",
            min_value=1,
            max_value=pages,
            key=PLACE,
            help=f"All {len(order)} slices are ordered by how much their wild cuts differ; no mask "
            "is asked.",
        )
    outlined = st.toggle(
        "Outline the true mask (oracle)",
        key=OUTLINE,
        disabled=sample.truth is None,
        help="Sky blue: what the method does not know.",
    )
    chosen = order[(page - 1) * SHOWN : page * SHOWN]
    return chosen, sample.truth[chosen] if outlined and sample.truth is not None else None


def show_slices(
    titles: tuple[str, str],
    sample: Sample,
    wild: Pair,
    chosen: np.ndarray,
    truth: np.ndarray | None,
) -> None:
    """Rows of the input, both wild cuts and their difference; a column is a slice."""
    window = window_of(sample.tissue)
    one, other = (cut[chosen][window] for cut in wild)
    rows = {
        "**Input**": pictures.grey(sample.images[chosen][window]),
        f"**Wild cut, {titles[0]}** · white is 1": pictures.grey(one),
        f"**Wild cut, {titles[1]}** · white is 1": pictures.grey(other),
        f"**Difference** · orange: moved in with {titles[1]}; blue: moved out": difference(
            one, other
        ),
    }
    outlines = truth[window] if truth is not None else None
    with st.container(gap="xsmall"):
        for title, stack in rows.items():
            st.caption(title)
            st.image(row_of(stack, outlines, SHOWN), width="stretch", alt=title)
        st.caption("From the left: " + " · ".join(sample.labels[i] for i in chosen))


def window_of(tissue: np.ndarray) -> tuple[slice, ...]:
    """The part of slices (N, S, S) that holds all tissue and one pixel around it."""
    return slice(None), *box_of(tissue, (0, 1, 1))[1:]


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Wild cuts (N, S, S) to RGB (N, S, S, 3): orange where the other has more, blue where less."""
    change = np.clip(other - one, -1, 1)[..., None]
    more, less = (pictures.rgb(COLOURS[name]).astype(np.float32) for name in ("wild", "fence"))
    painted: NDArray[np.float32] = np.maximum(change, 0) * more + np.maximum(-change, 0) * less
    return np.rint(painted).astype(np.uint8)


def row_of(stack: np.ndarray, outlines: np.ndarray | None, count: int) -> np.ndarray:
    """Pictures (N, H, W) or (N, H, W, 3) beside each other, true masks outlined.

    Black pictures fill the row up to `count`, so that rows of fewer have the same scale.
    """
    factor = max(1, round(HIGH / stack.shape[1]))
    shown = []
    for index, picture in enumerate(stack):
        large = pictures.enlarge(pictures.as_rgb(picture), factor)
        if outlines is not None:
            border = pictures.outline(pictures.enlarge(outlines[index], factor))
            large[border] = pictures.rgb(COLOURS["truth"])
        # anterior on top, the patient's right on the left
        shown.append(large[::-1, ::-1])
    shown += [np.zeros_like(shown[0])] * (count - len(shown))
    return pictures.side_by_side(shown, GAP)
