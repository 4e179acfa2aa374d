"""When to stop: the advice and its rules, the histograms in time, the film, and the way back."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.figures import history as figures_history
from ascnet_core.figures.basics import PLAIN
from ascnet_core.figures.history import Along
from ascnet_core.monitoring.advisor import advise
from ascnet_core.monitoring.history import History, Point, dice, read_history
from ascnet_core.monitoring.peak_tracks import track_peaks
from ascnet_core.monitoring.truth import watched_truth
from ascnet_core.places import CUTS, EVENTS, SETTINGS
from ascnet_core.runs.folder import Run, short_name
from ascnet_core.runs.result import make_result, result_of
from pages.parts.film import film, film_export, moments
from pages.parts.links import of_run
from pages.parts.new_run import continue_run
from pages.parts.shared import components, disk, feedback
from pages.parts.shared.ticker import Part
from pages.parts.watch import live_run
from pages.parts.watch.advice import show_advice, show_rules

COURSE, RULES, CHARTS = "course of the run", "rules of the run", "charts of the run"  # fragments
WHEN = (
    "The paper stops at three or four separated peaks. They come and go, and more training tears "
    "holes into the mask (Figs. 9, 10)."
)
REFRESH = 6.0  # seconds between two looks at a running run
TIMELINES = ("Heat map", "Ridge lines")
CURVES = ("Index and stability", "Tracked peaks")
ORACLE = "Lay Dice with the true masks over it (oracle)"
ORACLE_HELP = (
    "On the watched slices, where the cohort has masks. The method does not have this knowledge, "
    "and no rule of the advisor uses it."
)
AXES: dict[Along, str] = {"cycle": "by cycle", "images": "by slices seen"}


class Measured(NamedTuple):
    """Measured snapshots of a run by their paths, and the stamps of their files."""

    points: dict[Path, Point]
    stamps: dict[Path, str]


@st.cache_resource(show_spinner=False, max_entries=8)
def _measured(path: str, stamp: str) -> list[Measured]:
    """What is known of a run, in a list of one. Sessions share it: replace it, never change it."""
    return [Measured({}, {})]


def history_of(run: Run) -> History:
    """The history of a run; snapshots that were measured are so again only where they changed."""
    shared = _measured(str(run.path), disk.stamp([run.path / SETTINGS]))
    before = shared[0]
    now = {path: disk.stamp([path / CUTS]) for path in before.points}
    known = {path: one for path, one in before.points.items() if now[path] == before.stamps[path]}
    history = read_history(run, known)
    stamps = {path: now.get(path) or disk.stamp([path / CUTS]) for path in known}
    shared[0] = Measured(known, stamps)
    return history


@st.cache_resource(show_spinner="Looking for the watched slices in the cohort", max_entries=4)
def _truth(path: str, stamp: str) -> np.ndarray:
    run = Run(Path(path))
    return watched_truth(run, run.load_snapshot(run.snapshots()[-1]).watched_input)


def oracle_scores(run: Run, history: History) -> list[float | None] | None:
    """Dice of each mask with the true one; None, with a sentence on the page, if unknown."""
    try:
        stamp = disk.stamp([run.path / SETTINGS]) + disk.scans_stamp(run.cohort().scans)
        truth = _truth(str(run.path), stamp)
    except UserError as error:
        st.warning(feedback.plain(str(error)), icon=":material/visibility_off:")
        return None
    return [dice(point.mask, truth) for point in history.points]


def choose_charts(run: Run, history: History, key: str) -> None:
    """Histograms in time on the left, curves or tracked peaks on the right."""
    points, counted = history.points, history.method.maps[0].short
    one, two, three = st.columns([1, 0.8, 1], vertical_alignment="bottom")
    timeline = one.segmented_control(
        "Histograms in time", TIMELINES, default=TIMELINES[0], key=f"{key} timeline"
    )
    along = two.segmented_control(
        "Time axis", list(AXES), default="cycle", format_func=AXES.__getitem__, key=f"{key} axis"
    )
    curves = three.segmented_control("Curves", CURVES, default=CURVES[0], key=f"{key} curves")
    axis: Along = along or "cycle"
    left, right = st.columns(2, gap="medium")
    with left:
        left_out = 0
        if timeline == TIMELINES[1]:
            figure = figures_history.ridges(points, axis, name=counted)
            left_out = len(points) - len(figures_history.ridge_indices(len(points)))
        else:
            figure = figures_history.timeline(points, axis, name=counted)
        st.plotly_chart(
            figure,
            key=f"{key} left {timeline}",
            config=PLAIN,
            alt=f"Histograms of {counted} in the course of training: {timeline}",
        )
        if left_out:
            st.caption(f"{left_out} snapshots in between have no ridge line; the heat map has all.")
    with right:
        if curves == CURVES[1]:
            figure = figures_history.tracked_peaks(points, track_peaks(points), axis)
        else:
            scores = None
            if st.toggle(ORACLE, key=f"{key} oracle", help=ORACLE_HELP):
                scores = oracle_scores(run, history)
            figure = figures_history.course(points, axis, oracle=scores, name=counted)
        st.plotly_chart(
            figure,
            key=f"{key} right {curves}",
            config=PLAIN,
            alt=f"The course of training by snapshots: {curves}",
        )


@st.cache_resource(show_spinner=False, max_entries=3)
def _packed(
    path: str, identity: str, kept: tuple[int, ...], slices: tuple[int, ...], _history: History
) -> bytes:
    run = Run(Path(path))
    datas = [run.load_snapshot(_history.points[index].index) for index in kept]
    size = int(datas[-1].watched_input.shape[-1])
    losses = film.loss_lines(run.events())
    header = film.header_of(_history, kept, slices, size, losses, identity)
    return film.pack(header, datas, slices)


def show_film(run: Run, history: History, key: str) -> int | None:
    """The film; the index of the snapshot that it shows, None before it was moved."""
    newest = run.load_snapshot(history.points[-1].index)
    watched, size = newest.watched_input.shape[:2]
    number = len(history.points)
    fitting = film.fitting_slices(watched, size, number)
    chosen = st.pills(
        "Watched slices in the film",
        range(watched),
        selection_mode="multi",
        default=list(range(min(fitting, 3))),
        format_func=lambda one: f"slice {one + 1}",
        key=f"{key} slices",
    ) or [0]
    slices = tuple(sorted(chosen))
    kept = tuple(film.kept_frames(number, len(slices), size))
    last = history.points[-1]
    stamp = disk.stamp(point.path / CUTS for point in history.points if point.path)
    identity = f"{run.path}|{stamp}|{last.step}|{slices}|{history.rule}|{last.ends_cycle}"
    data = _packed(str(run.path), identity, kept, slices, history)
    film.show(key=f"{key} film", data=data, on_frame_change=lambda: None)
    sentence = film.thinning_sentence(number, len(kept), len(slices))
    more = f"{sentence} Choose fewer slices to see more. " if sentence else ""
    st.caption(f"{more}{film.KEYS}.")
    with st.container(horizontal=True):
        st.download_button(
            "Film as GIF",
            lambda: film_export.gif_of(run, history, slices),
            file_name=f"{run.name}.gif",
            mime="image/gif",
            icon=":material/movie:",
            key=f"{key} gif",
            help=f"These slices; of more than {film_export.MOST_FRAMES} snapshots every n-th.",
        )
        st.download_button(
            "Film as HTML",
            lambda: film_export.page_of(run, data, sentence),
            file_name=f"{run.name}.html",
            mime="text/html",
            icon=":material/slideshow:",
            key=f"{key} html",
            help="This film with its slider and all panels in one file, which needs neither the "
            "app nor a network.",
        )
        index: int | None = components.reported(f"{key} film").get("frame")
        if number > 1 and st.button(
            "Compare two moments",
            icon=":material/compare:",
            key=f"{key} compare",
            help="The film's moment and the newest one, swiped over one another.",
        ):
            moments.open_moments(short_name(run.path), run.path, index)
    return index


def show_way_back(run: Run, history: History, index: int | None, key: str) -> None:
    """Open the film's cycle, or the advised one, in Cuts and Threshold; make it the result."""
    # the last kept M of each cycle
    labels = {point.total_cycle: point.label for point in history.points if point.has_model}
    if not labels:
        st.caption("No snapshot of this run keeps M, so none can be opened on a scan.")
        return
    best = advise(history).best_cycle if history.method.two_cuts else None
    cycles = list(labels)
    wanted = next((p.total_cycle for p in history.points if p.index == index), best)
    if wanted not in cycles:
        wanted = cycles[-1]  # a menu that names none would go on showing what was newest before
    name, result = short_name(run.path), result_of(run)
    label, cut, threshold, back = st.columns([1.7, 1, 1.15, 1.1], vertical_alignment="bottom")
    cycle = label.selectbox(
        "Open a cycle on any scan (the film's, or the one that is advised)",
        cycles,
        index=cycles.index(wanted),
        format_func=lambda one: labels[one] + (" · advised" if one == best else ""),
        key=f"{key} cycle {wanted}",
    )
    if cut.button("Open this cycle in Cuts", icon=":material/content_cut:", width="stretch",
                  key=f"{key} cuts", disabled=not history.method.two_cuts):  # fmt: skip
        of_run.open_run("pages/cuts.py", name, cycle)
    if threshold.button("Open this cycle in Threshold", icon=":material/equalizer:",
                        width="stretch", key=f"{key} threshold"):  # fmt: skip
        of_run.open_run("pages/threshold.py", name, cycle)
    with back.popover("Make it the result", icon=":material/undo:", width="stretch",
                      disabled=run.status() in live_run.ACTIVE):  # fmt: skip
        chosen = run.at_cycle(cycle)
        st.markdown(
            f"Every page and command that opens **{run.name}** without naming a cycle would then "
            f"use **{chosen.label}** instead of "
            f"{f'**{result.label}**' if result else 'where it stopped'}. Any kept cycle can be "
            "made the result again; going on with the training starts from its last step."
        )
        if not result:
            st.warning(
                "The run's present result is not among the kept cycles and would be lost.",
                icon=":material/warning:",
            )
        if st.button("Yes, make it the result", key=f"{key} promote", type="primary"):
            make_result(run, chosen)
            st.rerun()
    said, _, _, fork = st.columns([1.7, 1, 1.15, 1.1], vertical_alignment="center")
    # Not in the menu's labels: a menu keeps showing its old label when the labels change.
    said.caption(f"The run's result: {result.label if result else 'where it stopped'}.")
    with fork:
        continue_run.fork_button(name, cycle, f"{key} fork")


