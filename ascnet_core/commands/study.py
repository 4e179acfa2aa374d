"""`study`: a threshold per subject, decided by people; made, listed, decided, applied, compared."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import (
    PROGRAM,
    add_action,
    add_device,
    add_flag,
    add_out,
    add_overwrite,
    need_folder,
)
from ascnet_core.commands.progress import Progress
from ascnet_core.commands.study_actions import warn
from ascnet_core.errors import UserError
from ascnet_core.names import FLAGS, RANGES, SIDES

if TYPE_CHECKING:
    from ascnet_core.studies.folder import Study

_DISCUSSED = 5
"""Subjects named at the end of `agree`; the table has all."""

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
  {PROGRAM} study undo ms --rater anna               takes the last one back
  {PROGRAM} study export ms -o tables
  {PROGRAM} study apply ms -o masks --rater anna     as segment --study ms
  {PROGRAM} study agree ms anna ben -o agreement     levels, masks, whom to discuss first
  {PROGRAM} study warn ms                            which subjects are not like the others, and why

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
    one.add_argument("manifest", type=Path, metavar="MANIFEST")
    one.add_argument("--run", required=True, metavar="RUN", dest="of_run")
    one.add_argument("--rater", action="append", default=[], metavar="R", help="who will decide")
    one.add_argument("--cycle", type=int, metavar="C", help="the network after cycle C")
    add_flag(one, "--flip", "average maps over the image and its mirror image")

    add_action(actions, "list", "print a table of studies", _list)

    one = _with_study(actions, "show", "print how far a study is", _show)

    one = _with_study(actions, "decide", "record a decision", _decide)
    one.add_argument("subject", metavar="SUBJECT")
    one.add_argument("--rater", required=True, metavar="R", help="who decides")
    one.add_argument("--threshold", metavar="LEVEL", help="a level 0 to 255, or band:FROM:TO")
    one.add_argument("--map", metavar="NAME", help="default: as the run's settings say")
    one.add_argument("--side", choices=SIDES, help="default: as the run's settings say")
    one.add_argument("--range", choices=RANGES, dest="range_kind", help="default: the map's own")
    one.add_argument(
        "--post",
        action="extend",
        nargs="+",
        metavar="P",
        help="post-processing; `none` for none (default: as the run's settings say)",
    )
    one.add_argument("--flag", choices=FLAGS, default="fine", help="exclude: it gets no mask")
    one.add_argument("--rating", type=int, metavar="1..5", help="of the mask, 5 is best")
    one.add_argument("--note", default="", metavar="TEXT")

    one = _with_study(actions, "undo", "take a rater's last decision back", _undo)
    one.add_argument("--subject", metavar="S", help="the last one on this subject")
    one.add_argument("--rater", required=True, metavar="R", help="whose")

    one = _with_study(actions, "export", "write decisions and history as tables", _export)
    add_out(one, "DIR", "folder for the tables; made if need be", required=True)
    add_overwrite(one)

    one = _with_study(actions, "apply", "make the masks that were decided", _apply)
    add_out(one, "DIR", "folder for the masks; made if need be", required=True)
    add_overwrite(one)
    one.add_argument("--rater", metavar="R", help="whose (needed where several have decided)")
    one.add_argument("--undecided", metavar="RULE", help="the cohort's rule for the others")
    add_device(one)

    one = _with_study(actions, "agree", "compare the decisions of two raters", _agree)
    one.add_argument("first", metavar="R1")
    one.add_argument("second", metavar="R2")
    add_out(one, "DIR", "folder for agreement.csv and .json; made if need be")
    add_overwrite(one)
    add_flag(one, "--levels-only", "make no masks, which takes a network's time")
    add_device(one)

    warn.add(actions)


def _with_study(
    actions: Any, name: str, summary: str, does: Callable[[argparse.Namespace], int | None]
) -> argparse.ArgumentParser:
    parser = add_action(actions, name, summary, does)
    parser.add_argument("study", metavar="STUDY", help="a study's name or folder")
    return parser


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
            about = f"{study.about['cohort']}, run {study.about['run']}; {_decided(study)}"
        except UserError as error:  # the others are listed
            about = str(error)
        print(f"{study.name}: {about}")


def _decided(study: Study) -> str:
    from ascnet_core.studies.decisions import holding

    count = Counter(entry.rater for entry in holding(study))
    parts = [f"{rater} {done} of {len(study.subjects)}" for rater, done in count.items()]
    return ", ".join(parts) or f"nothing decided of {len(study.subjects)}"


def _show(options: argparse.Namespace) -> None:
    from ascnet_core.studies.decisions import holding

    study: Study = options.study
    for name, value in study.about.items():
        if value:
            print(f"{name}: {value}")
    print(f"decided: {_decided(study)}")
    done: dict[str, list[str]] = {subject: [] for subject in study.subjects}
    for entry in holding(study):
        threshold = entry.decided.threshold
        kept = "-" if threshold is None else threshold.text()
        done[entry.subject].append(f"{entry.rater} {kept} ({entry.decided.flag})")
    for subject, said in done.items():
        print(f"  {subject}: {', '.join(said) or 'open'}")


def _decide(options: argparse.Namespace) -> None:
    from ascnet_core.runs.folder import Run
    from ascnet_core.segmentation.rules import parse_rule
    from ascnet_core.studies.decisions import Decision, record

    study: Study = options.study
    settings = Run(study.run).settings()
    how = settings.segmentation
    name = options.map or how.map
    levels: list[int | None] = [None, None]
    rule = ""
    if options.threshold is not None:
        parsed = parse_rule(options.threshold)
        if parsed.entry.kind != "manual":
            raise UserError(
                f"--threshold {options.threshold} is a rule; give the level that it finds (see "
                f"`{PROGRAM} segment`) or band:FROM:TO."
            )
        rule = str(parsed)
        levels = [*map(int, parsed.values), None][:2]
    post = how.post if options.post is None else [one for one in options.post if one != "none"]
    decision = Decision(
        rater=options.rater,
        subject=options.subject,
        map=name,
        side=options.side or how.side,
        range=options.range_kind or settings.method.map_named(name).range,
        rule=rule,
        level=levels[0],
        upper=levels[1],
        post=tuple(post),
        flag=options.flag,
        rating=options.rating,
        note=options.note,
    )
    number = record(study, decision)
    print(f"decision {number}: {options.subject} by {decision.rater}; {_decided(study)}")


def _undo(options: argparse.Namespace) -> None:
    from ascnet_core.studies.decisions import undo

    entry = undo(options.study, options.rater, options.subject)
    assert entry is not None  # only a token makes it so
    print(f"decision {entry.number} on {entry.subject} is taken back; {_decided(options.study)}")


def _export(options: argparse.Namespace) -> None:
    from ascnet_core.files import write_text
    from ascnet_core.outputs import writing
    from ascnet_core.studies.export import tables

    out, texts = need_folder(options.out), tables(options.study)
    with writing(out, list(texts), "study export", (), options.overwrite) as aside:
        for name, text in texts.items():
            write_text(aside / name, text)
    print(f"tables in {out}: {', '.join(texts)}")


def _apply(options: argparse.Namespace) -> int:
    from ascnet_core.commands import segment

    parser = argparse.ArgumentParser(prog=f"{PROGRAM} study apply")
    segment.add(parser)
    given = parser.parse_args(["--study", str(options.study.path), "-o", str(options.out)])
    for name in ("out", "rater", "undecided", "overwrite", "device"):
        setattr(given, name, getattr(options, name))
    return segment.run(given)


def _agree(options: argparse.Namespace) -> None:
    from ascnet_core.files import write_json, write_text
    from ascnet_core.outputs import check_targets, writing
    from ascnet_core.studies.applying import whose
    from ascnet_core.studies.compare import COLUMNS, compare
    from ascnet_core.studies.decisions import decisions_of
    from ascnet_core.studies.table import to_csv

    study: Study = options.study
    names = ["agreement.csv", "agreement.json"]
    out = options.out and need_folder(options.out)
    if out:
        check_targets(out, names, (), options.overwrite)
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
        with writing(out, names, "study agree", (), options.overwrite) as aside:
            write_text(aside / names[0], to_csv(rows, COLUMNS))
            write_json(aside / names[1], {"raters": raters, **summary, "rows": rows})
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
