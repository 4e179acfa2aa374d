"""A cohort through methods: a row a subject, method and rule, and a summary of them.

Two passes over the scans. The first computes each method's map once and keeps its levels inside
the region in a temporary folder; then the histograms of all units are known, and rules and oracles
choose (`choices`). The second makes, cleans and scores the masks (`tally`), one scan in memory at
a time.
"""

import itertools
import tempfile
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.files import write_json, write_text
from ascnet_core.imaging.cohort import Cohort, Scan
from ascnet_core.imaging.prepare import Preparation, prepare_scan
from ascnet_core.methods.base import Method
from ascnet_core.metrics.overlap import ThresholdTable
from ascnet_core.metrics.surface import TruthSurface
from ascnet_core.names import RangeKind, Tell
from ascnet_core.runs.suspicion import in_order
from ascnet_core.scoring.choices import Choice, Key, Mark, oracle_choices, rule_choice
from ascnet_core.scoring.decided import Decided, merge_rows
from ascnet_core.scoring.plan import Plan, check
from ascnet_core.scoring.summary import SLICE_COLUMNS, summarise, to_frame
from ascnet_core.scoring.tally import Tally
from ascnet_core.segmentation.levels import SEPARATOR, Folder, Kept, by_name, keep, settle_ranges
from ascnet_core.segmentation.masks import on_levels, segment
from ascnet_core.segmentation.pieces import Edit
from ascnet_core.segmentation.steps import Step, parse_steps
from ascnet_core.segmentation.threshold import NoThreshold, Threshold

Units = Mapping[str, Sequence[Kept]]
"""The scans of each subject, or each scan on its own."""
Tables = dict[tuple[Key, str], ThresholdTable]
"""(A method's key, unit) -> what every threshold would score, where the unit has a truth."""
Asked = Sequence[tuple[Method, tuple[str, ...]]]
"""Methods with the rules to score."""
Tallies = Mapping[tuple[str, Mark], Tally]
TABLES = ("subjects.csv", "slices.csv", "summary.json")
"""What `write_evaluation` writes; the last one makes it complete."""


class _NotRead(UserError):
    """A scan could not be prepared, or a map of it not made."""


class EvaluationResult(NamedTuple):
    """Scores of a cohort.

    `rows` has a row a unit, method and rule (`subjects.csv`), `slices` the Dice of each axial slice
    that holds lesion. `summary` is ready for JSON. `counts` (256,) int64 are of a map by its
    method's key, inside the region, over all scans scored; `tables` say what every threshold would
    score. `spoilt` are units of decisions that have no row, since their mask cannot be made, with a
    sentence.
    """

    rows: pd.DataFrame
    slices: pd.DataFrame
    summary: dict[str, Any]
    counts: dict[Key, NDArray[np.int64]]
    tables: Tables
    spoilt: Mapping[str, str] = {}


def evaluate(
    cohort: Cohort,
    methods: Sequence[Method],
    preparation: Preparation,
    plan: Plan | None = None,
    reference: Cohort | None = None,
    progress: Tell | None = None,
    go_on: bool = False,
    work: Path | None = None,
    decided: Sequence[Decided] = (),
) -> EvaluationResult:
    """Score methods on a cohort by one plan, `Plan()` by default; see `evaluate_plans`.

    `decided` thresholds of a rater become one more row of the summary.
    """
    plan = plan or Plan()
    first, *others = evaluate_plans(
        cohort, methods, preparation, [plan], reference, progress, go_on, work, decided
    )
    if not others:
        return first
    tables = [result.rows for result in (first, *others)]
    rows, summary = merge_rows(tables, first.summary, decided[0].name, plan.seed)
    spoilt = {unit: why for one in others for unit, why in one.spoilt.items()}
    slices = pd.concat([result.slices for result in (first, *others) if len(result.slices)])
    return first._replace(rows=rows, slices=slices, summary=summary, spoilt=spoilt)


