"""Data: open a cohort, see what is in it and how it was scaled, choose input and reference."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from ascnet_core.errors import UserError
from pages.parts import cases, forms, pictures, state, tables
from pages.parts.sidebar import choose_cohort, style

if TYPE_CHECKING:
    from ascnet_core.imaging.cohort import Cohort
    from ascnet_core.imaging.prepare import Preparation
    from ascnet_core.imaging.reference import SliceSet

TYPES = ["nii", "gz", "npy", "png", "tif", "tiff", "jpg", "jpeg"]
READ_AT_ONCE = 24  # scans; more are read on request
PREVIEW_SCANS = 12
MONTAGE = (4, 8)  # rows, columns of the preview of a set
REFERENCES = {
    "normal": "normal group",
    "lesion-free": "lesion-free slices",
    "other": "another cohort",
}


# --- opening -------------------------------------------------------------------------------------


def open_box() -> None:
    """Three ways to a cohort; each ends with the cohort in the view and so in the URL."""
    demo, path, upload = st.tabs(["Demo", "Path on this machine", "Upload"])
    with demo:
        left, right = st.columns([2.2, 1], vertical_alignment="bottom")
        key = left.selectbox(
            "Synthetic cohort",
            list(cases.DEMOS),
            format_func=lambda key: {
                "demo": "FLAIR: bright lesions",
                "demo-t2": "T2: lesions as bright as fluid",
                "demo-ct": "CT: liver with dark lesions",
            }[key],
            help="8 synthetic subjects, half of them normal, with exact masks. Made once.",
        )
        if right.button("Open demo", width="stretch"):
            opened(key)
    with path:
        left, right = st.columns([2.2, 1], vertical_alignment="bottom")
        named = left.text_input(
            "Manifest (CSV) or folder",
            placeholder="/data/study/manifest.csv",
            help="A manifest has columns subject, image and, where there are any, mask, region, "
            "group. A folder of NIfTI, TIF (LGG layout) or the authors' .npy files is indexed.",
        )
        if right.button("Open path", width="stretch"):
            if named.strip():
                opened(named)
            else:
                st.warning("Write the path of a manifest or a folder first.")
    with upload:
        upload_box()


def opened(path: str) -> None:
    """Open a cohort and show it, or say why not."""
    with cases.show_user_errors(stop=False):
        key = cases.open_cohort(path)
        state.update(cohort=key)
        st.rerun()


def upload_box() -> None:
    left, right = st.columns(2)
    images = left.file_uploader(
        "Images",
        type=TYPES,
        accept_multiple_files=True,
        help="NIfTI volumes, slices as PNG, TIF or JPEG, or .npy stacks (N, H, W). "
        "They stay on this machine.",
    )
    masks = right.file_uploader(
        "Masks (optional)",
        type=TYPES,
        accept_multiple_files=True,
        help="Matched by name: case1_mask.nii.gz belongs to case1_flair.nii.gz.",
    )
    if not images:
        st.caption("Choose one image or more; a mask lets the pages show Dice.")
        return
    if st.button("Open uploads", type="primary"):
        with cases.show_user_errors(stop=False):
            opened(str(write_uploads(images, masks or [])))


def write_uploads(images: list[Any], masks: list[Any]) -> Path:
    """Keep uploads in the app's cache as a cohort of their own; the manifest's path.

    The folder is named by the content, so the same files are the same cohort, also in a link.

    Raises
    ------
    UserError
        If a mask fits no image.
    """
    from ascnet_core.imaging.cohort import write_manifest

    digest = hashlib.sha256()
    for file in [*images, *masks]:
        digest.update(str(file.name).encode() + b"\0")
        digest.update(file.getvalue())
    folder = cases.cache_folder() / "uploads" / f"upload-{digest.hexdigest()[:8]}"
    image_paths = forms.save_uploads(images, folder / "images")
    mask_paths = forms.save_uploads(masks, folder / "masks")
    pairs = forms.pair_masks(image_paths, mask_paths)
    lonely = set(mask_paths) - set(pairs.values())
    if lonely:
        raise UserError(
            f"The mask {sorted(lonely)[0].name} fits no image by its name; name it like its image, "
            "with _mask behind."
        )
    rows = [
        {"subject": forms.stem_of(path), "image": path, "mask": mask}
        for path, mask in pairs.items()
    ]
    write_manifest(folder / "manifest.csv", rows)
    return folder / "manifest.csv"


# --- what is in it -------------------------------------------------------------------------------


def choose_preparation() -> Preparation:
    """How scans are read: as the run of the view does, unless changed here."""
    from ascnet_core.imaging.prepare import Preparation

    try:
        start = cases.preparation_of(state.current().run)
    except UserError:
        start = Preparation(size=96)
    first, second, fifth = st.columns([0.8, 1, 1.3])
    third, fourth = st.columns(2)
    sizes = sorted({96, 128, 160, 240, start.size})
    size = first.selectbox(
        "Slice size, pixels", sizes, index=sizes.index(start.size),
        help="Axial slices are brought to S x S, keeping the aspect ratio in mm.",
    )
    scaling = second.selectbox(
        "Scaling to 0–1", ["percentile", "min-max"],
        index=["percentile", "min-max"].index(start.scaling),
        help="Over the region of the whole volume. The paper uses min-max; percentiles are not "
        "moved by a few bright voxels.",
    )
    percentile = scaling == "percentile"
    low = third.number_input(
        "Becomes 0, percentile", 0.0, 49.0, float(start.low), 0.1, disabled=not percentile,
        help="Values under this percentile of the region become 0.",
    )
    high = fourth.number_input(
        "Becomes 1, percentile", 51.0, 100.0, float(start.high), 0.1, disabled=not percentile,
        help="Values above this percentile of the region become 1.",
    )
    regions = ["file", "auto", "none"]
    region = fifth.selectbox(
        "Region", regions, index=regions.index(start.region),
        format_func={
            "file": "file, else automatic",
            "auto": "automatic",
            "none": "everything",
        }.get,
        help="What is looked at; outside it slices are 0. Automatic: above 5 % of the 99th "
        "percentile.",
    )
    with st.popover("Colour, 4-D and NaN", width="stretch"):
        one, two, three = st.columns(3)
        channel = one.text_input(
            "Channel", value="" if start.channel is None else str(start.channel),
            help="Of colour pictures, from 0; empty: refuse those of differing channels.",
        )
        frame = two.text_input(
            "Frame", value="" if start.frame is None else str(start.frame),
            help="Of 4-D files, from 0; empty: refuse several frames.",
        )
        nan = three.text_input(
            "NaN become", value="" if start.nan is None else str(start.nan),
            help="The value of NaN and infinity; empty: refuse them.",
        )
    return Preparation(
        size=size, scaling=scaling, low=low, high=high, region=region,
        channel=whole("Channel", channel), frame=whole("Frame", frame), nan=number("NaN", nan),
    )


def whole(name: str, text: str) -> int | None:
    """A field that may be empty as a whole number. Raises UserError."""
    if not text.strip():
        return None
    if not text.strip().isdecimal():
        raise UserError(f"{name} is {text!r}; write a whole number from 0, or leave it empty.")
    return int(text)


def number(name: str, text: str) -> float | None:
    """A field that may be empty as a number. Raises UserError."""
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise UserError(f"{name} is {text!r}; write a number, or leave it empty.") from None


@st.cache_resource(show_spinner=False, max_entries=2048)
def _grid_row(scan: Any, preparation: Preparation, changed: float) -> dict[str, Any] | str:
    from ascnet_core.imaging.prepare import prepare_scan

    try:
        return tables.grid_row(prepare_scan(scan, preparation))
    except UserError as error:
        return str(error)


def read_table(cohort: Cohort, preparation: Preparation, limit: int) -> tuple[pd.DataFrame, list]:
    """The subjects table, `limit` scans of it read; and what went wrong with which scan."""
    rows, problems = [], []
    report, close = forms.progress_reporter("Reading scans")
    for place, scan in enumerate(cohort.scans):
        row = tables.scan_row(scan)
        if place < limit:
            report(place, min(limit, len(cohort.scans)), scan.scan)
            found = _grid_row(scan, preparation, scan.image.stat().st_mtime)
            if isinstance(found, str):
                problems.append(found)
                row["notes"] = f"not read: {found}"
            else:
                row |= found
        rows.append(row)
    close()
    table = pd.DataFrame(rows)
    # Columns that say nothing of this cohort stay away.
    dull = [c for c in ("group", "modality", "further", "notes") if (table[c] == "").all()]
    if (table["scan"] == table["subject"]).all():
        dull.append("scan")
    order = [c for c in table.columns if c != "notes"] + ["notes"]
    return table[order].drop(columns=dull), problems


def subjects_box(cohort: Cohort, preparation: Preparation) -> None:
    total = len(cohort.scans)
    limit = total if st.session_state.get(f"read all {cohort.manifest}") else READ_AT_ONCE
    table, problems = read_table(cohort, preparation, limit)
    subjects, masks = len(cohort.subjects), sum(1 for scan in cohort.scans if scan.mask)
    st.markdown(
        f"**{cohort.name}** · {subjects} subjects, {total} scans, {masks} with a mask"
        f" · `{cohort.manifest}`"
    )
    event = st.dataframe(
        table,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"subjects of {cohort.manifest}",
        height=min(40 + 35 * total, 330),
    )
    for problem in problems[:3]:
        st.error(problem, icon=":material/error:")
    if len(problems) > 3:
        st.caption(f"{len(problems) - 3} more scans could not be read: see their notes.")
    if total > limit:
        st.button(
            f"Read all {total} scans",
            on_click=st.session_state.__setitem__,
            args=(f"read all {cohort.manifest}", True),
        )
    chosen = event.selection.rows
    left, middle, right = st.columns([2.4, 1, 1], vertical_alignment="center")
    left.caption(
        "Grey values become [0, 1] over the region of each volume: the two columns “becomes” say "
        "which of the file's values are 0 and 1. Millilitres are from the header's spacing. "
        "Click a row to open that scan."
    )
    name = cohort.scans[chosen[0]].scan if chosen and chosen[0] < total else ""
    if middle.button("Threshold", icon=":material/equalizer:", disabled=not name, width="stretch"):
        state.open_page("pages/threshold.py", scan=name)
    if right.button("Cuts", icon=":material/content_cut:", disabled=not name, width="stretch"):
        state.open_page("pages/cuts.py", scan=name)


# --- input and reference -------------------------------------------------------------------------


def sample(cohort: Cohort, limit: int = PREVIEW_SCANS) -> Cohort:
    """At most `limit` scans, evenly spread, half of them from the normal group if there is one."""
    normal = [scan for scan in cohort.scans if scan.group == "normal"]
    others = [scan for scan in cohort.scans if scan.group != "normal"]
    half = limit // 2 if normal and others else limit
    chosen = {
        part[i].scan for part in (normal, others) for i in pictures.spread(len(part), half)
    }
    return dataclasses.replace(
        cohort, scans=tuple(scan for scan in cohort.scans if scan.scan in chosen)
    )


@st.cache_resource(show_spinner=False, max_entries=8)
def _sets(
    manifest: Path, preparation: Preparation, reference: str, changed: float
) -> tuple[SliceSet, SliceSet, int]:
    from ascnet_core.imaging.cohort import read_manifest
    from ascnet_core.imaging.reference import reference_for

    cohort = sample(read_manifest(manifest))
    report, close = forms.progress_reporter("Taking both sets into slices")
    try:
        inputs, found = reference_for(cohort, preparation, reference, report)
    finally:
        close()
    return inputs, found, len(cohort.scans)


def default_reference(cohort: Cohort) -> str:
    """The reference that suits a cohort: its normal group, else its lesion-free slices."""
    groups = {scan.group for scan in cohort.scans}
    if "normal" in groups and len(groups) > 1:
        return "normal"
    return "lesion-free" if any(scan.mask for scan in cohort.scans) else "other"


def montage_of(found: SliceSet) -> np.ndarray:
    """A set's slices from low to high in the head as one picture."""
    rows, columns = MONTAGE
    order = np.argsort(found.positions, kind="stable")
    chosen = order[pictures.spread(len(found), rows * columns)]
    return pictures.montage(pictures.display(found.images[chosen]), columns)


