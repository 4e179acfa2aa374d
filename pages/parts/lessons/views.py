"""The six stops of the lessons: title, paragraph, live view.

Each view draws itself and returns the sentence on what to notice, with numbers of what is shown.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ascnet_core.figures import basics as figures
from ascnet_core.figures.basics import COLOURS
from ascnet_core.imaging.cohort import Scan
from ascnet_core.metrics.overlap import (
    oracle_cohort_threshold,
    oracle_threshold,
    threshold_table,
)
from ascnet_core.monitoring.advisor import advise
from ascnet_core.runs.folder import Run, resolve_run
from ascnet_core.segmentation.histogram import count_levels, find_peaks
from ascnet_core.segmentation.masks import numbers_at
from ascnet_core.segmentation.quantiser import rank_correlation
from ascnet_core.segmentation.threshold import attempt, propose
from pages.parts.shared import cases, cohorts, pictures, runs
from pages.parts.shared.state import View
from pages.parts.viewer import findings, viewer
from pages.parts.viewer.viewer import Mask
from pages.parts.watch import live_charts, live_run, stopping

COHORT = "demo"
RUN, PAPER, SLOW = "demo-flair", "demo-flair-paper", "demo-t2"
ENLARGED = 3

PLAIN = {"displayModeBar": False}
NAMES = {
    RUN: "the variant (demo-flair)",
    SLOW: "a slow one (demo-t2)",
    PAPER: "the paper's losses (demo-flair-paper)",
}


def view_of(run: str, scan: str = "", map: str = "") -> View:
    """A view of the lessons' cohort on the raw range."""
    return View(cohort=COHORT, run=run, scan=scan, map=map, range="raw")


def lesion_scans() -> list[Scan]:
    """The demo subjects that have a lesion."""
    return [scan for scan in cohorts.load_cohort(COHORT).scans if scan.group == "anomalous"]


def level_of(case: cases.Case) -> int:
    """The axial slice that holds most of the lesion."""
    truth = case.prepared.truth
    held = case.prepared.region if truth is None else truth
    return int(held.sum(axis=(0, 1)).argmax())


def tile(
    case: cases.Case, name: str, z: int, mask: Mask | None = None, colour: str = COLOURS["mask"]
) -> pictures.Picture:
    """An axial slice of a map as RGB, `mask` (X, Y, Z) over it, the true mask outlined in blue."""
    region = case.prepared.region[:, :, z]
    marked = np.zeros_like(region) if mask is None else mask[:, :, z]
    grey = pictures.display((case.maps[name][:, :, z] * region).T)
    picture = pictures.over(grey, pictures.display(marked.T), colour)
    picture = pictures.enlarge(picture, ENLARGED)
    truth = case.prepared.truth
    if truth is not None:
        held = pictures.enlarge(pictures.display(truth[:, :, z].T), ENLARGED)
        picture[pictures.outline(held)] = pictures.rgb(COLOURS["truth"])
    return picture


def _subject(key: str) -> str:
    names = [scan.scan for scan in lesion_scans()]
    return str(st.selectbox("Subject", names, key=f"lesson subject {key}"))


def _two_columns(key: str) -> tuple[cases.Case, DeltaGenerator]:
    """The menu of subjects, and a column beside it for another control."""
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    with left:
        return cases.load_maps(view_of(RUN, scan=_subject(key))), right


