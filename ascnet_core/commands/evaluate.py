"""`evaluate`: a cohort with masks through runs and baselines."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import (
    PROGRAM,
    RULES_HELP,
    add_flag,
    add_label,
    add_out,
    add_overwrite,
    add_segmentation,
    changed_settings,
    need_folder,
    pick_device,
)
from ascnet_core.commands.progress import Progress
from ascnet_core.commands.study_options import add_study, study_of, undecided_of
from ascnet_core.errors import UserError
from ascnet_core.names import UNITS
from ascnet_core.places import MANIFEST

if TYPE_CHECKING:
    from ascnet_core.methods.base import Method
    from ascnet_core.scoring.decided import Decided
    from ascnet_core.scoring.plan import Plan
    from ascnet_core.settings.tables import Settings
    from ascnet_core.studies.applying import Applied
    from ascnet_core.studies.folder import Study

_TITLES = {
    "mask-free": "threshold rules that saw no mask",
    "manual": "thresholds given by hand",
    "oracle": "oracle: thresholds chosen with the masks",
}
BASELINES = ("input-threshold", "equalised-input", "multi-otsu-input", "input-peaks")

SUMMARY = "score runs and training-free baselines on a cohort with masks"
DESCRIPTION = (
    "Segments every scan of MANIFEST with each run and each baseline, on the same regions and "
    "with the same post-processing, and compares with the masks on the original grid."
)
EXAMPLES = f"""\
examples:
  {PROGRAM} evaluate demo/manifest.csv -o scores           the baselines alone
  {PROGRAM} evaluate demo/manifest.csv --run demo-flair -o scores
  {PROGRAM} evaluate ms.csv --run first --map reconstruction wild \\
      --threshold otsu valley:1 --post components:100 -o scores
  {PROGRAM} evaluate liver2d.csv --side dark --method input-threshold -o scores
  {PROGRAM} evaluate --study ms --rater anna -o scores     her decisions beside the run's rule

Writes OUT/subjects.csv (a row a subject, method and rule), OUT/slices.csv and OUT/summary.json
(a row a method and rule: mean Dice, SD, median, interval, AUPRC ...; settings; versions).
What makes one doubt a scan (a subject of the training, skull where the run saw none ...) is said
above the scores or on stderr, and in the column `remarks`.
Rows of kind `oracle` are thresholds chosen with the masks, which nobody has in practice. Never
compare them with `mask-free` ones. A scan that cannot be read is named, has a row without scores
and is in no mean, which says so; the exit status is then 2.

Of what is in OUT only files are replaced that this program wrote, and those with --overwrite.

{RULES_HELP}"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    manifest = parser.add_argument(
        "manifest", type=Path, metavar="MANIFEST", help="a cohort with masks"
    )
    add_out(parser, "OUT", "folder for the tables; made if need be", required=True)
    add_overwrite(parser)
    parser.add_argument(
        "--run",
        action="extend",
        nargs="+",
        default=[],
        metavar="RUN",
        dest="runs",
        help="a run's name or folder; several may be given",
    )
    parser.add_argument(
        "--cycle",
        type=int,
        metavar="C",
        help="the runs' networks after cycle C, counted over both stages",
    )
    parser.add_argument(
        "--method",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME",
        dest="methods",
        help=f"only these baselines, of {', '.join(BASELINES)}",
    )
    add_flag(parser, "--no-baselines", "leave the baselines out")
    parser.add_argument(
        "--reference",
        metavar="MANIFEST|normal|lesion-free",
        help="what is normal, for reference-quantile",
    )
    parser.add_argument(
        "--unit",
        choices=UNITS,
        default="subject",
        help="what the mean is over (default: subject, its scans pooled)",
    )
    add_label(parser)
    add_flag(parser, "--no-oracle", "leave out the rows chosen with the masks")
    add_flag(parser, "--fast", "leave out surface distances and lesion counts")
    add_flag(parser, "--flip", "runs average over the image and its mirror image")
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="seed of the bootstrap interval (default: 0)",
    )
    add_study(parser, manifest)
    add_segmentation(parser, "as the first run's settings say", several=True)


