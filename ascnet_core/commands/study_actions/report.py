"""`study report`: one HTML file of a study, to send, print and defend."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import PROGRAM, add_device, add_flag, add_out, add_overwrite
from ascnet_core.commands.progress import Progress
from ascnet_core.commands.study_options import add_with_study
from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.studies.folder import Study

FILE = "report.html"


def add(actions: Any) -> None:
    """Add the action."""
    one = add_with_study(actions, "report", "write one HTML file of all that was decided", _report)
    add_out(one, "FILE.html", f"where to write it; in a folder it is called {FILE}", required=True)
    add_overwrite(one)
    one.add_argument(
        "--rater",
        action="append",
        default=[],
        metavar="R",
        help="whose decisions; may be repeated (default: all raters')",
    )
    add_flag(one, "--levels-only", "make no masks, which takes a network's time")
    add_device(one)


def _report(options: argparse.Namespace) -> None:
    from ascnet_core.files import write_text
    from ascnet_core.outputs import check_targets, writing
    from ascnet_core.studies.report.contents import make_report
    from ascnet_core.studies.report.page import report_html

    study: Study = options.study
    out: Path = options.out / FILE if options.out.is_dir() else options.out
    if out.suffix.lower() not in (".html", ".htm"):
        raise UserError(
            f"-o {out} takes a folder that is there, or a file whose name ends in .html."
        )
    check_targets(out.parent, [out.name], (), options.overwrite)
    with Progress("scans cut") as progress:
        found = make_report(study, options.rater, options.levels_only, options.device, progress)
    raters = [f"--rater {shlex.quote(rater)}" for rater in options.rater]
    words = [PROGRAM, "study", "report", shlex.quote(str(study.path)), *raters]
    words += ["--levels-only"] * options.levels_only
    page = report_html(found, PROGRAM, " ".join([*words, "-o", shlex.quote(str(options.out))]))
    with writing(out.parent, [out.name], "study report", (), options.overwrite) as aside:
        write_text(aside / out.name, page)
    print(f"{out} is written")
