"""The course of a run, by its snapshots and events: peaks, masks, holes, stability.

Everything is read from the run folder and needs neither torch nor masks drawn by people, so a page
may follow a run that another process trains. Snapshots that hold only cuts and counts suffice.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from ascnet_core.errors import UserError
from ascnet_core.metrics.overlap import count, threshold_table
from ascnet_core.monitoring.signs import fence_kept
from ascnet_core.names import SIDES, Side
from ascnet_core.places import MODEL
from ascnet_core.runs.folder import Run, Snapshot, SnapshotData
from ascnet_core.segmentation.histogram import (
    SEPARATED,
    Counts,
    Peak,
    count_levels,
    read_histogram,
)
from ascnet_core.segmentation.quantiser import rank_correlation, rank_share
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, apply, attempt
from ascnet_core.settings.method import TrainedMethod
from ascnet_core.settings.methods.asc_net import AscNet

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Point:
    """One snapshot, and how it differs from the one before.

    The first fields are the snapshot's; `total_cycle` counts over both stages, 0 before training,
    and `ends_cycle` says whether the cycle was complete. Shares are from 0 to 1, and None where
    they are not defined.

    `counts` (256,) int64 are of the method's first map (I_ro), over sample slices inside the
    region, 255 for 1.0; `peaks` and `separations` are theirs. The run is after `peaks_wanted`
    separated peaks (`schedule.stop_peaks`); `loss` is the adversary's, empty if not known.

    `rank_correlation` is Spearman's, of I_ro with I_in inside the region, -1 to 1: the epoch's
    gauge if there is one, else over the watched slices. `rank_share` is the watched slices' over
    that of a pure quantiser with the same histogram: with few grey values ties keep even that below
    1; three equally full ones give 0.94. `gauges` are of the epoch that ended here.

    `threshold` is what the run's rule gives for these counts; `no_mask` says why it gives none.
    `mask` (W, S, S) holds the watched slices above it, `mirror` what the rule's counterpart on the
    other side keeps, and `area` is the share of the region in the mask. `holes` are background
    pixels that the mask encloses, slice by slice (paper, Fig. 10), and `hole_share` is their share
    of the filled mask. `input_dice` is the mask's Dice with the most similar threshold of I_in,
    bright or dark: near 1 the network adds nothing to that. `reference_share` is the share of the
    reference's tissue that the same threshold keeps: false positives, as the reference is known to
    be normal. `fence_kept` is the share of the mask in which the fence is as bright as I_in (for
    side dark: as dark), None without a fence.

    `stability` and `mirror_stability` are Dice of the mask, and of `mirror`, with the mask before;
    None without both or if both are empty.
    """

    index: int
    total_cycle: int
    stage: int = 1
    cycle: int = 0
    epoch: int = 0
    step: int = 0
    images_seen: int = 0
    ends_cycle: bool = True
    label: str = ""
    counts: Counts = field(default_factory=lambda: np.zeros(256, np.int64))
    peaks: tuple[Peak, ...] = ()
    separations: tuple[float, ...] = ()
    peaks_wanted: int = 3
    loss: str = ""
    rank_correlation: float | None = None
    rank_share: float | None = None
    gauges: Mapping[str, float] = field(default_factory=dict)
    threshold: Threshold | None = None
    no_mask: str = ""
    mask: Bools | None = None
    mirror: Bools | None = None
    area: float | None = None
    holes: int | None = None
    hole_share: float | None = None
    input_dice: float | None = None
    reference_share: float | None = None
    fence_kept: float | None = None
    stability: float | None = None
    mirror_stability: float | None = None
    path: Path | None = None

    @property
    def separated(self) -> int:
        """Number of separated peaks; neighbours that are not separated count as one."""
        return separated_peaks(self.separations) if self.peaks else 0

    @property
    def separation_index(self) -> float:
        """See `separation_index`, for the number of peaks that is wanted."""
        return separation_index(self.separations, self.peaks_wanted)

    @property
    def has_model(self) -> bool:
        """Whether M was kept, so that the moment can be opened on any scan."""
        return self.path is not None and (self.path / MODEL).is_file()


@dataclass(frozen=True)
class History:
    """The course of a run; `left_out` names snapshots that could not be read, with the reason.

    Histograms are of the first map of the trained `method`.
    """

    run: str
    points: tuple[Point, ...]
    map: str = "reconstruction"
    rule: str = "rightmost-peak"
    side: Side = "bright"
    left_out: tuple[str, ...] = ()
    method: TrainedMethod = field(default_factory=AscNet)


def separated_peaks(separation: Sequence[float]) -> int:
    """Number of groups of peaks with a separation of at least `SEPARATED` between them."""
    return 1 + sum(value >= SEPARATED for value in separation)


def separation_index(separation: Sequence[float], peaks: int = 3) -> float:
    """Mean of the largest separations between neighbouring peaks, a missing one being 0.

    As many are averaged as lie between the `peaks` that are wanted (2 or more). The paper wants
    three or four, and three peaks have two valleys: 1 is three peaks with nothing between them, 0.5
    at most two peaks, 0 a single one. A further peak that is not separated from its
    neighbour changes nothing.
    """
    valleys = peaks - 1
    largest = sorted((*[0.0] * valleys, *separation))[-valleys:]
    return float(sum(largest)) / valleys


def read_history(run: Run, known: dict[Path, Point] | None = None) -> History:
    """The history of a run, which may be in training.

    `known` holds the points of an earlier call by their snapshots' paths, which are not measured
    again; new ones are added. Raises UserError if the settings cannot be read.
    """
    settings = run.settings()
    chosen = settings.segmentation
    counted = settings.method.maps[0].name
    known = {} if known is None else known
    events = run.events()
    points: list[Point] = []
    left_out: list[str] = []
    for snapshot in run.snapshots():
        point = known.get(snapshot.path)
        if point is None or point.step != snapshot.step:
            try:
                data = run.load_snapshot(snapshot)
            except UserError as error:
                left_out.append(str(error))
                continue
            reference = _reference_counts(run, snapshot, chosen.map)
            point = replace(
                measure(snapshot, data, chosen.map, chosen.rule, chosen.side, reference, counted),
                peaks_wanted=settings.schedule.stop_peaks,
                loss=settings.adversary.loss,
            )
            known[snapshot.path] = point
        points.append(point)
    return History(
        run.name,
        tuple(link(_with_events(points, events))),
        chosen.map,
        chosen.rule,
        chosen.side,
        tuple(left_out),
        settings.method,
    )


def measure(
    snapshot: Snapshot,
    data: SnapshotData,
    map_name: str = "reconstruction",
    rule: str = "rightmost-peak",
    side: Side = "bright",
    reference_counts: Counts | None = None,
    counted: str = "reconstruction",
    read: Counts | None = None,  # counts for the rule to read instead of the snapshot's
) -> Point:
    """What one snapshot shows by itself.

    The rule reads the snapshot's own counts if they are of the map (`counted`, the method's first
    one), else counts of the watched slices.
    """
    counts = np.asarray(data.counts, np.int64)
    inside = data.watched_input > 0
    levels = data.levels(map_name)
    if read is None:
        read = counts if map_name == counted else count_levels(levels, inside)
    histogram = read_histogram(counts)
    made, seen = data.levels(counted)[inside], data.watched_input[inside]
    point = Point(
        index=snapshot.index,
        total_cycle=snapshot.total_cycle,
        stage=snapshot.stage,
        cycle=snapshot.cycle,
        epoch=int(snapshot.info.get("epoch", 0)),
        step=snapshot.step,
        images_seen=snapshot.images_seen,
        ends_cycle=bool(snapshot.info.get("ends_cycle", True)),
        label=snapshot.label,
        counts=counts,
        peaks=histogram.peaks,
        separations=histogram.separations,
        rank_correlation=_known(rank_correlation(made, seen)),
        rank_share=_known(rank_share(made, seen)),
        path=snapshot.path,
    )
    threshold = attempt(rule, read, side, reference_counts)
    if isinstance(threshold, NoThreshold):
        return replace(point, no_mask=threshold.sentence)
    mask = apply(levels, inside, threshold)
    holes = count_holes(mask)
    return replace(
        point,
        threshold=threshold,
        mask=mask,
        mirror=_mirror(rule, read, side, reference_counts, levels, inside),
        area=float(mask.sum() / max(1, inside.sum())),
        holes=holes,
        hole_share=holes / max(1, int(mask.sum()) + holes),
        input_dice=_input_dice(data.watched_input[inside], mask[inside]),
        reference_share=_share_kept(reference_counts, threshold),
        fence_kept=fence_kept(data.watched_input, data.maps["fence"], mask, side)
        if "fence" in data.maps
        else None,
    )


def _share_kept(counts: Counts | None, threshold: Threshold) -> float | None:
    """Share of counted pixels that a threshold keeps, None without any."""
    if counts is None or not counts.sum():
        return None
    kept = apply(np.arange(256, dtype=np.uint8), None, threshold)
    return float(np.asarray(counts)[kept].sum() / counts.sum())


def count_holes(mask: Bools) -> int:
    """Pixels that a mask (W, S, S) encloses without holding them, slice by slice."""
    return sum(int((binary_fill_holes(plane) & ~plane).sum()) for plane in mask)


def dice(one: Bools | None, other: Bools | None) -> float | None:
    """Dice of two masks; None if one is missing, they differ in shape, or both are empty."""
    if one is None or other is None or one.shape != other.shape or not (one | other).any():
        return None
    return count(one, other).dice


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def link(points: Sequence[Point]) -> list[Point]:
    """Set each point's stability against the point before it, where there are masks."""
    linked = [
        replace(
            point,
            stability=dice(before.mask, point.mask),
            mirror_stability=dice(before.mask, point.mirror),
        )
        for before, point in pairwise(points)
    ]
    return [*points[:1], *linked]


