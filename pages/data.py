"""Data: open a cohort, see what is in it and how it was scaled, choose input and reference."""

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from ascnet_core.errors import UserError, printable
from ascnet_core.imaging.cohort import Cohort, Scan
from ascnet_core.imaging.formats import stem_of
from ascnet_core.imaging.naming import read_name
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.names import REGIONS
from ascnet_core.runs.suspicion import in_order
from ascnet_core.segmentation.levels import SEPARATOR
from pages.parts.data import sets
from pages.parts.data.upload_box import upload_box
from pages.parts.data.upload_folder import looked_through
from pages.parts.shared import access, cohorts, disk, feedback, forms, remarks, runs, state, tables
from pages.parts.shared.feedback import progress_bar
from pages.parts.shared.question import ask_about
from pages.parts.shared.sidebar import choose_cohort, style

READ_AT_ONCE = 24  # scans; more are read on request
DEMO_LABELS = {
    "demo": "FLAIR: bright lesions",
    "demo-t2": "T2: lesions as bright as fluid",
    "demo-ct": "CT: liver with dark lesions",
}
SCALINGS = ("percentile", "min-max")
REGION_LABELS = {"file": "file, else automatic", "auto": "automatic", "none": "everything"}


def open_box() -> None:
    """Three ways to a cohort; each ends with the cohort in the view and so in the URL."""
    demo, path, upload = st.tabs(["Demo", "Path on this machine", "Upload"])
    with demo:
        left, right = st.columns([2.2, 1], vertical_alignment="bottom")
        key = left.selectbox(
            "Synthetic cohort",
            list(cohorts.DEMOS),
            format_func=DEMO_LABELS.__getitem__,
            help="8 synthetic subjects, half of them normal, with exact masks. Made once.",
        )
        if right.button("Open demo", width="stretch"):
            opened(key)
    with path, st.form("open path", border=False):
        left, right = st.columns([2.2, 1], vertical_alignment="bottom")
        named = left.text_input(
            "Manifest (CSV) or folder",
            placeholder="/data/study/manifest.csv",
            help="A manifest has columns subject, image and, where there are any, mask, region, "
            "group. A folder of NIfTI, TIF (LGG layout) or the authors' .npy files is indexed.",
        )
        if right.form_submit_button("Open path", width="stretch"):
            if named.strip():
                opened(named)
            else:
                st.warning("Write the path of a manifest or a folder first.")
    with upload:
        if manifest := upload_box():
            opened(str(manifest))


def opened(path: str) -> None:
    """Open a cohort and show it, or say why not."""
    with feedback.show_user_errors(stop=False):
        state.update(cohort=cohorts.open_cohort(path))
        st.rerun()


def choose_preparation() -> Preparation:
    """How scans are read: as the run of the view does, unless changed here."""
    try:
        start = runs.preparation_of(state.current().run)
    except UserError:
        start = Preparation(size=96)
    first, second, third = st.columns([0.8, 1, 1.3])
    sizes = sorted({96, 128, 160, 240, start.size})
    size = first.selectbox(
        "Slice size, pixels",
        sizes,
        index=sizes.index(start.size),
        help="Axial slices are brought to S x S, keeping the aspect ratio in mm.",
    )
    scaling = second.selectbox(
        "Scaling to 0–1",
        SCALINGS,
        index=SCALINGS.index(start.scaling),
        help="Over the region of the whole volume. The paper uses min-max; percentiles are not "
        "moved by a few bright voxels.",
    )
    region = third.selectbox(
        "Region",
        REGIONS,
        index=REGIONS.index(start.region),
        format_func=REGION_LABELS.__getitem__,
        help="What is looked at; outside it slices are 0. Automatic: above 5 % of the 99th "
        "percentile.",
    )
    left, right = st.columns(2)
    ends = (left, 0, "under", 0.0, 49.0, start.low), (right, 1, "above", 51.0, 100.0, start.high)
    low, high = (
        column.number_input(
            f"Becomes {end}, percentile",
            least,
            most,
            float(value),
            0.1,
            disabled=scaling != "percentile",
            help=f"Values {beyond} this percentile of the region become {end}.",
        )
        for column, end, beyond, least, most, value in ends
    )
    with st.popover("Colour, 4-D, NaN and labels", width="stretch"):
        fields = (
            ("Channel", start.channel, "Of colour pictures, from 0. Empty: those whose channels "
             "differ are refused."),
            ("Frame", start.frame, "Of 4-D files, from 0. Empty: those with several frames are "
             "refused."),
            ("NaN become", start.nan, "The value that NaN and infinity become. Empty: they are "
             "refused."),
            ("Labels", start.label, "Labels of the masks that are the lesion, such as 1,4. Empty: "
             "those that the manifest names, else all together."),
        )  # fmt: skip
        channel, frame, nan, label = (
            column.text_input(name, forms.text_of(value), help=about)
            for column, (name, value, about) in zip(st.columns(4), fields, strict=True)
        )
    return Preparation(
        size=size,
        scaling=scaling,
        low=low,
        high=high,
        region=region,
        channel=forms.whole("Channel", channel),
        frame=forms.whole("Frame", frame),
        nan=forms.number("NaN", nan),
        label=forms.whole_numbers("Labels", label),
    )


