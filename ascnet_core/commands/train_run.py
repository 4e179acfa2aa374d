"""`train` at work: a new run, a fork, or a run that goes on."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ascnet_core import places
from ascnet_core.commands.options import PROGRAM, changed_settings, first_settings, pick_device
from ascnet_core.commands.progress import Progress, duration
from ascnet_core.commands.train_log import Log, Steps
from ascnet_core.errors import UserError
from ascnet_core.files import made_folder, whole_or_nothing, write_json, write_text
from ascnet_core.imaging.cohort import Cohort, Scan, read_manifest
from ascnet_core.imaging.prepare import Prepared
from ascnet_core.imaging.reference import check_reference, proposed_reference
from ascnet_core.imaging.signs import Signs, signs_of
from ascnet_core.names import OWN_REFERENCES
from ascnet_core.runs.card import write_card
from ascnet_core.runs.create import (
    begin_run,
    check_data,
    check_new,
    note_command,
    prepare_run,
    reference_of,
)
from ascnet_core.runs.events import tail_events
from ascnet_core.runs.fingerprint import write_fingerprint
from ascnet_core.runs.folder import Run, is_run, new_run_path, resolve_run
from ascnet_core.runs.launch import check_processes, launched
from ascnet_core.runs.lock import hold_lock
from ascnet_core.runs.parent import check_sizes
from ascnet_core.runs.propose import Facts, Sight, facts_of, propose_preset, sight_of, unsuited
from ascnet_core.runs.room import check_room
from ascnet_core.settings.tables import Settings
from ascnet_core.settings.text import differing, to_toml

if TYPE_CHECKING:
    from ascnet_core.imaging.reference import SliceSet
    from ascnet_core.training.slice_sets import Watched

_MAY_CHANGE = (
    "compute.",
    "segmentation.",
    "schedule.stage_1",
    "schedule.stage_2",
    "schedule.checkpoint_seconds",
    "schedule.log_every",
    "schedule.stop_when",
)


def train(options: argparse.Namespace) -> None:
    """Train in this process; of several, the first one does this."""
    parent = parent_of(options)
    if isinstance(options.resume, str):
        if options.name or options.manifest:
            raise UserError("--resume NAME goes without MANIFEST and --name: the run knows them.")
        path = resolve_run(options.resume)
    elif options.name:
        path = new_run_path(options.name)
    else:
        raise UserError("A run needs a name: give --name NAME, or --resume NAME to go on with one.")
    device = pick_device(options.device) if options.device != "auto" else "auto"
    goes_on = is_run(path)
    if goes_on and not options.resume:
        raise UserError(
            f"{path} is a run already; choose another name, or go on with it by "
            f"--resume {options.name}."
        )
    if goes_on:
        settings = _settings_to_go_on(path, options)
    elif options.manifest is None and parent is None:
        raise UserError("Training needs a cohort: give its MANIFEST (`index` writes one).")
    else:
        settings = fork_settings(parent, options) if parent else first_settings(options)
    check_processes(settings, launched()[1], device != "cpu")
    if not goes_on:
        check_new(path)
        cohorts = _cohorts(options, parent)
        check_reference(cohorts[0], cohorts[2] or cohorts[1])
        check_room(path, settings)
    shown = path.exists()  # a page that starts a training makes its folder, and waits for the run

    def stays() -> bool:
        return is_run(path) and (goes_on or shown or _has_learnt(path))

    def fork() -> None:
        from ascnet_core.training.fork import write_fork

        if parent is not None:
            log.say(write_fork(path, parent, options.cycle, settings).sentence)

    with (
        made_folder(path),
        hold_lock(path),
        whole_or_nothing(path, stays),
        Log(path) as log,
    ):
        # The sets come first: where they are refused, nothing is written and no name is taken.
        if goes_on:
            check_data(path)
            sets = _sets(read_manifest(path / places.MANIFEST), reference_of(path), settings, log)
            write_text(path / places.SETTINGS, to_toml(settings))
            note_command(path, options.command_line)
        else:
            sets = _sets(cohorts[0], cohorts[1], settings, log)
            if options.preset is None and parent is None:
                _propose(settings, facts_of(sets.seen), log)
            with Progress("files hashed", line=log.say) as progress:
                prepare_run(path, *cohorts, options.command_line, progress)
            fork()
        _train(path, settings, sets, device, log)


def parent_of(options: argparse.Namespace) -> Run | None:
    """The run to fork from, None without `--fork`; `UserError` if options don't go together."""
    if options.fork is None:
        if options.cycle is not None:
            raise UserError("--cycle K belongs to --fork RUN; give both.")
        return None
    if isinstance(options.resume, str) or not options.name:
        raise UserError("--fork RUN begins a new run; give it a name by --name NAME.")
    if options.preset:
        raise UserError("--preset does not go with --fork, which begins with its run's settings.")
    return Run(resolve_run(options.fork))


def fork_settings(parent: Run, options: argparse.Namespace) -> Settings:
    """The other run's settings with `--set` laid over; `UserError` before a folder is made.

    The networks must not differ in size, and the cycle must have kept one.
    """
    from ascnet_core.training.checkpoint import load_model

    before = parent.settings()
    settings = changed_settings(before, options)
    check_sizes(parent.name, before, settings)
    load_model(parent.path, options.cycle)
    return settings


