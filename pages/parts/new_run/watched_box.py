"""The watched slices of a new run: a field, and a picker on the scans."""

import numpy as np
import streamlit as st

from ascnet_core.imaging.cohort import Scan
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.imaging.reference import SliceSet, slices_of
from ascnet_core.settings.data import MOST_WATCHED
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import about
from pages.parts.shared import cohorts, disk, forms, pictures
from pages.parts.shared.feedback import plain
from pages.parts.watch.live_run import label_of

KEY = "data.watched"
PICKING = "watched slices picked by hand"
SCAN = "scan to watch"
SLICE = "slice to watch"
HIGH = 192  # pixels of the slice to choose, about
SMALL = 96  # pixels of a slice that is chosen, about


def watched_field(settings: Settings, prefix: str) -> str:
    """The text field of `data.watched`; its text."""
    key = f"{prefix} {KEY}"
    # No `value=`, as the picker writes into the field by its key. So it may hold nothing, where the
    # form is shown again or the field was emptied.
    if not st.session_state.get(key):
        st.session_state[key] = forms.text_of(settings.data.watched)
    text = st.text_input(forms.label_of(KEY), key=key, help=f"{about(KEY).help} (`{KEY}`)")
    forms.show_problem(KEY, text, settings)
    return text


def with_slice(text: str, name: str) -> str:
    """The field's text with the slice `name` added; a number of slices is replaced by it."""
    listed = [one.strip() for one in text.split(",") if ":" in one]
    return ",".join(listed if name in listed else [*listed, name])


def _watch(key: str, name: str) -> None:
    st.session_state[key] = with_slice(st.session_state.get(key, ""), name)


@st.cache_resource(show_spinner="Reading the scan", max_entries=8)
def _slices(scan: Scan, preparation: Preparation, changed: str) -> SliceSet:
    return slices_of(prepare_scan(scan, preparation))


def slices_of_scan(cohort: str, scan: str, preparation: Preparation) -> SliceSet:
    """The slices with tissue of a scan. Raises UserError."""
    found = cohorts.find_scan(cohorts.load_cohort(cohort), scan)
    return _slices(found, preparation, disk.scan_stamp(found))


def show_picker(cohort: str, preparation: Preparation, prefix: str) -> None:
    """Menus of scan and slice with a picture, and the slices that are chosen so far."""
    key = f"{prefix} {KEY}"
    scans = [scan.scan for scan in cohorts.load_cohort(cohort).scans]
    menus, seen, chosen = st.columns([1.1, 0.6, 2.3], gap="medium")
    with menus:
        scan = st.selectbox("Scan", scans, key=f"{SCAN} of {cohort}")
        slices = slices_of_scan(cohort, scan, preparation)
        lesion = dict(zip(slices.z.tolist(), slices.lesion, strict=True))
        z = st.select_slider(
            "Slice, from 0 at the bottom",
            options=list(lesion),
            value=list(lesion)[len(lesion) // 2],
            format_func=lambda one: f"{one} · lesion" if lesion[one] else f"{one}",
            key=f"{SLICE} {scan} of {cohort}",
        )
        name = f"{scan}:{z}"
        full = st.session_state[key].count(":") >= MOST_WATCHED
        st.button(
            "Watch this slice",
            icon=":material/add:",
            on_click=_watch,
            args=(key, name),
            disabled=full,
            width="stretch",
        )
    seen.image(_thumbnail(slices, z), caption=plain(label_of(name)), alt=label_of(name))
    with chosen:
        listed = [one for one in st.session_state[key].split(",") if ":" in one]
        if not listed:
            st.caption(
                "None is chosen yet, so they are chosen for you: at mid height, from as many "
                "subjects as can be, those with a lesion first."
            )
            return
        st.caption(f"Watched by now: {len(listed)}")
        with st.container(horizontal=True, gap="small"):
            for one in listed:
                _show_chosen(cohort, preparation, one)
        st.button(
            "Choose them for me instead",
            icon=":material/restart_alt:",
            on_click=st.session_state.update,
            args=({key: "4"},),
        )


def _show_chosen(cohort: str, preparation: Preparation, name: str) -> None:
    """A small picture of a slice that the field names, or its name alone."""
    scan, _, z = name.rpartition(":")
    known = {one.scan for one in cohorts.load_cohort(cohort).scans}
    if scan.strip() in known and z.isdecimal():
        slices = slices_of_scan(cohort, scan.strip(), preparation)
        if int(z) in slices.z:
            small = _thumbnail(slices, int(z), SMALL)
            st.image(small, caption=plain(label_of(name)), alt=label_of(name))
            return
    st.caption(plain(f"{label_of(name)}: not in this cohort"))


def _thumbnail(slices: SliceSet, z: int, high: int = HIGH) -> np.ndarray:
    picture = pictures.grey(pictures.display(slices.images[slices.z == z][0]))
    return pictures.enlarge(picture, max(1, round(high / picture.shape[0])))