def sets_box(cohort: Cohort, preparation: Preparation) -> None:
    from ascnet_core.figures import position_overlap, positions

    left, middle, right = st.columns([1.2, 1.2, 1], vertical_alignment="bottom")
    names = list(REFERENCES)
    reference = left.selectbox(
        "Reference: what is normal",
        names,
        index=names.index(default_reference(cohort)),
        format_func=REFERENCES.get,
        key=f"reference for {cohort.manifest}",
        help="The fence cut is to look like these slices (paper, section 3). Inputs are the other "
        "scans, or the slices with lesions.",
    )
    if reference == "other":
        others = [key for key in cases.known_cohorts() if key != state.current().cohort]
        other = middle.selectbox(
            "Reference cohort", others, format_func=cases.cohort_label,
            help="Its normal group if it has one, else its lesion-free slices.",
        )
        if other is None:
            st.info("Open another cohort above first; then choose it here as the reference.")
            return
        named = str(cases.manifest_of(other))
    else:
        named = reference
    if right.button("Train on these sets", icon=":material/model_training:", width="stretch"):
        st.session_state[state.TRAIN_ON] = (state.current().cohort, reference)
        st.session_state[state.TRAINING_VIEW] = "New run"
        state.open_page("pages/training.py")
    with cases.show_user_errors(stop=False):
        inputs, found, scans = _sets(
            cohort.manifest, preparation, named, cohort.manifest.stat().st_mtime
        )
        if scans < len(cohort.scans):
            st.caption(f"Preview from {scans} of {len(cohort.scans)} scans; training takes all.")
        one, two = st.columns(2, gap="medium")
        for column, title, content in ((one, "Input", inputs), (two, "Reference", found)):
            lesions = int(content.lesion.sum())
            column.markdown(
                f"**{title}** · {len(content)} slices of {len(set(content.subjects))} subjects, "
                f"{lesions} with lesion by their masks"
            )
            column.image(montage_of(content), width="stretch")
        overlap = position_overlap(inputs.positions, found.positions)
        st.plotly_chart(
            positions(inputs.positions, found.positions, height=220),
            config={"displayModeBar": False},
        )
        advice = (
            "Both sets come from the same levels."
            if overlap > 0.8
            else "The sets differ by level: an adversary learns that before lesions. "
            "Set `data.match` to position in training."
        )
        st.caption(
            f"The two histograms of position overlap by {100 * overlap:.0f} %. {advice} "
            "Slices with less than 5 % of the largest slice's tissue are left out."
        )


def page() -> None:
    style()
    view = state.show(state.current())
    with st.sidebar:
        choose_cohort(view)
    st.subheader("Data", anchor=False)
    left, right = st.columns([1.05, 1], gap="small")
    with left, st.container(border=True, height="stretch"):
        st.markdown("**Open a cohort**")
        open_box()
    with right, st.container(border=True, height="stretch"):
        st.markdown("**How grey values become slices**")
        with cases.show_user_errors():
            preparation = choose_preparation()
    with cases.show_user_errors():
        cohort = cases.load_cohort(view.cohort)
    with cases.show_user_errors(stop=False):
        subjects_box(cohort, preparation)
    st.subheader(
        "Input and reference",
        anchor=False,
        help="The network learns from the difference between these two sets; masks are not used.",
    )
    sets_box(cohort, preparation)


page()
