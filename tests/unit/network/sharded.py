"""What a process does on its part of a batch; `test_sharding` compares it with the whole batch."""

from typing import Any

import torch
from torch import Tensor, nn

from ascnet_core.network.sharding import BatchNorm, Dropout, gathered, place, total

SHAPE = (6, 4, 5, 3)
SEED = 5


def layer(kind: type[nn.BatchNorm2d], dtype: torch.dtype) -> nn.BatchNorm2d:
    """A batch norm with weights that are not 1 and 0."""
    norm = kind(SHAPE[1], eps=1e-3, momentum=0.3)
    with torch.no_grad():
        norm.weight.copy_(torch.linspace(0.5, 2, SHAPE[1]))
        norm.bias.copy_(torch.linspace(-1, 1, SHAPE[1]))
    return norm.to(dtype)


def batch(dtype: torch.dtype, order: torch.memory_format) -> tuple[Tensor, Tensor]:
    """A batch whose parts differ much, and the gradient that comes back to it."""
    made = torch.Generator().manual_seed(SEED)
    x, back = torch.randn(2, *SHAPE, dtype=torch.float64, generator=made)
    x = x * torch.arange(1, SHAPE[0] + 1)[:, None, None, None] + 3
    return tuple(one.to(dtype).contiguous(memory_format=order) for one in (x, back))  # type: ignore[return-value]


def through(norm: nn.BatchNorm2d, x: Tensor, back: Tensor) -> dict[str, Tensor]:
    """Forward twice (for the running statistics), backward, and a penalty's double backward."""
    x = x.clone().requires_grad_(True)
    norm(x + 1)
    y = norm(x)
    by_x, by_weight, by_bias = torch.autograd.grad(
        (y * back).sum(), (x, norm.weight, norm.bias), retain_graph=True
    )
    (slope,) = torch.autograd.grad((y.tanh() * back).sum(), x, create_graph=True)
    twice = torch.autograd.grad(slope.square().sum(), (x, norm.weight, norm.bias))
    names = ("twice_x", "twice_weight", "twice_bias")
    return {
        "y": y.detach(),
        "x": by_x,
        "weight": by_weight,
        "bias": by_bias,
        **dict(zip(names, twice, strict=True)),
        "running_mean": norm.running_mean.clone(),
        "running_var": norm.running_var.clone(),
        "number": norm.num_batches_tracked.clone(),
    }


def dropped(module: nn.Module, x: Tensor) -> Tensor:
    """What is left of ones; drawn by a seed."""
    torch.manual_seed(SEED)
    return module(torch.ones_like(x))


def sum_of_squares(x: Tensor) -> dict[str, Tensor]:
    """A ratio of sums over the batch and its first and second derivatives."""
    x = x.clone().requires_grad_(True)
    ratio = total((x**3).sum()) / total(x.exp().sum())
    (first,) = torch.autograd.grad(ratio, x, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), x)
    return {"ratio": ratio.detach(), "first": first.detach(), "second": second}


CASES = {
    "float64": (torch.float64, torch.contiguous_format),
    "float32": (torch.float32, torch.channels_last),
    "bfloat16": (torch.bfloat16, torch.channels_last),
}


def norms(kind: type[nn.BatchNorm2d], own: Any) -> dict[str, dict[str, Tensor]]:
    """All cases by name; `own` takes a process's part of a batch."""
    found = {}
    for name, (dtype, order) in CASES.items():
        # as under autocast: weights and statistics stay float32 where the slices are bfloat16
        norm = layer(kind, torch.float32 if dtype == torch.bfloat16 else dtype)
        found[name] = through(norm, *(own(one) for one in batch(dtype, order)))
    return found


def all_of_it(rank: int) -> dict[str, Any]:
    """Everything at once: starting processes is what costs."""
    here = place()
    x, _ = batch(torch.float64, torch.contiguous_format)
    lasting = batch(torch.float32, torch.channels_last)[0]
    quiet = layer(BatchNorm, torch.float64).eval()
    return {
        "norms": norms(BatchNorm, here.own),
        "dropped": dropped(Dropout(0.4), here.own(x)),
        "dropped_last": dropped(Dropout(0.4), here.own(lasting)),
        "kept": dropped(Dropout(0.4).eval(), here.own(x)),
        "sums": sum_of_squares(here.own(x) / 10),
        "gathered": gathered(here.own(x)),
        "still": quiet(here.own(x)).detach() if rank == 0 else x[:0],
        "place": [here.rank, here.size],
    }