def histograms() -> str:
    """Stop 1: the same threshold on the input and on I_ro."""
    case, right = _two_columns("histograms")
    level = right.slider("One threshold for both", 0, 255, 150, key="lesson level of both")
    z, region = level_of(case), case.prepared.region
    scores, best = {}, {}
    for column, name in zip(st.columns(2, gap="large"), ("input", "reconstruction"), strict=True):
        counts = count_levels(case.maps[name], region)
        peaks = [peak.position for peak in find_peaks(counts)]
        table = threshold_table(case.maps[name], case.prepared.truth, region)
        scores[name] = float(table.dice("bright")[level])
        best[name] = oracle_threshold(table, "bright")
        figure = figures.histogram({name: counts}, peaks)
        figure.add_vline(x=level, line={"color": COLOURS["mask"], "width": 2})
        mask = (case.maps[name] >= level) & region
        both = [tile(case, name, z), tile(case, name, z, mask)]
        called = figures.MAP_TITLES[name]
        column.plotly_chart(
            figure,
            config=PLAIN,
            key=f"lesson histogram {name}",
            alt=f"Histogram of {called} with its peaks and the threshold {level}",
        )
        column.image(
            pictures.side_by_side(both),
            width=440,
            alt=f"{called}, alone and with all from level {level} on marked",
        )
    return (
        f"At {level} the mask of I_in has Dice {scores['input']:.2f}, that of I_ro "
        f"{scores['reconstruction']:.2f} (both need the true mask to be known). The best that any "
        f"threshold could do, an *oracle*: {best['input'][1]:.2f} on I_in at {best['input'][0]}, "
        f"{best['reconstruction'][1]:.2f} on I_ro at {best['reconstruction'][0]}."
    )


def two_cuts() -> str:
    """Stop 2: the pixels of a peak of I_ro, in the input and both cuts."""
    case, right = _two_columns("cuts")
    region, z, levels = case.prepared.region, level_of(case), case.maps["reconstruction"]
    peaks = find_peaks(count_levels(levels, region))
    labels = [f"peak {n} · level {peak.position}" for n, peak in enumerate(peaks, 1)]
    chosen = right.segmented_control(
        "Peak of I_ro", labels, default=labels[-1], key="lesson peak", required=True
    )
    peak = peaks[labels.index(chosen) if chosen in labels else -1]
    lit = (levels >= peak.left) & (levels <= peak.right) & region
    names = ("input", "fence", "wild", "reconstruction")
    for column, name in zip(st.columns(4), names, strict=True):
        column.markdown(f"**{figures.MAP_TITLES[name]}**")
        column.image(
            tile(case, name, z, lit, COLOURS["wild"]),
            width="stretch",
            alt=f"{figures.MAP_TITLES[name]} with the pixels of the peak marked",
        )
    means = {name: float(case.maps[name][lit].mean()) / 255 for name in names[:3]}
    truth = case.prepared.truth
    held = "" if truth is None else f" Of them {truth[lit].mean():.0%} are lesion (*oracle*)."
    return (
        f"This peak holds {lit.sum() / region.sum():.1%} of the voxels. There the input is "
        f"{means['input']:.2f} on average, the fence cut {means['fence']:.2f}, the wild cut "
        f"{means['wild']:.2f}.{held}"
    )


def the_click() -> str:
    """Stop 3: the viewer of the Threshold page."""
    with st.columns([1, 3])[0]:
        scan = _subject("click")
    view = runs.complete(View(cohort=COHORT, run=RUN, scan=scan))
    shown = findings.load(view)
    viewer.show_volumes(findings.packed(shown))
    left, right = st.columns([5, 1.2])
    with left:
        data = findings.viewer_data(shown, None, 0, "", "")
        viewer.show_viewer(data, "lesson viewer", lambda: None)
    with right:
        viewer.show_numbers()
    return (
        f"The rule `{shown.proposed.rule}`, which saw no mask, proposes level "
        f"{shown.proposed.level} of 255 here; the line moves where you click, and the mask in "
        "three planes and its numbers move with it."
    )


