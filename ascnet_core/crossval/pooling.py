"""Held-out patients of all folds put together: a row a configuration, seed, map and rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ascnet_core.crossval.heldout import Scored, Way
from ascnet_core.metrics.overlap import ThresholdTable, oracle_cohort_threshold
from ascnet_core.metrics.statistics import spread
from ascnet_core.monitoring.history import separated_peaks, separation_index
from ascnet_core.names import Side
from ascnet_core.scoring.choices import ORACLE_COHORT, ORACLE_OWN
from ascnet_core.scoring.summary import summary_row
from ascnet_core.segmentation.histogram import find_peaks, separations

Counts = NDArray[np.int64]

WHO = ["data", "configuration", "seed", "method", "map", "side", "scope", "post", "flip"]
COLUMNS = [
    *WHO,
    *["rule", "kind", "folds", "folds_planned", "subjects", "subjects_with_lesion"],
    *["dice", "sd", "median", "ci_low", "ci_high", "dice_all", "auprc", "prevalence"],
    *["rule_failed", "threshold_low", "threshold_high", "empty_truth", "empty_both"],
    *["oracle_level", "oracle_dice", "oracle_sd", "oracle_own_dice", "oracle_own_sd"],
    *["peaks_trained", "index_trained", "peaks_held_out", "index_held_out", "command"],
]
OVER_SEEDS = ["dice", "auprc", "oracle_dice", "oracle_own_dice"]
OVER_SEEDS += ["index_trained", "index_held_out"]


@dataclass(frozen=True)
class Part:
    """The scores of one fold.

    `configuration` is "" and `seed` None for the baselines. `trained` holds the counts (256,) of
    I_ro that the run kept last, over slices that it was trained on. `at_oracle` are rows at the
    one oracle threshold of all folds' patients (`shared_oracle`), with post-processing.
    """

    data: str
    configuration: str
    seed: int | None
    fold: str
    folds_planned: int
    scored: Scored
    trained: Counts | None
    command: str
    at_oracle: pd.DataFrame | None = None


def subjects_of(parts: Sequence[Part]) -> pd.DataFrame:
    """Return the rows of all held-out patients with data set, configuration, seed and fold."""
    frames = [
        part.scored.rows.assign(
            data=part.data, configuration=part.configuration, seed=part.seed, fold=part.fold
        )
        for part in parts
    ]
    table = pd.concat(frames, ignore_index=True).astype({"seed": "Int64"})
    first = ["data", "configuration", "seed", "fold", "subject"]
    return table[[*first, *[name for name in table.columns if name not in first]]]


def pool(parts: Sequence[Part]) -> pd.DataFrame:
    """Return `COLUMNS`: a row a configuration, seed, map and rule, over the patients of all folds.

    `dice` is that of the row's own rule, mask-free or given by hand as `kind` says. Only the
    columns `oracle_*` hold what was chosen with the masks, before post-processing: one threshold
    for all patients of all folds, or with `own` one for each patient.
    """
    by_run: dict[tuple[str, str, int | None], list[Part]] = {}
    for part in parts:
        by_run.setdefault((part.data, part.configuration, part.seed), []).append(part)
    rows = [row for several in by_run.values() for row in _rows(several)]
    whole = ("seed", "threshold_low", "threshold_high", "oracle_level")
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(whole, "Int64"))


def _rows(parts: Sequence[Part]) -> list[dict[str, Any]]:
    table = subjects_of(parts)
    side: Side = "dark" if (table["side"] == "dark").any() else "bright"
    levels = shared_oracle([part.scored for part in parts], side)
    rows = []
    # an oracle has a scope of its own, yet belongs to the rules beside it
    who = [name for name in WHO if name != "scope"]
    for _, group in table.groupby(who, sort=False, dropna=False):
        oracles = group["kind"] == "oracle"
        first = group[~oracles].iloc[0]
        shared = {
            **{name: first[name] for name in WHO},
            "folds": len(parts),
            "folds_planned": parts[0].folds_planned,
            **_oracle(parts, levels, group, side),
            **_peaks(parts, str(first["map"]), bool(first["flip"])),
            "command": parts[0].command,
        }
        for _, own in group[~oracles].groupby(["rule", "kind"], sort=False):
            row = summary_row(own, 0) | shared
            low, high = row["ci95"]
            row |= {"dice": row["mean_dice"], "dice_all": row["mean_dice_all"]}
            rows.append(row | {"ci_low": low, "ci_high": high})
    return rows


def shared_oracle(several: Sequence[Scored], side: Side) -> dict[Way, int]:
    """Return each map's one level of the best mean Dice over the patients of all folds.

    ORACLE: chosen with the masks, before post-processing. Nothing where no patient has a lesion.
    """
    levels = {}
    for way in several[0].tables:
        tables = _with_lesion(several, way)
        if tables:
            levels[way], _ = oracle_cohort_threshold(tables, side)
    return levels


def _with_lesion(several: Sequence[Scored], way: Way) -> list[ThresholdTable]:
    return [t for scored in several for t in scored.tables.get(way, {}).values() if t.true]


def _oracle(
    parts: Sequence[Part], levels: Mapping[Way, int], group: pd.DataFrame, side: Side
) -> dict[str, float | None]:
    """The oracle columns of a map and a post-processing."""
    first = group.iloc[0]
    way, post = (str(first["map"]), bool(first["flip"])), str(first["post"])
    level = levels.get(way)
    frames = [part.at_oracle for part in parts if part.at_oracle is not None]
    dice: Sequence[float] | NDArray[np.float64] = []
    if level is not None and post == "none":
        tables = _with_lesion([part.scored for part in parts], way)
        dice = [float(table.dice(side)[level]) for table in tables]
    elif level is not None and len(parts) == 1:
        dice = lesion_dice(group[group["rule"] == ORACLE_COHORT])
    elif level is not None and len(frames) == len(parts):
        rows = pd.concat(frames)
        same = (rows["map"] == way[0]) & (rows["flip"] == way[1]) & (rows["post"] == post)
        dice = lesion_dice(rows[same & (rows["rule"] == str(level))])
    shared, own = spread(dice), spread(lesion_dice(group[group["rule"] == ORACLE_OWN]))
    return {
        "oracle_level": level,
        "oracle_dice": shared.mean,
        "oracle_sd": shared.sd,
        "oracle_own_dice": own.mean,
        "oracle_own_sd": own.sd,
    }


def lesion_dice(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the Dice of the units whose truth holds a lesion."""
    known = rows[rows["dice"].notna()]
    lesion = known[~known["empty_truth"].astype(bool)]
    return np.asarray(lesion["dice"], np.float64)


