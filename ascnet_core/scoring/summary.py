"""From a row a subject to a row a method: tables, means, and what each column means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
from pydantic_core import to_jsonable_python

from ascnet_core.imaging.cohort import Cohort, Scan
from ascnet_core.imaging.prepare import Preparation
from ascnet_core.metrics.statistics import spread
from ascnet_core.runs.create import versions
from ascnet_core.runs.suspicion import Remark
from ascnet_core.scoring.plan import Plan

IDENTITY = ["method", "run", "map", "rule", "kind", "side", "scope", "post"]
COLUMNS = [
    *["subject", "scan", "scans", "scans_failed", "scans_with_mask", "group", *IDENTITY],
    *["range", "threshold", "upper", "failed"],
    *["dice", "sensitivity", "precision", "auprc", "prevalence"],
    *["hd95_mm", "msd_mm", "lesion_recall", "lesion_precision", "lesion_f1"],
    *["lesions_true", "lesions_hit", "lesions_predicted", "lesions_predicted_hit"],
    *["volume_ml", "truth_ml", "slice_dice", "empty_truth", "empty_prediction"],
    *["tp", "fp", "fn", "tn", "sentence", "remarks"],
]
WHOLE = ["scans", "scans_failed", "scans_with_mask", "threshold", "upper", "tp", "fp", "fn", "tn"]
WHOLE += ["lesions_true", "lesions_hit", "lesions_predicted", "lesions_predicted_hit"]
SLICE_COLUMNS = ["unit", "scan", "slice", "method", "run", "map", "rule", "kind", "dice"]
MEANS = ["sensitivity", "precision", "auprc", "prevalence", "hd95_mm", "msd_mm", "slice_dice"]
MEANS += ["lesion_recall", "lesion_precision", "lesion_f1"]

DEFINITIONS = {
    "mean_dice": (
        "mean over the units whose truth holds lesions, Dice over all voxels of all their scans on "
        "the original grid; where no unit has lesions: mean_dice_all"
    ),
    "mean_dice_all": (
        "mean over all units with a mask; empty truth counts 1 with an empty and 0 with any other "
        "prediction"
    ),
    "sd": "over the same units as mean_dice, dividing by n; so are median and ci95",
    "ci95": "bootstrap 95 % interval of mean_dice over units, 10,000 draws",
    "empty_truth": "units whose mask is empty; of these, empty_both have an empty prediction",
    "scans_failed": (
        "scans that could not be read; they are in no mean. subjects_failed are the units of which "
        "no scan could be read: they are named under `failed`, and have a row without scores"
    ),
    "rule_failed": "units for which the rule found no threshold; their prediction is empty",
    "auprc": "average precision inside the region over 256 levels, mean over units with lesions",
    "prevalence": "share of lesion in the region: the auprc of a guess",
    "hd95_mm, msd_mm": (
        "95th percentile Hausdorff and mean symmetric surface distance, mean over the units where "
        "both masks hold something (hd95_n); several scans of a unit are pooled"
    ),
    "lesion_*": (
        "26-connected lesions, a hit is any overlap: one component over everything scores 1, so "
        "read them beside the Dice"
    ),
    "slice_dice": "mean over the axial slices that hold lesion, then over units",
    "kind": (
        "mask-free: the rule saw no mask; manual: a number given by hand; oracle: chosen with the "
        "masks, before post-processing"
    ),
}


def to_frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the rows as a table with `COLUMNS`; whole numbers stay whole beside blanks."""
    kinds: dict[str, Any] = dict.fromkeys(WHOLE, "Int64")
    kinds |= dict.fromkeys(("failed", "empty_truth", "empty_prediction"), "boolean")
    kinds |= dict.fromkeys(("dice", "volume_ml", "truth_ml", *MEANS), float)
    return pd.DataFrame(list(rows), columns=COLUMNS).astype(kinds)


def summarise(
    rows: pd.DataFrame,
    cohort: Cohort,
    preparation: Preparation,
    plan: Plan,
    reference: Cohort | None,
    remarks: Sequence[Remark],
    unread: Sequence[tuple[Scan, str]] = (),
) -> dict[str, Any]:
    """Return the summary of an evaluation, ready for JSON (undefined numbers are null).

    `unread` are the scans that could not be read, with the sentence on each.
    """
    groups = rows.groupby(IDENTITY, sort=False, dropna=False)
    summary = {
        "rows": [summary_row(group, plan.seed) for _, group in groups],
        "failed": [
            {"subject": scan.subject, "scan": scan.scan, "sentence": sentence}
            for scan, sentence in unread
        ],
        "settings": {
            "cohort": cohort.name,
            "manifest": str(cohort.manifest),
            "reference": str(reference.manifest) if reference else None,
            "preparation": asdict(preparation),
            **asdict(plan),
        },
        "remarks": [
            {"sentence": one.sentence, "training": one.of_training, "scans": list(one.scans)}
            for one in remarks
        ],
        "definitions": DEFINITIONS,
        "versions": versions(),
    }
    return to_plain(summary)


def to_plain(content: dict[str, Any]) -> dict[str, Any]:
    """Return plain JSON values: NaN and missing become null, paths text."""
    plain: dict[str, Any] = to_jsonable_python(
        content,
        inf_nan_mode="null",
        fallback=lambda one: None if one is pd.NA else one.item(),
    )
    return plain


def summary_row(group: pd.DataFrame, seed: int) -> dict[str, Any]:
    """Summarise the rows of a method and rule; `DEFINITIONS` says what the columns mean."""
    scans_failed = int(group["scans_failed"].sum()) if "scans_failed" in group else 0
    nothing_read = (group["scans"] == 0).fillna(False).astype(bool)
    group = group[~nothing_read]
    first = group.iloc[0]
    masked = group[group["dice"].notna()]
    empty = masked["empty_truth"].astype(bool)
    lesion = masked[~empty]
    counted = lesion if len(lesion) else masked
    dice = spread(counted["dice"].to_numpy(), seed)
    everyone = spread(masked["dice"].to_numpy(), seed)
    levels = group["threshold"].dropna()
    return {
        **{name: first[name] for name in IDENTITY},
        "subjects": len(group),
        "subjects_failed": int(nothing_read.sum()),
        "scans_failed": scans_failed,
        "subjects_with_mask": len(masked),
        "subjects_with_lesion": len(lesion),
        "mean_dice": dice.mean,
        "sd": dice.sd,
        "median": dice.median,
        "ci95": list(dice.ci95),
        "mean_dice_over": "; ".join(
            ["subjects with lesion" if len(lesion) else "all (none has a lesion)"]
            + ([f"without {scans_failed} scans that could not be read"] if scans_failed else [])
        ),
        "mean_dice_all": everyone.mean,
        "empty_truth": int(empty.sum()),
        "empty_both": int((empty & masked["empty_prediction"].astype(bool)).sum()),
        "rule_failed": int(group["threshold"].isna().sum()),
        "threshold": int(levels.iloc[0]) if levels.nunique() == 1 else None,
        "threshold_low": int(levels.min()) if len(levels) else None,
        "threshold_high": int(levels.max()) if len(levels) else None,
        **{name: float(counted[name].mean()) for name in MEANS},
        "hd95_n": int(counted["hd95_mm"].notna().sum()),
        "volume_ml": float(group["volume_ml"].mean()),
        "truth_ml": float(masked["truth_ml"].mean()) if len(masked) else None,
        "range": first["range"] if group["range"].nunique() == 1 else "differs by subject",
        "sentence": first["sentence"] if group["sentence"].nunique() == 1 else None,
    }
