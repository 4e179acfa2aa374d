"""The same slice through several runs, or through two moments of one.

Runs that watch the same slices are compared at every snapshot. Others are compared on a slice of a
scan, which is cut with the networks that they kept.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ascnet_core.monitoring.comparison import Common, common_slices
from ascnet_core.monitoring.history import History, Point, measure
from ascnet_core.places import CUTS, MODEL
from ascnet_core.runs.folder import Run, Snapshot, SnapshotData, short_name
from ascnet_core.runs.result import result_of
from ascnet_core.settings.method import TrainedMethod
from pages.parts.film import film, moments
from pages.parts.shared import cases, cohorts, disk, feedback, state
from pages.parts.shared.feedback import plain
from pages.parts.watch import live_run, stopping

WATCHED, SCAN = "Watched slices, every snapshot", "A slice of a scan, kept networks"
FINISHED = -1
KEYS = (
    "Drag the handle over the pictures, or click them and use ← →. Masks by each run's own rule at "
    "the counts shown, without post-processing; no true mask is used."
)

Levels = NDArray[np.uint8]


def _stamp(*points: Point) -> str:
    """The stamp of snapshots; differs where another run now has the same path."""
    return disk.stamp(point.path / CUTS for point in points if point.path)


@st.cache_resource(show_spinner=False, max_entries=64)
def _watched(run: str, index: int, changed: str) -> Levels:
    return Run(Path(run)).load_snapshot(index).watched_input


def watched_of(run: Run) -> Levels | None:
    """The run's watched inputs (W, S, S), None if it has no snapshot that can be read."""
    points = stopping.history_of(run).points
    return _watched(str(run.path), points[-1].index, _stamp(points[-1])) if points else None


@st.fragment
@feedback.show_user_errors()
def show_slices(runs: Sequence[Run], names: Sequence[str]) -> None:
    """The whole section, for one run (two of its moments) or two to four."""
    watched = [watched_of(run) for run in runs]
    known = [one for one in watched if one is not None]
    common = common_slices(known) if len(known) == len(runs) else Common(())
    key = "slices compared of " + "|".join(str(run.path) for run in runs)
    usable = len(common) > 0 and (len(runs) > 1 or len(stopping.history_of(runs[0]).points) > 1)
    how = None
    if usable:
        how = st.segmented_control(
            "What to compare on",
            [WATCHED, SCAN],
            default=WATCHED,
            key=f"{key} how",
            label_visibility="collapsed",
        )
    elif len(known) < len(runs):
        missing = [run for run, one in zip(runs, watched, strict=True) if one is None]
        sentence = f"{no_snapshot(missing)} A slice of a scan can be compared."
        st.info(plain(sentence), icon=":material/info:")
    elif len(runs) == 1:
        st.info(
            f"{names[0]} kept one snapshot so far; two moments can be compared once it has two. "
            "Choose a second run above to compare it with that.",
            icon=":material/hourglass:",
        )
        return
    else:
        sizes = [one.shape[-1] for one in known]
        told = ", ".join(f"{run.name} {size}" for run, size in zip(runs, sizes, strict=True))
        why = f"their slices differ in size ({told} pixels)"
        if len(set(sizes)) == 1:
            why = "they watch slices of other scans"
        st.info(
            f"These runs have no watched slice in common: {why}. So their snapshots cannot be laid "
            "over one another; a slice of a scan can, cut with the networks that they kept.",
            icon=":material/info:",
        )
    if usable and how != SCAN:
        show_watched(runs, names, common, key)
    else:
        show_scan(runs, names, key)


def no_snapshot(runs: Sequence[Run]) -> str:
    """Why the snapshots of these runs, which have none, cannot be compared."""
    names = ", ".join(run.name for run in runs)
    if any(run.status() in live_run.ACTIVE for run in runs):
        return f"{names} has kept no snapshot so far; it is compared here once it has one."
    return f"No snapshot can be read of {names}."


def reach(names: Sequence[str], seen: Sequence[int]) -> str:
    """Up to where runs can be compared, given the slices that each has seen; empty if it is all."""
    least, most = min(seen), max(seen)
    if least == most:
        return ""
    short, long = names[seen.index(least)], names[seen.index(most)]
    return (
        f"{short} was trained on {least:,} slices so far, {long} on {most:,}: beyond {least:,} the "
        f"last snapshot of {short} stays."
    )


@st.cache_resource(show_spinner=False, max_entries=8)
def _packed(
    path: str, identity: str, kept: tuple[int, ...], slices: tuple[int, ...], _history: History
) -> bytes:
    run = Run(Path(path))
    datas = [run.load_snapshot(_history.points[index].index) for index in kept]
    return moments.pack_run(_history, kept, datas, slices, identity)