def evaluate_plans(
    cohort: Cohort,
    methods: Sequence[Method],
    preparation: Preparation,
    plans: Sequence[Plan],
    reference: Cohort | None = None,
    progress: Tell | None = None,
    go_on: bool = False,
    work: Path | None = None,
    decided: Sequence[Decided] = (),
) -> list[EvaluationResult]:
    """Score methods on a cohort in several ways, every map being computed once.

    Scans of the cohort without a mask get a volume and no scores. `preparation` is the scaling and
    the region; a network's own size and scaling take precedence for its maps. Each plan gives a
    result; all have the same `range` and `unit`. `reference` holds scans known as normal, for
    `reference-quantile`; of scans with a mask only the slices without lesion count, so the cohort
    can be its own lesion-free reference. Results of `decided` thresholds follow those of the plans,
    on their range and unit. `progress` is called with (steps done, steps in all); an
    exception from it cancels. With `go_on` a scan of the cohort that can't be read is left out of
    every mean, and is named in the summary and in rows of its own; `work` is the folder for
    temporary files, by default the system's.

    Raises `UserError` if a rule or step can't be read, a rule needs a reference and there is none,
    a scan can't be read (with `go_on`: no scan can), or there is nothing to score.
    """
    first = plans[0]
    if any((plan.range, plan.unit) != (first.range, first.unit) for plan in plans):
        raise ValueError("plans that are scored together share range and unit")
    ready: list[tuple[Plan, tuple[Step, ...], Asked, Decided | None]] = []
    for plan in plans:
        steps = parse_steps(list(plan.post))
        ready.append((plan, steps, check(cohort, methods, plan, steps, reference), None))
    for one in decided:
        plan = one.plan(first)
        steps = parse_steps(list(plan.post))
        check(cohort, [one.method], plan, (), reference)
        ready.append((plan, steps, [(one.method, ())], one))
    methods = [*methods, *(one.method for one in decided)]
    with tempfile.TemporaryDirectory(prefix="ascnet-evaluate-", dir=work) as folder:
        known = {_files(scan) for scan in cohort.scans}
        further = [s for s in reference.scans if _files(s) not in known] if reference else []
        every = [*cohort.scans, *further]
        done, total = itertools.count(1), len(every) + len(ready) * len(cohort.scans)

        def step_done() -> None:
            if progress is not None:
                progress(next(done), total)

        asked_for = [step.modality for _, steps, *_ in ready for step in steps]
        gates = {modality.lower() for modality in asked_for if modality}
        several: list[Kept] = []
        failed: dict[Hashable, str] = {}
        for number, scan in enumerate(every):
            arrays = Folder(Path(folder) / str(number))
            try:
                several.append(_keep(scan, methods, preparation, first.range, arrays, gates))
            except _NotRead as error:
                if not go_on or number >= len(cohort.scans):
                    raise
                failed[_files(scan)] = str(error)
            step_done()
        own = [scan for scan in cohort.scans if _files(scan) not in failed]
        if not own:
            raise UserError(next(iter(failed.values())))
        settle_ranges(several, first.range, lambda scan: scan.subject)
        units = by_name(several[: len(own)], first.name)
        wanted = {_files(scan) for scan in reference.scans} if reference else set()
        normal = [one for one in several if _files(one.scan) in wanted]
        if wanted and not normal:
            raise UserError("No scan of the reference can be read; name another reference.")
        results = []
        for plan, steps, asked, of_rater in ready:
            choices, tables, counts = _choose(units, normal, asked, plan, of_rater)
            tallies, spoilt = _score(units, choices, steps, plan, step_done, of_rater)
            if spoilt and not (go_on and of_rater):
                raise UserError(next(iter(spoilt.values())))
            choices = [choice.without(spoilt) for choice in choices]
            unread = [(s, failed[_files(s)]) for s in cohort.scans if _files(s) in failed]
            rows = to_frame(_rows(units, choices, tables, tallies, plan, unread))
            slices = pd.DataFrame(_slice_rows(choices, tallies), columns=SLICE_COLUMNS)
            remarks = in_order(
                (one.scan.scan, [*one.remarks, *itertools.chain(*one.doubts.values())])
                for one in several[: len(own)]
            )
            summary = summarise(rows, cohort, preparation, plan, reference, remarks, unread)
            results.append(EvaluationResult(rows, slices, summary, counts, tables, spoilt))
        return results


