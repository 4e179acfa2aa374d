"""`train --fork RUN`: what a fork takes from the run that it comes from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ascnet_core.commands.options import changed_settings
from ascnet_core.errors import UserError

if TYPE_CHECKING:
    from ascnet_core.imaging.cohort import Cohort
    from ascnet_core.runs.folder import Run
    from ascnet_core.settings.tables import Settings


def add_fork(parser: argparse.ArgumentParser) -> None:
    """Add `--fork` and `--cycle`."""
    parser.add_argument(
        "--fork",
        metavar="RUN",
        help="begin a new run with the network of another one, on its data and with its settings "
        "unless MANIFEST, --reference or --set say otherwise",
    )
    parser.add_argument(
        "--cycle",
        type=int,
        metavar="K",
        help="the kept cycle to fork from, counted over both stages, 0 before training "
        "(default: the run's result)",
    )


def origin_of(options: argparse.Namespace) -> Run | None:
    """The run to fork from, None if the options ask for no fork.

    Raises
    ------
    UserError
        If there is no such run, or options don't go together.
    """
    from ascnet_core.runs.folder import Run, resolve_run

    if options.fork is None:
        if options.cycle is not None:
            raise UserError("--cycle K belongs to --fork RUN; give both.")
        return None
    if isinstance(options.resume, str) or not options.name:
        raise UserError("--fork RUN begins a new run; give it a name by --name NAME.")
    if options.preset:
        raise UserError("--preset does not go with --fork, which begins with its run's settings.")
    return Run(resolve_run(options.fork))


def fork_settings(origin: Run, options: argparse.Namespace) -> Settings:
    """The other run's settings with `--set` laid over.

    Raises
    ------
    UserError
        If the networks would be of another size, or that cycle kept none: before a folder is made.
    """
    from ascnet_core.runs.parent import check_sizes
    from ascnet_core.training.checkpoint import load_model

    before = origin.settings()
    settings = changed_settings(before, options)
    check_sizes(origin.name, before, settings)
    load_model(origin.path, options.cycle)
    return settings


def fork_cohort(origin: Run) -> Cohort:
    """The other run's cohort. Raises UserError where its files are not there."""
    try:
        return origin.cohort()
    except UserError as error:
        raise UserError(
            f"The data of run {origin.name} is not as it was ({str(error).rstrip('.')}); give the "
            "MANIFEST to train on."
        ) from error


def fork_reference(origin: Run) -> str:
    """What is normal to the other run, as `--reference` has it. Raises UserError."""
    from ascnet_core.runs.create import reference_of

    return str(reference_of(origin.path))