def starts(kept: Sequence[int], wanted: int | None) -> tuple[int, int]:
    """The frames that are shown first: the `wanted` snapshot and the newest.

    An early snapshot replaces the wanted one where that is None or the newest.
    """
    last = len(kept) - 1
    early = min(1, max(0, last - 1))
    if wanted is None:
        return early, last
    first = max((at for at, index in enumerate(kept) if index <= wanted), default=early)
    return (early if first == last else first), last


def show_watched(runs: Sequence[Run], names: Sequence[str], common: Common, key: str) -> None:
    """The slices that the runs have in common, with sliders over all snapshots."""
    histories = [stopping.history_of(run) for run in runs]
    watched = watched_of(runs[0])
    assert watched is not None
    longest = max(len(history.points) for history in histories)
    fitting = film.fitting_slices(len(common), watched.shape[-1], longest)
    labels = [f"slice {one + 1}" for one in common.indices[0]]
    chosen = list(range(len(common)))
    if fitting < len(common):
        picked = st.pills(
            "Watched slices",
            chosen,
            selection_mode="multi",
            default=chosen[:fitting],
            format_func=labels.__getitem__,
            key=f"{key} slices",
        )
        chosen = sorted(picked) or [0]
    films, images, sentences = [], [], []
    if not common.scaled_alike:
        sentences = ["The same slices, scaled differently by the runs' own settings of data."]
    kept: list[int] = []
    for number, (run, history) in enumerate(zip(runs, histories, strict=True)):
        slices = tuple(common.indices[number][one] for one in chosen)
        kept = film.kept_frames(len(history.points), len(slices), watched.shape[-1])
        last = history.points[-1]
        identity = f"{run.path}|{_stamp(*history.points)}|{slices}|{last.ends_cycle}|{kept}"
        films.append(_packed(str(run.path), identity, tuple(kept), slices, history))
        images.append([history.points[index].images_seen for index in kept])
        sentence = film.thinning_sentence(len(history.points), len(kept), len(slices))
        sentences += [f"{names[number]}: {sentence}"] if sentence else []
    if len(runs) == 1:
        at = starts(kept, st.session_state.get(moments.FROM, {}).get(str(runs[0].path)))
        sides = [moments.Side(names[0], 0, one) for one in at]
        images = [images[0], images[0]]
    else:
        sides = [
            moments.Side(name, number, len(images[number]) - 1, about(run))
            for number, (name, run) in enumerate(zip(names, runs, strict=True))
        ]
        sentences += filter(None, [reach(names, [seen[-1] for seen in images])])
    send(sides, films, images, [labels[one] for one in chosen], key, "watched")
    st.caption(" ".join([*sentences, KEYS]))


def about(run: Run) -> str:
    """A line on a run for the pointer."""
    with feedback.show_user_errors(stop=False):
        return f"preset {run.settings().preset or 'none'}"
    return ""


def send(
    sides: Sequence[moments.Side],
    films: Sequence[bytes],
    images: Sequence[Sequence[int]],
    labels: Sequence[str],
    key: str,
    kind: str,
) -> None:
    """Send everything to the browser; `kind` tells the ways to compare apart."""
    pair = f"{kind}|{key}"
    identity = f"{pair}|{sides}|{[film.header_in(one)['id'] for one in films]}"
    header = moments.header_of(sides, images, labels, pair, identity)
    moments.show(key=f"{key} moments", data=moments.join(header, films))


