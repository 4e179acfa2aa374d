"""What training carries from step to step, and its form as named tensors."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ascnet_core.errors import UserError
from ascnet_core.network.cutting import CuttingModule
from ascnet_core.network.discriminator import Discriminator
from ascnet_core.settings.tables import Network, Schedule, Settings
from ascnet_core.training.device import memory_format
from ascnet_core.training.sampling import FRESH
from ascnet_core.training.timetable import seed_of

COUNTERS = ("stage", "cycle", "step", "steps_m", "images_seen")


@dataclass
class TrainingState:
    """Networks, their optimisers and counters; all that resuming needs.

    `average` is the moving average of `model` where the settings keep one. `stage` and `cycle` are
    those of the last step; `step` counts finished steps of any kind, `steps_m` those of M,
    `images_seen` the slices that M was shown.
    """

    device: torch.device
    model: CuttingModule
    optimiser: torch.optim.Adam
    discriminator: Discriminator | None = None
    optimiser_d: torch.optim.Adam | None = None
    average: CuttingModule | None = None
    stage: int = 1
    cycle: int = 0
    step: int = 0
    steps_m: int = 0
    images_seen: int = 0

    @property
    def kept(self) -> CuttingModule:
        """The network that is looked at and saved: the average if there is one."""
        return self.model if self.average is None else self.average


def build_model(network: Network) -> CuttingModule:
    """M as the settings ask for it, freshly initialised from torch's current random state."""
    return CuttingModule(
        network.width,
        network.dropout,
        network.decoder_dropout,
        network.norm_momentum,
        network.norm,
    )


def new_state(settings: Settings, device: torch.device | str) -> TrainingState:
    """A fresh state; the same for the same seed on every machine."""
    device = torch.device(device)
    order = memory_format(device, settings.compute)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(settings.schedule.seed, FRESH))
        model = build_model(settings.network)
    model = model.to(device, memory_format=order)  # type: ignore[call-overload]
    state = TrainingState(device, model, new_optimiser(model, settings.schedule))
    if settings.schedule.average:
        state.average = copy.deepcopy(model).requires_grad_(False)
    if settings.adversary.weight:
        refresh_discriminator(state, settings, 0)
    return state


def refresh_discriminator(state: TrainingState, settings: Settings, seed: int) -> None:
    """Put a freshly initialised D, and an optimiser for it, into the state."""
    network = settings.network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(settings.schedule.seed, FRESH, seed, 1))
        fresh = Discriminator(
            settings.data.size,
            network.discriminator_width,
            network.dropout,
            network.norm_momentum,
            network.discriminator_norm,
        )
    order = memory_format(state.device, settings.compute)
    state.discriminator = fresh.to(state.device, memory_format=order)  # type: ignore[call-overload]
    state.optimiser_d = new_optimiser_d(state.discriminator, settings.schedule)


def new_optimiser(model: CuttingModule, schedule: Schedule) -> torch.optim.Adam:
    """Adam for M; R's three numbers are a group of their own, with a rate of their own."""
    reconstructor = list(model.reconstructor.parameters())
    own = {id(parameter) for parameter in reconstructor}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in own]
    groups = [{"params": rest, "factor": 1.0}]
    groups.append({"params": reconstructor, "factor": schedule.reconstructor_rate})
    return torch.optim.Adam(groups, lr=schedule.learning_rate, fused=True)


def new_optimiser_d(discriminator: Discriminator, schedule: Schedule) -> torch.optim.Adam:
    """Adam for D."""
    return torch.optim.Adam(discriminator.parameters(), lr=schedule.learning_rate_d, fused=True)


def set_rate(state: TrainingState, schedule: Schedule, total: int) -> None:
    """M's learning rate at this step: constant, then falling over the last `cooling` share."""
    left = (total - state.step) / max(1.0, schedule.cooling * total)
    fall = 1.0 if schedule.cooling == 0 or left >= 1 else 0.01 ** (1 - left)
    for group in state.optimiser.param_groups:
        group["lr"] = schedule.learning_rate * group["factor"] * fall


@torch.no_grad()
def update_average(state: TrainingState, memory: float) -> None:
    """Move the average a little towards the model; faster while it is young."""
    if state.average is None:
        return
    memory = min(memory, (1 + state.steps_m) / (10 + state.steps_m))
    current = state.model.state_dict()
    for name, kept in state.average.state_dict().items():
        if kept.is_floating_point():
            kept.lerp_(current[name], 1 - memory)
        else:
            kept.copy_(current[name])


def state_tensors(state: TrainingState) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """All tensors of a state by name, and its counters (JSON-able); see `restore_state`."""
    tensors: dict[str, Tensor] = {}
    for part in ("model", "average", "discriminator"):
        module: nn.Module | None = getattr(state, part)
        if module is not None:
            tensors |= {f"{part}.{name}": value for name, value in module.state_dict().items()}
    for part in ("optimiser", "optimiser_d"):
        optimiser: torch.optim.Adam | None = getattr(state, part)
        if optimiser is not None:
            for number, moments in optimiser.state_dict()["state"].items():
                tensors |= {f"{part}.{number}.{name}": one for name, one in moments.items()}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    return tensors, {name: getattr(state, name) for name in COUNTERS}


def restore_state(
    settings: Settings,
    device: torch.device | str,
    tensors: dict[str, Tensor],
    meta: dict[str, Any],
) -> TrainingState:
    """The state that `state_tensors` gave.

    Raises
    ------
    UserError
        If the tensors don't fit the settings.
    """
    state = new_state(settings, device)
    try:
        for part in ("model", "average", "discriminator"):
            module: nn.Module | None = getattr(state, part)
            if module is not None:
                module.load_state_dict(_under(tensors, part))
        for part in ("optimiser", "optimiser_d"):
            optimiser: torch.optim.Adam | None = getattr(state, part)
            if optimiser is None:
                continue
            parameters = [one for group in optimiser.param_groups for one in group["params"]]
            moments: dict[int, dict[str, Tensor]] = {}
            for name, value in _under(tensors, part).items():
                number, _, key = name.partition(".")
                own = moments.setdefault(int(number), {})
                # fused Adam walks through memory, so moments must lie as their parameter does
                like = parameters[int(number)]
                own[key] = (
                    torch.empty_like(like).copy_(value) if value.shape == like.shape else value
                )
            groups = optimiser.state_dict()["param_groups"]
            optimiser.load_state_dict({"state": moments, "param_groups": groups})
        for name in COUNTERS:
            setattr(state, name, int(meta[name]))
    except (RuntimeError, KeyError, ValueError) as error:
        raise UserError(
            "The checkpoint does not fit the run's settings; start the run anew under another name."
        ) from error
    return state


def _under(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    head = f"{part}."
    return {name[len(head) :]: one for name, one in tensors.items() if name.startswith(head)}
