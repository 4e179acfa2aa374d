"""`report`: the scores of a folder as one HTML file."""

import argparse
from pathlib import Path

from ascnet_core.commands.options import PROGRAM, add_out, add_overwrite
from ascnet_core.errors import UserError

SUMMARY = "make one HTML file of an evaluation or a cross-validation"
DESCRIPTION = (
    "Reads the tables that `evaluate` or `crossval` wrote into OUT; nothing is computed anew."
)
EXAMPLES = f"""\
examples:
  {PROGRAM} evaluate demo/manifest.csv --run demo-flair -o scores
  {PROGRAM} report scores                         writes scores/report.html
  {PROGRAM} report checkpoints/crossval/plan -o lgg.html

The file opens in any browser without a network, can be sent by mail and printed: tables, a box
plot of the patients' Dice, every patient, and what the figures mean. Thresholds that were chosen
with the masks (oracle) have a table of their own.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folder", type=Path, metavar="OUT", help="the -o of evaluate or crossval")
    add_out(parser, "FILE.html", "where to write it (default: OUT/report.html)")
    add_overwrite(parser)


def run(options: argparse.Namespace) -> None:
    """Write the report."""
    out: Path = options.out or options.folder / "report.html"
    if out.suffix.lower() not in (".html", ".htm") or out.is_dir():
        raise UserError(f"-o {out} takes a file whose name ends in .html.")
    from ascnet_core.files import write_text
    from ascnet_core.outputs import writing
    from ascnet_core.scoring.report import read_report
    from ascnet_core.scoring.report_page import report_html

    page = report_html(read_report(options.folder))
    with writing(out.parent, [out.name], "report", (), options.overwrite) as aside:
        write_text(aside / out.name, page)
    print(f"{out} is written")
