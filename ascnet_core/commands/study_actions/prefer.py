"""`study prefer`: the table of the blind comparisons."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import add_out, add_overwrite, need_folder
from ascnet_core.commands.study_options import add_with_study
from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.studies.folder import Study

FILE = "preferences.csv"


def add(actions: Any) -> None:
    """Add the action."""
    one = add_with_study(actions, "prefer", "print which of two ways raters preferred", _prefer)
    add_out(one, "DIR", f"folder for {FILE}; made if need be")
    add_overwrite(one)
    one.add_argument("--rater", metavar="R", help="only this rater's answers")


def _prefer(options: argparse.Namespace) -> None:
    from ascnet_core.files import write_text
    from ascnet_core.outputs import writing
    from ascnet_core.studies.preferences import (
        COLUMNS,
        every_preference,
        holding,
        result_of,
        rows_of,
    )
    from ascnet_core.studies.table import to_csv

    study: Study = options.study
    found = [one for one in every_preference(study) if options.rater in (None, one.rater)]
    if not found:
        whose = "" if options.rater is None else f" by {options.rater}"
        raise UserError(
            f"Nothing is compared blindly{whose} in study {study.name}; do so on the page Tuning, "
            "view Blind comparison."
        )
    if options.out:
        out = need_folder(options.out)
        with writing(out, [FILE], "study prefer", (), options.overwrite) as aside:
            write_text(aside / FILE, to_csv(rows_of(found), COLUMNS))
    for (pair, rater), answers in holding(found).items():
        result = result_of(answers)
        print(f"{rater}, {len(answers)} of {len(study.subjects)} subjects:")
        print(f"  A better {result.a} times: {pair.a.text}")
        print(f"  B better {result.b} times: {pair.b.text}")
        print(f"  neither  {result.neither} times; sign test of A against B p = {result.p:.3g}")
        for one in answers:
            better = one.better if one.better == "neither" else one.better.upper()
            print(f"    {one.subject}: {better}")
