"""`study apply`: the masks that were decided, side by side or packed into one file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import (
    PROGRAM,
    add_device,
    add_flag,
    add_out,
    add_overwrite,
    need_folder,
)
from ascnet_core.commands.study_options import add_with_study

if TYPE_CHECKING:
    from ascnet_core.studies.folder import Study

FILE = "masks.zip"
_MASKS = "masks"
"""The folder of the masks in the file."""


def add(actions: Any) -> None:
    """Add the action."""
    one = add_with_study(actions, "apply", "make the masks that were decided", _apply)
    add_out(one, "DIR", "folder for the masks; made if need be", required=True)
    add_overwrite(one)
    one.add_argument("--rater", metavar="R", help="whose (needed where several have decided)")
    one.add_argument("--undecided", metavar="RULE", help="the cohort's rule for the others")
    add_flag(
        one,
        "--zip",
        f"write DIR/{FILE} alone: the masks, with the tables of decisions and a README",
    )
    add_device(one)


def _apply(options: argparse.Namespace) -> int:
    from ascnet_core.commands import segment

    parser = argparse.ArgumentParser(prog=f"{PROGRAM} study apply")
    segment.add(parser)
    given = parser.parse_args(["--study", str(options.study.path), "-o", str(options.out)])
    for name in ("out", "rater", "undecided", "overwrite", "device"):
        setattr(given, name, getattr(options, name))
    return _pack(options, given) if options.zip else segment.run(given)


def _pack(options: argparse.Namespace, given: argparse.Namespace) -> int:
    """Make the masks aside and pack them; the exit status is that of `segment`."""
    from ascnet_core.commands import segment
    from ascnet_core.outputs import writing
    from ascnet_core.studies.applying import whose
    from ascnet_core.studies.export import pack, packed_tables

    study: Study = options.study
    out = need_folder(options.out)
    rater = whose(study, options.rater)
    with writing(out, [FILE], "study apply", (), options.overwrite) as aside:
        given.out = aside / _MASKS
        status = segment.make(given, Path(_MASKS))
        pack(aside / FILE, given.out, _MASKS, packed_tables(study, rater, _MASKS))
    print(f"{out / FILE} is written: masks and tables of {rater}")
    return status
