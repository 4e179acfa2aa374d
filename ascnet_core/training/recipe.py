"""The protocol of a trained method: its networks, optimisers, steps and gauges.

A recipe is a class in `recipes/`, in a file or a folder named as the method's in
`settings/methods/`, and an instance of it called `RECIPE`. Everything else (sampling, checkpoints,
snapshots, stopping and resuming, several processes) is the same for all methods.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ascnet_core.network.blocks import Network
from ascnet_core.settings.schedule import Schedule
from ascnet_core.settings.tables import Settings
from ascnet_core.training.timetable import Moment

if TYPE_CHECKING:
    from ascnet_core.training.sampling import Sets
    from ascnet_core.training.state import TrainingState

Losses = dict[str, Tensor]


def adam(
    parameters: Iterable[Tensor] | Iterable[dict[str, Any]], rate: float, schedule: Schedule
) -> torch.optim.Adam:
    """Adam over parameters, or groups of them, at a learning rate, as the schedule wants it."""
    betas = (schedule.adam_beta, 0.999)
    return torch.optim.Adam(parameters, lr=rate, betas=betas, fused=True)


class Recipe:
    """How a method is trained; a method must have `build` and `step`."""

    def build(self, settings: Settings) -> Network:
        """The network that is kept and makes the maps, drawn from torch's random state."""
        raise NotImplementedError

    def others(self, settings: Settings) -> dict[str, nn.Module]:
        """Further networks by name."""
        return {}

    def optimiser(
        self, name: str, network: nn.Module, settings: Settings
    ) -> torch.optim.Optimizer | None:
        """The optimiser of a network (the kept one is named "model"); None for none.

        Groups of the kept network's optimiser may have a `factor` for their learning rate.
        """
        return adam(network.parameters(), settings.schedule.learning_rate, settings.schedule)

    def begin_phase(self, state: TrainingState, settings: Settings, moment: Moment) -> None:
        """Called once before each phase."""

    def step(self, state: TrainingState, settings: Settings, sets: Sets, moment: Moment) -> Losses:
        """Do the step of this moment; its losses by name, on the device.

        Networks learn by `learning.learn`. Torch's random state is that of the step. `state.count`
        counts what the kept network was shown.
        """
        raise NotImplementedError

    def gauges(self, state: TrainingState, settings: Settings, sets: Sets) -> dict[str, float]:
        """Measurements at the end of an epoch, by the names that the method's class gives them."""
        return {}

    def arrays(self, levels: dict[str, NDArray[np.uint8]]) -> dict[str, NDArray[np.int64]]:
        """Further arrays for a snapshot, from the levels (n,) of each map over sample pixels."""
        return {}


def recipe_of(settings: Settings) -> Recipe:
    """The recipe of the method that the settings name."""
    name = settings.method.name.replace("-", "_")
    return cast(Recipe, import_module(f"ascnet_core.recipes.{name}").RECIPE)
