"""One step of a network's optimiser, by one process or by several."""

import warnings
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ascnet_core.training.distributed import this_process
from ascnet_core.training.recipe import Losses
from ascnet_core.training.state import TrainingState

Loss = Callable[[], tuple[Tensor, Losses]]


def learn(state: TrainingState, name: str, loss: Loss) -> Losses:
    """Take one step of the optimiser of a network (by its name in the state) on a loss.

    `loss` runs the forward pass on this process's part of the batch and gives one number, and the
    values to report. Of several processes the mean of the losses counts. Returns the report,
    without gradients.
    """
    total, report = _forward(state, name)(loss)
    optimiser = state.optimisers[name]
    optimiser.zero_grad(set_to_none=True)
    total.backward()
    optimiser.step()
    return {key: value.detach() for key, value in report.items()}


class _Forward(nn.Module):
    """A network whose forward pass is its whole loss.

    DistributedDataParallel learns from a forward pass which parameters will get a gradient. Some
    terms use only parts of a network, or a layer twice, so it must see the loss itself.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, loss: Loss) -> tuple[Tensor, Losses]:
        """Work the loss out."""
        return loss()


def _forward(state: TrainingState, name: str) -> Any:
    """Computes a loss of that network; several processes average its gradients."""
    if this_process().size == 1:
        return lambda loss: loss()
    known = state.parallel.get(name)
    if known is None or known.module.network is not state.networks[name]:
        # Torch warns where gradients of 1x1 kernels have another memory order than the kernels.
        warnings.filterwarnings("ignore", message="Grad strides do not match")
        known = DistributedDataParallel(
            _Forward(state.networks[name]),
            find_unused_parameters=True,
            forward_sync_buffers=False,
        )
        state.parallel[name] = known
    return known
