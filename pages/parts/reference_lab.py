"""The reference lab: two runs trained with different references, cut on the same slices.

What moves to the wild cut is shown as pictures and as figures: mask-free ones over the tissue,
and, marked as oracle, those that need masks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.figures import COLOURS
from pages.parts import cases, forms, pictures, state

if TYPE_CHECKING:
    from pathlib import Path

    from ascnet_core.imaging.prepare import Preparation
    from ascnet_core.training.reference_effect import Figures, Sample
    from ascnet_core.training.settings import Settings

FIRST, SECOND = "first run of the lab", "second run of the lab"
OUTLINE = "outline of the lab"
PLACE = "slices of the lab"
SHOWN = 4  # slices side by side
WIDE = 240  # pixels of a slice on the screen, about


def show_lab() -> None:
    """The whole view."""
    names = cases.known_runs()
    current = state.current()
    if current.run not in names:
        names = [*names, current.run]
    if len(names) < 2:
        st.info(
            "Train two runs that differ in their reference: choose New run above, open Reference "
            "lab in the form, and start once with and once without lesion slices left in."
        )
        return
    first, second = choose_runs(names, current.run)
    if first == second:
        st.info("Choose two different runs.")
        return
    one, other = cases.run_settings(first), cases.run_settings(second)
    show_warning(one, other)
    sample, wild = cut_both(first, second, current.cohort, one, other)
    show_figures(first, second, sample, wild)
    show_slices(first, second, sample, wild)


def choose_runs(names: Sequence[str], current: str) -> tuple[str, str]:
    """The two menus; the second begins at the run most like the first but for its reference."""
    left, right = st.columns(2)
    first = left.selectbox(
        "Run",
        names,
        index=list(names).index(current),
        key=FIRST,
        format_func=short,
        help="Any run that has a model; it is cut as it is now.",
    )
    others = [name for name in names if name != first]
    second = right.selectbox(
        "Compared with",
        others,
        index=others.index(partner(first, others)),
        key=f"{SECOND} {first}",
        format_func=short,
        help="Best a run with the same settings and another reference, so that nothing else moves "
        "things to the wild cut.",
    )
    return first, second


def short(name: str) -> str:
    """A run's name without its folder."""
    return name.rsplit("/", 1)[-1]


def partner(name: str, others: Sequence[str]) -> str:
    """Of `others` the run whose settings differ least from a run's, its reference left out."""
    from ascnet_core.training.reference_effect import other_differences

    def unlike(other: str) -> tuple[int, bool]:
        try:
            one, two = cases.run_settings(name), cases.run_settings(other)
        except UserError:
            return 10_000, True
        return len(other_differences(one, two)), one.reference == two.reference

    return min(others, key=unlike)


def show_warning(one: Settings, other: Settings) -> None:
    """Say so where more than the reference differs, or nothing does."""
    from ascnet_core.training.reference_effect import other_differences

    keys = other_differences(one, other)
    if not keys:
        return
    named = ", ".join(f"`{key}`" for key in keys[:6]) + (" and more" if len(keys) > 6 else "")
    st.warning(
        f"These runs differ in more than their reference: {named}. What moves may come from that.",
        icon=":material/warning:",
    )


@st.cache_resource(show_spinner=False, max_entries=4)
def _sample(manifest: Path, changed: float, how: Preparation) -> Sample:
    from ascnet_core.imaging.cohort import read_manifest
    from ascnet_core.training.reference_effect import sample_slices

    report, close = forms.progress_reporter("Taking scans into slices")
    try:
        return sample_slices(read_manifest(manifest), how, progress=report)
    finally:
        close()


@st.cache_resource(show_spinner=False, max_entries=6)
def _wild(
    run: str, changed: float, manifest: Path, cohort_changed: float, how: Preparation
) -> np.ndarray:
    from ascnet_core.segmentation.cuts import cut_slices

    sample = _sample(manifest, cohort_changed, how)
    report, close = forms.progress_reporter(f"Cutting with {short(run)}")
    try:
        network = cases.load_model(run)
        wild = cut_slices(network, sample.images, device=cases.device(), progress=report).wild
    finally:
        close()
    wild = np.where(sample.tissue, wild, np.float32(0))
    wild.setflags(write=False)
    return wild


def cut_both(
    first: str, second: str, cohort: str, one: Settings, other: Settings
) -> tuple[Sample, tuple[np.ndarray, np.ndarray]]:
    """The slices and both wild cuts, 0 outside the tissue. Raises UserError."""
    from ascnet_core.training.reference_effect import need_same_slices

    how = need_same_slices(one, other)
    manifest = cases.manifest_of(cohort)
    changed = manifest.stat().st_mtime
    weights = [
        (cases.run_path(name) / "model.safetensors").stat().st_mtime for name in (first, second)
    ]
    sample = _sample(manifest, changed, how)
    a, b = (
        _wild(name, at, manifest, changed, how)
        for name, at in zip((first, second), weights, strict=True)
    )
    return sample, (a, b)


def figure_row(name: str, reference: str, figures: Figures) -> dict[str, Any]:
    """A run's row in the table of figures."""
    return {
        "run": short(name),
        "reference": reference,
        "mean wild": figures.mean,
        "above 0.5, %": 100 * figures.above,
        "oracle: in lesions": figures.inside,
        "oracle: outside": figures.outside,
    }


