"""Why a subject is not like the others of its study, in sentences.

All but `torn` read counts alone, so that hundreds of subjects are judged at once. What is usual is
measured by medians and median absolute deviations (MAD), which some odd subjects do not move.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ascnet_core.imaging.signs import BINS
from ascnet_core.metrics.overlap import LEVELS
from ascnet_core.names import SIDES, Side
from ascnet_core.runs.fingerprint import Fingerprint, distances, read_fingerprint
from ascnet_core.segmentation.histogram import SEPARATED, Reading, outer_separation
from ascnet_core.segmentation.threshold import NoThreshold, Threshold, choose
from ascnet_core.studies.decisions import decisions_of
from ascnet_core.studies.facts import Facts, OwnWay, is_current
from ascnet_core.studies.folder import Study
from ascnet_core.studies.proposals import ground_of

Kind = Literal["flipped", "no peak", "shifted", "volume", "torn", "modality"]
Chosen = Threshold | NoThreshold | None

FEWEST = 5
"""Subjects from which one can tell what is usual; with fewer nothing is said of the others."""

_SIGMA = 1.4826  # a MAD of a normal distribution is this part of its standard deviation
_FAR = 4.0  # standard deviations
_LEAST_SHIFT = 12.0
_LEAST_RATIO = 3.0
_NOTHING_ML = 0.5  # below it volumes count as equal
_MOST, _FEW = 2 / 3, 1 / 3
_UNLIKE = 0.3
_COMPARED = 64  # subjects whose inputs one is compared with; more take time and say no more
_QUARTERS = (0.25, 0.5, 0.75)
# Of a torn mask: at least so many pieces, the largest at most so large a part, and half of them of
# at most so many voxels. Chosen in view of demo cohorts: no lesion at its best level is torn.
_PIECES, _LARGEST, _CRUMB = 20, 0.35, 3


class Odd(NamedTuple):
    """One warning: of what kind it is, and the sentence."""

    kind: Kind
    sentence: str


@dataclass(frozen=True)
class Usual:
    """What the subjects of a study are like.

    `quarters` (3,) are the levels below which a quarter, half and three quarters of the map's
    voxels lie, `spread` the standard deviation of how far a subject is shifted. `shape` (32,) is
    the histogram of all maps, `inputs` those of some subjects' images, shares that sum to 1, and
    `input_limit` how far one may lie from the nearest other. `outer` says of each side which share
    of the subjects has a separate peak there, `volumes` are those of masks in ml, by subject,
    `volume` the median of their logarithms and `volume_reach` how far one may lie from it.
    """

    subjects: int
    quarters: NDArray[np.float64]
    spread: float
    shape: NDArray[np.float64]
    inputs: Mapping[str, NDArray[np.float64]]
    input_limit: float
    outer: Mapping[Side, float]
    volumes: Mapping[str, float]
    volume: float
    volume_reach: float


def usual_of(known: Mapping[str, Facts], chosen: Mapping[str, Chosen]) -> Usual:
    """Measure what is usual, given the facts and the threshold of each subject that is known."""
    several = [facts for facts in known.values() if facts.counts.any()]
    quarters = np.array([_quarters(facts.counts) for facts in several]).reshape(-1, 3)
    middle = np.median(quarters, axis=0) if several else np.zeros(3)
    some = several[:: -(-len(several) // _COMPARED) or 1]
    inputs = {facts.subject: _shares(facts.input_counts) for facts in some}
    volumes = {
        facts.subject: volume_ml(facts, threshold)
        for facts in several
        if (threshold := chosen.get(facts.subject)) is not None
    }
    logs = np.log(np.maximum(np.array(list(volumes.values())), _NOTHING_ML))
    return Usual(
        subjects=len(several),
        quarters=middle,
        spread=_SIGMA * _mad((quarters - middle).mean(axis=1)),
        shape=np.array([_shares(f.counts) for f in several]).reshape(-1, BINS).sum(axis=0),
        inputs=inputs,
        input_limit=_limit(list(inputs.values())),
        outer={side: _share_with_peak(several, side) for side in SIDES},
        volumes=volumes,
        volume=float(np.median(logs)) if volumes else 0.0,
        volume_reach=max(math.log(_LEAST_RATIO), _FAR * _SIGMA * _mad(logs)),
    )


def warnings_in(
    study: Study, rater: str = "", known: Mapping[str, Facts] | None = None
) -> dict[str, list[Odd]]:
    """Warn of each subject whose facts are known, in the study's order; nothing is cut.

    Masks are those of the rater's decisions, of the run's own rule where there is none.
    """
    ground = ground_of(study, known)
    how, facts = ground.how, ground.known
    counts = {subject: one.counts for subject, one in facts.items()}
    chosen: dict[str, Chosen] = dict(
        choose(how.rule, counts, how.side, how.scope, ground.reference) if counts else {}
    )
    if rater:
        entries, own = decisions_of(study, rater), OwnWay(how, ground.range)
        chosen |= {
            entry.subject: entry.decided.threshold
            for entry in entries.values()
            if is_current(entry, own, facts)
        }
    usual, run = usual_of(facts, chosen), read_fingerprint(study.run)
    return {
        subject: warnings_of(one, usual, chosen.get(subject), how.side, run)
        for subject, one in facts.items()
    }


def warnings_of(
    facts: Facts, usual: Usual, threshold: Chosen, side: Side, run: Fingerprint | None = None
) -> list[Odd]:
    """Say why a subject is not like the others, the weightiest first; empty where it is.

    `threshold` is the one decided or proposed, `run` what the run learnt from.
    """
    if not facts.counts.any():
        return [Odd("no peak", "The region is empty: there is nothing to segment.")]
    found = [another_modality(facts, usual, run)]
    if usual.subjects >= FEWEST:
        turned = flipped(facts, usual, side)
        found += [turned] if turned else [no_peak(facts, usual, side), shifted(facts, usual)]
        found.append(volume(facts, usual, threshold))
    return [one for one in found if one is not None]


def flipped(facts: Facts, usual: Usual, side: Side) -> Odd | None:
    """Say that bright and dark are exchanged.

    Then the mirrored histogram is like the others', or the separate peak is at the other end.
    """
    own, shape = _shares(facts.counts), usual.shape[np.newaxis]
    apart = float(distances(own, shape)[0])
    mirrored = apart > _UNLIKE and float(distances(own[::-1], shape)[0]) < apart / 2
    other: Side = "dark" if side == "bright" else "bright"
    moved = (
        usual.outer[side] >= _MOST
        and usual.outer[other] <= _FEW
        and has_outer_peak(facts.reading, other)
        and not has_outer_peak(facts.reading, side)
    )
    if not moved and not mirrored:
        return None
    return Odd(
        "flipped",
        f"Peaks are flipped: what is {side} on the maps of the others is {other} here; keep the "
        f"{other} side, or flag it as flipped.",
    )


def no_peak(facts: Facts, usual: Usual, side: Side) -> Odd | None:
    """Say that no peak stands apart at the end where most subjects have one."""
    if usual.outer[side] < _MOST or has_outer_peak(facts.reading, side):
        return None
    return Odd(
        "no peak",
        f"No separate peak at the {side} end, where {usual.outer[side]:.0%} of the subjects have "
        "one: perhaps there is no anomaly, or it blends with what is normal.",
    )


def shifted(facts: Facts, usual: Usual) -> Odd | None:
    """Say by how many levels the whole histogram is shifted."""
    shift = float((_quarters(facts.counts) - usual.quarters).mean())
    if abs(shift) <= max(_LEAST_SHIFT, _FAR * usual.spread):
        return None
    where = "brighter" if shift > 0 else "darker"
    return Odd(
        "shifted",
        f"The histogram lies {abs(shift):.0f} levels {where} than the others' (usual are up to "
        f"{max(_LEAST_SHIFT, _FAR * usual.spread):.0f}): a level for all would not fit here.",
    )


def volume(facts: Facts, usual: Usual, threshold: Chosen) -> Odd | None:
    """Say that the mask is far smaller or larger than the others'."""
    if threshold is None or len(usual.volumes) <= FEWEST:
        return None
    own = volume_ml(facts, threshold)
    if abs(math.log(max(own, _NOTHING_ML)) - usual.volume) <= usual.volume_reach:
        return None
    others = np.array([ml for subject, ml in usual.volumes.items() if subject != facts.subject])
    near = np.abs(np.log(np.maximum(others, _NOTHING_ML)) - usual.volume) <= usual.volume_reach
    usual_ml = others[near]
    return Odd(
        "volume",
        f"The mask holds {_ml(own)}, and those of the others {_ml(usual_ml.min())} to "
        f"{_ml(usual_ml.max())} (median {_ml(float(np.median(usual_ml)))}).",
    )


