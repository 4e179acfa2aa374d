"""`evaluate`: a cohort with masks through runs and baselines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import (
    PROGRAM,
    RULES_HELP,
    add_device,
    add_reading,
    add_segmentation,
    add_set,
    add_verb,
    changed_settings,
    need_folder,
    pick_device,
)
from ascnet_core.commands.progress import Progress
from ascnet_core.errors import UserError
from ascnet_core.names import UNITS

if TYPE_CHECKING:
    from ascnet_core.imaging.cohort import Cohort
    from ascnet_core.methods.base import Method
    from ascnet_core.scoring.evaluation import EvaluationResult, Plan
    from ascnet_core.settings.tables import Settings

BASELINES = ("input-threshold", "equalised-input", "multi-otsu-input", "input-peaks")

_EXAMPLES = f"""\
examples:
  {PROGRAM} evaluate demo/manifest.csv -o scores           the baselines alone
  {PROGRAM} evaluate demo/manifest.csv --run demo-flair -o scores
  {PROGRAM} evaluate ms.csv --run first --map reconstruction wild \\
      --threshold otsu valley:1 --post components:100 -o scores
  {PROGRAM} evaluate liver2d.csv --side dark --method input-threshold -o scores

Writes OUT/subjects.csv (a row a subject, method and rule), OUT/slices.csv and OUT/summary.json
(a row a method and rule: mean Dice, SD, median, interval, AUPRC ...; settings; versions).
Rows of kind `oracle` are thresholds chosen with the masks: what no one has in use. Never compare
them with `mask-free` ones.

{RULES_HELP}"""


def add(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "evaluate",
        "score runs and training-free baselines on a cohort with masks",
        "Segments every scan of MANIFEST with each run and each baseline, on the same regions and "
        "with the same post-processing, and compares with the masks on the original grid.",
        _EXAMPLES,
    )
    parser.add_argument("manifest", type=Path, metavar="MANIFEST", help="a cohort with masks")
    parser.add_argument(
        "-o",
        "--out",
        required=True,
        type=Path,
        metavar="OUT",
        help="folder for the tables; made if need be",
    )
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
    parser.add_argument("--no-baselines", action="store_true", help="leave the baselines out")
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
    parser.add_argument(
        "--no-oracle", action="store_true", help="leave out the rows chosen with the masks"
    )
    parser.add_argument(
        "--fast", action="store_true", help="leave out surface distances and lesion counts"
    )
    parser.add_argument(
        "--flip", action="store_true", help="runs average over the image and its mirror image"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="S",
        help="seed of the bootstrap interval (default: 0)",
    )
    add_segmentation(parser, "as the first run's settings say", several=True)
    add_reading(parser)
    add_set(parser)
    add_device(parser)
    parser.set_defaults(run_verb=run)


def run(options: argparse.Namespace) -> None:
    """Evaluate."""
    out = need_folder(options.out)
    if not options.runs and options.no_baselines:
        raise UserError("There is nothing to evaluate; name a --run or leave --no-baselines out.")
    from ascnet_core.imaging.cohort import read_manifest
    from ascnet_core.scoring.evaluation import evaluate
    from ascnet_core.settings.preparation import preparation_of

    cohort = read_manifest(options.manifest)
    settings, plan = _plan(options)
    reference = _reference(options, cohort, plan)
    methods = _methods(options, settings)
    with Progress("steps") as progress:
        result = evaluate(
            cohort, methods, preparation_of(settings), plan, reference, progress=progress.at
        )
    _write(result, options, out)


def _plan(options: argparse.Namespace) -> tuple[Settings, Plan]:
    """The settings that scans are prepared by, and how they are scored."""
    from ascnet_core.runs.folder import Run, resolve_run
    from ascnet_core.scoring.evaluation import Plan
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
    settings = changed_settings(settings, single)
    how = settings.segmentation
    plan = Plan(
        rules=rules,
        side="dark" if how.side == "dark" else "bright",
        scope="cohort" if how.scope == "cohort" else "subject",
        post=how.post,
        range=options.range_kind or settings.method.map_named(maps[0]).range,
        unit=options.unit,
        oracle=not options.no_oracle,
        shapes=not options.fast,
        seed=options.seed,
    )
    options.map = maps
    return settings, plan


def _reference(options: argparse.Namespace, cohort: Cohort, plan: Plan) -> Cohort | None:
    """The normal scans; where a rule needs them and none are named, the cohort's normal group."""
    from ascnet_core.scoring.output import reference_cohort
    from ascnet_core.segmentation.rules import needs_reference

    wanted = options.reference
    if wanted is None and needs_reference(plan.rules):
        wanted = "normal"
    return None if wanted is None else reference_cohort(cohort, wanted)


def _methods(options: argparse.Namespace, settings: Settings) -> list[Method]:
    from ascnet_core.methods.baselines import baselines

    methods: list[Method] = []
    if options.runs:
        from ascnet_core.methods.asc_net import asc_net

        device = pick_device(options.device)
        for name in options.runs:
            methods += asc_net(name, options.map, options.cycle, device, flip=options.flip)
    if not options.no_baselines:
        methods += baselines(options.methods or None)
    return methods


def _write(result: EvaluationResult, options: argparse.Namespace, out: Path) -> None:
    from ascnet_core.scoring.output import write_evaluation

    result.summary["command"] = options.command_line
    write_evaluation(result, out, slices=True)
    names = [len(row["run"] or row["method"]) for row in result.summary["rows"]]
    wide = max([26, *names]) + 2
    for kind in ("mask-free", "manual", "oracle"):
        rows = [row for row in result.summary["rows"] if row["kind"] == kind]
        if rows:
            print(f"\n{_TITLES[kind]}")
            print(
                f"{'method':<{wide}}{'map':<16}{'rule':<26}{'Dice':>7}{'SD':>7}{'AUPRC':>8}{'n':>5}"
            )
        for row in rows:
            name = row["run"] or row["method"]
            print(
                f"{name:<{wide}}{row['map']:<16}{row['rule']:<26}{_number(row['mean_dice']):>7}"
                f"{_number(row['sd']):>7}{_number(row['auprc']):>8}"
                f"{row['subjects_with_lesion'] or row['subjects']:>5}"
            )
    print(f"\ntables in {out}: subjects.csv, slices.csv, summary.json")


_TITLES = {
    "mask-free": "threshold rules that saw no mask",
    "manual": "thresholds given by hand",
    "oracle": "oracle: thresholds chosen with the masks",
}


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
