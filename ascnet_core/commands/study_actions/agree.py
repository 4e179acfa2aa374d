"""`study agree`: two raters, or two passes of one, compared."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import add_device, add_flag, add_out, add_overwrite, need_folder
from ascnet_core.commands.progress import Progress
from ascnet_core.commands.study_options import add_with_study
from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.studies.folder import Study

FILES = ("agreement.csv", "agreement.json")
_DISCUSSED = 5
"""Subjects named at the end; the table has all."""


def add(actions: Any) -> None:
    """Add the action."""
    one = add_with_study(actions, "agree", "compare the decisions of two raters", _agree)
    one.add_argument("first", metavar="R1", help="a rater")
    one.add_argument("second", metavar="R2", help="another; differences are R2 minus R1")
    add_out(one, "DIR", "folder for agreement.csv and .json; made if need be")
    add_overwrite(one)
    add_flag(one, "--levels-only", "make no masks, which takes a network's time")
    add_device(one)


def _agree(options: argparse.Namespace) -> None:
    from ascnet_core.files import write_json, write_text
    from ascnet_core.outputs import check_targets, writing
    from ascnet_core.studies.applying import whose
    from ascnet_core.studies.compare import COLUMNS, compare
    from ascnet_core.studies.decisions import decisions_of
    from ascnet_core.studies.table import to_csv

    study: Study = options.study
    out = options.out and need_folder(options.out)
    if out:
        check_targets(out, FILES, (), options.overwrite)
    raters = [whose(study, rater) for rater in (options.first, options.second)]
    if raters[0] == raters[1]:
        raise UserError("Name two raters; a second pass is a rater of its own.")
    first, second = (decisions_of(study, rater) for rater in raters)
    if not first.keys() & second.keys():
        raise UserError(f"No subject is decided by both {raters[0]} and {raters[1]}.")
    masks = {}
    if not options.levels_only:
        from ascnet_core.studies.masks import masks_of_both

        with Progress("scans cut") as progress:
            masks = masks_of_both(study, first, second, options.device, progress)
    rows, summary = compare(study.subjects, first, second, masks)
    if out:
        with writing(out, FILES, "study agree", (), options.overwrite) as aside:
            write_text(aside / FILES[0], to_csv(rows, COLUMNS))
            write_json(aside / FILES[1], {"raters": raters, **summary, "rows": rows})
    _print_agreement(raters, rows, summary)


def _print_agreement(
    raters: Sequence[str], rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]
) -> None:
    def text(value: Any, digits: int = 2) -> str:
        return "-" if value is None else f"{value:.{digits}f}"

    print(f"{' and '.join(raters)}: {len(rows)} of {summary['subjects']} subjects decided by both")
    for name, title in (("levels", "levels"), ("volumes_ml", "volumes in ml")):
        one = summary[name]
        if one["n"]:
            print(
                f"{title}, {one['n']}: {raters[1]} minus {raters[0]} is {text(one['bias'])} on "
                f"average, limits of agreement {text(one['low'])} to {text(one['high'])}; "
                f"ICC(2,1) {text(one['icc_agreement'], 3)}, "
                f"ICC(3,1) {text(one['icc_consistency'], 3)}"
            )
    dice = summary["dice"]
    if dice["n"]:
        print(
            f"masks, {dice['n']}: Dice {text(dice['mean'], 3)} on average, "
            f"least {text(dice['least'], 3)}"
        )
    print("to discuss first:")
    for row in rows[:_DISCUSSED]:
        levels = f"{text(row['level_1'], 0)} and {text(row['level_2'], 0)}"
        print(f"  {row['subject']}: levels {levels}, Dice {text(row['dice'], 3)} {row['apart']}")