def another_modality(facts: Facts, usual: Usual, run: Fingerprint | None) -> Odd | None:
    """Say that the input's grey levels are unlike those of the training, or of all the others."""
    own = _shares(facts.input_counts)
    others = [one for subject, one in usual.inputs.items() if subject != facts.subject]
    compared = []
    if run is not None and len(run.histograms):
        compared.append((run.histograms, run.furthest, f"those that {run.run} learnt from"))
    if len(others) >= FEWEST:
        compared.append((np.array(others), usual.input_limit, "those of every other subject"))
    for histograms, limit, whose in compared:
        apart = float(distances(own, histograms).min()) / limit
        if apart > 1:
            sure = "clearly" if apart > 1.5 else "somewhat"
            return Odd(
                "modality",
                f"The image's grey levels are distributed {sure} unlike {whose}: another "
                "modality, intensity scale or region.",
            )
    return None


def torn(mask: NDArray[np.bool_], voxel_ml: float) -> Odd | None:
    """Say that a mask is torn into many pieces for its volume; it takes a labelling's time.

    `mask` is (X, Y, Z). Pieces touch at faces, edges or corners.
    """
    from scipy import ndimage

    pieces, count = ndimage.label(mask, np.ones((3, 3, 3)))
    if count < _PIECES:
        return None
    sizes = np.bincount(pieces.ravel())[1:]
    largest = float(sizes.max() / sizes.sum())
    if largest > _LARGEST or np.median(sizes) > _CRUMB:
        return None
    return Odd(
        "torn",
        f"The mask is torn: {count} pieces for {_ml(float(sizes.sum()) * voxel_ml)}, and the "
        f"largest holds {largest:.0%}: noise rather than a lesion, or a level amid what is normal.",
    )


