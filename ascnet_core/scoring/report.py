"""The scores of an evaluation or a cross-validation, read back for a report."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ascnet_core.errors import UserError
from ascnet_core.runs.suspicion import Remark, in_order
from ascnet_core.scoring.choices import ORACLE_COHORT, ORACLE_OWN
from ascnet_core.scoring.summary import DEFINITIONS
from ascnet_core.segmentation.levels import SEPARATOR

SUMMARY, SUBJECTS, ROWS = "summary.json", "subjects.csv", "rows.csv"


class Line(NamedTuple):
    """A method under a rule that saw no mask, or at a threshold given by hand.

    `trained`: a network, not a method without training. `subjects` and `dice` are of the units
    whose truth holds lesions (of all, where none does); the numbers are as in the summary, NaN
    where not known. `note` is what a reader must know: patients for whom the rule found nothing,
    missing folds.
    """

    data: str
    method: str
    map: str
    rule: str
    post: str
    trained: bool
    subjects: tuple[str, ...]
    dice: NDArray[np.float64]
    mean: float
    sd: float
    median: float
    low: float
    high: float
    auprc: float
    note: str = ""


class Oracle(NamedTuple):
    """What the best threshold would give, known only with the masks: one for all, or one each."""

    data: str
    method: str
    map: str
    post: str
    shared: float
    own: float


class Report(NamedTuple):
    """All that the page shows; `facts` are (name, value), `definitions` term -> sentence.

    `remarks` are what makes one doubt scans or patients, that they were trained on first.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    oracles: tuple[Oracle, ...]
    definitions: Mapping[str, str]
    remarks: tuple[Remark, ...] = ()


def read_report(folder: Path) -> Report:
    """Read what `evaluate` or `crossval` wrote into a folder; `UserError` if it holds neither."""
    try:
        if (folder / ROWS).is_file():
            return _of_crossval(folder)
        if (folder / SUMMARY).is_file():
            return _of_evaluation(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder} cannot be read ({error}); evaluate again.") from error
    raise UserError(
        f"{folder} holds no scores; give the folder that `evaluate` or `crossval` wrote (its -o)."
    )


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(("subject", "scan", "rule", "remarks"), "str"),
        keep_default_na=False,
        na_values=[""],
    )


def _rows_of(table: pd.DataFrame, row: Mapping[str, Any], names: Sequence[str]) -> pd.DataFrame:
    """The patients of a row: those that are equal to it in some columns."""
    for name in names:
        same = table[name].isna() if pd.isna(row[name]) else table[name] == row[name]
        table = table[same]
    return table


def _of_evaluation(folder: Path) -> Report:
    summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    table = _read(folder / SUBJECTS)
    settings = summary["settings"]
    cohort, by_scan = str(settings["cohort"]), settings.get("unit") == "scan"
    if by_scan:
        table["subject"] = table["scan"]
    lines, oracles = [], dict[tuple[str, str, str, str], dict[str, float]]()
    for row in summary["rows"]:
        method = row["run"] or row["method"]
        if row["kind"] == "oracle":
            found = oracles.setdefault((cohort, method, row["map"], row["post"]), {})
            found[row["rule"]] = _number(row["mean_dice"])
            continue
        own = _rows_of(table, row, ("method", "run", "map", "rule", "post"))
        low, high = row["ci95"]
        who = (cohort, method, row["run"] is not None)
        lines.append(_line(row, own, who, mean=row["mean_dice"], low=low, high=high))
    facts = (
        ("cohort", f"{cohort} ({Path(settings['manifest']).name})"),
        ("a row is", "a scan" if by_scan else "a patient, all scans pooled"),
        ("side, scope", f"{settings['side']}, {settings['scope']}"),
        ("reference", Path(settings["reference"]).name if settings["reference"] else "none"),
        ("command", " ".join(map(str, summary.get("command", []))) or "not kept"),
        ("versions", ", ".join(f"{k} {v}" for k, v in summary["versions"].items())),
    )
    bests = tuple(
        Oracle(*key, *(found.get(rule, math.nan) for rule in (ORACLE_COHORT, ORACLE_OWN)))
        for key, found in oracles.items()
    )
    definitions = summary.get("definitions", DEFINITIONS)
    remarks = tuple(
        Remark(one["sentence"], tuple(one["scans"])) for one in summary.get("remarks", ())
    )
    return Report(f"Evaluation on {cohort}", facts, tuple(lines), bests, definitions, remarks)


def _of_crossval(folder: Path) -> Report:
    rows, table = _read(folder / ROWS), _read(folder / SUBJECTS)
    lines, oracles = [], dict[tuple[str, str, str, str], Oracle]()
    table["subject"] = table["scan"].fillna(table["subject"])
    keys = ["data", "configuration", "seed", "method", "map", "side", "scope", "post", "flip"]
    for row in rows.to_dict("records"):
        trained = not pd.isna(row["configuration"])
        method = f"{row['configuration']}, seed {int(row['seed'])}" if trained else row["method"]
        own = _rows_of(table, row, (*keys, "rule"))
        row["map"] += ", flips averaged" if row["flip"] else ""
        ends = {"low": row["ci_low"], "high": row["ci_high"]}
        lines.append(_line(row, own, (row["data"], method, trained), mean=row["dice"], **ends))
        key = (row["data"], method, row["map"], row["post"])
        oracles[key] = Oracle(*key, _number(row["oracle_dice"]), _number(row["oracle_own_dice"]))
    facts = (
        ("data", ", ".join(dict.fromkeys(rows["data"]))),
        ("a row is", "patients (or their scans) who were held out, of all folds"),
        ("commands", " ; ".join(dict.fromkeys(rows["command"]))),
    )
    names = ("auprc", "empty_truth", "rule_failed", "kind", "ci95")
    definitions = {name: DEFINITIONS[name] for name in names}
    title = f"Cross-validation {folder.resolve().name}"
    remarks: tuple[Remark, ...] = ()
    if "remarks" in table:
        said = table[["subject", "remarks"]].fillna("").itertuples(index=False)
        remarks = in_order((name, filter(None, cell.split(SEPARATOR))) for name, cell in said)
    return Report(title, facts, tuple(lines), tuple(oracles.values()), definitions, remarks)


def _line(
    row: Mapping[str, Any], table: pd.DataFrame, who: tuple[str, str, bool], **known: float | None
) -> Line:
    """The line of a summary's row; `known` are the values that it names in another way."""
    masked = table[table["dice"].notna()]
    lesion = masked[~masked["empty_truth"].astype(bool)]
    shown = lesion if len(lesion) else masked
    notes = []
    failed = int(row.get("rule_failed") or 0)
    if failed:
        notes.append(f"no threshold found for {failed} of {row['subjects']}")
    if unread := int(row.get("scans_failed") or 0):
        notes.append(f"without {unread} scans that could not be read")
    if row.get("folds") != row.get("folds_planned"):
        notes.append(f"{row['folds']} of {row['folds_planned']} folds")
    if row["kind"] == "manual":
        notes.append("threshold given by hand")
    if not len(lesion) and len(masked):
        notes.append("no lesion in any: 1 where nothing was found, else 0")
    data, method, trained = who
    numbers = known | {name: row[name] for name in ("sd", "median", "auprc")}
    return Line(
        data=data,
        method=method,
        map=row["map"],
        rule=str(row["rule"]),
        post=row["post"],
        trained=trained,
        subjects=tuple(map(str, shown["subject"])),
        dice=np.asarray(shown["dice"], np.float64),
        note="; ".join(notes),
        **{name: _number(value) for name, value in numbers.items()},
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