def _settings_to_go_on(path: Path, options: argparse.Namespace) -> Settings:
    if options.preset or options.reference:
        raise UserError(
            "--preset and --reference belong to a new run; a run that goes on keeps its own."
        )
    before = Run(path).settings()
    settings = changed_settings(before, options)
    for key in differing(before, settings):
        # a run that has kept nothing yet may be told anew which slices to watch
        if key == "data.watched" and not Run(path).snapshots():
            continue
        if not key.startswith(_MAY_CHANGE):
            raise UserError(
                f"{key} cannot change while a run goes on; start a new run with another --name."
            )
    if before.schedule.stage_1 != settings.schedule.stage_1 and before.schedule.stage_2:
        raise UserError(
            "schedule.stage_1 cannot change in a run with a stage 2; extend schedule.stage_2."
        )
    return settings


def _cohorts(options: argparse.Namespace, parent: Run | None) -> tuple[Cohort, str, Cohort | None]:
    """The cohort, what is normal, and that cohort where it is another one."""
    if parent is None or options.manifest is not None:
        cohort = read_manifest(options.manifest)
    else:
        try:
            cohort = parent.cohort()
        except UserError as error:
            raise UserError(
                f"The data of run {parent.name} is not as it was ({str(error).rstrip('.')}); give "
                "the MANIFEST to train on."
            ) from error
    reference = options.reference
    if reference is None and parent is not None:
        reference = str(reference_of(parent.path))
    if reference is None:
        reference = proposed_reference(cohort) or "lesion-free"
    if reference in OWN_REFERENCES:
        return cohort, reference, None
    return cohort, reference, read_manifest(Path(reference))


def _has_learnt(path: Path) -> bool:
    return any(event.get("kind") == "step" for event in tail_events(path / places.EVENTS))


class _Sets(NamedTuple):
    """What a run learns from, the slices that it watches, and what its scans are like."""

    inputs: SliceSet
    reference: SliceSet
    watched: Watched
    learnt: list[tuple[Scan, Signs]]
    seen: list[Sight]


def _sets(cohort: Cohort, reference: str | Path, settings: Settings, log: Log) -> _Sets:
    """Prepare the slices; `UserError` if they are not what a training needs."""
    from ascnet_core.training.slice_sets import sets_of, watched_of

    learnt: list[tuple[Scan, Signs]] = []
    seen: list[Sight] = []

    def look(prepared: Prepared) -> None:
        learnt.append((prepared.scan, signs_of(prepared)))
        seen.append(sight_of(prepared, learnt[-1][1]))

    with Progress("scans prepared", line=log.say) as progress:
        inputs, normal = sets_of(
            settings,
            cohort,
            reference,
            progress,
            look=look,
        )
    log.say(
        f"{len(inputs.images)} input slices, {len(normal.images)} reference slices of "
        f"{settings.data.size} x {settings.data.size} pixels"
    )
    return _Sets(inputs, normal, watched_of(settings.data.watched, inputs, normal), learnt, seen)


def _train(path: Path, settings: Settings, sets: _Sets, device: str, log: Log) -> None:
    """Train; the lock is held."""
    from ascnet_core.training.recorder import record

    inputs, reference, watched, learnt, _ = sets
    write_fingerprint(path, learnt)
    write_json(path / places.WATCHED, list(watched.names))
    device = pick_device(device)
    named = path.resolve().parent == places.RUNS
    run = path.name if named else path  # logs travel with runs: no machine's folders in them
    where = f"device {device}" + (f", {launched()[1]} processes" if launched()[1] > 1 else "")
    log.say(f"preset {settings.preset or 'none'}, {where}, run {run}")
    if not (path / places.TRAINING).is_file() or not (path / places.EVENTS).is_file():
        _warn(settings, len(inputs.images), len(reference.images), device, log)
    started = time.monotonic()
    with Steps(log) as steps:

        def report(event: dict[str, Any]) -> None:
            # With its first event the folder becomes a run: one that dies before leaves none.
            if not is_run(path):
                begin_run(path, settings)
            steps.report(event)

        how = record(path, settings, inputs, reference, watched.images, device, report)
    write_card(path)
    log.say(f"{how} after {duration(time.monotonic() - started)}")
    snapshots = Run(path).snapshots()
    if snapshots:
        counted = settings.method.maps[0].name
        log.say(f"histogram of the {counted}: {snapshots[-1].info.get('verdict', '')}")
    log.say(
        f"next: {PROGRAM} segment {run} IMAGE -o masks"
        if how == "finished"
        else f"go on: {PROGRAM} train --resume {run}"
    )


def _propose(settings: Settings, facts: Facts, log: Log) -> None:
    """Say which settings suit the scans, where nobody named a preset and the default does not."""
    proposal = propose_preset(facts)
    if unsuited(settings, facts):
        log.warn(f"{proposal.sentence} Its options: {proposal.options}")


def _warn(settings: Settings, inputs: int, references: int, device: str, log: Log) -> None:
    """Say on stderr what is odd about the schedule; training begins all the same."""
    import torch

    from ascnet_core.training import schedule_check
    from ascnet_core.training.device import gains_by_bfloat16

    found = schedule_check.check_schedule(settings, inputs, references)
    if device == "cpu":
        native = gains_by_bfloat16(torch.device(device))
        threads = torch.get_num_threads() * launched()[1]
        seconds = schedule_check.seconds_of(settings, inputs, references, threads, native)
        log.say(f"time: {schedule_check.time_in_words(seconds)} on this processor if it is idle")
        found += schedule_check.check_time(seconds)
    for concern in found:
        log.warn(concern.sentence)