def run(options: argparse.Namespace) -> int:
    """Evaluate and return the exit status: 2 if some scans could not be read."""
    out = need_folder(options.out)
    if options.seed < 0:
        raise UserError(f"--seed is {options.seed}; it must be 0 or more.")
    study = study_of(options, ("cycle", "flip"))
    if study is not None:
        options.manifest = options.manifest or study.path / MANIFEST
        if options.runs:
            raise UserError("The run is the study's; leave --run out.")
        options.runs = [str(study.run)]
        options.cycle, options.flip = study.cycle, study.flip
    if not options.runs and options.no_baselines:
        raise UserError("There is nothing to evaluate; name a --run or leave --no-baselines out.")
    from ascnet_core.imaging.cohort import files_of, read_manifest
    from ascnet_core.methods.baselines import baselines
    from ascnet_core.outputs import check_targets, writing
    from ascnet_core.runs.suspicion import Remark
    from ascnet_core.scoring.decided import range_of
    from ascnet_core.scoring.evaluation import TABLES, evaluate, write_evaluation
    from ascnet_core.scoring.plan import reference_cohort
    from ascnet_core.segmentation.rules import needs_reference
    from ascnet_core.settings.preparation import preparation_of

    cohort = read_manifest(options.manifest)
    settings, maps, plan = _plan(options)
    applied = None
    if study is not None:
        from ascnet_core.studies.applying import apply_decisions

        undecided = undecided_of(options, settings.segmentation)
        applied = apply_decisions(study, cohort, options.rater, undecided, plan.range)
        if applied.ways:
            plan = replace(plan, range=range_of(applied.ways, options.range_kind))
    # rules that need a reference get the cohort's normal group where none is named
    needed = needs_reference([*plan.rules, *([options.undecided] if options.undecided else [])])
    named = options.reference or ("normal" if needed else None)
    reference = None if named is None else reference_cohort(cohort, named)
    inputs = [options.manifest, *(path for scan in cohort.scans for path in files_of(scan))]
    inputs += [reference.manifest] if reference else []
    check_targets(out, TABLES, inputs, options.overwrite)  # before networks are loaded
    methods: list[Method] = []
    if options.runs:
        from ascnet_core.methods.asc_net import asc_net

        device = pick_device(options.device)
        for name in options.runs:
            methods += asc_net(name, maps, options.cycle, device, flip=options.flip)
    decided = _decided(study, applied, device) if study is not None and applied else []
    if not options.no_baselines:
        methods += baselines(options.methods or None)
    how = preparation_of(settings)
    with writing(out, TABLES, "evaluate", inputs, options.overwrite) as aside:
        with Progress("steps") as progress:
            result = evaluate(cohort, methods, how, plan, reference, progress, True, aside, decided)
        result.summary["command"] = options.command_line
        write_evaluation(result, aside, slices=True)
    remarks = [Remark(one["sentence"], tuple(one["scans"])) for one in result.summary["remarks"]]
    for remark in remarks:
        # what the scores cannot be read without stands above them
        print(f"note: {remark}", file=sys.stdout if remark.of_training else sys.stderr)
    _print(result.summary["rows"])
    print(f"\ntables in {out}: {', '.join(TABLES)}")
    failed = result.summary["failed"]
    if failed:
        print(f"the means are without {len(failed)} of {len(cohort.scans)} scans, see below")
    for one in failed:
        print(f"error: {one['scan']} is not scored. {one['sentence']}", file=sys.stderr)
    missing = {**(applied.missing if applied else {}), **result.spoilt}
    for subject, sentence in applied.excluded.items() if applied else ():
        print(f"note: {subject} has no row of the study. {sentence}", file=sys.stderr)
    for subject, sentence in missing.items():
        print(f"error: {subject} has no row of the study. {sentence}", file=sys.stderr)
    return 2 if failed or missing else 0


