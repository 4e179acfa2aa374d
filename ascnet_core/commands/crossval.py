"""`crossval`: a list of configurations, trained and scored on patients held out."""

import argparse
import signal
import threading
from pathlib import Path

from ascnet_core.commands.options import PROGRAM, add_device, add_flag, add_out
from ascnet_core.errors import UserError

SUMMARY = "train and score a list of configurations on patients held out"
DESCRIPTION = (
    "Divides cohorts by patient, trains every configuration for every seed and fold, scores "
    "the patients who were held out beside training-free baselines, and writes one table."
)
EXAMPLES = f"""\
examples:
  {PROGRAM} crossval plan.toml                    all of it, into checkpoints/crossval/plan
  {PROGRAM} crossval plan.toml --list             the folds and runs, and stop
  {PROGRAM} crossval plan.toml --only teaching -o out
  {PROGRAM} crossval plan.toml --no-train         the table of what is finished by now

A plan, as small as it can be:

  seeds = [0, 1, 2]

  [data.lgg]
  manifests = ["lgg.csv", "lgg_more.csv"]   # read as one; paths from the plan's folder
  folds = 2                                 # by patient

  [run.teaching]
  preset = "teaching"

and with everything that it may say:

  seeds = [0, 1, 2]                         # keys up here are for all runs
  set = ["data.size=96"]                    # settings, as in train --set

  [data.ms]
  manifests = ["ms.csv"]
  folds = "leave-one-patient-out"           # or a number, or "manifest" (its column fold)
  split_seed = 0                            # draws who is in which fold
  always_train = []                         # subjects who are never scored
  reference = "lesion-free"                 # or "normal", or a manifest
  side = "bright"                           # liver: "dark"
  scope = "cohort"                          # or "subject": a threshold each
  unit = "subject"                          # or "scan": means over scans, not patients
  post = ["components:100"]                 # scored raw and with it; [[...], [...]] for several
  baselines = ["input-threshold", "equalised-input", "multi-otsu-input", "input-peaks"]
  baseline_rules = []                       # beside their own
  shapes = false                            # surface distances and lesions too (slow)

  [data.hospital]
  manifests = ["lgg.csv"]
  test = ["other.csv"]                      # instead of folds: train on one, score on the other

  [run.no-adversary]
  data = ["ms", "hospital"]                 # may be left out if there is one
  preset = "teaching"                       # or a TOML file
  set = ["adversary.weight=0"]              # added to those above
  seeds = [0]
  rules = {{ reconstruction = ["rightmost-peak"], wild = ["otsu", "reference-quantile:0.995"] }}
  flip = [false, true]                      # true: averaged with the mirror image
  cycles = "all"                            # score every kept cycle, and the advisor's choice

`set`, `seeds`, `rules`, `flip` and `cycles` may stand above, in [data.X] or in [run.X].

Writes into OUT: rows.csv (a row a configuration, seed, map and rule, its held-out patients
pooled), seeds.csv (mean and SD over seeds), subjects.csv (a row a patient), table.md, and with
cycles = "all" cycles.csv and stopping.csv; folds/ (who is on which side), runs/ (ordinary runs),
scores/. Nobody is scored by a network that was trained on them. What is finished is never done
again: Ctrl-C at any time, and the same command goes on. Of what is in OUT only files are replaced
that this program wrote and nobody has changed since.
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("plan", type=Path, metavar="PLAN", help="a TOML file, see below")
    add_out(
        parser,
        "OUT",
        "folder for runs and tables (default: checkpoints/crossval/ and the plan's name)",
    )
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help="only these configurations or data sets of the plan",
    )
    add_flag(parser, "--list", "print the folds and runs, and stop")
    add_flag(parser, "--no-train", "train nothing: score and pool what is finished")
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        metavar="N",
        help="trainings at a time, each a process (default: 1)",
    )
    add_device(parser)


def run(options: argparse.Namespace) -> None:
    """Cross-validate. A kill acts like Ctrl-C: trainings leave a checkpoint, processes end."""
    if options.jobs < 1:
        raise UserError("--jobs takes a number from 1.")
    from ascnet_core.commands.crossval_run import cross_validate

    if threading.current_thread() is not threading.main_thread():
        cross_validate(options)
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        cross_validate(options)
    finally:
        signal.signal(signal.SIGTERM, before)