def too_early() -> str:
    """Stop 4: a run's snapshots, with what the advisor would have said at each."""
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    with left:
        name = st.selectbox("Run", list(NAMES), format_func=NAMES.__getitem__, key="lesson run")
    run = Run(resolve_run(name))
    snapshots, history = run.snapshots(), stopping.history_of(run)
    index = right.select_slider(
        "Moment of the training",
        options=range(len(snapshots)),
        value=len(snapshots) - 1,
        format_func=lambda i: snapshots[i].label,
        key=f"lesson moment {name}",
    )
    snapshot, point = snapshots[index], history.points[index]
    one, two = st.columns([1, 1.1], gap="medium")
    one.image(
        live_run.watched_picture(run, snapshot),
        width="stretch",
        alt=f"Watched slices at {snapshot.label}, each as I_in, fence cut, wild cut and I_ro",
    )
    with two:
        live_charts.show_histogram(snapshot.info, height=230)
        advice = advise(history.points[: index + 1])
        box, icon = stopping.BOXES[advice.kind]
        box(stopping.sentence_of(advice, "running"), icon=icon)
    holes = "no mask" if point.holes is None else f"enclosed holes in the mask: {point.holes}"
    same = "" if point.stability is None else f", Dice {point.stability:.2f} with the mask before"
    return (
        f"{snapshot.label}: {point.separated} separated "
        f"{'peak' if point.separated == 1 else 'peaks'}, separation index "
        f"{point.separation_index:.2f}, {holes}{same}. None of this needs a true mask."
    )


def one_or_each() -> str:
    """Stop 5: one threshold for the cohort against one a subject."""
    scans = cohorts.load_cohort(COHORT).scans
    tables = cases.cohort_tables(view_of(RUN, map="reconstruction"))
    sick = {scan.scan: table for scan, table in zip(scans, tables, strict=True) if table.true}
    rule = runs.run_settings(RUN).segmentation.rule
    common = propose(rule, cases.pooled_counts(tables), "bright").level
    level = st.slider("One level for all subjects", 0, 255, common, key="lesson level for all")
    for_all = [float(table.dice("bright")[level]) for table in sick.values()]
    own = {name: attempt(rule, table.levels, "bright") for name, table in sick.items()}
    each = [numbers_at(sick[name], found, 1.0)["dice"] or 0.0 for name, found in own.items()]
    best = [oracle_threshold(table, "bright")[1] for table in sick.values()]
    figure = figures.dice_by_subject(
        list(sick),
        {f"level {level} for all": for_all, f"{rule} of each subject": each},
        {"each subject's best level": best},
    )
    st.plotly_chart(
        figure,
        config=PLAIN,
        key="lesson subjects",
        alt="Dice of each subject with one level for all, with its own, and with the best one",
    )
    return (
        f"Mean Dice of {len(sick)} subjects with a lesion: {np.mean(for_all):.2f} with level "
        f"{level} for all (the rule, without a mask, proposes {common}), {np.mean(each):.2f} with "
        f"the rule read anew for each subject, {np.mean(best):.2f} if the best level of each were "
        "known (*oracle*)."
    )


def when_it_fails() -> str:
    """Stop 6: a run that only quantises brightness, beside a plain threshold."""
    name = st.segmented_control(
        "Run",
        [PAPER, RUN],
        default=PAPER,
        format_func=NAMES.__getitem__,
        key="lesson failing run",
        required=True,
    )
    case = cases.load_maps(view_of(name, scan=lesion_scans()[0].scan))
    z, region = level_of(case), case.prepared.region
    rank = rank_correlation(case.maps["reconstruction"], case.maps["input"], region)
    tables = {
        kind: [table for table in cases.cohort_tables(view_of(name, map=kind)) if table.true]
        for kind in ("reconstruction", "input")
    }
    best = {kind: oracle_cohort_threshold(found, "bright") for kind, found in tables.items()}
    histories = {run: stopping.history_of(Run(resolve_run(run))) for run in (PAPER, RUN)}
    courses = {
        NAMES[run]: [point.rank_correlation for point in history.points]
        for run, history in histories.items()
    }
    left, right = st.columns([1.3, 1], gap="medium")
    tiles = []
    for kind in ("input", "reconstruction"):
        mask = (case.maps[kind] >= best[kind][0]) & region
        tiles += [tile(case, kind, z), tile(case, kind, z, mask)]
    left.markdown("**I_in and its best mask, I_ro and its best mask** (*oracle* levels)")
    left.image(
        pictures.side_by_side(tiles),
        width="stretch",
        alt="I_in, its best mask, I_ro and its best mask",
    )
    right.plotly_chart(
        figures.by_cycle(courses, "rank correlation of I_ro with I_in"),
        config=PLAIN,
        key="lesson course",
        alt="Rank correlation of I_ro with I_in by cycles",
    )
    return (
        "Mean Dice at the best single level of this cohort, an *oracle*: "
        f"{best['reconstruction'][1]:.2f} on I_ro, {best['input'][1]:.2f} on the plain input. Rank "
        f"correlation of I_ro with the input: {rank:.2f}. It counts all tissue, of which a lesion "
        "is little, so a high one warns but does not condemn: what counts is to beat the input."
    )


