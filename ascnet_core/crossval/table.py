"""The pooled rows as Markdown: a table a data set, oracle figures in columns of their own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

_SAME = ["configuration", "seed", "method", "map", "flip", "rule"]

LEGEND = """\
Mean Dice over the patients who were held out, whole volumes on the original grid, ± SD over
patients, [95 % bootstrap interval]. No rule saw a mask. What was chosen with the masks stands under
*oracle* only: one threshold for all patients of all folds, chosen before post-processing. Peaks:
how many are separated and, in brackets, the separation index (0 to 1), on slices trained on and on
the patients held out, means over folds. AUPRC: average precision inside the region. Rows of several
seeds are means ± SD over seeds. The last column is for `--only`: see the command above each table.
"""


def table_text(
    rows: pd.DataFrame, seeds: pd.DataFrame, about: Mapping[str, str], runs: pd.DataFrame
) -> str:
    """Return the text of `table.md`, from `pool`, `over_seeds` and a row for each run.

    `about` says of each data set in a sentence what it is and how it was divided.
    """
    blocks = [LEGEND]
    for name, sentence in about.items():
        own = rows[rows["data"] == name]
        if not len(own):
            continue
        command, _, rest = str(own.iloc[0]["command"]).partition(" --only")
        out = rest.partition(" -o ")[2]
        command += " --only NAME" + (f" -o {out}" if out else "")
        table = _table(own, seeds[seeds["data"] == name])
        blocks.append(f"### {name}\n\n{sentence} `{command}`\n\n{table}\n")
        trained = runs[runs["data"] == name] if len(runs) else runs
        if len(trained):
            blocks.append("\n".join(_recipes(trained)) + "\n")
    return "\n".join(blocks)


def _recipes(runs: pd.DataFrame) -> list[str]:
    """A line a configuration: what it is, and what a run of it cost."""
    lines = []
    for name, own in runs.groupby("configuration", sort=False):
        first = own.iloc[0]
        steps = f"{own['steps'].astype(float).mean():,.0f} steps"
        devices = " or ".join(sorted(set(own["device"]))) or "an unknown device"
        changes = f" with `{first['set']}`" if first["set"] else ""
        note = f" {first['note']}" if first["note"] else ""
        lines.append(
            f"- **{name}**: preset `{first['preset']}`{changes}; {len(own)} runs of {steps} and "
            f"{own['minutes'].mean():.1f} min each on {devices}.{note}"
        )
    return lines


def _table(rows: pd.DataFrame, seeds: pd.DataFrame) -> str:
    posts = list(dict.fromkeys(rows["post"]))
    head = ["method", "seed", "map", "rule", "peaks trained", "peaks held out"]
    head += [f"Dice, {_post(post)}" for post in posts] + ["AUPRC"]
    head += [f"*oracle*, {_post(post)}" for post in posts] + ["`--only`"]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for name in sorted(dict.fromkeys(rows["configuration"]), key=lambda name: not name):
        own = rows[rows["configuration"] == name]
        lines += [_line(group, posts) for _, group in own.groupby(_SAME, sort=False, dropna=False)]
        if name:
            summary = seeds[seeds["configuration"] == name]
            several = summary[summary["seeds"].str.contains(" ")]
            same = [name for name in _SAME if name != "seed"]
            lines += [_line(group, posts) for _, group in several.groupby(same, sort=False)]
    return "\n".join(lines)


def _line(group: pd.DataFrame, posts: Sequence[str]) -> str:
    """The line of a run's rows or of means over seeds, which differ in post-processing alone."""
    first = group.iloc[0]
    by_post = {row["post"]: row for _, row in group.iterrows()}
    number: Callable[[Any, str], str]
    dice: Callable[[Any], str]
    if "seeds" in group:
        who = [f"**{first['configuration']}**", f"mean of {len(first['seeds'].split())}"]
        indices = [_of_seeds(first, f"index_{where}") for where in ("trained", "held_out")]
        peaks = [f"({text})" if text else "" for text in indices]
        number, dice = _of_seeds, lambda row: f"**{_of_seeds(row, 'dice')}**"
    else:
        name = first["configuration"] or f"{first['method']} (no training)"
        name += "" if first["folds"] == first["folds_planned"] else " (unfinished)"
        who = [name, "" if pd.isna(first["seed"]) else str(first["seed"])]
        peaks = [_peaks(first, where) for where in ("trained", "held_out")]
        number, dice = _number, _dice
    cells = [*who, _map(first), _rule(first), *peaks]
    cells += [dice(by_post[post]) if post in by_post else "" for post in posts]
    cells.append(number(first, "auprc"))
    cells += [number(by_post[post], "oracle_dice") if post in by_post else "" for post in posts]
    only = f"{first['data']}-{first['configuration']}" if first["configuration"] else first["data"]
    return "| " + " | ".join([*cells, f"`{only}`"]) + " |"


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
    if pd.isna(row["dice"]):
        return ""
    low, high = row["ci_low"], row["ci_high"]
    return f"{row['dice']:.3f} ± {row['sd']:.3f} [{low:.3f}, {high:.3f}]"


def _of_seeds(row: Any, name: str) -> str:
    mean, sd = row[f"{name}_mean"], row[f"{name}_sd"]
    if pd.isna(mean):
        return ""
    return f"{mean:.3f}" if pd.isna(sd) else f"{mean:.3f} ± {sd:.3f}"


def _number(row: Any, name: str) -> str:
    return "" if pd.isna(row[name]) else f"{float(row[name]):.3f}"


def _post(post: str) -> str:
    return "raw" if post == "none" else f"`{post}`"
