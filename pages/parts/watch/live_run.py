"""A run while it trains, from its folder: progress, losses, gauges, watched cuts, histogram."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.places import EVENTS, SETTINGS, SNAPSHOTS, TRAINING
from ascnet_core.runs import requests
from ascnet_core.runs.events import RunProgress, memory_in_words, read_events
from ascnet_core.runs.folder import Run, Snapshot, last_word
from ascnet_core.settings.method import Gauge
from ascnet_core.settings.methods import METHODS
from ascnet_core.settings.methods.asc_net import AscNet
from pages.parts.shared import disk, feedback, pictures, runs
from pages.parts.shared.ticker import Part
from pages.parts.watch import live_charts

Request = Literal["stop", "pause", "go"]
Button = tuple[str, str, Request, str | None]
"""Label, icon, what it asks for, help."""
ACTIVE = ("running", "paused")
GO_ON, EXTEND = "Go on", "Go on for longer"  # buttons of a run that stopped, that has finished
READ = "events read"  # session key: path -> (offset, rows)
PROGRESS, PICTURES, LOSSES = "live progress", "live pictures", "live losses"  # fragments
SHOWN = 2  # watched slices on the screen unless others are chosen
ANSWER = 1.5  # seconds to wait for what a process was asked for
GAUGES = {one.name: one.title for method in reversed(METHODS.values()) for one in method.gauges}
"""Titles of gauges where runs of several methods are compared."""


def progress_sentence(status: str, progress: RunProgress | None) -> str:
    """Where a run is, in a line."""
    if progress is None:
        return "reading the scans and taking them into slices" if status == "running" else status
    where = f"stage {progress.stage}, cycle {progress.cycle}"
    if progress.phase:
        where += f", {progress.phase} phase" if progress.phase != "joint" else ""
        where += f", epoch {progress.epoch}" if progress.epoch else ""
    text = f"{where} · step {progress.step} of {progress.steps_total}"
    if status == "running" and progress.seconds_left is not None:
        left = feedback.duration(progress.seconds_left)
        text += f" · {progress.steps_per_second:.1f} steps/s · {left} left"
    if progress.memory:
        where = "GPU memory" if progress.device.startswith("cuda") else "memory"
        text += f" · peak {where} {memory_in_words(progress.memory)}"
    return text


def read_new_events(path: Path) -> list[dict[str, Any]]:
    """All events of a run; only those that are new since the last call are read."""
    known: dict[str, tuple[str, int, list[dict[str, Any]]]] = st.session_state.setdefault(READ, {})
    size, entry = 0, 0
    if path.is_file():
        found = path.stat()
        size, entry = found.st_size, found.st_ino
    # Another run may have the same path by now, and a resumed one a new file, without the events
    # after its checkpoint.
    identity = f"{entry} {disk.stamp([path.with_name(SETTINGS)])}"
    before, offset, events = known.get(str(path), (identity, 0, []))
    if size < offset or identity != before:
        offset, events = 0, []
    more, offset = read_events(path, offset)
    events = [*events, *more] if more else events
    known[str(path)] = (identity, offset, events)
    return events


def watched_picture(run: Run, snapshot: Snapshot, which: Sequence[int] = (0, 1)) -> np.ndarray:
    """Watched slices of these indices by rows, I_in and the maps by columns, as one picture.

    What lies outside the region is black: it is neither counted nor segmented.
    """
    data = run.load_snapshot(snapshot)
    inside = data.watched_input > 0
    kept = [data.levels(one.name) * inside for one in runs.method_of(run).pictures()]
    columns = [data.watched_input, *kept]
    shown = [index for index in which if index < len(inside)]
    tiles = [pictures.display(images[index]) for index in shown for images in columns]
    factor = max(1, round(176 / tiles[0].shape[0]))
    return pictures.enlarge(pictures.montage(np.stack(tiles), len(columns)), factor)


def label_of(name: str) -> str:
    """`scan:z` in words."""
    scan, _, z = name.rpartition(":")
    return f"{scan}, slice {z}"


def choose_shown(run: Run, snapshot: Snapshot) -> list[int]:
    """Pills for a run's watched slices; the indices of the chosen ones, at least one."""
    number = len(run.load_snapshot(snapshot).watched_input)
    names = run.watched_names()
    known = len(names) == number  # older runs did not keep them
    chosen = st.pills(
        "Watched slices to show",
        range(number),
        selection_mode="multi",
        default=list(range(min(SHOWN, number))),
        format_func=lambda one: label_of(names[one]) if known else f"slice {one + 1}",
        key=f"watched slices shown of {run.path}",
        label_visibility="collapsed",
    )
    return sorted(chosen) or [0]


