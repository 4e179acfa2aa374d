"""The method's losses as pure functions of tensors (paper, section 3.2), and a variant's.

Cuts and slices are (N, 1, H, W) float32 in [0, 1]; D's outputs are (N,). Each function gives one
number. What the paper and its released code do differently is an argument.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

TINY = 1e-8  # keeps the overlap of two empty cuts at 0 instead of 0 / 0


def fence_loss(output: Tensor, target: float = 1.0) -> Tensor:
    """M's adversarial term: mean abs(D(I_fc) - target); the released code's target is -1."""
    return (output - target).abs().mean()


def discriminator_loss(fences: Tensor, references: Tensor, mirrored: bool = False) -> Tensor:
    """D's loss: mean of abs(D(I_fc) + 1) and abs(D(I_rd) - 1) over all n + m images.

    Takes outputs after the tanh; `mirrored` swaps the labels, as the released code does.
    """
    label = -1.0 if mirrored else 1.0
    total = (fences + label).abs().sum() + (references - label).abs().sum()
    return total / (fences.numel() + references.numel())


def hinge_discriminator_loss(fences: Tensor, references: Tensor) -> Tensor:
    """Hinge loss on scores before the tanh, for variants: slope 1 until the margin is kept."""
    return torch.relu(1 + fences).mean() + torch.relu(1 - references).mean()


def least_squares(scores: Tensor, target: float) -> Tensor:
    """Mean squared distance of scores before the tanh from their target, for variants."""
    return (scores - target).square().mean()


def disjointness_loss(
    fence: Tensor, wild: Tensor, smoothing: float = 0.0, over: str = "image"
) -> Tensor:
    """Overlap of two cuts, the "positive Dice" that is minimised: 2 sum(AB) / (sum A + sum B).

    `smoothing` is added to numerator and denominator. Over "image" it is the mean of one fraction
    an image, over "batch" one over all pixels. The released code has smoothing 1 over the batch.
    """
    a, b = (cut.flatten(0 if over == "batch" else 1) for cut in (fence, wild))
    both = 2 * (a * b).sum(-1) + smoothing
    either = a.sum(-1) + b.sum(-1) + smoothing
    return (both / either.clamp_min(TINY)).mean()


def reconstruction_loss(reconstruction: Tensor, slices: Tensor, reduce: str = "sum") -> Tensor:
    """Squared error of I_ro, averaged over images.

    `reduce` is "sum" over an image's pixels (the paper's squared norm) or their "mean" (the
    released code; 25,600 times smaller at 160x160).
    """
    squared = (reconstruction - slices).square().flatten(1)
    return (squared.sum(1) if reduce == "sum" else squared.mean(1)).mean()


def weight_decay(kernels: Iterable[Tensor], factor: float) -> Tensor:
    """`factor` times the summed squares of all kernels (released code: 2e-4)."""
    return factor * torch.stack([kernel.square().sum() for kernel in kernels]).sum()


def absolute_error(cut: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean abs(cut - target) over all pixels, or their mean by `weights` (the same shape)."""
    return _mean((cut - target).abs(), weights)


def squared_error(cut: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean squared difference over all pixels, or their mean by `weights` (the same shape)."""
    return _mean((cut - target).square(), weights)


def cross_entropy(cut: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean binary cross-entropy of a cut in [0, 1] against a target in [0, 1], for variants."""
    # by hand: torch's own refuses a NaN with an assertion, which kills a GPU's context
    sure = cut.clamp(1e-6, 1 - 1e-6)
    return _mean(-(target * sure.log() + (1 - target) * (1 - sure).log()), weights)


def _mean(values: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return values.mean()
    return (values * weights).sum() / weights.sum()


def r1_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """Half the mean squared norm of the gradient of D's scores at reference images."""
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return 0.5 * gradient.square().flatten(1).sum(1).mean()


def tie_target(slices: Tensor, mask: Tensor, share: float, side: str, to: str = "lifted") -> Tensor:
    """What I_ro should be for a corrupted slice in the variant with I_ro tied.

    The clean slice keeps 1 - `share` of the range. The corruption mask lifts it by `share` (`to`
    "lifted") or puts it at the end of the scale ("end"). With `side` "dark" the corruption gets the
    scale's dark end instead of its bright one.
    """
    own = (1 - share) * slices
    if side == "dark":
        own = own + share
    if to == "end":
        return torch.where(mask > 0.5, torch.full_like(own, 1.0 if side == "bright" else 0.0), own)
    return own + share * mask if side == "bright" else own - share * mask
