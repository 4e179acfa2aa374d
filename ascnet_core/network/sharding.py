"""A batch that is spread over several processes: what its parts have to tell each other.

One training may run as several processes, each with every n-th slice of each batch. Where a layer
or a loss looks at a whole batch (batch norm, dropout's draws, a ratio of sums), these functions
make its parts act as that batch would in one process. Alone, they do nothing.

All processes must come by here equally often and in the same order.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
import torch.distributed as distributed
import torch.nn.functional as functional
from torch import Tensor, nn


class Place(NamedTuple):
    """Which of how many processes this is; counted from 0."""

    rank: int = 0
    size: int = 1

    def own(self, whole: Any) -> Any:
        """The part of a tensor or array that is this process's: every n-th of its first axis."""
        return whole[self.rank :: self.size] if self.size > 1 else whole


ALONE = Place()


def place() -> Place:
    """Which process of the training this is; `ALONE` where there is one."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return ALONE
    return Place(distributed.get_rank(), distributed.get_world_size())


class _Sum(torch.autograd.Function):
    """The sum over all processes; its derivative is the same sum, so it may be derived twice."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        summed = part.clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(summed)
        return summed

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return cast(Tensor, _Sum.apply(*gradients))  # type: ignore[no-untyped-call]


def total(part: Tensor) -> Tensor:
    """The sum of every process's tensor, with gradients to all of them."""
    return cast(Tensor, _Sum.apply(part)) if place().size > 1 else part  # type: ignore[no-untyped-call]


@torch.no_grad()
def gathered(part: Tensor) -> Tensor:
    """The tensors of all processes one after the other, without gradients; all of one shape."""
    here = place()
    if here.size == 1:
        return part
    parts = [part.new_empty(part.shape) for _ in range(here.size)]
    distributed.all_gather(parts, part.contiguous())
    return torch.cat(parts)


class Dropout(nn.Dropout):
    """Dropout whose draws are those of the whole batch, of which each process takes its part."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, slices first."""
        here = place()
        if here.size == 1 or not self.training or self.p == 0:
            return super().forward(x)
        # Of the whole batch's shape and memory order: draws go by the place in memory.
        order = torch.contiguous_format if x.is_contiguous() else torch.channels_last
        ones = x.new_ones((len(x) * here.size, *x.shape[1:])).contiguous(memory_format=order)
        kept = cast(Tensor, here.own(functional.dropout(ones, self.p)))
        return x * kept


class BatchNorm(nn.BatchNorm2d):
    """Batch norm over the whole batch also where it is spread over processes, on any device.

    torch's own SyncBatchNorm works on GPUs only.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W), of the same shape in every process."""
        here = place()
        if here.size == 1 or not self.training:
            return super().forward(x)
        mean, variance = _moments(x)
        self._keep(mean, variance, here.size * x.numel() // x.shape[1])
        normed = _Normed.apply(x, self.weight, self.bias, mean, variance, self.eps)  # type: ignore[no-untyped-call]
        return cast(Tensor, normed)

    @torch.no_grad()
    def _keep(self, mean: Tensor, variance: Tensor, values: int) -> None:
        """Move the running statistics as torch's batch norm does."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_(1)
        unbiased = variance * (values / max(1, values - 1))
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(unbiased, self.momentum)


@torch.no_grad()
def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance (C,) float32 over the whole batch, of which this is one part."""
    variance, mean = torch.var_mean(_wide(x), (0, 2, 3), correction=0)
    # mean and variance of parts of one size make those of the whole, without cancellation
    means, variances = gathered(torch.stack([mean, variance])[None]).unbind(1)
    return means.mean(0), variances.mean(0) + means.var(0, correction=0)


class _Normed(torch.autograd.Function):
    """(x - mean) / sqrt(variance + eps) * weight + bias, where the moments depend on x too."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, bias, mean, variance)
        ctx.eps = eps
        return functional.batch_norm(x, mean, variance, weight, bias, eps=eps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        x, weight, bias, mean, variance = ctx.saved_tensors
        wanted = ctx.needs_input_grad[:3]
        if torch.is_grad_enabled():  # a penalty on gradients wants these derived again
            again = _composed(x, weight, bias, ctx.eps)
            parts = [one for one, want in zip((x, weight, bias), wanted, strict=True) if want]
            found = iter(torch.autograd.grad(again, parts, gradient, create_graph=True))
            return (*(next(found) if want else None for want in wanted), None, None, None)
        _, slope, shift = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, mean, variance, None, None, False, ctx.eps, [False, True, True]
        )
        own = (slope if wanted[1] else None, shift if wanted[2] else None, None, None, None)
        if not wanted[0]:
            return (None, *own)
        # d/dx = scale * (g - mean(g) - normed x * mean(g * normed x)), means over the whole batch
        values = place().size * x.numel() // x.shape[1]
        of_shift, of_slope = total(torch.stack([shift, slope])) / values
        root = torch.rsqrt(variance + ctx.eps)
        scale = weight * root
        by_x = -scale * root * of_slope
        rest = -scale * of_shift - by_x * mean
        scale, by_x, rest = (one[None, :, None, None] for one in (scale, by_x, rest))
        return ((scale * gradient + (by_x * x + rest)).to(x.dtype), *own)


def _composed(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Batch norm over the whole batch out of operations that may be derived twice."""
    values = place().size * x.numel() // x.shape[1]
    mean = total(_wide(x).sum((0, 2, 3))) / values
    centred = _wide(x) - mean[None, :, None, None]
    variance = total(centred.square().sum((0, 2, 3))) / values
    scale = weight * torch.rsqrt(variance + eps)
    return (centred * scale[None, :, None, None] + bias[None, :, None, None]).to(x.dtype)


def _wide(x: Tensor) -> Tensor:
    """At least float32: sums of bfloat16 would be coarse."""
    return x if x.dtype == torch.float64 else x.float()
