"""Tables of the pages: subjects, runs and scores as data frames with columns that state units."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from ascnet_core.errors import UserError
from ascnet_core.figures.basics import label_of
from ascnet_core.runs.summary import summary_of

if TYPE_CHECKING:
    from ascnet_core.imaging.cohort import Scan
    from ascnet_core.imaging.prepare import Prepared
    from ascnet_core.runs.folder import Run


def counted(number: int, thing: str) -> str:
    """A number with its thing: `1 scan`, `2 scans`."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def choose_row(table: pd.DataFrame | list[dict[str, Any]], key: str, **how: Any) -> int | None:
    """Show a table whose rows can be clicked, in any cell; the place of the row that is chosen."""
    how = {"on_select": "rerun", **how}
    event = st.dataframe(table, hide_index=True, selection_mode="single-cell", key=key, **how)
    place = chosen_place(event)
    return place if place is not None and place < len(table) else None


def chosen_place(event: Any) -> int | None:
    """The place of the row in which a cell was clicked, from a table's event or state."""
    cells = event["selection"]["cells"]
    return int(cells[0][0]) if cells else None


def scan_row(scan: Scan) -> dict[str, Any]:
    """What the manifest says of a scan, before it is read."""
    return {
        "scan": scan.scan,
        "subject": scan.subject,
        "group": scan.group or "",
        "modality": scan.modality or "",
        "mask": "yes" if scan.mask else "no",
        "region": "file" if scan.region else "automatic",
        "further": ", ".join(scan.further),
        "notes": scan.notes,
    }


def grid_row(prepared: Prepared) -> dict[str, Any]:
    """What reading a scan adds: grid, spacing, slices, lesion, and how it was scaled."""
    region, truth, info = prepared.region, prepared.truth, prepared.scaled_info
    voxel = prepared.volume.voxel_ml
    return {
        "grid, voxels": " × ".join(map(str, region.shape)),
        "spacing, mm": " × ".join(f"{mm:.3g}" for mm in prepared.spacing),
        "slices, tissue": int(region.any(axis=(0, 1)).sum()),
        "slices, lesion": None if truth is None else int(truth.any(axis=(0, 1)).sum()),
        "lesion, ml": None if truth is None else round(float(truth.sum()) * voxel, 2),
        "region, ml": round(float(region.sum()) * voxel, 1),
        "file value of 0": round(float(info.low), 3),
        "file value of 1": round(float(info.high), 3),
        "clipped, %": round(100 * float(info.clipped), 3),
    }


def run_row(run: Run) -> dict[str, Any]:
    """A run in the list of runs."""
    one = summary_of(run)
    return {
        "run": one.name,
        "status": one.status,
        "preset": one.preset,
        "cycles": one.cycles,
        "done": round(100 * one.share),
        "histogram of I_ro": one.verdict,
        "tags": list(one.tags),
        "note": one.note,
    }


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]], lines: Sequence[str] = ()) -> str:
    """A table in Markdown; `lines` are what stands below the heads, such as `--:`."""
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    table = (heads, lines or ["---"] * len(heads), *escaped)
    return "\n".join("| " + " | ".join(row) + " |" for row in table)


