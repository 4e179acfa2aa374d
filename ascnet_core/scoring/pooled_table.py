"""The pooled rows as Markdown: a table a data set, oracle figures in columns of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

_SAME = ["configuration", "seed", "method", "map", "flip", "rule"]

LEGEND = """\
Mean Dice over the patients who were held out, whole volumes on the original grid, ± SD over
patients, [95 % bootstrap interval]. A rule (`mask-free`) saw no mask; what was chosen with the
masks stands under *oracle* only: one threshold for all patients of a fold, before post-processing.
Peaks: how many are separated, and the separation index (0 to 1), on the slices trained on and on
the patients held out; means over folds. AUPRC: average precision inside the region.
"""


def table_text(rows: pd.DataFrame, seeds: pd.DataFrame, about: Mapping[str, str]) -> str:
    """Return the text of `table.md`.

    Parameters
    ----------
    rows, seeds : DataFrame
        Of `pool` and `over_seeds`.
    about : dict
        Data set -> what it is and how it was divided, in a sentence.
    """
    blocks = [LEGEND]
    for name, sentence in about.items():
        own = rows[rows["data"] == name]
        if len(own):
            table = _table(own, seeds[seeds["data"] == name])
            blocks.append(f"### {name}\n\n{sentence}\n\n{table}\n")
    return "\n".join(blocks)


def _table(rows: pd.DataFrame, seeds: pd.DataFrame) -> str:
    posts = list(dict.fromkeys(rows["post"]))
    head = ["method", "seed", "map", "rule", "peaks trained", "peaks held out"]
    head += [f"Dice, {_post(post)}" for post in posts] + ["AUPRC"]
    head += [f"*oracle*, {_post(post)}" for post in posts] + ["command"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for own in _networks_first(rows):
        lines += [_line(group, posts) for _, group in own.groupby(_SAME, sort=False, dropna=False)]
        first = own.iloc[0]
        if first["configuration"]:
            summary = seeds[seeds["configuration"] == first["configuration"]]
            several = summary[summary["seeds"].str.contains(" ")]
            same = [name for name in _SAME if name != "seed"]
            lines += [_seed_line(g, posts) for _, g in several.groupby(same, sort=False)]
    return "\n".join(lines)


def _networks_first(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Each configuration's rows, the baselines last."""
    names = list(dict.fromkeys(rows["configuration"]))
    order = [name for name in names if name] + [name for name in names if not name]
    return [rows[rows["configuration"] == name] for name in order]


def _line(group: pd.DataFrame, posts: Sequence[str]) -> str:
    first = group.iloc[0]
    by_post = {row["post"]: row for _, row in group.iterrows()}
    seed = "" if pd.isna(first["seed"]) else str(first["seed"])
    cells = [
        _title(first),
        seed,
        _map(first),
        _rule(first),
        _peaks(first, "trained"),
        _peaks(first, "held_out"),
        *[_dice(by_post.get(post)) for post in posts],
        _number(first["auprc"]),
        *[_number(by_post[post]["oracle_fold_dice"]) if post in by_post else "" for post in posts],
        f"`{first['command']}`",
    ]
    return "| " + " | ".join(cells) + " |"


def _seed_line(group: pd.DataFrame, posts: Sequence[str]) -> str:
    first = group.iloc[0]
    by_post = {row["post"]: row for _, row in group.iterrows()}
    cells = [
        f"**{first['configuration']}**",
        f"mean of {len(first['seeds'].split())}",
        _map(first),
        _rule(first),
        _of_seeds(first, "index_trained"),
        _of_seeds(first, "index_held_out"),
        *[f"**{_of_seeds(by_post[p], 'dice')}**" if p in by_post else "" for p in posts],
        _of_seeds(first, "auprc"),
        *[_of_seeds(by_post[p], "oracle_fold_dice") if p in by_post else "" for p in posts],
        "± SD over seeds",
    ]
    return "| " + " | ".join(cells) + " |"


def _title(row: Any) -> str:
    name = row["configuration"] or f"{row['method']} (no training)"
    return name if row["folds"] == row["folds_planned"] else f"{name} (unfinished)"


def _map(row: Any) -> str:
    name = "I_ro" if row["map"] == "reconstruction" else str(row["map"])
    return f"{name}, flips averaged" if row["flip"] else name


def _rule(row: Any) -> str:
    text = f"`{row['rule']}`"
    text += " (by hand)" if row["kind"] == "manual" else ""
    failed = row.get("rule_failed", 0)
    return f"{text}, none found for {failed} of {row['subjects']}" if failed else text


def _peaks(row: Any, where: str) -> str:
    number, index = row[f"peaks_{where}"], row[f"index_{where}"]
    return "" if pd.isna(number) else f"{round(float(number), 1):g} ({float(index):.2f})"


def _dice(row: Any) -> str:
    if row is None or pd.isna(row["dice"]):
        return ""
    low, high = row["ci_low"], row["ci_high"]
    return f"{row['dice']:.3f} ± {row['sd']:.3f} [{low:.3f}, {high:.3f}]"


def _of_seeds(row: Any, name: str) -> str:
    mean, sd = row[f"{name}_mean"], row[f"{name}_sd"]
    if pd.isna(mean):
        return ""
    return f"{mean:.3f}" if pd.isna(sd) else f"{mean:.3f} ± {sd:.3f}"


def _number(value: Any) -> str:
    return "" if pd.isna(value) else f"{float(value):.3f}"


def _post(post: str) -> str:
    return "raw" if post == "none" else f"`{post}`"