def controls(run: Run, status: str) -> None:
    """Buttons that ask the training process for something; it answers within a step."""
    stops = "Stops within a step and keeps a checkpoint to go on from."
    stop: Button = ("Stop", "stop", "stop", stops)
    if status == "paused":
        buttons: list[Button] = [(GO_ON, "play_arrow", "go", None), stop]
    else:
        buttons = [stop, ("Pause", "pause", "pause", None)]
    for label, icon, what, about in buttons:
        st.button(
            label,
            icon=f":material/{icon}:",
            help=about,
            on_click=ask,
            args=(run, status, what),
            type="primary" if what == "go" else "secondary",
        )
    if status == "running":
        st.button(
            "Snapshot",
            icon=":material/photo_camera:",
            on_click=ask_for_snapshot,
            args=(run,),
            help="Keeps this moment now, between two steps. It ends no cycle and changes nothing "
            "in the training; `schedule.snapshot_epochs` keeps one every so many epochs.",
        )


def ask_for_snapshot(run: Run) -> None:
    """Ask the process to keep the moment it is in."""
    requests.ask(run.path, "snapshot")
    st.toast("Asked for a snapshot; it is taken after the step the run is in.")


def ask(run: Run, status: str, what: Request) -> None:
    """Ask the process for something, and wait a moment for its answer."""
    if not requests.ask(run.path, what):
        return
    deadline = time.monotonic() + ANSWER
    while run.status() == status and time.monotonic() < deadline:
        time.sleep(0.05)
    if run.status() == status:
        st.toast("Asked for it; the training answers after the step it is in.")


def parts(run: Run) -> dict[str, Part]:
    """The fragments of this module that a clock draws again, each with the state that it shows."""
    events = run.path / EVENTS

    def written() -> int:  # a pause and its end are events too
        return events.stat().st_size if events.is_file() else 0

    def newest() -> str:  # the folder of the newest snapshot; none of them is read
        folder = run.path / SNAPSHOTS
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return max((name for name in names if name[:3].isdigit()), default="")

    return {PROGRESS: Part(written), LOSSES: Part(written, 4.0), PICTURES: Part(newest)}


def show_progress(run: Run) -> None:
    """The progress bar, with the state in a line above it."""

    @feedback.show_user_errors(stop=False)
    def progress() -> None:
        status, found = run.status(), run.progress()
        share = 1.0 if status == "finished" else (found.share if found else 0.0)
        st.progress(share, text=f"**{status}** · {progress_sentence(status, found)}")

    st.fragment(progress, key=PROGRESS)()


def show_death(run: Run) -> None:
    """Why the process died, if it did."""
    if run.status() == "died":
        last = feedback.plain(last_word(run.log(1000)))
        said = f"The last line of its log: “{last}”." if last else "Its log is empty."
        st.error(
            f"The process of {feedback.plain(run.name)} ended before its time. {said} Go on from "
            "its last checkpoint, or start anew.",
            icon=":material/error:",
        )


def way_on(run: Run) -> str:
    """The button that goes on with a run which has ended; empty where there is none."""
    status = run.status()
    if status in ACTIVE or not (run.path / TRAINING).is_file():
        return ""
    return EXTEND if status == "finished" else GO_ON


def what_to_wait_for(run: Run) -> str:
    """The sentence of a run without snapshots."""
    if run.status() in ACTIVE:
        return "The first pictures come once the scans are read."
    return "This run kept no snapshot; train it on for a cycle to see its course."