def write_evaluation(result: EvaluationResult, folder: Path, slices: bool = False) -> list[Path]:
    """Write `subjects.csv`, `summary.json` and on request `slices.csv`; return their paths."""
    subjects, by_slice, summary = TABLES
    tables = {subjects: result.rows} | ({by_slice: result.slices} if slices else {})
    for name, table in tables.items():
        write_text(folder / name, table.to_csv(index=False, float_format="%.6g"))
    write_json(folder / summary, result.summary)
    return [folder / name for name in (*tables, summary)]


def _files(scan: Scan) -> tuple[Path | None, ...]:
    """What tells scans of two manifests apart, whatever they are called there."""
    return (scan.image, scan.mask, scan.region)


def _keep(
    scan: Scan,
    methods: Sequence[Method],
    preparation: Preparation,
    range_kind: RangeKind,
    arrays: Folder,
    gates: Set[str],
) -> Kept:
    """Prepare a scan, compute each map once and keep what is needed of them.

    Raises `_NotRead` if that cannot be done, or an image to gate by cannot be read.
    """
    prepared = cache(partial(prepare_scan, scan))
    of_map = {method.key: method for method in methods}
    # methods of one run doubt a scan in the same way
    doubts = cache(lambda doubts, how: doubts(prepared(how)))
    with _reading():
        whole = prepared(preparation)
        for modality in gates & {name.lower() for name in scan.further}:
            whole.further(modality)

    def maps() -> Iterator[tuple[Key, NDArray[np.float32]]]:
        for key, method in of_map.items():
            with _reading():
                grey = method.grey(prepared(method.adapt(preparation)))
            yield key, grey

    kept = keep(whole, maps(), arrays, range_kind)
    for key, method in of_map.items():
        kept.doubts[key] = doubts(method.doubts, method.adapt(preparation))
    return kept


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise _NotRead(str(error)) from error


def _choose(
    units: Units,
    normal: Sequence[Kept],
    asked: Asked,
    plan: Plan,
    of_rater: Decided | None,
) -> tuple[list[Choice], Tables, dict[Key, NDArray[np.int64]]]:
    """All rows to score, each unit's table (if it has a truth), and each map's counts."""
    counts: dict[Key, dict[str, NDArray[np.int64]]] = {}
    tables: Tables = {}
    reference: dict[Key, NDArray[np.int64] | None] = {}
    for key in dict.fromkeys(method.key for method, _ in asked):
        counts[key] = {}
        for unit, scans in units.items():
            every = [one.table(key) for one in scans]
            counts[key][unit] = np.sum([table.levels for table in every], axis=0)
            with_truth = [table for table in every if table.has_truth]
            if with_truth:
                tables[key, unit] = sum(with_truth[1:], start=with_truth[0])
        reference[key] = None
        if normal:
            found: NDArray[np.int64] = np.sum([one.normal_counts(key) for one in normal], axis=0)
            if not found.any():
                raise UserError(
                    "The reference has no slice that is free of lesions; name another reference."
                )
            reference[key] = found
    choices: list[Choice] = []
    if of_rater is not None:
        key = of_rater.method.key
        choices.append(of_rater.choice(units, counts[key], reference[key]))
    for method, rules in asked:
        key = method.key
        choices += [
            rule_choice(method, rule, counts[key], plan.side, plan.scope, reference[key])
            for rule in rules
        ]
        if plan.oracle:
            own = {unit: tables[key, unit] for unit in units if (key, unit) in tables}
            choices += oracle_choices(method, own, list(units), plan.side)
    whole = {key: np.sum(list(of_units.values()), axis=0) for key, of_units in counts.items()}
    return choices, tables, whole