def cycle_ends(points: Sequence[Point]) -> list[Point]:
    """The last snapshot of each complete cycle, stability set from cycle to cycle."""
    trained = [point for point in points if point.total_cycle > 0]
    ends = list({point.total_cycle: point for point in trained if point.ends_cycle}.values())
    return ends if len(ends) == len(trained) else link(ends)


def _with_events(points: Sequence[Point], events: Sequence[Mapping[str, Any]]) -> list[Point]:
    """Add the gauges of the events to points, and note which points end a cycle."""
    ended = {event.get("step") for event in events if event.get("kind") == "cycle"}
    measured = {
        event.get("step"): {
            name: float(value)
            for name, value in (event.get("gauges") or {}).items()
            if isinstance(value, int | float)
        }
        for event in events
        if event.get("kind") == "epoch"
    }
    found = []
    for point, after in zip_longest(points, points[1:]):
        gauges = measured.get(point.step, {})
        # A run without events: the last snapshot of a cycle may be its end.
        last = after is None or after.total_cycle != point.total_cycle
        done = point.step in ended if ended else point.ends_cycle and last
        correlation = gauges.get("rank_correlation", point.rank_correlation)
        found.append(replace(point, gauges=gauges, ends_cycle=done, rank_correlation=correlation))
    return found


def _mirror(
    rule: str,
    counts: Counts,
    side: Side,
    reference: Counts | None,
    levels: NDArray[np.uint8],
    inside: Bools,
) -> Bools | None:
    """The mask that the rule's counterpart on the other side gives, None if it gives none."""
    parsed = parse_rule(rule)
    other: Side = "dark" if side == "bright" else "bright"
    threshold = attempt(str(parsed.entry.mirror(parsed)), counts, other, reference)
    return apply(levels, inside, threshold) if isinstance(threshold, Threshold) else None


def _input_dice(levels: NDArray[np.uint8], mask: Bools) -> float | None:
    """Best Dice of a mask with I_in at or above, or at or below, any level; None if empty."""
    table = threshold_table(levels, mask)
    return max(float(table.dice(side).max()) for side in SIDES) if table.true else None


def _reference_counts(run: Run, snapshot: Snapshot, name: str) -> Counts | None:
    """Reference counts kept with the snapshot, else the run's own."""
    kept = Run(snapshot.path).reference_counts(name)
    return kept if kept is not None else run.reference_counts(name)
