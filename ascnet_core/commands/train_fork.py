"""`train --fork RUN`: what a fork takes from the run that it comes from."""

import argparse

from ascnet_core.commands.options import changed_settings
from ascnet_core.errors import UserError
from ascnet_core.imaging.cohort import Cohort
from ascnet_core.runs.folder import Run, resolve_run
from ascnet_core.runs.parent import check_sizes
from ascnet_core.settings.tables import Settings


def origin_of(options: argparse.Namespace) -> Run | None:
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


def fork_settings(origin: Run, options: argparse.Namespace) -> Settings:
    """The other run's settings with `--set` laid over.

    Raises `UserError` if the networks would differ in size, or the cycle kept no network: before
    a folder is made.
    """
    from ascnet_core.training.checkpoint import load_model

    before = origin.settings()
    settings = changed_settings(before, options)
    check_sizes(origin.name, before, settings)
    load_model(origin.path, options.cycle)
    return settings


def fork_cohort(origin: Run) -> Cohort:
    """The other run's cohort; `UserError` where its files are gone."""
    try:
        return origin.cohort()
    except UserError as error:
        raise UserError(
            f"The data of run {origin.name} is not as it was ({str(error).rstrip('.')}); give the "
            "MANIFEST to train on."
        ) from error