COLUMN_HELP = {
    "mean wild": "Mean of the wild cut over the tissue of these slices, 0 to 1. Mask-free.",
    "above 0.5, %": "Share of the tissue where the wild cut is above 0.5. Mask-free.",
    "oracle: in lesions": "Mean of the wild cut inside the true masks, 0 to 1: knowledge that the "
    "method does not have.",
    "oracle: outside": "Mean of the wild cut on tissue outside the true masks: likewise.",
}


def show_figures(
    first: str, second: str, sample: Sample, wild: tuple[np.ndarray, np.ndarray]
) -> None:
    """Both runs in a table, and the difference in a sentence."""
    from ascnet_core.training.reference_effect import figures_of
    from ascnet_core.training.run_card import reference_in_words

    found = [figures_of(one, sample) for one in wild]
    rows = [
        figure_row(name, reference_in_words(cases.run_path(name), cases.run_settings(name)), one)
        for name, one in zip((first, second), found, strict=True)
    ]
    if found[0].inside is None:
        rows = [{k: v for k, v in row.items() if not k.startswith("oracle")} for row in rows]
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "run": st.column_config.TextColumn(width="small"),
            "reference": st.column_config.TextColumn(width="large"),
            **{
                name: st.column_config.NumberColumn(
                    format="%.1f" if "%" in name else "%.3f", help=about, width="small"
                )
                for name, about in COLUMN_HELP.items()
                if name in rows[0]
            },
        },
    )
    st.markdown(moved_sentence(short(first), short(second), *found))


def moved_sentence(first: str, second: str, one: Figures, other: Figures) -> str:
    """What moves from the first run to the second, in words."""
    text = (
        f"From **{first}** to **{second}** the mean wild cut goes from {one.mean:.3f} to "
        f"{other.mean:.3f}"
    )
    if one.inside is None or other.inside is None or one.outside is None or other.outside is None:
        return f"{text}. Whether that is lesion or not only masks could say; there are none here."
    return (
        f"{text}: *inside lesions {one.inside:.3f} to {other.inside:.3f}, outside "
        f"{one.outside:.3f} to {other.outside:.3f} (oracle)*."
    )


def show_slices(
    first: str, second: str, sample: Sample, wild: tuple[np.ndarray, np.ndarray]
) -> None:
    """Four slices at a time: input, both wild cuts, and their difference."""
    from ascnet_core.training.reference_effect import most_changed

    order = most_changed(*wild, sample.tissue)
    pages = -(-len(order) // SHOWN)
    left, right = st.columns([2, 1], vertical_alignment="bottom")
    place = 0
    if pages > 1:
        place = left.slider(
            "Slices, from most to least changed",
            min_value=1,
            max_value=pages,
            key=PLACE,
            help=f"{SHOWN} of {len(order)} slices at a time, ordered by how much their wild cuts "
            "differ; no mask is asked.",
        ) - 1  # fmt: skip
    outlined = right.toggle(
        "Outline the true mask (oracle)",
        key=OUTLINE,
        disabled=sample.truth is None,
        help="Sky blue: what the method does not know.",
    )
    chosen = order[place * SHOWN : (place + 1) * SHOWN]
    titles = (
        ("Input", "as both runs see it"),
        (f"Wild cut · {short(first)}", "white is 1"),
        (f"Wild cut · {short(second)}", "white is 1"),
        ("Difference", f"orange: moved in with {short(second)}; blue: moved out"),
    )
    truth = sample.truth if outlined else None
    stacks = (
        pictures.grey(sample.images[chosen]),
        pictures.grey(wild[0][chosen]),
        pictures.grey(wild[1][chosen]),
        difference(wild[0][chosen], wild[1][chosen]),
    )
    for column, (title, note), stack in zip(
        st.columns(4, gap="small"), titles, stacks, strict=True
    ):
        outlines = truth[chosen] if truth is not None else None
        column.markdown(f"**{title}**")
        column.caption(note)
        column.image(column_of(stack, outlines), width="stretch")
    st.caption("From the top: " + " · ".join(sample.labels[i] for i in chosen))


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Wild cuts (N, S, S) to RGB (N, S, S, 3): orange where the other has more, blue where less."""
    change = np.clip(other - one, -1, 1)[..., None]
    more, less = (
        np.array([int(COLOURS[name][i : i + 2], 16) for i in (1, 3, 5)], np.float32)
        for name in ("wild", "fence")
    )
    return np.rint(np.maximum(change, 0) * more + np.maximum(-change, 0) * less).astype(np.uint8)


def column_of(stack: np.ndarray, outlines: np.ndarray | None = None) -> np.ndarray:
    """Pictures (N, S, S) or (N, S, S, 3) above each other, true masks outlined; (rows, S', 3)."""
    factor = max(1, round(WIDE / stack.shape[1]))
    shown = []
    for index, picture in enumerate(stack):
        rgb = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
        large = pictures.enlarge(rgb, factor)
        if outlines is not None:
            large = large.copy()
            large[edge_of(pictures.enlarge(outlines[index], factor))] = [
                int(COLOURS["truth"][i : i + 2], 16) for i in (1, 3, 5)
            ]
        # anterior on top, the patient's right on the left
        shown.append(large[::-1, ::-1])
        shown.append(np.zeros((4, large.shape[1], 3), np.uint8))
    return np.concatenate(shown[:-1], axis=0)


def edge_of(mask: np.ndarray) -> np.ndarray:
    """The border pixels of a mask (H, W)."""
    inner = np.pad(mask, 1)
    inside = inner[1:-1, 1:-1] & inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2]
    return mask & ~(inside & inner[1:-1, 2:])