def show_snapshot(run: Run, chosen: Snapshot | None) -> None:
    """The watched slices' cuts and the histogram of one kept moment, of the newest if None."""

    @feedback.show_user_errors(stop=False)
    def pictures() -> None:
        snapshot = chosen or run.newest_snapshot()
        with st.container(key="watched-slices"):
            if snapshot is None:
                st.info(what_to_wait_for(run), icon=":material/hourglass:")
            else:
                _show_slices(run, snapshot)
        with st.container(key="histogram", height=300, border=False):
            if snapshot is not None:
                _show_histogram(run, snapshot)

    st.fragment(pictures, key=PICTURES)()


def _show_slices(run: Run, snapshot: Snapshot) -> None:
    shown = ", ".join(["I_in", *(one.short for one in runs.method_of(run).pictures())])
    with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
        st.markdown(f"**Watched slices, {snapshot.label}** · {shown} from left to right")
        with st.popover("Slices", icon=":material/layers:", type="tertiary"):
            which = choose_shown(run, snapshot)
    rows = ", ".join(str(one + 1) for one in which)
    st.image(
        watched_picture(run, snapshot, which=which),
        width="stretch",
        alt=f"Watched slices {rows} at {snapshot.label}, one below the other; {shown} from left to "
        "right.",
    )


def _show_histogram(run: Run, snapshot: Snapshot) -> None:
    counted = runs.method_of(run).maps[0].short
    said = str(snapshot.info.get("verdict", ""))
    st.markdown(f"**Histogram of {counted}**, sample slices · {feedback.plain(said)}")
    live_charts.show_histogram(snapshot.info, counted, "stretch")


def show_curves(run: Run, drawn: bool) -> None:
    """Gauges and, where they can be seen, the loss curves."""

    @feedback.show_user_errors(stop=False)
    def curves() -> None:
        events = read_new_events(run.path / EVENTS)
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown("**Losses**")
            if drawn:
                _show_losses(events)
        with right:
            show_gauges(run, events)

    st.fragment(curves, key=LOSSES)()


def _show_losses(events: Sequence[Mapping[str, Any]]) -> None:
    rows = live_charts.thinned(live_charts.event_rows(events, "step", "losses"))
    if not rows:
        st.caption("No step has been logged yet.")
        return
    table = live_charts.long_table(rows)
    names = ", ".join(table["term"].unique())
    live_charts.draw(table, live_charts.loss_spec(table), f"Curves by step of: {names}.")


def gauges_table(
    gauges: Mapping[str, Any], dead: bool, known: Sequence[Gauge] = AscNet.gauges
) -> str:
    """The gauges as a Markdown table, those of a dead adversary in red."""
    from pages.parts.shared import tables

    rows = []
    for name, label, about in known:
        value = gauges.get(name)
        if isinstance(value, int | float):
            cells = [label, f"{value:.3f}", about]
            if dead and name in ("score", "saturated", "gradient"):
                cells = [f":red[{label}]", f":red[**{value:.3f}**]", f":red[{about}]"]
            rows.append(cells)
    return tables.markdown(("gauge", "value", "what it says"), rows, (":--", "--:", ":--"))


def show_gauges(run: Run, events: Sequence[Mapping[str, Any]]) -> None:
    """The newest gauges; a dead adversary in red, with the sentence that says why."""
    gauges = live_charts.event_rows(events, "epoch", "gauges")
    st.markdown("**Gauges** of the last epoch, mean over sample slices")
    if not gauges:
        st.caption("They are measured at the end of each epoch.")
        return
    from ascnet_core.monitoring.advisor import dead_adversary

    loss = "tanh-mae"  # the paper's, where the settings cannot be read
    with suppress(UserError):
        loss = run.settings().adversary.loss
    why = dead_adversary(gauges[-1], loss)
    if why:
        st.error(
            f"{why[:1].upper()}{why[1:]}. Weaken D, or choose a loss that keeps its slope.",
            icon=":material/heart_broken:",
        )
    table = gauges_table(gauges[-1], bool(why), runs.method_of(run).gauges)
    st.markdown(f"<small>\n\n{table}\n\n</small>", unsafe_allow_html=True)