def _decided(study: Study, applied: Applied, device: str) -> list[Decided]:
    """A rater's decisions as they are scored: one for each way in which masks are made."""
    from ascnet_core.methods.asc_net import asc_net
    from ascnet_core.scoring.decided import Decided

    maps = list(dict.fromkeys(way.segmentation.map for way in applied.ways))
    how = {"flip": study.flip, "with_input": True}
    of_run = asc_net(study.run, maps, study.cycle, device, **how) if maps else ()
    methods = dict(zip(maps, of_run, strict=True))
    other = next((f", else {w.segmentation.rule}" for w in applied.ways if not w.given), "")
    name = f"study {study.name}, {applied.rater}{other}"
    return [Decided(name, methods[way.segmentation.map], way) for way in applied.ways]


def _plan(options: argparse.Namespace) -> tuple[Settings, Sequence[str], Plan]:
    """The settings that scans are prepared by, the maps, and how they are scored."""
    from ascnet_core.runs.folder import Run, resolve_run
    from ascnet_core.scoring.plan import Plan
    from ascnet_core.settings.data import Data
    from ascnet_core.settings.tables import Segmentation, Settings

    if options.runs and Path(options.runs[0]).is_file():
        from ascnet_core.training.checkpoint import load_model_file

        _, settings = load_model_file(Path(options.runs[0]))
    elif options.runs:
        settings = Run(resolve_run(options.runs[0])).settings()
    else:
        settings = Settings(data=Data(size=160), segmentation=Segmentation(scope="subject"))
    rules = tuple(options.threshold or ())
    if options.runs and not rules:
        rules = (settings.segmentation.rule,)
    maps = options.map or [settings.segmentation.map]
    single = argparse.Namespace(**(vars(options) | {"threshold": None, "map": maps[0]}))
    changed = changed_settings(settings, single)
    if options.runs:
        _say_what_runs_keep(settings, changed)
    settings, how = changed, changed.segmentation
    plan = Plan(
        rules=rules,
        side=how.side,
        scope=how.scope,
        post=how.post,
        range=options.range_kind or settings.method.map_named(maps[0]).range,
        unit=options.unit,
        oracle=not options.no_oracle,
        shapes=not options.fast,
        seed=options.seed,
    )
    return settings, maps, plan


def _say_what_runs_keep(settings: Settings, changed: Settings) -> None:
    """Say which settings were changed without an effect on the scores of runs."""
    kept = [
        f"data.{name}"
        for name in ("size", "scaling", "low", "high")
        if getattr(settings.data, name) != getattr(changed.data, name)
    ]
    if kept:
        print(
            f"note: {', '.join(kept)} {'is' if len(kept) == 1 else 'are'} changed for the "
            "baselines alone; a run is scored with its own, unlike in `segment`.",
            file=sys.stderr,
        )


def _print(every: Sequence[Mapping[str, Any]]) -> None:
    wide = max([26, *(len(row["run"] or row["method"]) for row in every)]) + 2
    for kind, title in _TITLES.items():
        rows = [row for row in every if row["kind"] == kind]
        if rows:
            print(f"\n{title}")
            print(
                f"{'method':<{wide}}{'map':<16}{'rule':<26}{'Dice':>7}{'SD':>7}{'AUPRC':>8}{'n':>5}"
            )
        for row in rows:
            dice, sd, auprc = (
                "-" if row[name] is None else f"{row[name]:.3f}"
                for name in ("mean_dice", "sd", "auprc")
            )
            print(
                f"{row['run'] or row['method']:<{wide}}{row['map']:<16}{row['rule']:<26}{dice:>7}"
                f"{sd:>7}{auprc:>8}{row['subjects_with_lesion'] or row['subjects']:>5}"
            )
