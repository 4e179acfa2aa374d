"""What a report says of a study: decisions, their masks, agreement, the truth where known."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from ascnet_core.errors import UserError
from ascnet_core.metrics.overlap import Counts, count
from ascnet_core.names import Tell
from ascnet_core.segmentation.histogram import RAW
from ascnet_core.studies.applying import whose
from ascnet_core.studies.compare import Masks, apart, compare
from ascnet_core.studies.counts.gathering import gather
from ascnet_core.studies.decisions import Entry, history, holding
from ascnet_core.studies.facts import INPUT
from ascnet_core.studies.folder import Study, scans_sha256
from ascnet_core.studies.masks import Made, make_masks
from ascnet_core.studies.report.thumbnail import slice_to_show, thumbnail
from ascnet_core.studies.warnings import Odd, torn, warnings_in


@dataclass(frozen=True)
class Outcome:
    """A decision and what came of it.

    Volumes are in ml, the truth's where each scan of the subject has one; `counts` are of the mask
    against it. None is what is not known. `picture` is a PNG of a slice, empty where there is none;
    `why` says why there is no mask, `torn` that it is torn.
    """

    entry: Entry
    volume_ml: float | None = None
    truth_ml: float | None = None
    counts: Counts | None = None
    picture: bytes = b""
    why: str = ""
    torn: str = ""

    @property
    def informed(self) -> bool:
        """Whether the truth, or a Dice that it gave, was on the screen."""
        return self.entry.decided.truth_shown or self.entry.decided.dice_shown


@dataclass(frozen=True)
class Pair:
    """Two raters compared: rows and summary as of `compare`."""

    raters: tuple[str, str]
    rows: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]


@dataclass(frozen=True)
class Report:
    """All that the page shows.

    `outcomes` are by subject, in the study's order; a subject that nobody decided is not among
    them. `history` holds every row of the raters, `warnings` sentences by subject, of so many that
    were `looked_at`; `problem` says why no masks were made.
    """

    study: Study
    raters: tuple[str, ...]
    outcomes: Mapping[str, Sequence[Outcome]]
    history: Sequence[Entry]
    pairs: Sequence[Pair]
    warnings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    looked_at: int = 0
    problem: str = ""

    def of(self, rater: str) -> list[Outcome]:
        """The outcomes of one rater."""
        return [
            one for every in self.outcomes.values() for one in every if one.entry.rater == rater
        ]


def make_report(
    study: Study, raters: Sequence[str], levels_only: bool, device: str, progress: Tell
) -> Report:
    """Gather what a report says of some raters (none named: of all).

    The masks are made scan by scan, none is kept, and scans that were never counted are; with
    `levels_only` neither is done. Where masks cannot be made the report says why. Raises a
    UserError if a rater has decided nothing.
    """
    named = [whose(study, rater) for rater in dict.fromkeys(raters)]
    entries = [entry for entry in holding(study) if not named or entry.rater in named]
    shown = tuple(dict.fromkeys(named or (entry.rater for entry in entries)))
    by_rater = {rater: {e.subject: e for e in entries if e.rater == rater} for rater in shown}
    decided = {
        subject: [of[subject] for of in by_rater.values() if subject in of]
        for subject in study.subjects
    }
    outcomes = {s: [Outcome(entry) for entry in every] for s, every in decided.items() if every}
    masks: dict[tuple[str, str], dict[str, Masks]] = {}
    problem = "None was asked for." if levels_only else ""
    if not levels_only and outcomes:
        try:
            gather(study, progress, device)
            _fill(study, outcomes, masks, device, progress)
        except UserError as error:
            problem = str(error)
    warnings, looked_at = _warnings(study, shown, outcomes)
    pairs = []
    for one, other in combinations(shown, 2):
        rows, summary = compare(
            study.subjects, by_rater[one], by_rater[other], masks.get((one, other), {})
        )
        if rows:
            pairs.append(Pair((one, other), rows, summary))
    told = [entry for entry in history(study) if entry.rater in shown]
    return Report(study, shown, outcomes, told, pairs, warnings, looked_at, problem)


def _warnings(
    study: Study, raters: Sequence[str], outcomes: Mapping[str, Sequence[Outcome]]
) -> tuple[dict[str, list[str]], int]:
    """Warnings by subject, and of how many subjects the counts are known.

    What does not hold for all raters who decided on it says for whom.
    """
    known: dict[str, list[Odd]] = {}
    said: dict[str, dict[str, list[str]]] = {subject: {} for subject in study.subjects}
    for rater in raters:
        with suppress(UserError):  # said where the masks are made
            known = warnings_in(study, rater)
        mine = {o.entry.subject for every in outcomes.values() for o in every
                if o.entry.rater == rater}  # fmt: skip
        for subject, odd in known.items():
            for one in odd:
                if one.kind == "volume" and subject not in mine:
                    continue  # the volume is of no decision
                said[subject].setdefault(one.sentence, []).append(rater)
    for subject, made in outcomes.items():
        for outcome in made:
            if outcome.torn:
                said[subject].setdefault(outcome.torn, []).append(outcome.entry.rater)
    return {
        subject: [
            sentence if len(who) == len(raters) else f"{sentence} ({', '.join(who)})"
            for sentence, who in sentences.items()
        ]
        for subject, sentences in said.items()
        if sentences
    }, len(known)


def _fill(
    study: Study,
    outcomes: dict[str, list[Outcome]],
    masks: dict[tuple[str, str], dict[str, Masks]],
    device: str,
    progress: Tell,
) -> None:
    """Put into `outcomes` and `masks` what the masks say."""
    cohort = study.cohort()
    same: dict[str, list[Entry]] = {}
    for subject, every in outcomes.items():
        now = scans_sha256(cohort.scans_of(subject))
        for place, one in enumerate(every):
            if one.entry.scan_sha256 == now:
                same.setdefault(subject, []).append(one.entry)
            else:
                every[place] = Outcome(one.entry, why="Its files have changed since.")
    for subject, made in make_masks(study, same, device, progress):
        entries = same[subject]
        if isinstance(made, UserError):
            found = [Outcome(entry, why=str(made)) for entry in entries]
        else:
            found = _outcomes(entries, made)
            for first, second in combinations(range(len(entries)), 2):
                if "exclude" not in apart(entries[first], entries[second]):
                    pair = masks.setdefault((entries[first].rater, entries[second].rater), {})
                    pair[subject] = both = Masks()
                    for scan in made:
                        both.add(scan.masks[first], scan.masks[second], scan.kept.voxel_ml)
        by_rater = {outcome.entry.rater: outcome for outcome in found}
        outcomes[subject] = [by_rater.get(old.entry.rater, old) for old in outcomes[subject]]


def _outcomes(entries: Sequence[Entry], made: Sequence[Made]) -> list[Outcome]:
    regions, truths = ([getattr(one.kept, n)() for one in made] for n in ("region", "truth"))
    slices = [slice_to_show(one.masks, region) for one, region in zip(made, regions, strict=True)]
    shown = max(range(len(made)), key=lambda number: slices[number][1])
    kept, z = made[shown].kept, slices[shown][0]
    input_ = kept.volume(INPUT, regions[shown], RAW)
    # crop all raters' pictures alike
    region = regions[shown].copy()
    for mask in made[shown].masks:
        region |= False if mask is None else mask
    found = []
    for number, entry in enumerate(entries):
        picture = thumbnail(input_, made[shown].masks[number], region, kept.spacing, z)
        volume = truth_ml = 0.0
        counts, odd = Counts(), None
        for one, truth in zip(made, truths, strict=True):
            mask = one.masks[number]
            if mask is not None:
                volume += int(np.count_nonzero(mask)) * one.kept.voxel_ml
                odd = odd or torn(mask, one.kept.voxel_ml)
            if truth is not None:
                truth_ml += int(np.count_nonzero(truth)) * one.kept.voxel_ml
                counts += Counts() if mask is None else count(mask, truth)
        known, masked = all(truth is not None for truth in truths), entry.decided.threshold
        found.append(
            Outcome(
                entry,
                volume if masked else None,
                truth_ml if known else None,
                counts if known and masked else None,
                picture,
                torn=odd.sentence if odd else "",
            )
        )
    return found
