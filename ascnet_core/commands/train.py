"""`train`: train a run, or go on with one."""

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ascnet_core.commands.options import (
    PROGRAM,
    add_device,
    add_reading,
    add_set,
    add_verb,
    changed_settings,
    pick_device,
)
from ascnet_core.commands.progress import Progress, duration
from ascnet_core.commands.train_fork import (
    add_fork,
    fork_cohort,
    fork_reference,
    fork_settings,
    origin_of,
)
from ascnet_core.commands.train_log import Log, Steps
from ascnet_core.errors import UserError
from ascnet_core.runs.launch import check_processes, launched, own_launch_words

if TYPE_CHECKING:
    from ascnet_core.imaging.cohort import Cohort
    from ascnet_core.runs.folder import Run
    from ascnet_core.settings.tables import Settings

_EXAMPLES = f"""\
examples:
  {PROGRAM} train demo/manifest.csv --name first --preset teaching
  {PROGRAM} train patients.csv --name ms --reference normals.csv --preset paper
  {PROGRAM} train lgg.csv --name lgg --reference lesion-free --set data.size=160 \\
      --set schedule.stage_1=6
  {PROGRAM} train demo/manifest.csv --name first --stop-when separated
  {PROGRAM} train demo/manifest.csv --name mine --preset mine.toml
  {PROGRAM} train demo/manifest.csv --name dae --preset denoising-autoencoder
  {PROGRAM} train demo/manifest.csv --name spoilt --set reference.contamination=0.2
  {PROGRAM} train --resume first                            go on after a stop or a crash
  {PROGRAM} train --resume first --set schedule.stage_1=20  go on for longer
  {PROGRAM} train --fork first --cycle 4 --name other --set adversary.weight=0.1
                                                            a new run from its cycle 4
  torchrun --nproc-per-node 2 -m ascnet_core train demo/manifest.csv --name first   two GPUs
  {PROGRAM} train --list-settings --preset teaching         every setting, its value and meaning

The reference is what you know to be normal: the cohort's own rows of group `normal`, the slices
without lesion of the same cohort (by its masks, which serve for nothing else), or another cohort.
Ctrl-C stops at the next step and leaves a checkpoint. Everything lies in checkpoints/NAME
(settings, events, snapshots, weights) and may be read or copied at any time.

Under torchrun the training is shared by N processes, on GPUs or (--device cpu) processors, on one
machine or many, and any number of processes may go on with a run. batch_m and batch_d stay the
batch of all processes together, of which each has every N-th slice, so they must be divisible.
Batch norm takes its statistics over the whole batch, which torch does on GPUs only: on processors
set network.norm=group (and network.discriminator_norm=group). Process 0 alone reads the scans,
writes the run and prints.
"""


_MAY_CHANGE = (
    "schedule.stage_1",
    "schedule.stage_2",
    "schedule.checkpoint_seconds",
    "schedule.log_every",
    "schedule.stop_when",
)


def add(verbs: Any) -> None:
    """Add the verb."""
    parser = add_verb(
        verbs,
        "train",
        "train a network on a cohort and a normal reference",
        "Trains ASC-Net's two cuts (or another method, by its preset or --set method.name=NAME) on "
        "the cohort of MANIFEST against a reference of normal images, and keeps everything in "
        "checkpoints/NAME. No mask is learnt from.",
        _EXAMPLES,
    )
    parser.add_argument(
        "manifest", nargs="?", type=Path, metavar="MANIFEST", help="the cohort (`index` writes one)"
    )
    parser.add_argument(
        "--name", metavar="NAME", help="name of the run, or a path to put it elsewhere"
    )
    parser.add_argument(
        "--preset",
        metavar="P|FILE.toml",
        default=None,
        help="settings to start from (default: teaching), or a TOML file of your own; "
        "--list-settings names them all",
    )
    parser.add_argument(
        "--reference",
        metavar="MANIFEST|normal|lesion-free",
        help="what is normal (default: the rows of group normal where there are "
        "any, else lesion-free)",
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const=True,
        metavar="NAME",
        help="go on with a run where its last checkpoint is; with MANIFEST and "
        "--name: begin, or go on if it is there",
    )
    add_fork(parser)
    parser.add_argument(
        "--list-settings",
        action="store_true",
        help="print every setting of the preset with its meaning, and stop",
    )
    parser.add_argument(
        "--stop-when",
        choices=("never", "separated"),
        help="separated: stop as soon as the advisor says so after a cycle (peaks separated, mask "
        "stable, more than brightness); the same as --set schedule.stop_when=separated",
    )
    add_set(parser)
    add_device(parser)
    add_reading(parser)
    parser.set_defaults(run_verb=run)


