"""Stopping without masks: the cycle that the advisor takes, against what every cycle scored."""

from collections.abc import Mapping, Sequence
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

CLOSE = 0.05
"""How far below a run's best cycle the advisor's may score and count as close to it."""
HALF = 0.5
"""A run whose every cycle scores under this share of the best training-free rule has failed."""

_WAY = [name for name in WHO if name != "method"] + ["fold", "rule", "kind"]
CYCLE_COLUMNS = [*_WAY, "cycle", "dice"]
STOP_COLUMNS = [
    *_WAY,
    *["advice", "stop_cycle", "advised_cycle", "advised_dice", "last_cycle", "last_dice"],
    *["best_cycle", "best_dice", "worst_dice", "below_best", "last_below_best"],
    *["training_free_dice", "failed"],
]

Floors = Mapping[tuple[str, str], Mapping[str, float]]
"""By data set and fold: the Dice of the best training-free rule, by post-processing."""


class Course(NamedTuple):
    """A run's held-out scores cycle by cycle, and what the advisor said of it.

    `stopped` is the cycle in which it said stop, None where it never did; see `advised_cycle`.
    """

    data: str
    configuration: str
    seed: int
    fold: str
    cycles: dict[int, Scored]
    advice: str
    advised: int
    stopped: int | None = None


def kept_cycles(run: Path) -> tuple[int, ...]:
    """Return the complete cycles whose weights were kept, counted over both stages."""
    points = cycle_ends(read_history(Run(run)).points)
    return tuple(p.total_cycle for p in points if p.path and (p.path / MODEL).is_file())


def advised_cycle(run: Path) -> tuple[str, int, int | None]:
    """Return what the advisor says of a run that it watched, and the cycle that it would take.

    It is asked after each cycle and does not see later ones. Once it says stop, it takes the cycle
    that it advises then; the third value is the cycle in which it said so. Of a run that it never
    stops it takes the cycle of its last advice, or else the last one; the third value is None.
    There is no advice for other methods than ASC-Net: their last one is taken.
    """
    history = read_history(Run(run))
    points = cycle_ends(history.points)
    if not history.method.two_cuts:
        return "no advice", points[-1].total_cycle, None
    for number in range(1, len(points) + 1):
        advice = advise(points[:number])
        if advice.kind == "stop":
            break
    now = points[number - 1].total_cycle
    return advice.kind, advice.best_cycle or now, now if advice.kind == "stop" else None


def training_free(rows: pd.DataFrame) -> dict[str, float]:
    """Return the mean Dice of the best mask-free rule without training, by post-processing.

    `rows` are the scores of the training-free methods on a fold. The best is chosen after the fact,
    so it sets a bar that nobody could have reached for sure.
    """
    found: dict[str, float] = {}
    free = rows[rows["kind"] == "mask-free"]
    for (post, *_), group in free.groupby(["post", "method", "map", "rule"], dropna=False):
        dice = lesion_dice(group)
        if dice.size:
            found[str(post)] = max(found.get(str(post), 0.0), float(dice.mean()))
    return found


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


def stopping_rows(courses: Sequence[Course], floors: Floors | None = None) -> pd.DataFrame:
    """Return `STOP_COLUMNS`: a row a run and rule, the advisor's cycle beside the best and last.

    The best cycle is chosen with the masks, which nobody has in practice. `failed` says whether
    every cycle is below `HALF` of the best training-free rule of the same fold, as `floors` have
    it; missing where that is not known.
    """
    rows: list[dict[str, Any]] = []
    for course in courses:
        known = (floors or {}).get((course.data, course.fold), {})
        for names, group in cycle_rows([course]).groupby(_WAY, sort=False, dropna=False):
            dice = {int(c): float(d) for c, d in zip(group["cycle"], group["dice"], strict=True)}
            trained = {cycle: value for cycle, value in dice.items() if cycle > 0}
            if course.advised not in dice or not trained:
                continue
            last, best = max(trained), max(trained, key=lambda cycle: trained[cycle])
            way = dict(zip(_WAY, names, strict=True))
            floor = known.get(str(way["post"]))
            row = way | {
                "advice": course.advice,
                "stop_cycle": course.stopped,
                "advised_cycle": course.advised,
                "advised_dice": dice[course.advised],
                "last_cycle": last,
                "last_dice": trained[last],
                "best_cycle": best,
                "best_dice": trained[best],
                "worst_dice": min(trained.values()),
                "below_best": trained[best] - dice[course.advised],
                "last_below_best": trained[best] - trained[last],
                "training_free_dice": floor,
                "failed": None if floor is None else trained[best] < HALF * floor,
            }
            rows.append(row)
    table = pd.DataFrame(rows, columns=STOP_COLUMNS)
    return table.astype({"stop_cycle": "Int64", "training_free_dice": float, "failed": "boolean"})


def stopping_text(rows: pd.DataFrame) -> str:
    """Return the Markdown of `stopping_rows`: what the advisor reached, and a line a run."""
    head = "| data | configuration | seed, fold | map, rule | best training-free rule "
    head += "| every cycle below half of it | says stop in cycle | takes cycle: Dice "
    head += "| last cycle: Dice | *oracle*: best cycle: Dice | taken below best "
    head += "| last below best |"
    lines = [*_summary(rows), "", head, "|" + " --- |" * 12]
    for _, row in rows.iterrows():
        way = f"{row['map']}, `{row['rule']}`, post {row['post']}"
        way += ", flips averaged" if row["flip"] else ""
        failed = "not known" if pd.isna(row["failed"]) else ("**yes**" if row["failed"] else "no")
        stopped = f"never ({row['advice']})" if pd.isna(row["stop_cycle"]) else row["stop_cycle"]
        cells = [row["data"], row["configuration"], f"{row['seed']}, {row['fold']}", way]
        cells += [_number(row["training_free_dice"]), failed, str(stopped)]
        cells += [
            f"{row[f'{one}_cycle']}: {row[f'{one}_dice']:.3f}"
            for one in ("advised", "last", "best")
        ]
        cells += [_number(row["below_best"]), _number(row["last_below_best"])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _summary(rows: pd.DataFrame) -> list[str]:
    """What the advisor reached over all runs, as a list in Markdown."""
    said, close = rows["stop_cycle"].notna(), rows["below_best"] <= CLOSE
    failed, fine = rows["failed"].fillna(value=False), ~rows["failed"].fillna(value=True)
    never = rows[~said]
    lines = [
        f"- Says stop in {said.sum()} of {len(rows)} runs; {(said & close).sum()} of these are "
        f"within {CLOSE} of the run's best cycle.",
        f"- Of the {fine.sum()} runs in which some cycle reaches half of the best training-free "
        f"rule it stops {(said & fine).sum()}, {(said & close & fine).sum()} within {CLOSE}.",
        f"- Of the {failed.sum()} runs in which every cycle is below half of it, it stops "
        f"{(said & failed).sum()}.",
    ]
    if len(never):
        lines.append(
            f"- It never stops {len(never)} runs. They are taken at their last advice's cycle, "
            f"else at the end: on average {never['below_best'].mean():.3f} below their best cycle, "
            f"at most {never['below_best'].max():.3f}."
        )
    return lines


def _number(value: float | None) -> str:
    return "" if pd.isna(value) else f"{value:.3f}"
