"""Start: what this is, a first picture at once, and a tour that opens real views."""

import streamlit as st

from ascnet_core import places
from ascnet_core.errors import UserError
from ascnet_core.runs.folder import Run, find_run, list_runs
from pages.parts.shared import cohorts, feedback, state
from pages.parts.shared.device import known_device
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
    shipped = [path for name in SHIPPED if (path := find_run(name))]
    known = shipped or [path for path in list_runs() if (path / places.MODEL).is_file()]
    return Run(known[0]) if known else None


def first_picture(run: Run | None) -> None:
    """The pictures that the run kept: no scan is read and no network loaded for them."""
    snapshots = run.snapshots() if run else []
    if run is None or not snapshots:
        st.info(
            "There is no run yet. Open Training, choose the teaching preset and start it on the "
            "demo cohort: some minutes on a laptop.",
            icon=":material/model_training:",
        )
        st.page_link("pages/training.py", label="Open Training", icon=":material/model_training:")
        return
    snapshot = snapshots[-1]
    left, right = st.columns([1, 1.1], gap="medium", vertical_alignment="top")
    with left:
        st.markdown(f"**Run {run.name}** · I_in, fence cut, wild cut, I_ro")
        st.image(
            live_run.watched_picture(run, snapshot),
            width="stretch",
            alt=f"Watched slices of run {run.name}, each as I_in, fence cut, wild cut and I_ro",
        )
    with right:
        said = feedback.plain(str(snapshot.info.get("verdict", "")))
        st.markdown(f"**Histogram of I_ro**, sample slices · {said}")
        live_charts.show_histogram(snapshot.info, height=270)


def open_buttons(run: Run) -> None:
    """The ways in, as buttons: the first is the main one."""
    one, two, three = st.columns(3)
    query = tour.query_of({}, run.name)
    if one.button(
        "Open the demo in Threshold", icon=":material/equalizer:", type="primary", width="stretch"
    ):
        st.switch_page("pages/threshold.py", query_params=query)
    if two.button("Open the demo in Cuts", icon=":material/content_cut:", width="stretch"):
        st.switch_page("pages/cuts.py", query_params=query)
    if three.button("Open your own scans in Data", icon=":material/folder_open:", width="stretch"):
        st.switch_page("pages/data.py")


def stops(run: Run | None) -> None:
    """Five stops, each a link to a real view."""
    st.markdown("## A tour of five stops")
    name = run.name if run else state.DEFAULT.run
    for number, (column, stop) in enumerate(zip(st.columns(5), tour.STOPS, strict=True), 1):
        with column, st.container(border=True, height="stretch"):
            st.page_link(
                stop.page,
                label=f"**{number} · {stop.title}**",
                query_params=tour.query_of(stop.changes, name, number),
            )
            st.caption(stop.sentence)


def page() -> None:
    style()
    state.current()
    st.title("ASC-Net Explorer", anchor=False)
    st.markdown(ABOUT)
    run = shipped_run()
    with feedback.show_user_errors(stop=False):
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
            f"**Runs** · {len(list_runs())} under `{places.RUNS.name}/`\n\n"
            f"**Demo cohort** · {cohorts.DEMO_SUBJECTS} synthetic subjects, unseen in training, "
            + ("ready" if cohorts.demo_manifest().is_file() else "made when first opened (10 s)")
        )
        st.markdown(f"**Device** · {known_device()[0]}")
        st.caption(
            "Method: Dey, Sun, Xu, Hong, *ASC-Net: Unsupervised Medical Anomaly Segmentation "
            "Using an Adversarial-based Selective Cutting Network*, MICCAI 2021."
        )


page()