def run(options: argparse.Namespace) -> None:
    """Train, as the one process or as one of several that torchrun started."""
    rank, count = launched()
    if options.list_settings:
        if rank == 0:
            _list_settings(options)
        return
    if count == 1:
        _run(options)
        return
    # Before torch is loaded: its notes on tuning are nothing for a run's log.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from ascnet_core.training.distributed import together
    from ascnet_core.training.follow import follow

    def lead(device: str) -> None:
        options.device = device
        _run(options)

    python, *rest = options.command_line
    options.command_line = [python, *own_launch_words(), *rest]
    together(options.device, lead, follow)


def _run(options: argparse.Namespace) -> None:
    from ascnet_core.runs.folder import is_run, new_run_path, resolve_run
    from ascnet_core.runs.lock import hold_lock

    origin = origin_of(options)
    if isinstance(options.resume, str):
        if options.name or options.manifest:
            raise UserError("--resume NAME goes without MANIFEST and --name: the run knows them.")
        path = resolve_run(options.resume)
    elif options.name:
        path = new_run_path(options.name)
    else:
        raise UserError("A run needs a name: give --name NAME, or --resume NAME to go on with one.")
    device = pick_device(options.device) if options.device != "auto" else "auto"
    if options.resume and is_run(path):
        settings = _settings_to_go_on(path, options)
        check_processes(settings, launched()[1], device != "cpu")
        with hold_lock(path), Log(path) as log:
            _go_on(path, settings, device, log, options)
        return
    if is_run(path):
        raise UserError(
            f"{path} is a run already; choose another name, or go on with it by "
            f"--resume {options.name}."
        )
    if options.manifest is None and origin is None:
        raise UserError("Training needs a cohort: give its MANIFEST (`index` writes one).")
    settings = fork_settings(origin, options) if origin else _settings(options)
    check_processes(settings, launched()[1], device != "cpu")
    cohort, reference, other = _cohorts(options, origin)
    path.mkdir(parents=True, exist_ok=True)
    with hold_lock(path), Log(path) as log:
        _begin(path, settings, cohort, reference, other, device, log, options, origin)


def _settings(options: argparse.Namespace) -> "Settings":
    from ascnet_core.settings.presets import load_preset

    return changed_settings(load_preset(options.preset or "teaching"), options)


def _settings_to_go_on(path: Path, options: argparse.Namespace) -> "Settings":
    from ascnet_core.runs.folder import Run
    from ascnet_core.settings.text import differing

    if options.preset or options.reference:
        raise UserError(
            "--preset and --reference belong to a new run; a run that goes on keeps its own."
        )
    before = Run(path).settings()
    settings = changed_settings(before, options)
    for key in differing(before, settings):
        # of a run that kept nothing yet, other slices may be watched: the first choice was none
        if key == "data.watched" and not Run(path).snapshots():
            continue
        if key not in _MAY_CHANGE and not key.startswith(("compute.", "segmentation.")):
            raise UserError(
                f"{key} cannot change while a run goes on; start a new run with another --name."
            )
    if before.schedule.stage_1 != settings.schedule.stage_1 and before.schedule.stage_2:
        raise UserError(
            "schedule.stage_1 cannot change in a run with a stage 2; extend schedule.stage_2."
        )
    return settings


def _cohorts(
    options: argparse.Namespace, origin: "Run | None"
) -> "tuple[Cohort, str, Cohort | None]":
    """The cohort, what is normal, and that cohort where it is another one."""
    from ascnet_core.imaging.cohort import read_manifest

    own = origin if options.manifest is None else None
    cohort = fork_cohort(own) if own else read_manifest(options.manifest)
    reference = options.reference
    if reference is None and origin is not None:
        reference = fork_reference(origin)
    if reference is None:
        normal = any(scan.group == "normal" for scan in cohort.scans)
        reference = "normal" if normal else "lesion-free"
    if reference in ("normal", "lesion-free"):
        return cohort, reference, None
    return cohort, reference, read_manifest(Path(reference))


def _begin(
    path: Path,
    settings: "Settings",
    cohort: "Cohort",
    reference: str,
    other: "Cohort | None",
    device: str,
    log: Log,
    options: argparse.Namespace,
    origin: "Run | None",
) -> None:
    from ascnet_core.runs.create import create_run

    def fork() -> None:
        from ascnet_core.training.fork import write_fork

        if origin is not None:
            log.say(write_fork(path, origin, options.cycle, settings).sentence)

    command = options.command_line
    with Progress("files hashed", line=log.say) as progress:
        create_run(path, settings, cohort, reference, other, command, progress.at, fork)
    _train(path, settings, device, log)


