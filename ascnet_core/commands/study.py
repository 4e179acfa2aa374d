"""`study`: a threshold per subject, decided by people; made, listed, decided, applied, compared."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ascnet_core.commands.options import (
    PROGRAM,
    add_action,
    add_flag,
    add_out,
    add_overwrite,
    need_folder,
)
from ascnet_core.commands.study_actions import agree, apply, decide, prefer, report, rules, warn
from ascnet_core.commands.study_options import add_with_study, decided_so_far
from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.studies.folder import Study

SUMMARY = "decide a threshold per subject, keep it, apply it, compare raters"
DESCRIPTION = (
    "Keeps what people decide for each subject of a cohort and a run: level, side, steps, and what "
    "they think of it. Nothing that was accepted is ever overwritten or lost."
)
EXAMPLES = f"""\
examples:
  {PROGRAM} study new ms demo/manifest.csv --run demo-flair --rater anna
  {PROGRAM} study list
  {PROGRAM} study show ms                            who decided how much, and what is open
  {PROGRAM} study decide ms subject-03 --rater anna --threshold 142 --flag doubtful
  {PROGRAM} study decide ms subject-04 --rater anna --threshold band:90:140 --post components:20
  {PROGRAM} study decide ms subject-05 --rater anna --threshold otsu
  {PROGRAM} study decide ms subject-06 --rater anna --threshold nothing     no lesion: an empty mask
  {PROGRAM} study undo ms --rater anna               takes the last one back
  {PROGRAM} study export ms -o tables
  {PROGRAM} study apply ms -o masks --rater anna     as segment --study ms
  {PROGRAM} study apply ms -o packed --zip           masks, tables and a README in one file
  {PROGRAM} study agree ms anna ben -o agreement     levels, masks, whom to discuss first
  {PROGRAM} study report ms -o ms.html               all of it on one page, to send and print
  {PROGRAM} study warn ms                            which subjects are not like the others, and why
  {PROGRAM} study rules ms -o tables                 all mask-free rules on each subject
  {PROGRAM} study prefer ms -o tables                which of two ways was better, blindly compared

STUDY is a folder or a name under checkpoints/studies/. It keeps a copy of the manifest, and hashes
of manifest, run and scans: decisions are applied to the very same ones alone. A changed mind is a
new row, and the old one stays in the history. Several people may decide at once. A second pass of
one person is a rater of its own, such as anna-2.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    one = add_action(actions, "new", "make a study of a cohort and a run", _new)
    one.add_argument("name", metavar="NAME", help="under checkpoints/studies/, or a path")
    one.add_argument("manifest", type=Path, metavar="MANIFEST", help="of the cohort")
    one.add_argument(
        "--run", required=True, metavar="RUN", dest="of_run", help="its name or folder"
    )
    one.add_argument("--rater", action="append", default=[], metavar="R", help="who will decide")
    one.add_argument("--cycle", type=int, metavar="C", help="the network after cycle C")
    add_flag(one, "--flip", "average maps over the image and its mirror image")

    add_action(actions, "list", "print a table of studies", _list)

    one = add_with_study(actions, "show", "print how far a study is", _show)

    decide.add(actions)

    one = add_with_study(actions, "undo", "take a rater's last decision back", _undo)
    one.add_argument("--subject", metavar="S", help="the last one on this subject")
    one.add_argument("--rater", required=True, metavar="R", help="whose")

    one = add_with_study(actions, "export", "write decisions and history as tables", _export)
    add_out(one, "DIR", "folder for the tables; made if need be", required=True)
    add_overwrite(one)

    apply.add(actions)
    agree.add(actions)
    report.add(actions)
    warn.add(actions)
    rules.add(actions)
    prefer.add(actions)

    for name, action in actions.choices.items():
        start = f"  {PROGRAM} study {name} "
        own = [line for line in EXAMPLES.splitlines() if f"{line} ".startswith(start)]
        action.epilog = "\n".join(["examples:", *own])


def run(options: argparse.Namespace) -> int:
    """Do what the action says; return the exit status."""
    if "study" in options:
        from ascnet_core.studies.folder import find_study

        options.study = find_study(options.study)
    return options.do(options) or 0


def _new(options: argparse.Namespace) -> None:
    from ascnet_core.studies.folder import new_study

    study = new_study(
        options.name, options.manifest, options.of_run, options.rater, options.cycle, options.flip
    )
    print(f"{study.path} is there: {len(study.subjects)} subjects, run {study.about['run']}")


def _list(options: argparse.Namespace) -> None:
    from ascnet_core.studies.folder import list_studies

    studies = list_studies()
    if not studies:
        print(f"There is no study; `{PROGRAM} study new` makes one.")
        return
    for study in studies:
        try:
            about = f"{study.about['cohort']}, run {study.about['run']}; {decided_so_far(study)}"
        except UserError as error:  # the others are listed
            about = str(error)
        print(f"{study.name}: {about}")


def _show(options: argparse.Namespace) -> None:
    from ascnet_core.studies.decisions import holding

    study: Study = options.study
    for name, value in study.about.items():
        if value:
            print(f"{name}: {value}")
    print(f"decided: {decided_so_far(study)}")
    done: dict[str, list[str]] = {subject: [] for subject in study.subjects}
    for entry in holding(study):
        decision = entry.decided
        kept = "-" if decision.threshold is None else decision.text
        done[entry.subject].append(f"{entry.rater} {kept} ({decision.flag})")
    for subject, said in done.items():
        print(f"  {subject}: {', '.join(said) or 'open'}")


def _undo(options: argparse.Namespace) -> None:
    from ascnet_core.studies.decisions import undo

    entry = undo(options.study, options.rater, options.subject)
    assert entry is not None  # only a token makes it so
    print(
        f"decision {entry.number} on {entry.subject} is taken back; {decided_so_far(options.study)}"
    )


def _export(options: argparse.Namespace) -> None:
    from ascnet_core.files import write_text
    from ascnet_core.outputs import writing
    from ascnet_core.studies.export import tables

    out, texts = need_folder(options.out), tables(options.study)
    with writing(out, list(texts), "study export", (), options.overwrite) as aside:
        for name, text in texts.items():
            write_text(aside / name, text)
    print(f"tables in {out}: {', '.join(texts)}")
