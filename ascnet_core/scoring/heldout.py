"""Scores of patients that a network was not trained on, kept so that nothing is scored twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ascnet_core.files import write_json, write_text
from ascnet_core.imaging.cohort import Cohort, read_manifest
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.methods.asc_net import asc_net
from ascnet_core.methods.base import Method
from ascnet_core.methods.baselines import baselines
from ascnet_core.scoring.crossplan import DataSet, Scoring
from ascnet_core.scoring.evaluation import EvaluationResult, evaluate_plans
from ascnet_core.scoring.folds import Fold, without
from ascnet_core.scoring.output import reference_cohort
from ascnet_core.training.run_folder import MODEL, Run
from ascnet_core.training.run_sets import preparation_of

SUBJECTS = "subjects.csv"
SCORE = "score.json"
_TEXT = ["subject", "scan", "group", "method", "run", "map", "rule", "kind", "side", "scope"]
_TEXT += ["post", "range", "sentence"]

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Scored:
    """What a fold gave.

    Attributes
    ----------
    rows : DataFrame
        As of `evaluate`, a row a subject, method and rule, with a column `flip`.
    counts : dict
        (map, flip) -> (256,) int64 levels inside the region over the held-out patients; baselines
        by their own map.
    """

    rows: pd.DataFrame
    counts: Mapping[tuple[str, bool], NDArray[np.int64]]


def reference_of_fold(data: DataSet, fold: Fold) -> Cohort:
    """Return what is normal for a fold: of its training patients, or of another manifest.

    Nobody who is scored is in it. Raises UserError.
    """
    if data.reference in ("normal", "lesion-free"):
        return reference_cohort(fold.train, data.reference)
    other = read_manifest(Path(data.reference))
    normal = tuple(scan for scan in other.scans if scan.group == "normal")
    return without(replace(other, scans=normal) if normal else other, fold.test)


def score_network(
    run: Path,
    fold: Fold,
    reference: Cohort,
    data: DataSet,
    scoring: Scoring,
    cycle: int | None = None,
    device: str = "cpu",
    progress: Tell | None = None,
) -> Scored:
    """Score a run's network on the patients held out.

    Parameters
    ----------
    cycle : int or None
        The network after a cycle, at its mask-free rules only; None: the result, oracles too.
    """
    rules = scoring.rules
    needed = any(rule.startswith("reference-quantile") for of in rules.values() for rule in of)
    found: list[tuple[bool, Sequence[Method], list[EvaluationResult]]] = []
    for place, flip in enumerate(scoring.flip):
        methods = [
            replace(method, rules=_fixed(rules[method.map]))
            for method in asc_net(run, list(rules), cycle, device, flip=flip)
        ]
        results = evaluate_plans(
            fold.test,
            methods,
            preparation_of(Run(run).settings()),
            data.plans(oracle=cycle is None),
            reference if needed else None,
            _part(progress, place, len(scoring.flip)),
        )
        found.append((flip, methods, results))
    return _joined(found)


def score_baselines(
    fold: Fold,
    reference: Cohort,
    data: DataSet,
    preparation: Preparation,
    progress: Tell | None = None,
) -> Scored:
    """Score the training-free methods on the same patients, at their own rules and oracles."""
    methods = baselines(data.baselines)
    plans = data.plans(rules=data.baseline_rules)
    results = evaluate_plans(fold.test, methods, preparation, plans, reference, progress)
    return _joined([(False, methods, results)])


def _fixed(rules: tuple[str, ...]) -> Callable[..., tuple[str, ...]]:
    return lambda side, asked, reference: rules


def _part(progress: Tell | None, place: int, parts: int) -> Tell | None:
    if progress is None:
        return None
    tell = progress
    return lambda done, total: tell(place * total + done, parts * total)


def _joined(found: Sequence[tuple[bool, Sequence[Method], list[EvaluationResult]]]) -> Scored:
    frames: list[pd.DataFrame] = []
    counts: dict[tuple[str, bool], NDArray[np.int64]] = {}
    for flip, methods, results in found:
        frames += [result.rows.assign(flip=flip) for result in results]
        counts |= {(method.map, flip): results[0].counts[method.key] for method in methods}
    return Scored(pd.concat(frames, ignore_index=True), counts)


def asked_of(
    fold: Fold,
    reference: Cohort,
    data: DataSet,
    scoring: Scoring | None = None,
    run: Path | None = None,
    cycle: int | None = None,
    preparation: Preparation | None = None,
) -> dict[str, Any]:
    """Return all that a fold's scores depend on, ready for JSON: equal means nothing to redo."""
    whole: dict[str, Any] = {
        "test": _files(fold.test),
        "reference": _files(reference),
        "side": data.side,
        "scope": data.scope,
        "post": data.post,
        "shapes": data.shapes,
    }
    if scoring is None:
        whole["baselines"] = [data.baselines, data.baseline_rules]
        # the size of slices matters to networks alone
        whole["preparation"] = asdict(replace(preparation or Preparation(), size=160))
    else:
        whole["rules"] = dict(scoring.rules)
        whole["flip"] = scoring.flip
        whole["cycle"] = cycle
    if run is not None:
        folder = run if cycle is None else Run(run).at_cycle(cycle).path
        whole["model"] = hashlib.sha256((folder / MODEL).read_bytes()).hexdigest()
    plain: dict[str, Any] = json.loads(json.dumps(whole))
    return plain


def _files(cohort: Cohort) -> list[list[str]]:
    return [[s.subject, s.image.name, s.mask.name if s.mask else ""] for s in cohort.scans]


def keep(folder: Path, scored: Scored, asked: Mapping[str, Any]) -> None:
    """Write a fold's scores; `score.json` comes last: it makes them complete."""
    write_text(folder / SUBJECTS, scored.rows.to_csv(index=False, float_format="%.9g"))
    counts = [
        {"map": name, "flip": flip, "counts": levels.tolist()}
        for (name, flip), levels in scored.counts.items()
    ]
    write_json(folder / SCORE, {"asked": asked, "histograms": counts})


def kept(folder: Path, asked: Mapping[str, Any]) -> Scored | None:
    """Return the scores of an earlier time, None if there are none or something has changed."""
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
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Scored(rows, counts)