def _go_on(
    path: Path, settings: "Settings", device: str, log: Log, options: argparse.Namespace
) -> None:
    from ascnet_core.files import write_text
    from ascnet_core.places import SETTINGS
    from ascnet_core.runs.create import check_data, note_command
    from ascnet_core.settings.text import to_toml

    check_data(path)
    write_text(path / SETTINGS, to_toml(settings))
    note_command(path, options.command_line)
    _train(path, settings, device, log)


def _train(path: Path, settings: "Settings", device: str, log: Log) -> None:
    """Prepare the slices and train; the lock is held."""
    from ascnet_core.imaging.cohort import read_manifest
    from ascnet_core.places import EVENTS, MANIFEST, TRAINING, WATCHED
    from ascnet_core.runs.create import reference_of
    from ascnet_core.runs.folder import Run
    from ascnet_core.training.slice_sets import sets_of

    cohort = read_manifest(path / MANIFEST)
    with Progress("scans prepared", line=log.say) as progress:
        inputs, reference = sets_of(settings, cohort, reference_of(path), progress=progress.at)
    log.say(
        f"{len(inputs.images)} input slices, {len(reference.images)} reference slices of "
        f"{settings.data.size} x {settings.data.size} pixels"
    )
    from ascnet_core.files import write_json
    from ascnet_core.runs.card import write_card
    from ascnet_core.training.recorder import record
    from ascnet_core.training.slice_sets import watched_of

    watched = watched_of(settings.data.watched, inputs, reference)
    write_json(path / WATCHED, list(watched.names))
    device = pick_device(device)
    shown = path.name if _is_named(path) else path  # logs travel with runs: no machine's folders
    where = f"device {device}" + (f", {launched()[1]} processes" if launched()[1] > 1 else "")
    log.say(f"preset {settings.preset or 'none'}, {where}, run {shown}")
    if not (path / TRAINING).is_file() or not (path / EVENTS).is_file():
        _warn(settings, len(inputs.images), len(reference.images), device, log)
    started = time.monotonic()
    with Steps(log) as steps:
        how = record(path, settings, inputs, reference, watched.images, device, report=steps.report)
    write_card(path)
    log.say(f"{how} after {duration(time.monotonic() - started)}")
    snapshots = Run(path).snapshots()
    if snapshots:
        counted = settings.method.maps[0].name
        log.say(f"histogram of the {counted}: {snapshots[-1].info.get('verdict', '')}")
    log.say(
        f"next: {PROGRAM} segment {path.name if _is_named(path) else path} IMAGE -o masks"
        if how == "finished"
        else f"go on: {PROGRAM} train --resume {path.name if _is_named(path) else path}"
    )


def _warn(settings: "Settings", inputs: int, references: int, device: str, log: Log) -> None:
    """Say on stderr what is odd about the schedule; training begins all the same."""
    import torch

    from ascnet_core.training import schedule_check
    from ascnet_core.training.device import gains_by_bfloat16

    found = schedule_check.check_schedule(settings, inputs, references)
    if device == "cpu":
        native = gains_by_bfloat16(torch.device(device))
        threads = torch.get_num_threads() * launched()[1]
        seconds = schedule_check.seconds_of(settings, inputs, references, threads, native)
        log.say(f"{schedule_check.time_in_words(seconds)} or so on this processor if it is idle")
        found += schedule_check.check_time(seconds)
    for concern in found:
        log.warn(concern.sentence)


def _is_named(path: Path) -> bool:
    from ascnet_core import places

    return path.resolve().parent == places.RUNS


def _list_settings(options: argparse.Namespace) -> None:
    from ascnet_core.settings.methods import METHODS
    from ascnet_core.settings.presets import load_preset, preset_names, user_preset_names
    from ascnet_core.settings.text import help_of, keys, value_of

    for name in preset_names():
        print(f"preset {name}: {load_preset(name).description}")
    for name in user_preset_names():
        try:
            print(f"your preset {name}: {load_preset(name).description}")
        except UserError as error:  # one bad file must not hide the rest
            print(f"your preset {name}: {error}")
    for method in METHODS.values():
        print(f"method {method.name}: {method.sentence}")
    settings = _settings(options)
    print(f"\nsettings of preset {settings.preset}:")
    for key in keys(settings):
        value = value_of(settings, key)
        shown = ",".join(value) if isinstance(value, tuple) else value
        print(f"{key}={'' if shown is None else shown}\n    {help_of(key, settings)}")