class Stop(NamedTuple):
    """One lesson. `view` draws what is looked at and gives the sentence of what to notice."""

    title: str
    text: str
    view: Callable[[], str]


STOPS = (
    Stop(
        "Why a raw histogram fails",
        "A threshold needs a gap. In a scan's own histogram there is none: bright cortex, fat, "
        "noise and coil shading fill every level between tissue and lesion (paper, Fig. 3). "
        "ASC-Net makes another image of the same slice, the reduced reconstruction I_ro, whose "
        "histogram falls apart into a few peaks. **Move the one threshold** and compare both "
        "masks with the blue outline, the true lesion.",
        histograms,
    ),
    Stop(
        "Two cuts, and what each peak holds",
        "The network cuts a slice in two. The fence cut should look like a normal image, the wild "
        "cut holds what the fence cannot; a reconstructor of three numbers makes I_ro from both "
        "(paper, Fig. 2). So each peak of I_ro is a kind of pair: this much fence, that much wild. "
        "**Choose a peak** and see its voxels light up in all four images.",
        two_cuts,
    ),
    Stop(
        "Clicking the peak",
        "The method's last step is a person's: which peak is the anomaly? **Click a peak** of the "
        "histogram, or anywhere between two, or drag the line; the mask follows in three "
        "planes. The paper keeps what is at or above the rightmost peak; the valley to its left "
        "keeps the whole peak. Dice beside it compares with the true mask, knowledge that a user "
        "does not have.",
        the_click,
    ),
    Stop(
        "Stopping too early and too late",
        "When is training done? The paper looks at the histogram: three or four separated peaks, "
        "which come and go, while longer training tears holes (Figs. 9 and 10). **Move through the "
        "run**: first one hump, then peaks. The advisor writes the same down as rules: separated, "
        "stable from cycle to cycle, few holes, and more than brightness. Compare a slow run, one "
        "hump for nine cycles, and the paper's own losses, where the discriminator soon sends "
        "nothing.",
        too_early,
    ),
    Stop(
        "One threshold for all, or one for each",
        "The paper takes one level for a whole test set and notes that another suits some "
        "subjects better (Fig. 12). **Move the level for all**: some subjects gain, others lose. "
        "A rule that reads each subject's own histogram adapts, but may fail where a lesion is "
        "small and its peak hidden. The open diamonds need the true masks: no method may claim "
        "them.",
        one_or_each,
    ),
    Stop(
        "When it fails",
        "Nothing in the paper's losses asks the wild cut to hold the anomaly. Disjoint cuts may as "
        "well share out brightness, and then I_ro only sorts grey levels anew: bright lesions are "
        "found, others are lost, and peaks may trade places (Fig. 8). The control is the rank "
        "correlation with the input; the rival to beat is a plain threshold. **Compare both "
        "runs.** On real heads it was no loss that mended it, but what M learns from: blobs that "
        "look like lesions (run lgg-flair).",
        when_it_fails,
    ),
)
