"""`study warn`: which subjects of a study are not like the others, and why."""

from __future__ import annotations

import argparse
from typing import Any

from ascnet_core.commands.options import add_device
from ascnet_core.commands.progress import Progress
from ascnet_core.commands.study_options import add_with_study


def add(actions: Any) -> None:
    """Add the action."""
    one = add_with_study(actions, "warn", "say which subjects are not like the others", _warn)
    one.add_argument("--rater", default="", metavar="R", help="whose decisions make the masks")
    add_device(one)


def _warn(options: argparse.Namespace) -> int:
    from ascnet_core.studies.counts.gathering import gather
    from ascnet_core.studies.warnings import warnings_in

    with Progress("scans counted") as progress:
        failed = gather(options.study, progress, options.device)
    found = warnings_in(options.study, options.rater)
    odd = {subject: warnings for subject, warnings in found.items() if warnings}
    for subject, warnings in odd.items():
        for warning in warnings:
            print(f"{subject}: {warning.sentence}")
    for subject, problem in failed.items():
        print(f"{subject}: {problem}")
    print(f"{len(odd) + len(failed)} of {len(options.study.subjects)} subjects have a warning")
    return 2 if failed else 0
