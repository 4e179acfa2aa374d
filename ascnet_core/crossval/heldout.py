"""Scores of patients that a network was not trained on, kept so that nothing is scored twice."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ascnet_core.crossval.folds import Fold, without
from ascnet_core.crossval.plan import DataSet
from ascnet_core.files import write_text
from ascnet_core.imaging.cohort import Cohort, read_manifest
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.methods.asc_net import asc_net
from ascnet_core.methods.base import Method
from ascnet_core.methods.baselines import baselines
from ascnet_core.metrics.overlap import ThresholdTable
from ascnet_core.names import OWN_REFERENCES, Tell
from ascnet_core.outputs import writing
from ascnet_core.runs.folder import Run
from ascnet_core.scoring.evaluation import EvaluationResult, evaluate_plans
from ascnet_core.scoring.plan import Plan, reference_cohort
from ascnet_core.segmentation.rules import needs_reference
from ascnet_core.settings.preparation import preparation_of

SUBJECTS = "subjects.csv"
SCORE = "score.json"
_TEXT = ["subject", "scan", "group", "method", "run", "map", "rule", "kind", "side", "scope"]
_TEXT += ["post", "range", "sentence"]

Way = tuple[str, bool]


class Scored(NamedTuple):
    """The scores of a fold; `rows` are as `evaluate` gives them, with a column `flip`.

    By map and flip: `counts` (256,) int64 of the levels inside the region over the held-out
    patients, and `tables` of what every threshold would score, by subject, where there is a truth.
    """

    rows: pd.DataFrame
    counts: Mapping[Way, NDArray[np.int64]]
    tables: Mapping[Way, Mapping[str, ThresholdTable]]


def reference_of_fold(data: DataSet, fold: Fold) -> Cohort:
    """Return what is normal for a fold, without anybody who is scored; raises `UserError`."""
    if data.reference in OWN_REFERENCES:
        return reference_cohort(fold.train, data.reference)
    other = read_manifest(Path(data.reference))
    normal = tuple(scan for scan in other.scans if scan.group == "normal")
    return without(replace(other, scans=normal) if normal else other, fold.test)


def score_network(
    run: Path,
    fold: Fold,
    reference: Cohort | None,
    rules: Mapping[str, tuple[str, ...]],
    flips: Sequence[bool],
    plans: Sequence[Plan],
    cycle: int | None = None,
    device: str = "cpu",
    progress: Tell | None = None,
) -> Scored:
    """Score a run's network, or that of a cycle, on the patients held out.

    `rules` are by map, `flips` as in a plan's file; `plans` differ in post-processing. The
    reference is read only if a rule asks for it.
    """
    needed = needs_reference([rule for of in rules.values() for rule in of])
    found: list[tuple[bool, Sequence[Method], list[EvaluationResult]]] = []
    for index, flip in enumerate(flips):

        def tell(done: int, total: int, before: int = index) -> None:
            if progress is not None:
                progress(before * total + done, len(flips) * total)

        methods = [
            replace(method, rules=_fixed(rules[method.map]))
            for method in asc_net(run, list(rules), cycle, device, flip=flip)
        ]
        results = evaluate_plans(
            fold.test,
            methods,
            preparation_of(Run(run).settings()),
            plans,
            reference if needed else None,
            tell,
        )
        found.append((flip, methods, results))
    return _joined(found)


def score_baselines(
    fold: Fold,
    reference: Cohort | None,
    names: Sequence[str],
    plans: Sequence[Plan],
    preparation: Preparation,
    levels: Mapping[Way, int] | None = None,
    progress: Tell | None = None,
) -> Scored:
    """Score the training-free methods on the patients held out.

    By their own rules and oracles, or with `levels` at one level a map.
    """
    methods = baselines(names)
    if levels is not None:
        methods = tuple(
            replace(method, rules=_fixed((str(levels[method.map, False]),)))
            for method in {one.map: one for one in methods}.values()
        )
    results = evaluate_plans(fold.test, methods, preparation, plans, reference, progress)
    return _joined([(False, methods, results)])


def _fixed(rules: tuple[str, ...]) -> Callable[..., tuple[str, ...]]:
    return lambda side, asked, reference: rules


def _joined(found: Sequence[tuple[bool, Sequence[Method], list[EvaluationResult]]]) -> Scored:
    frames: list[pd.DataFrame] = []
    counts: dict[Way, NDArray[np.int64]] = {}
    tables: dict[Way, dict[str, ThresholdTable]] = {}
    for flip, methods, results in found:
        first = results[0]
        frames += [result.rows.assign(flip=flip) for result in results]
        counts |= {(method.map, flip): first.counts[method.key] for method in methods}
        for method in methods:
            own = {unit: t for (key, unit), t in first.tables.items() if key == method.key}
            tables[method.map, flip] = own
    return Scored(pd.concat(frames, ignore_index=True), counts, tables)


def asked_of(
    fold: Fold, reference: Cohort | None, plans: Sequence[Plan], **more: Any
) -> dict[str, Any]:
    """Return all that a fold's scores depend on, ready for JSON: equal means nothing to redo."""
    whole = {
        "test": _files(fold.test),
        "reference": _files(reference) if reference else None,
        "plans": [asdict(plan) for plan in plans],
        **more,
    }
    plain: dict[str, Any] = json.loads(json.dumps(whole))
    return plain


def _files(cohort: Cohort) -> list[list[str]]:
    return [[s.subject, s.image.name, s.mask.name if s.mask else ""] for s in cohort.scans]


def keep(folder: Path, scored: Scored, asked: Mapping[str, Any]) -> None:
    """Write a fold's scores; `score.json` comes last and makes them complete."""
    whole = {
        "asked": asked,
        "histograms": [
            {"map": name, "flip": flip, "counts": levels}
            for (name, flip), levels in scored.counts.items()
        ],
        "thresholds": [
            {"map": name, "flip": flip, "subject": subject, **asdict(table)}
            for (name, flip), tables in scored.tables.items()
            for subject, table in tables.items()
        ],
    }
    with writing(folder, (SUBJECTS, SCORE), "crossval", overwrite=True) as aside:
        write_text(aside / SUBJECTS, scored.rows.to_csv(index=False, float_format="%.9g"))
        # without indents: they would put each of 256 counts on a line of its own
        write_text(aside / SCORE, json.dumps(whole, default=np.ndarray.tolist) + "\n")


def kept(folder: Path, asked: Mapping[str, Any]) -> Scored | None:
    """Return scores that were kept, None if there are none or something has changed since."""
    try:
        known = json.loads((folder / SCORE).read_text(encoding="utf-8"))
        if known["asked"] != asked:
            return None
        rows = pd.read_csv(
            folder / SUBJECTS,
            dtype=dict.fromkeys(_TEXT, "str"),
            keep_default_na=False,
            na_values=[""],
        )
        counts = {
            (str(one["map"]), bool(one["flip"])): np.asarray(one["counts"], np.int64)
            for one in known["histograms"]
        }
        tables: dict[Way, dict[str, ThresholdTable]] = {way: {} for way in counts}
        for one in known["thresholds"]:
            levels, lesion = (np.asarray(one[name], np.int64) for name in ("levels", "lesion"))
            tables[one["map"], one["flip"]][one["subject"]] = ThresholdTable(
                levels, lesion, one["outside"], one["background"]
            )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Scored(rows, counts, tables)