def _share_with_peak(several: Sequence[Facts], side: Side) -> float:
    having = sum(has_outer_peak(facts.reading, side) for facts in several)
    return having / max(1, len(several))


def has_outer_peak(reading: Reading, side: Side) -> bool:
    """Whether a peak stands apart at an end: not the fullest one, and clear of its neighbour."""
    peaks = reading.peaks
    if len(peaks) < 2:
        return False
    outer = peaks[-1 if side == "bright" else 0]
    fullest = max(peaks, key=lambda peak: peak.share)
    return outer is not fullest and outer_separation(reading.separations, side) >= SEPARATED


def volume_ml(facts: Facts, threshold: Chosen) -> float:
    """Return the ml that a threshold keeps of all scans, before any steps."""
    if threshold is None:
        return 0.0
    first, last = threshold.kept
    return float(
        sum(one.table.levels[first : last + 1].sum() * one.voxel_ml for one in facts.scans)
    )


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return shares (32,) of a histogram (256,), binned as a fingerprint's."""
    bins = np.minimum(np.arange(LEVELS) * BINS // (LEVELS - 1), BINS - 1)
    shares: NDArray[np.float64] = np.bincount(bins, counts, BINS) / max(1, int(counts.sum()))
    return shares


def _quarters(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the levels (3,) below which a quarter, half and three quarters of the voxels lie."""
    below = np.cumsum(counts) / max(1, int(counts.sum()))
    return np.searchsorted(below, _QUARTERS).astype(np.float64)


def _limit(histograms: Sequence[NDArray[np.float64]]) -> float:
    """How far an input's histogram may lie from the nearest other; as `Fingerprint.furthest`."""
    return Fingerprint("", histograms=np.array(histograms).reshape(-1, BINS)).furthest


def _mad(values: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(values - np.median(values)))) if len(values) else 0.0


def _ml(value: float) -> str:
    return f"{value:.0f} ml" if value >= 10 else f"{value:.2g} ml"
