"""The masks of decisions, made by the study's run: one subject after another, none kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort, Scan
from ascnet_core.imaging.prepare import Mask, Preparation, prepare_scan
from ascnet_core.names import Tell
from ascnet_core.segmentation.cuts import Ready, cut_scan, ready
from ascnet_core.segmentation.histogram import RAW, Range, measure_range
from ascnet_core.segmentation.levels import Kept, keep
from ascnet_core.segmentation.masks import on_levels, segment
from ascnet_core.segmentation.pieces import by_scan
from ascnet_core.segmentation.steps import parse_steps
from ascnet_core.settings.preparation import preparation_of
from ascnet_core.studies.compare import Masks, apart
from ascnet_core.studies.decisions import Decision, Entry
from ascnet_core.studies.facts import INPUT
from ascnet_core.studies.folder import Study, scans_sha256
from ascnet_core.training.checkpoint import load_model
from ascnet_core.training.device import pick_device


@dataclass(frozen=True)
class Made:
    """A scan, with its input, and a mask (X, Y, Z) of each decision; None where it is excluded."""

    kept: Kept
    masks: tuple[Mask | None, ...]


@dataclass(frozen=True)
class _Cutter:
    network: Ready
    how: Preparation
    flip: bool

    def cut(self, scan: Scan, names: Sequence[str]) -> Kept:
        """The input and the maps of these names, as floats in memory."""
        prepared = prepare_scan(scan, self.how)
        made = [name for name in names if name != INPUT]
        maps = cut_scan(self.network, prepared, flip=self.flip, names=made) if made else {}
        return keep(prepared, [(INPUT, prepared.scaled), *maps.items()], {})


def make_masks(
    study: Study, decided: Mapping[str, Sequence[Entry]], device: str, progress: Tell
) -> Iterator[tuple[str, list[Made] | UserError]]:
    """Yield each subject of `decided` with its scans, or with the error that says why not.

    The masks are those that `segment --study` writes. `progress` is called with (scans cut, scans
    in all). Raises a UserError if the run has changed.
    """
    study.run_sha256()
    cohort = study.cohort()
    where = str(pick_device(device))
    model, settings = load_model(study.run, cycle=study.cycle, device=where)
    cutter = _Cutter(ready(model, where), preparation_of(settings), study.flip)
    shared = sorted(
        {
            entry.decided.map
            for entries in decided.values()
            for entry in entries
            if entry.decided.range == "cohort" and entry.decided.threshold is not None
        }
    )
    total = sum(len(cohort.scans_of(subject)) for subject in decided)
    before = len(cohort.scans) if shared else 0
    ranges = _of_cohort(cutter, cohort, shared, lambda done, _: progress(done, total + before))
    done = before
    for subject, entries in decided.items():
        scans = cohort.scans_of(subject)
        made: list[Made] | UserError
        try:
            made = _of_subject(cutter, scans, entries, ranges)
        except UserError as error:
            made = error
        yield subject, made
        done += len(scans)
        progress(done, total + before)


def _of_cohort(
    cutter: _Cutter, cohort: Cohort, names: Sequence[str], progress: Tell
) -> dict[str, Range]:
    """The range of each map over all scans that can be read."""
    ends: dict[str, list[tuple[float, float] | None]] = {name: [] for name in names}
    for number, scan in enumerate(cohort.scans if names else (), 1):
        try:
            kept = cutter.cut(scan, names)
        except UserError:  # said where its own mask is made
            continue
        for name in names:
            ends[name].append(kept.extremes[name])
        progress(number, len(cohort.scans))
    return {name: measure_range(every, "cohort") for name, every in ends.items()}


def _of_subject(
    cutter: _Cutter, scans: Sequence[Scan], entries: Sequence[Entry], shared: Mapping[str, Range]
) -> list[Made]:
    decisions = [entry.decided for entry in entries]
    used = [one for one in decisions if one.threshold is not None]
    if used and any(entry.scan_sha256 != scans_sha256(scans) for entry in entries):
        raise UserError(
            f"The files of {entries[0].subject} have changed since it was decided; restore them, "
            "or decide again."
        )
    names = list(dict.fromkeys(one.map for one in used))
    every = [cutter.cut(scan, names) for scan in scans]
    ranges: dict[tuple[str, str], Range] = {}
    for one in used:
        ends = [kept.extremes[one.map] for kept in every]
        own = measure_range(ends, one.range) if any(ends) else RAW
        ranges[one.map, one.range] = shared[one.map] if one.range == "cohort" else own
    return [
        Made(kept, tuple(_mask(kept, one, ranges.get((one.map, one.range))) for one in decisions))
        for kept in every
    ]


def _mask(kept: Kept, decision: Decision, range_: Range | None) -> Mask | None:
    if (threshold := decision.threshold) is None:
        return None
    region, steps = kept.region(), parse_steps(decision.post)
    levels = kept.volume(decision.map, region, range_)
    edits = by_scan(decision.pieces).get(kept.scan.scan, ())
    return segment(levels, region, threshold, steps, on_levels(kept.further), edits)


def masks_of_both(
    study: Study,
    first: Mapping[str, Entry],
    second: Mapping[str, Entry],
    device: str,
    progress: Tell,
) -> dict[str, Masks]:
    """Make both masks of every subject of whom both raters want one; their counts, by subject.

    Raises a UserError as `make_masks`, or if a scan has changed since the decisions or cannot be
    read.
    """
    cohort = study.cohort()
    both = {
        subject: (first[subject], second[subject])
        for subject in study.subjects
        if subject in first and subject in second and _comparable(first[subject], second[subject])
    }
    for subject, (entry, _) in both.items():  # before the network's long work
        if scans_sha256(cohort.scans_of(subject)) != entry.scan_sha256:
            raise UserError(
                f"The files of {subject} have changed since it was decided; restore them, or "
                "compare by --levels-only."
            )
    found: dict[str, Masks] = {}
    for subject, made in make_masks(study, both, device, progress):
        if isinstance(made, UserError):
            raise made
        found[subject] = masks = Masks()
        for one in made:
            masks.add(one.masks[0], one.masks[1], one.kept.voxel_ml)
    return found


def _comparable(first: Entry, second: Entry) -> bool:
    why = apart(first, second)
    return "exclude" not in why and "scan" not in why