def parts(run: Run, charts: bool) -> dict[str, Part]:
    """The fragments below that a clock draws again while the run trains.

    `charts`: `show_charts` is among them.
    """

    def marked() -> object:
        events = live_run.read_new_events(run.path / EVENTS)
        kinds = ("snapshot", "cycle", "end")
        return next(((e["kind"], e["step"]) for e in reversed(events) if e["kind"] in kinds), None)

    shown = (COURSE, RULES, CHARTS) if charts else (COURSE, RULES)
    return {key: Part(marked, REFRESH) for key in shown}


def _key(run: Run) -> str:
    return f"termination of {run.path}"


def show_course(run: Run) -> None:
    """The advice, the histograms in time, and the curves that it goes by, below one another."""

    @feedback.show_user_errors(stop=False)
    def course() -> None:
        history = history_of(run)
        points, name = history.points, history.method.maps[0].short
        with st.container(key="advice"):
            for problem in history.left_out:
                st.warning(feedback.plain(problem), icon=":material/broken_image:")
            if points:
                show_advice(history, live_run.way_on(run))
            else:
                st.info("Advice comes with the first snapshot.", icon=":material/flag:")
        with st.container(key="heat-map", height=300, border=False):
            st.markdown(
                f"**Histograms of {name} in time** · dark where many pixels are, log", help=WHEN
            )
            if points:
                st.plotly_chart(
                    figures_history.timeline(points, name=name, compact=True),
                    key=f"{_key(run)} heat map",
                    height="stretch",
                    config=PLAIN,
                    alt=f"Heat map of the histograms of {name}: cycles from left to right, grey "
                    "levels 0 to 255 from the bottom to the top; dark where many pixels are.",
                )
        with st.container(key="main-curve", height=300, border=False):
            st.markdown(f"**Separation of the peaks of {name}, stability of the mask**")
            if points:
                st.plotly_chart(
                    figures_history.main_course(points),
                    key=f"{_key(run)} main curve",
                    height="stretch",
                    config=PLAIN,
                    alt=figures_history.course_in_words(points),
                )

    st.fragment(course, key=COURSE)()


def show_rules_of(run: Run) -> None:
    """The advisor's rules with their figures."""
    _show_of_history(run, RULES, show_rules)


def show_charts(run: Run) -> None:
    """All charts of the course, larger and to choose from."""
    _show_of_history(run, CHARTS, lambda history: choose_charts(run, history, _key(run)))


def _show_of_history(run: Run, key: str, show: Callable[[History], None]) -> None:
    """A fragment of what a run's history shows, or of what to wait for."""

    @feedback.show_user_errors(stop=False)
    def drawn() -> None:
        history = history_of(run)
        if history.points:
            show(history)
        else:
            st.caption(live_run.what_to_wait_for(run))

    st.fragment(drawn, key=key)()


@st.fragment
@feedback.show_user_errors(stop=False)
def show_moving(run: Run) -> None:
    """The film, and the way from one of its cycles to the other pages."""
    history = history_of(run)
    if not history.points:
        st.caption(live_run.what_to_wait_for(run))
        return
    with st.container():  # a place for it, so that the film never moves
        if run.status() in live_run.ACTIVE:
            st.button("Show what is new", icon=":material/refresh:", key=f"{_key(run)} refresh")
    index = show_film(run, history, _key(run))
    show_way_back(run, history, index, _key(run))
