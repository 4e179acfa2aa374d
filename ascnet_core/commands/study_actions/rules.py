"""`study rules`: every mask-free rule on every subject of a study."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import (
    add_device,
    add_out,
    add_overwrite,
    need_folder,
)
from ascnet_core.commands.progress import Progress
from ascnet_core.commands.study_options import add_with_study

if TYPE_CHECKING:
    from ascnet_core.studies.folder import Study
    from ascnet_core.studies.rules_compared import RuleSummary

FILES = ("rules.csv", "rules.json")


def add(actions: Any) -> None:
    """Add the action."""
    one = add_with_study(actions, "rules", "compare all mask-free rules on the study", _rules)
    add_out(one, "DIR", "folder for rules.csv and rules.json; made if need be")
    add_overwrite(one)
    one.add_argument("--rater", metavar="R", help="compare with this rater's decisions")
    add_device(one)


def _rules(options: argparse.Namespace) -> None:
    from ascnet_core.files import write_json, write_text
    from ascnet_core.outputs import check_targets, writing
    from ascnet_core.runs.create import versions
    from ascnet_core.studies.counts.gathering import gather
    from ascnet_core.studies.facts import known_facts, own_way
    from ascnet_core.studies.rules_compared import COLUMNS, row_of, summarise
    from ascnet_core.studies.rules_of_study import compare_in, rater_to_compare
    from ascnet_core.studies.table import to_csv

    study: Study = options.study
    out = options.out and need_folder(options.out)
    if out:
        check_targets(out, FILES, (), options.overwrite)
    rater = rater_to_compare(study, options.rater)
    with Progress("scans") as progress:
        failed = gather(study, progress, options.device)
    facts, own = known_facts(study), own_way(study)
    found = compare_in(study, facts, rater)
    summaries = summarise(found)
    if out:
        about = {
            "study": study.name,
            "run": study.about["run"],
            "rater": rater,
            "map": own.how.map,
            "side": own.how.side,
            "range": own.range,
            "post": "none",
            "subjects": len(facts),
            "failed": failed,
            "rules": [_as_json(one) for one in summaries],
            "own_rule": own.how.rule,
            "versions": versions(),
        }
        with writing(out, FILES, "study rules", (), options.overwrite) as aside:
            write_text(aside / FILES[0], to_csv((row_of(f, own.how.side) for f in found), COLUMNS))
            write_json(aside / FILES[1], about)
    for subject, sentence in failed.items():
        print(f"{subject} is left out: {sentence}")
    _print_tables(summaries, rater)


def _as_json(one: RuleSummary) -> dict[str, Any]:
    """A summary with what needs the truth in a table of its own."""
    from dataclasses import asdict

    names = ("lesions", "dice", "levels_off", "dice_lost")
    values = asdict(one)
    oracle = {name: values.pop(name) for name in names}
    return values | {"oracle": oracle if one.lesions else None}


def _print_tables(summaries: Sequence[RuleSummary], rater: str | None) -> None:
    """What saw no mask first; below it, apart, what the truth says of the same rules."""
    if not summaries:
        return
    heads = ["map", "rule", "scope", "level", "quartiles", "finds none", "volume, ml"]
    if rater:
        heads.append(f"off {rater}'s, levels")
    rows = [
        [
            one.map,
            one.rule,
            one.scope,
            _text(one.level, 0),
            "-" if one.low is None else f"{one.low:.0f} to {_text(one.high, 0)}",
            f"{one.nothing} of {one.subjects}",
            _text(one.volume_ml, 1),
            *([f"{_text(one.off_decided, 1)} ({one.decided})"] if rater else []),
        ]
        for one in summaries
    ]
    print("mask-free, medians over subjects, before post-processing:")
    _print_table(heads, rows)
    truths = [one for one in summaries if one.lesions]
    if not truths:
        return
    print(
        f"\nORACLE, read with the truth of {truths[0].lesions} subjects with lesion: mean Dice, "
        "and medians of how far from each subject's own best level:"
    )
    _print_table(
        ["map", "rule", "scope", "Dice", "levels off", "Dice lost"],
        [
            [
                o.map,
                o.rule,
                o.scope,
                _text(o.dice, 3),
                _text(o.levels_off, 1),
                _text(o.dice_lost, 3),
            ]
            for o in truths
        ],
    )


def _print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = (
            cell.ljust(width) if number < 3 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  " + "  ".join(cells).rstrip())


def _text(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
