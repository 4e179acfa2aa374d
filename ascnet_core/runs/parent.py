"""The parent of a fork, and the settings that both must share. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ascnet_core.errors import UserError
from ascnet_core.files import read_json

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Settings

PARENT = "origin.json"


@dataclass(frozen=True)
class Parent:
    """What a fork began from.

    `run` is the name it had then, `moment` the kept moment in words, `step` its number of steps
    (None if the network's file did not say). `whole` says whether all networks, the optimisers and
    the moving average were taken over, or the first of `networks` alone.
    """

    run: str
    moment: str
    step: int | None
    whole: bool
    networks: str = "M, D"

    @property
    def sentence(self) -> str:
        """For cards, logs and pages, without a full stop."""
        first = self.networks.split(",")[0]
        came = f"{self.networks} and the optimisers" if self.whole else f"{first} alone"
        return f"forked from {self.run}, {self.moment}, with {came}"


def read_parent(run: Path) -> Parent | None:
    """The parent of a run; None if it is no fork."""
    try:
        return Parent(**read_json(run / PARENT))
    except TypeError:
        return None


def sizes(settings: Settings) -> tuple[str, ...]:
    """The keys of settings that a fork cannot change, since the networks would not fit."""
    learners = settings.method.learners(settings)
    return ("method.name", *(key for one in learners for key in (one.width, one.norm)))


def check_sizes(run: str, before: Settings, settings: Settings) -> None:
    """Raise UserError, naming the setting, where networks cannot begin from those of run `run`."""
    from ascnet_core.settings.text import value_of

    for key in sizes(before):
        if value_of(before, key) != value_of(settings, key):
            raise UserError(
                f"{key} cannot change in a fork, which begins with the network of run {run} "
                f"({key}={value_of(before, key)}); leave it, or start a new run."
            )
