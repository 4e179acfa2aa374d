"""Input and reference of a training side by side: what they hold and where in the head they lie."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st

from ascnet_core.figures.basics import PLAIN, position_overlap, positions
from ascnet_core.imaging.cohort import Cohort, read_manifest
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.imaging.reference import (
    Pools,
    SliceSet,
    proposed_reference,
    reference_pools,
)
from ascnet_core.imaging.slices import evenly
from ascnet_core.names import OWN_REFERENCES
from ascnet_core.runs.propose import Facts, Sight, facts_of, sight_of
from pages.parts.shared import cohorts, feedback, pictures, state, tables
from pages.parts.shared.feedback import progress_bar

PREVIEW_SCANS = 12
MONTAGE = (4, 8)  # rows, columns of the preview of a set
REFERENCES = {
    "normal": "normal group",
    "lesion-free": "lesion-free slices",
    "other": "another cohort",
}


def sample(cohort: Cohort, limit: int = PREVIEW_SCANS) -> Cohort:
    """At most `limit` scans, evenly spread, half of them from the normal group if there is one."""
    normal = [scan for scan in cohort.scans if scan.group == "normal"]
    others = [scan for scan in cohort.scans if scan.group != "normal"]
    half = limit // 2 if normal and others else limit
    chosen = {part[i].scan for part in (normal, others) for i in evenly(len(part), half)}
    scans = tuple(scan for scan in cohort.scans if scan.scan in chosen)
    return dataclasses.replace(cohort, scans=scans)


class Preview(NamedTuple):
    """Slices of a sample of scans; all scans have about `times_...` as many."""

    pools: Pools
    scans: int
    all_scans: int
    times_inputs: float
    times_reference: float
    facts: Facts


@st.cache_resource(show_spinner=False, max_entries=8)
def _preview(manifest: Path, preparation: Preparation, reference: str, changed: str) -> Preview:
    cohort = read_manifest(manifest)
    own = reference in OWN_REFERENCES
    other = cohort if own else read_manifest(Path(reference))
    some, some_other = sample(cohort), sample(other)
    sights: list[Sight] = []
    with progress_bar("Taking both sets into slices") as report:
        pools = reference_pools(
            some,
            preparation,
            reference if own else some_other,
            report,
            look=lambda prepared: sights.append(sight_of(prepared)),
        )
    taken = "others" if reference == "normal" else "all"
    shown = "all" if reference == "lesion-free" else "normal"
    return Preview(
        pools,
        len(some.scans),
        len(cohort.scans),
        _number(cohort, taken) / _number(some, taken),
        _number(other, shown) / _number(some_other, shown),
        facts_of(sights, len(cohort.scans)),
    )


def _number(cohort: Cohort, which: str) -> int:
    """How many scans of a cohort are "normal" (all, where none is), "others" or "all"."""
    normal = sum(scan.group == "normal" for scan in cohort.scans)
    whole = len(cohort.scans)
    return {"normal": normal or whole, "others": whole - normal, "all": whole}[which]


def preview(manifest: Path, preparation: Preparation, reference: str) -> Preview:
    """Both sets from at most 12 scans each, for looking at and counting. Raises UserError.

    `reference` is "normal", "lesion-free" or another manifest's path.
    """
    paths = [manifest] if reference in OWN_REFERENCES else [manifest, Path(reference)]
    changed = " ".join(cohorts.cohort_stamp(read_manifest(path)) for path in paths)
    return _preview(manifest, preparation, reference, changed)


def montage_of(found: SliceSet) -> pictures.Picture:
    """A set's slices from low to high in the head as one picture."""
    rows, columns = MONTAGE
    order = np.argsort(found.positions, kind="stable")
    chosen = order[evenly(len(found), rows * columns)]
    return pictures.montage(pictures.display(found.images[chosen]), columns)


def position_sentence(overlap: float, inputs: SliceSet, reference: SliceSet) -> str:
    """What the two histograms of position say about training on these sets."""
    if np.all(inputs.positions == 0.5) and np.all(reference.positions == 0.5):
        return "These are single pictures: nothing says at which level of the body they lie."
    text = f"The two histograms of position overlap by {100 * overlap:.0f} %."
    if overlap > 0.8:
        return f"{text} Both sets come from the same levels."
    return (
        f"{text} The sets differ by level, and an adversary learns that before lesions: where one "
        "is on, choose position for match (`data.match`) in New run, under All settings."
    )


def sets_box(cohort: Cohort, preparation: Preparation) -> None:
    left, middle, right = st.columns([1.2, 1.2, 1], vertical_alignment="bottom")
    names = list(REFERENCES)
    reference = left.selectbox(
        "Reference: what is normal",
        names,
        index=names.index(proposed_reference(cohort) or "other"),
        format_func=REFERENCES.__getitem__,
        key=f"reference for {cohort.manifest}",
        help="The fence cut is to look like these slices (paper, section 3). Inputs are the other "
        "scans, or the slices with lesions.",
    )
    named = reference
    if reference == "other":
        others = [key for key in cohorts.known_cohorts() if key != state.current().cohort]
        other = middle.selectbox(
            "Reference cohort",
            others,
            format_func=cohorts.cohort_label,
            help="Its normal group if it has one, else its lesion-free slices.",
        )
        if not other:
            st.info("Open another cohort above first; then choose it here as the reference.")
            return
        named = str(cohorts.manifest_of(other))
    if right.button("Train on these sets", icon=":material/model_training:", width="stretch"):
        st.session_state[state.TRAIN_ON] = (state.current().cohort, reference)
        st.session_state[state.TRAINING_VIEW] = "New run"
        state.open_page("pages/training.py")
    with feedback.show_user_errors(stop=False):
        seen = preview(cohort.manifest, preparation, named)
        inputs, found = seen.pools.inputs, seen.pools.reference
        if seen.scans < seen.all_scans:
            st.caption(f"Preview from {seen.scans} of {seen.all_scans} scans; training takes all.")
        one, two = st.columns(2, gap="medium")
        for column, title, content in ((one, "Input", inputs), (two, "Reference", found)):
            column.markdown(
                f"**{title}** · {tables.counted(len(content), 'slice')} of "
                f"{tables.counted(len(set(content.subjects)), 'subject')}, "
                f"{int(content.lesion.sum())} with lesion by their masks"
            )
            column.image(
                montage_of(content), width="stretch", alt=f"{title}: slices over the whole set"
            )
        overlap = position_overlap(inputs.positions, found.positions)
        st.plotly_chart(
            positions(inputs.positions, found.positions),
            config=PLAIN,
            alt="Where in the head the slices of input and reference lie, as shares of each set",
        )
        st.caption(
            f"{position_sentence(overlap, inputs, found)} "
            "Slices with less than 5 % of the largest slice's tissue are left out."
        )
