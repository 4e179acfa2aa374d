"""Where a fork came from, and what of it may differ from there. Needs no torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ascnet_core.errors import UserError
from ascnet_core.files import write_json

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Settings

ORIGIN = "origin.json"


@dataclass(frozen=True)
class Origin:
    """What a fork began from.

    `run` is the name it had then, `moment` the kept moment in words, `step` its number of steps
    (None where the network did not tell), `whole` whether all networks, the optimisers and the
    moving average came along, or the first of `networks` alone.
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
        came = f"{self.networks} and the optimisers" if self.whole else first
        came += " came along" + ("" if self.whole else " alone")
        return f"forked from {self.run}, {self.moment}; {came}"


def read_origin(run: Path) -> Origin | None:
    """Where a run came from; None if it is no fork."""
    try:
        return Origin(**json.loads((run / ORIGIN).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_origin(run: Path, origin: Origin) -> None:
    """Keep where a run came from."""
    write_json(run / ORIGIN, asdict(origin))


def sizes(settings: Settings) -> tuple[str, ...]:
    """The keys of settings that a fork cannot change: the networks would not fit any more."""
    learners = settings.method.learners(settings)
    return ("method.name", *(key for one in learners for key in (one.width, one.norm)))


def check_sizes(run: str, before: Settings, settings: Settings) -> None:
    """Refuse settings whose networks cannot begin from those of run `run`.

    Raises
    ------
    UserError
        Naming the first setting in the way.
    """
    from ascnet_core.settings.text import value_of

    for key in sizes(before):
        if value_of(before, key) != value_of(settings, key):
            raise UserError(
                f"{key} cannot change in a fork, which begins with the network of run {run} "
                f"({key}={value_of(before, key)}); leave it, or start a new run."
            )
