"""Start: what this is, a first picture at once, and a tour that opens real views."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import streamlit as st

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.runs.folder import Run, Snapshot, find_run, list_runs
from pages.parts.shared import cases, state
from pages.parts.shared.sidebar import style
from pages.parts.start import tour
from pages.parts.watch import live_charts, live_run

SHIPPED = ("demo-flair", "demo-flair-paper")
ABOUT = (
    "ASC-Net learns, without a single mask, what normal images look like, and cuts a scan in two: "
    "a **fence cut** that looks normal and a **wild cut** that holds the rest. Put together again "
    "they make an image **I_ro** of a few grey levels, and a threshold in its histogram is the "
    "segmentation of the anomaly. Here you train or load it, see what each cut holds, click the "
    "peak that is the lesion, and learn how good the mask is."
)
HONEST = [
    "**A plain intensity threshold is a strong baseline** on FLAIR: it stands beside every result.",
    "**Quantiser control.** If I_ro ranks pixels as I_in does (rank correlation near 1), the "
    "network has only sorted brightness anew; Cuts shows the number.",
    "**An oracle is no result.** Thresholds chosen with masks are hatched, italic and so named.",
    "**The run `demo-flair` is a variant** (two-cut denoising, no adversary); `demo-flair-paper` "
    "has the paper's own losses on the same data.",
    "**Research and teaching only**: no medical device, no diagnosis.",
]


def shipped_run() -> Run | None:
    """The run to open with: the shipped one, else any with a model."""
    for name in SHIPPED:
        found = find_run(name)
        if found is not None:
            return Run(found)
    trained = [path for path in list_runs() if (path / "model.safetensors").is_file()]
    return Run(trained[0]) if trained else None


def last_snapshot(run: Run) -> Snapshot | None:
    """The newest kept moment of a run."""
    snapshots = run.snapshots()
    return snapshots[-1] if snapshots else None


class Warmth:
    """What a thread finds out after the first picture: the device, and the demo cohort ready."""

    def __init__(self) -> None:
        self.device = ""
        self.ready = threading.Event()
        self.cohort = ""

    def run(self) -> None:
        """Import torch (2.4 s) where nobody waits for it, after the first page has been sent."""
        time.sleep(2)
        try:
            import torch

            if torch.cuda.is_available():
                self.device = f"GPU: {torch.cuda.get_device_name()}"
            else:
                self.device = f"CPU, {torch.get_num_threads()} threads"
        except (ImportError, OSError, RuntimeError) as error:
            self.device = f"none: torch cannot be loaded ({error})"
        self.ready.set()


@st.cache_resource(show_spinner=False)
def warmth() -> Warmth:
    """Start finding out, once per server."""
    found = Warmth()
    threading.Thread(target=found.run, daemon=True).start()
    return found


def device_line() -> None:
    """The device found; it does not hold up what stands above it."""
    found = warmth()

    @st.fragment(run_every=None if found.ready.is_set() else 0.5)
    def line() -> None:
        known = found.ready.is_set()
        st.markdown(f"**Device** · {found.device if known else 'looking…'}")
        if known and not drawn_ready:
            st.rerun()  # once, so that the timer goes

    drawn_ready = found.ready.is_set()
    line()


def first_picture(run: Run | None) -> None:
    """The shipped run's own pictures: no scan is read and no network loaded for them."""
    snapshot = last_snapshot(run) if run else None
    if run is None or snapshot is None:
        st.info(
            "There is no run yet. Open Training, choose the teaching preset and start it on the "
            "demo cohort: some minutes on a laptop.",
            icon=":material/model_training:",
        )
        st.page_link("pages/training.py", label="Open Training", icon=":material/model_training:")
        return
    left, right = st.columns([1, 1.1], gap="medium", vertical_alignment="top")
    with left:
        st.markdown(f"**Run {run.name}** · I_in, fence cut, wild cut, I_ro")
        st.image(live_run.watched_picture(run, snapshot), width="stretch")
    with right:
        st.markdown(f"**Histogram of I_ro**, sample slices · {snapshot.info.get('verdict', '')}")
        st.vega_lite_chart(
            live_charts.histogram_table(snapshot.info),
            live_charts.histogram_spec() | {"height": 270},
            width="stretch",
        )


def open_buttons(run: Run) -> None:
    """The ways in; buttons, so that the first is seen to be the main one."""
    ways = [
        ("Open the demo in Threshold", ":material/equalizer:", "pages/threshold.py", "primary"),
        ("Open the demo in Cuts", ":material/content_cut:", "pages/cuts.py", "secondary"),
    ]
    columns = st.columns(3)
    for column, (label, icon, page, kind) in zip(columns, ways, strict=False):
        if column.button(label, icon=icon, type=kind, width="stretch"):
            st.switch_page(page, query_params=tour.query_of({}, run.name))
    if columns[2].button(
        "Open your own scans in Data", icon=":material/folder_open:", width="stretch"
    ):
        st.switch_page("pages/data.py")


def stops(run: Run | None) -> None:
    """Five stops, each a link to a real view."""
    st.markdown("##### A tour of five stops")
    name = run.name if run else state.DEFAULT.run
    for column, stop in zip(st.columns(5), tour.STOPS, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.page_link(
                stop.page,
                label=f"**{stop.title}**",
                query_params=tour.query_of(stop.changes, name),
            )
            st.caption(stop.sentence)


def page() -> None:
    style()
    state.current()
    st.subheader("ASC-Net Explorer", anchor=False)
    st.markdown(ABOUT)
    run = shipped_run()
    with cases.show_user_errors(stop=False):
        try:
            first_picture(run)
        except (OSError, ValueError) as error:
            raise UserError(f"The shipped run cannot be read ({error}); train one.") from error
    if run is not None:
        open_buttons(run)
    stops(run)
    left, right = st.columns([2.2, 1], gap="medium")
    with left, st.container(border=True, height="stretch"):
        st.markdown("**What to keep in mind**\n\n" + "\n".join(f"- {line}" for line in HONEST))
    with right, st.container(border=True, height="stretch"):
        st.markdown(
            f"**Runs** · {len(list_runs())} under `{Path(places.RUNS).name}/`\n\n"
            f"**Demo cohort** · {cases.DEMO_SUBJECTS} synthetic subjects, unseen in training, "
            + ("ready" if cases.demo_manifest().is_file() else "made when first opened (10 s)")
        )
        device_line()
        st.caption(
            "Method: Dey, Sun, Xu, Hong, *ASC-Net: Unsupervised Medical Anomaly Segmentation "
            "Using an Adversarial-based Selective Cutting Network*, MICCAI 2021."
        )


page()
