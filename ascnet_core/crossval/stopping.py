"""Stopping without masks: the cycle that the advisor takes, against what every cycle scored."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ascnet_core.crossval.heldout import Scored
from ascnet_core.crossval.pooling import WHO, lesion_dice
from ascnet_core.monitoring.advisor import advise
from ascnet_core.monitoring.history import cycle_ends, read_history
from ascnet_core.places import MODEL
from ascnet_core.runs.folder import Run

_WAY = [name for name in WHO if name != "method"] + ["fold", "rule", "kind"]
CYCLE_COLUMNS = [*_WAY, "cycle", "dice"]
STOP_COLUMNS = [
    *_WAY,
    *["advice", "advised_cycle", "advised_dice", "last_cycle", "last_dice"],
    *["best_cycle", "best_dice", "worst_dice", "below_best", "last_below_best"],
]


class Course(NamedTuple):
    """A run's held-out scores cycle by cycle, and what the advisor said of it."""

    data: str
    configuration: str
    seed: int
    fold: str
    cycles: dict[int, Scored]
    advice: str
    advised: int


def kept_cycles(run: Path) -> tuple[int, ...]:
    """Return the complete cycles whose weights were kept, counted over both stages."""
    points = cycle_ends(read_history(Run(run)).points)
    return tuple(p.total_cycle for p in points if p.path and (p.path / MODEL).is_file())


def advised_cycle(run: Path) -> tuple[str, int]:
    """Return what the advisor says of a run that it watched, and the cycle that it would take.

    It is asked after each cycle and does not see later ones. Once it says stop, it takes its best
    cycle until then. Of a run that it never stops it takes the best cycle of its last advice, or
    else the last one. There is no advice for other methods than ASC-Net: their last one is taken.
    """
    history = read_history(Run(run))
    points = cycle_ends(history.points)
    if not history.method.two_cuts:
        return "no advice", points[-1].total_cycle
    for number in range(1, len(points) + 1):
        advice = advise(points[:number])
        if advice.kind == "stop":
            break
    return advice.kind, advice.best_cycle or points[number - 1].total_cycle


def cycle_rows(courses: Sequence[Course]) -> pd.DataFrame:
    """Return `CYCLE_COLUMNS`: the mean Dice of a fold's patients for each run, cycle and rule."""
    rows: list[dict[str, Any]] = []
    for course in courses:
        who = {name: getattr(course, name) for name in ("data", "configuration", "seed", "fold")}
        for cycle, scored in course.cycles.items():
            table = scored.rows.assign(**who)
            for names, group in table.groupby(_WAY, sort=False, dropna=False):
                dice = lesion_dice(group)
                mean = float(dice.mean()) if dice.size else np.nan
                rows.append({**dict(zip(_WAY, names, strict=True)), "cycle": cycle, "dice": mean})
    return pd.DataFrame(rows, columns=CYCLE_COLUMNS)


def stopping_rows(courses: Sequence[Course]) -> pd.DataFrame:
    """Return `STOP_COLUMNS`: a row a run and rule, the advisor's cycle beside the best and last.

    The best cycle is chosen with the masks, which nobody has in practice.
    """
    rows: list[dict[str, Any]] = []
    for course in courses:
        for names, group in cycle_rows([course]).groupby(_WAY, sort=False, dropna=False):
            dice = {int(c): float(d) for c, d in zip(group["cycle"], group["dice"], strict=True)}
            trained = {cycle: value for cycle, value in dice.items() if cycle > 0}
            if course.advised not in dice or not trained:
                continue
            last, best = max(trained), max(trained, key=lambda cycle: trained[cycle])
            row = dict(zip(_WAY, names, strict=True)) | {
                "advice": course.advice,
                "advised_cycle": course.advised,
                "advised_dice": dice[course.advised],
                "last_cycle": last,
                "last_dice": trained[last],
                "best_cycle": best,
                "best_dice": trained[best],
                "worst_dice": min(trained.values()),
                "below_best": trained[best] - dice[course.advised],
                "last_below_best": trained[best] - trained[last],
            }
            rows.append(row)
    return pd.DataFrame(rows, columns=STOP_COLUMNS)


def stopping_text(rows: pd.DataFrame) -> str:
    """Return the Markdown table of `stopping_rows`, means over the runs of a configuration."""
    head = "| data | configuration | map, rule | runs | said stop | advised cycle | last cycle "
    head += "| *oracle*: best cycle | worst cycle | advised below best | last below best |"
    lines = [head, "|" + " --- |" * 11]
    who = ["data", "configuration", "map", "rule", "post", "flip"]
    for _, group in rows.groupby(who, sort=False, dropna=False):
        first = group.iloc[0]
        way = f"{first['map']}, `{first['rule']}`, post {first['post']}"
        way += ", flips averaged" if first["flip"] else ""
        stopped = int((group["advice"] == "stop").sum())
        cells = [first["data"], first["configuration"], way, str(len(group)), str(stopped)]
        means = ["advised_dice", "last_dice", "best_dice", "worst_dice"]
        means += ["below_best", "last_below_best"]
        cells += [f"{group[name].mean():.3f}" for name in means]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