def square(plane: NDArray[np.generic], spacing: Sequence[float]) -> NDArray[np.generic]:
    """A plane (X, Y) as a slice (S, S) in true proportion: rows are y, columns x, black around it.

    Each pixel takes the nearest voxel, without interpolation.
    """
    fine = min(spacing[:2])
    counts = [max(1, round(n * mm / fine)) for n, mm in zip(plane.shape, spacing, strict=False)]
    taken = [
        np.minimum(((np.arange(count) + 0.5) * n / count).astype(int), n - 1)
        for count, n in zip(counts, plane.shape, strict=True)
    ]
    rows = plane[np.ix_(*taken)].T
    side = max(rows.shape)
    top, left = ((side - n) // 2 for n in rows.shape)
    return np.pad(rows, ((top, side - rows.shape[0] - top), (left, side - rows.shape[1] - left)))


def scan_data(case: cases.Case, z: int, method: TrainedMethod) -> SnapshotData:
    """An axial slice of a case as a snapshot has it, with the counts of the whole scan."""
    region = case.prepared.region
    inside = region[:, :, z]

    def plane(values: Levels) -> Levels:
        whole = square(values * inside, case.prepared.spacing)[None]
        return np.ascontiguousarray(whole, np.uint8)

    counted = case.maps[method.maps[0].name]
    return SnapshotData(
        # 0 means outside of the region, so dark voxels inside become 1
        plane(np.maximum(case.maps["input"][:, :, z], 1)),
        {one.name: plane(case.maps[one.name][:, :, z]) for one in method.pictures()},
        np.bincount(counted[region], minlength=256).astype(np.int64),
        np.zeros((64, 64), np.int64) if method.two_cuts else None,
    )


def scan_point(run: Run, snapshot: Snapshot, case: cases.Case, data: SnapshotData) -> Point:
    """What the run's rule makes of a slice, its threshold from the whole scan's counts."""
    settings = run.settings()
    asked, counted = settings.segmentation, settings.method.maps[0].name
    reference = run.reference_counts(asked.map)
    read = np.bincount(case.maps[asked.map][case.prepared.region], minlength=256)
    return measure(snapshot, data, asked.map, asked.rule, asked.side, reference, counted, read=read)


def kept_networks(run: Run) -> dict[int, Snapshot]:
    """The moments whose M was kept, by cycle, and the finished model under -1."""
    snapshots = run.snapshots()
    found = {s.total_cycle: s for s in snapshots if (s.path / MODEL).is_file()}
    if (run.path / MODEL).is_file():
        blank = Snapshot(0, 1, 0, 0, 0, 0, run.path, {})
        found[FINISHED] = result_of(run) or (snapshots[-1] if snapshots else blank)
    return found


def show_scan(runs: Sequence[Run], names: Sequence[str], key: str) -> None:
    """One slice of a scan of the cohort, cut with a kept network of each side."""
    view = state.current()
    cohort = cohorts.load_cohort(view.cohort)
    repeated = 2 if len(runs) == 1 else 1
    several, titles = [*runs] * repeated, [*names] * repeated
    kept = [kept_networks(run) for run in several]
    without = sorted({title for title, one in zip(titles, kept, strict=True) if not one})
    if without:
        st.info(f"{', '.join(without)} has no network yet; compare again once a cycle is done.")
        return
    columns = st.columns([1.3, 1.3, *[1] * len(several)], vertical_alignment="bottom")
    scans = [scan.scan for scan in cohort.scans]
    first = cohorts.find_scan(cohort, view.scan).scan
    scan = columns[0].selectbox("Scan", scans, index=scans.index(first), key=f"{key} {cohort.name}")
    chosen: list[int] = []
    for number, (column, one) in enumerate(zip(columns[2:], kept, strict=True)):
        labels = {c: "finished" if c == FINISHED else at.label for c, at in one.items()}
        early = len(runs) == 1 and number == 0
        chosen.append(
            column.selectbox(
                f"{'ABCD'[number]} · {titles[number]}",
                list(labels),
                index=0 if early else len(labels) - 1,
                format_func=labels.__getitem__,
                key=f"{key} network {number}",
            )
        )
    loaded = [
        cases.load_maps(
            state.View(
                cohort=view.cohort,
                run=short_name(run.path),
                cycle=None if c == FINISHED else c,
                scan=scan,
                range="raw",
            )
        )
        for run, c in zip(several, chosen, strict=True)
    ]
    tissue = np.flatnonzero(loaded[0].prepared.region.any(axis=(0, 1)))
    low, high = (int(tissue[0]), int(tissue[-1])) if tissue.size else (0, 0)
    z = low
    if high > low:
        z = columns[1].slider("Axial slice", low, high, (low + high) // 2, key=f"{key} {scan} z")
    films, images = [], []
    for number, (run, case) in enumerate(zip(several, loaded, strict=True)):
        settings = run.settings()
        asked, method = settings.segmentation, settings.method
        snapshot, data = kept[number][chosen[number]], scan_data(case, z, method)
        point = scan_point(run, snapshot, case, data)
        if chosen[number] == FINISHED:
            point = replace(point, label=f"finished ({point.label})")
        history = History(titles[number], (point,), asked.map, asked.rule, method=method)
        films.append(moments.pack_run(history, [0], [data], (0,), f"{case.key}|{z}|{point.label}"))
        images.append([point.images_seen])
    sides = [moments.Side(title, number, 0) for number, title in enumerate(titles)]
    send(sides, films, images, [f"slice {z}"], key, "scan")
    st.caption(
        f"{scan}, axial slice {z}; histograms and thresholds of the whole scan, on its own grid. "
        "Stability needs snapshots in a row, gauges the run's own sample: neither is known here. "
        + KEYS
    )