@st.cache_resource(show_spinner=False, max_entries=2048)
def _grid_row(
    scan: Scan, preparation: Preparation, run: str, changed: tuple[str, ...]
) -> dict[str, Any] | str:
    """What reading a scan adds to the table, or why it cannot be read."""
    try:
        prepared = prepare_scan(scan, preparation)
        row = tables.grid_row(prepared)
        return row | {"remarks": SEPARATOR.join(remarks.remarks_on(prepared, run))}
    except UserError as error:
        return str(error)


def read_table(
    cohort: Cohort, preparation: Preparation, limit: int
) -> tuple[pd.DataFrame, list[str]]:
    """The subjects table, the first `limit` scans of it read; and what went wrong with scans."""
    rows, problems = [tables.scan_row(scan) for scan in cohort.scans], []
    run = state.current().run
    to_read = cohort.scans[:limit]
    with progress_bar("Reading scans") as report:
        for index, (scan, row) in enumerate(zip(to_read, rows, strict=False)):
            report(index, len(to_read), f" {scan.scan}")
            changed = (disk.scan_stamp(scan), remarks.changed(run))
            found = _grid_row(scan, preparation, run, changed)
            if isinstance(found, str):
                problems.append(found)
                row["notes"] = f"not read: {found}"
            else:
                row |= found
    table = pd.DataFrame(rows)
    words = ["group", "modality", "further", "notes", *table.columns.intersection(["remarks"])]
    dull = [c for c in words if (table[c].fillna("") == "").all()]
    if (table["scan"] == table["subject"]).all():
        dull.append("scan")
    order = [c for c in table.columns if c != "notes"] + ["notes"]
    return table[order].drop(columns=dull), problems


def left_out_box(key: str) -> None:
    """What was unsure in an indexed folder, and the files left out, and why."""
    found = cohorts.looked_through(key) or looked_through(Path(key))
    if found is None:
        return
    for files, title, column in (
        (found.unsure, "What was unsure, and how it was decided", "decided"),
        (found.left_out, f"{tables.counted(len(found.left_out), 'file')} left out", "why"),
    ):
        if files:
            lines = [(printable(path), printable(text)) for path, text in files]
            masks = any(read_name(stem_of(path)).role == "mask" for path, _ in files)
            with st.expander(title, expanded=masks and column == "why"):
                st.dataframe(pd.DataFrame(lines, columns=["file", column]), hide_index=True)


def subjects_box(cohort: Cohort, preparation: Preparation) -> None:
    total = len(cohort.scans)
    limit = total if st.session_state.get(f"read all {cohort.manifest}") else READ_AT_ONCE
    table, problems = read_table(cohort, preparation, limit)
    key = state.current().cohort
    where = access.shown(cohort.manifest if key in cohorts.DEMOS else key)
    st.markdown(
        f"**{feedback.plain(cohort.name)}** · {tables.counted(len(cohort.subjects), 'subject')}, "
        f"{tables.counted(total, 'scan')}, {sum(bool(scan.mask) for scan in cohort.scans)} with a "
        f"mask · {feedback.plain(where)}"
    )
    height = min(40 + 35 * total, 330)
    chosen = tables.choose_row(table, f"subjects of {cohort.manifest}", height=height)
    for problem in problems[:3]:
        st.error(feedback.plain(problem), icon=":material/error:")
    if len(problems) > 3:
        st.caption(f"{len(problems) - 3} more scans could not be read: see their notes.")
    left_out_box(key)
    if "remarks" in table:
        said = zip(table["subject"], table["remarks"].fillna(""), strict=True)
        found = in_order((name, filter(None, cell.split(SEPARATOR))) for name, cell in said)
        run = Path(state.current().run).name
        said_of = [str(remark) for remark in found]
        compares = any(run in sentence for sentence in said_of)
        note = f"What compares with {run} matters for its masks, not for a new training."
        remarks.show(said_of, "these scans", note=note if compares else "")
    if total > limit:
        st.button(
            f"Read all {total} scans",
            on_click=st.session_state.__setitem__,
            args=(f"read all {cohort.manifest}", True),
        )
    left, middle, right = st.columns([2.4, 1, 1], vertical_alignment="center")
    left.caption(
        "Grey values become [0, 1] over the region of each volume; “file value” says which of the "
        "file's own values become 0 and 1. Millilitres are from the header's spacing. "
        "Click a row, then open that scan by a button."
    )
    name = "" if chosen is None else cohort.scans[chosen].scan
    ways = (middle, "Threshold", ":material/equalizer:"), (right, "Cuts", ":material/content_cut:")
    for column, label, icon in ways:
        if column.button(label, icon=icon, disabled=not name, width="stretch"):
            state.open_page(f"pages/{label.lower()}.py", scan=name)


def page() -> None:
    style()
    view = state.show(state.current())
    ask_about(view)
    with st.sidebar:
        choose_cohort(view)
    st.title("Data", anchor=False)
    left, right = st.columns([1.05, 1], gap="small")
    with left, st.container(border=True, height="stretch"):
        st.markdown("**Open a cohort**")
        open_box()
    with right, st.container(border=True, height="stretch"):
        st.markdown("**How grey values become slices**")
        with feedback.show_user_errors():
            preparation = choose_preparation()
    with feedback.show_user_errors():
        cohort = cohorts.load_cohort(view.cohort)
    with feedback.show_user_errors(stop=False):
        subjects_box(cohort, preparation)
    st.header(
        "Input and reference",
        anchor=False,
        help="The network learns from the difference between these two sets; masks are not used.",
    )
    sets.sets_box(cohort, preparation)


page()