def _score(
    units: Units,
    choices: Sequence[Choice],
    steps: Sequence[Step],
    plan: Plan,
    step_done: Callable[[], None],
    of_rater: Decided | None,
) -> tuple[Tallies, dict[str, str]]:
    """Make, clean and score the masks of every unit under every choice.

    Returned is also of which units the mask cannot be made, and why: a step needs an image that is
    not there, or an edit of a rater lies on no piece.
    """
    pieces: Mapping[str, Sequence[Edit]] = of_rater.way.pieces if of_rater else {}
    tallies: dict[tuple[str, Mark], Tally] = {}
    spoilt: dict[str, str] = {}
    for unit, scans in units.items():
        wanted: dict[Key, dict[Mark, Threshold | NoThreshold]] = {}
        for choice in choices:
            if unit in choice.thresholds:
                of_map = wanted.setdefault(choice.method.key, {})
                of_map[choice.mark(unit)] = choice.thresholds[unit]
        for one in scans:
            region, truth = one.region(), one.truth()
            outline = None
            if plan.shapes and truth is not None:
                outline = TruthSurface(truth, one.spacing)
            further, edits = on_levels(one.further), pieces.get(one.scan.scan, ())
            for key, thresholds in wanted.items():
                levels = one.volume(key, region)
                for mark, threshold in thresholds.items():
                    try:
                        mask = segment(levels, region, threshold, steps, further, edits)
                    except UserError as error:
                        spoilt[unit] = str(error)
                        continue
                    tally = tallies.setdefault((unit, mark), Tally())
                    tally.add(one.scan.scan, mask, truth, one.voxel_ml, outline)
            step_done()
    return tallies, spoilt


def _rows(
    units: Units,
    choices: Sequence[Choice],
    tables: Tables,
    tallies: Tallies,
    plan: Plan,
    unread: Sequence[tuple[Scan, str]],
) -> Iterator[dict[str, Any]]:
    """A row a unit and choice; units of which nothing could be read come last in each choice."""
    missing: dict[str, list[tuple[Scan, str]]] = {}
    for scan, sentence in unread:
        missing.setdefault(plan.name(scan), []).append((scan, sentence))
    for choice in choices:

        def about(scan: Scan, number: int, choice: Choice = choice) -> dict[str, Any]:
            return {
                **choice.identity,
                "subject": scan.subject,
                "scan": scan.scan if plan.unit == "scan" else None,
                "scans": number,
                "scans_failed": len(missing.get(plan.name(scan), ())),
                "group": scan.group,
                "side": plan.side,
                "scope": choice.scope,
                "post": " ".join(plan.post) or "none",
            }

        for unit, threshold in choice.thresholds.items():
            first = units[unit][0]
            table = tables.get((choice.method.key, unit))
            yield {
                **about(first.scan, len(units[unit])),
                "range": first.ranges[choice.method.key].describe(),
                "threshold": threshold.level,
                "upper": threshold.upper,
                "failed": isinstance(threshold, NoThreshold),
                "sentence": threshold.sentence,
                "remarks": SEPARATOR.join(_said(units[unit], choice.method.key)),
                "auprc": table.average_precision(plan.side) if table else None,
                "prevalence": table.prevalence if table else None,
                **tallies[unit, choice.mark(unit)].row(plan.shapes),
            }
        for unit, several in missing.items():
            if unit not in units:
                scan, sentence = several[0]
                yield about(scan, 0) | {"failed": True, "sentence": sentence}


def _said(scans: Sequence[Kept], key: Key) -> list[str]:
    said = [sentence for one in scans for sentence in (*one.remarks, *one.doubts[key])]
    return list(dict.fromkeys(said))


def _slice_rows(choices: Sequence[Choice], tallies: Tallies) -> list[dict[str, Any]]:
    return [
        {**choice.identity, "unit": unit, "scan": scan, "slice": z, "dice": dice}
        for choice in choices
        for unit in choice.thresholds
        for scan, z, dice in tallies[unit, choice.mark(unit)].slices
    ]
