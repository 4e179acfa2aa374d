"""What training carries from step to step, also as named tensors."""

import copy
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn

from ascnet_core.errors import UserError
from ascnet_core.network.blocks import Network
from ascnet_core.settings.schedule import Schedule
from ascnet_core.settings.tables import Settings
from ascnet_core.training.device import memory_format
from ascnet_core.training.distributed import this_process
from ascnet_core.training.recipe import recipe_of
from ascnet_core.training.sampling import FRESH
from ascnet_core.training.timetable import seed_of

COUNTERS = ("stage", "cycle", "step", "steps_m", "images_seen")
MODEL = "model"
"""Name of the network that is kept and makes the maps."""
_OPTIMISERS = {MODEL: "optimiser", "discriminator": "optimiser_d"}  # as checkpoints have them


@dataclass
class TrainingState:
    """Networks, their optimisers and counters: all that resuming needs.

    `networks` and `optimisers` are by name; `average` is the moving average of the kept network, if
    the settings ask for one. `stage` and `cycle` are those of the last step; `step` counts finished
    steps of any kind, `steps_m` those of the kept network, `images_seen` the slices that it was
    shown, by all processes together. `parallel` is of this process alone.
    """

    device: torch.device
    networks: dict[str, nn.Module]
    optimisers: dict[str, torch.optim.Optimizer]
    average: Network | None = None
    stage: int = 1
    cycle: int = 0
    step: int = 0
    steps_m: int = 0
    images_seen: int = 0
    parallel: dict[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> Network:
        """The network that is trained to be kept."""
        return cast(Network, self.networks[MODEL])

    @property
    def kept(self) -> Network:
        """The network that is shown and saved: the average if there is one."""
        return self.model if self.average is None else self.average

    def count(self, images: int) -> None:
        """Count a step of the kept network, and the slices that it was shown."""
        self.steps_m += 1
        self.images_seen += images

    def put(self, name: str, network: nn.Module, settings: Settings) -> None:
        """Add a network, on the device, with an optimiser of its own.

        Several processes on GPUs share its batch norm.
        """
        if this_process().size > 1 and self.device.type == "cuda":
            network = cast(Any, nn.SyncBatchNorm).convert_sync_batchnorm(network)
        order = memory_format(self.device, settings.compute)
        # torch's stubs know no memory_format beside a device
        self.networks[name] = network = cast(Any, network).to(self.device, memory_format=order)
        optimiser = recipe_of(settings).optimiser(name, network, settings)
        if optimiser is not None:
            self.optimisers[name] = optimiser


def new_state(settings: Settings, device: torch.device | str) -> TrainingState:
    """A fresh state; the same for the same seed on every machine."""
    state = TrainingState(torch.device(device), {}, {})
    recipe = recipe_of(settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(settings.schedule.seed, FRESH))
        networks: dict[str, nn.Module] = {MODEL: recipe.build(settings)}
        networks |= recipe.others(settings)
    for name, network in networks.items():
        state.put(name, network, settings)
    if settings.schedule.average and MODEL in state.optimisers:
        state.average = copy.deepcopy(state.model).requires_grad_(False)
    return state


def set_rate(state: TrainingState, schedule: Schedule, total: int) -> None:
    """Set the kept network's learning rate: constant, then falling over the `cooling` share."""
    left = (total - state.step) / max(1.0, schedule.cooling * total)
    fall = 1.0 if schedule.cooling == 0 or left >= 1 else 0.01 ** (1 - left)
    for group in state.optimisers[MODEL].param_groups if MODEL in state.optimisers else ():
        group["lr"] = schedule.learning_rate * group.get("factor", 1.0) * fall


@torch.no_grad()
def update_average(state: TrainingState, schedule: Schedule) -> None:
    """Move the average towards the model: a little, more while young, wholly before its time."""
    if state.average is None:
        return
    age = state.steps_m - schedule.average_from
    memory = min(schedule.average, (1 + age) / (10 + age)) if age > 0 else 0.0
    current = state.model.state_dict()
    for name, kept in state.average.state_dict().items():
        if kept.is_floating_point():
            kept.lerp_(current[name], 1 - memory)
        else:
            kept.copy_(current[name])


def weights_of(state: TrainingState) -> dict[str, Tensor]:
    """Weights and running statistics of all networks, the average among them, by name."""
    average = {} if state.average is None else {"average": state.average}
    return {
        f"{name}.{key}": value
        for name, network in {**state.networks, **average}.items()
        for key, value in network.state_dict().items()
    }


def state_tensors(state: TrainingState) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """All tensors of a state by name, and its counters (JSON-able); see `restore_state`."""
    tensors = weights_of(state)
    for network, optimiser in state.optimisers.items():
        for number, moments in optimiser.state_dict()["state"].items():
            head = f"{_optimiser(network)}.{number}"
            tensors |= {f"{head}.{name}": one for name, one in moments.items()}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    return tensors, {name: getattr(state, name) for name in COUNTERS}


def restore_state(
    settings: Settings,
    device: torch.device | str,
    tensors: dict[str, Tensor],
    meta: dict[str, Any],
) -> TrainingState:
    """The state that `state_tensors` gave; UserError if the tensors don't fit the settings."""
    state = new_state(settings, device)
    try:
        for name, network in state.networks.items():
            network.load_state_dict(_under(tensors, name))
        if state.average is not None:
            state.average.load_state_dict(_under(tensors, "average"))
        for network_name, optimiser in state.optimisers.items():
            _restore_optimiser(optimiser, _under(tensors, _optimiser(network_name)))
        for name in COUNTERS:
            setattr(state, name, int(meta[name]))
    except (RuntimeError, KeyError, ValueError) as error:
        raise UserError(
            "The checkpoint does not fit the run's settings; start the run anew under another name."
        ) from error
    return state


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [one for group in optimiser.param_groups for one in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, _, key = name.partition(".")
        # fused Adam needs moments in the memory order of their parameter
        like = parameters[int(number)]
        laid = torch.empty_like(like).copy_(value) if value.shape == like.shape else value
        moments.setdefault(int(number), {})[key] = laid
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": moments, "param_groups": groups})


def _optimiser(network: str) -> str:
    return _OPTIMISERS.get(network, f"optimiser_{network}")


def _under(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    head = f"{part}."
    return {name[len(head) :]: one for name, one in tensors.items() if name.startswith(head)}