def once(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows (as in `subjects.csv`) with one oracle for each map, called after it.

    Methods without a network that threshold the same map have the same oracle.
    """
    frame = rows.copy()
    oracle = frame["kind"] == "oracle"
    plain = oracle & frame["run"].isna()
    frame.loc[plain, "method"] = "any on " + frame.loc[plain, "map"].astype(str)
    keys = frame.columns.intersection(["subject", "scan", "method", "run", "map", "rule", "kind"])
    return frame[~(oracle & frame.duplicated(keys))].reset_index(drop=True)


def score_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of `summary.json`: mask-free and oracle Dice in columns of their own.

    Mask-free rows come first, each kind from good to bad.
    """
    found = pd.DataFrame(summary["rows"])
    if found.empty:
        return found
    found = once(found)
    # The frame turned JSON's null into NaN: back to None.
    records = found.astype(object).where(found.notna(), None).to_dict("records")
    records.sort(key=lambda row: (row["kind"] == "oracle", -(row.get("mean_dice") or 0)))
    rows = []
    for row in records:
        oracle = row["kind"] == "oracle"
        mean = row.get("mean_dice")
        dice = "–" if mean is None else f"{mean:.3f} ± {row.get('sd') or 0:.3f}"
        rows.append(
            {
                "method": row["method"] + (f" ({row['run']})" if row.get("run") else ""),
                "map": row["map"],
                "rule": row["rule"],
                "kind": row["kind"],
                "Dice, mean ± SD": "" if oracle else dice,
                "oracle Dice": dice if oracle else "",
                "median": _number(row.get("median")),
                "95 % interval": _interval(row.get("ci95")),
                "threshold": _levels(row),
                "sensitivity": _number(row.get("sensitivity")),
                "precision": _number(row.get("precision")),
                "AUPRC": _number(row.get("auprc")),
                "HD95, mm": _number(row.get("hd95_mm"), 1),
                "subjects": row.get("subjects_with_lesion") or row.get("subjects"),
            }
        )
    table = pd.DataFrame(rows)
    # What was not measured, such as surface distances, needs no column.
    return table.drop(columns=[name for name in table.columns if (table[name] == "–").all()])


SCORE_HELP = {
    "Dice, mean ± SD": "Over subjects with lesion, whole volumes on the original grid, 0 to 1. "
    "The rule saw no mask.",
    "oracle Dice": "Thresholds chosen with the masks: a ceiling, not a result.",
    "median": "Dice, over the same subjects.",
    "95 % interval": "Of the mean Dice: bootstrap over subjects.",
    "threshold": "Grey level 0–255; a range where it differs by subject.",
    "sensitivity": "Share of true lesion voxels in the mask, mean over subjects, 0 to 1.",
    "precision": "Share of the mask that is lesion, mean over subjects, 0 to 1.",
    "AUPRC": "Average precision inside the region over 256 levels, mean over subjects.",
    "HD95, mm": "95th percentile Hausdorff distance, mean over subjects where both masks hold "
    "something.",
    "subjects": "Those with lesion, which the means are over.",
}


def _number(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _interval(ends: Sequence[float | None] | None) -> str:
    if not ends or ends[0] is None or ends[1] is None:
        return "–"
    return f"{ends[0]:.3f} to {ends[1]:.3f}"


def _levels(row: Mapping[str, Any]) -> str:
    low, high = row.get("threshold_low"), row.get("threshold_high")
    if low is None:
        return "none found"
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def subject_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Dice of each subject (rows) under each method and rule (columns).

    The trained network comes first, then the others from good to bad, oracles (so marked) last.
    Worst subjects first; those without lesion at the end, where Dice is 1 for an empty mask and 0
    for any other.
    """
    if rows.empty or rows["dice"].isna().all():
        return pd.DataFrame()
    frame = once(rows[rows["dice"].notna()])
    learned = frame[frame["run"].notna()]
    several_runs, several_maps = (learned[name].nunique() > 1 for name in ("run", "map"))
    frame["column"] = [
        label_of(row if several_runs else row | {"run": None})
        + (f" · {row['map']}" if several_maps and isinstance(row["run"], str) else "")
        for row in frame.to_dict("records")
    ]
    trained = set(frame.loc[frame["run"].notna(), "column"])
    lesion = frame["truth_ml"] > 0
    means = frame[lesion if lesion.any() else slice(None)].groupby("column")["dice"].mean()
    wide = frame.pivot_table(index="subject", columns="column", values="dice", aggfunc="mean")
    columns = sorted(
        wide.columns,
        key=lambda name: ("oracle" in name, name not in trained, -means.get(name, 0)),
    )
    table = wide[columns].copy()
    table.insert(0, "true lesion, ml", frame.groupby("subject")["truth_ml"].mean().round(2))
    table["empty"] = table["true lesion, ml"] == 0
    table = table.sort_values(["empty", columns[0]]).drop(columns="empty")
    return table.reset_index()


def read_results(folder: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """What `evaluate` wrote: rows by subject, method and rule; the summary. Raises UserError."""
    try:
        rows = pd.read_csv(folder / "subjects.csv")
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder} holds no finished evaluation ({error}); evaluate again."
        ) from error
    return rows, summary