def _peaks(parts: Sequence[Part], map_name: str, flip: bool) -> dict[str, float | None]:
    """Mean over folds: each has a network, and so a histogram, of its own."""
    trained = [part.trained for part in parts] if map_name == "reconstruction" else []
    held = [part.scored.counts.get((map_name, flip)) for part in parts]
    result: dict[str, float | None] = {}
    for name, several in (("trained", trained), ("held_out", held)):
        found = [_separation(counts) for counts in several if counts is not None]
        result[f"peaks_{name}"] = float(np.mean([n for n, _ in found])) if found else None
        result[f"index_{name}"] = float(np.mean([i for _, i in found])) if found else None
    return result


def _separation(counts: Counts) -> tuple[int, float]:
    peaks = find_peaks(counts)
    values = separations(counts, peaks)
    return (separated_peaks(values) if peaks else 0), separation_index(values)


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean and SD (dividing by n - 1) over the seeds of each configuration and rule."""
    who = [name for name in WHO if name != "seed"] + ["rule", "kind"]
    columns: dict[str, Any] = {"seeds": ("seed", lambda seeds: " ".join(map(str, seeds)))}
    for name in OVER_SEEDS:
        columns |= {f"{name}_mean": (name, "mean"), f"{name}_sd": (name, "std")}
    own = rows[rows["configuration"] != ""].astype(dict.fromkeys(OVER_SEEDS, float))
    return own.groupby(who, sort=False, dropna=False).agg(**columns).reset_index()
