"""What shows whether the game is alive and whether the network is more than a quantiser."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ascnet_core.network.cutting import Cuts, CuttingModule
from ascnet_core.segmentation.quantiser import rank_correlation
from ascnet_core.settings.tables import Settings
from ascnet_core.training.adversary import cutting_side, freeze, norms
from ascnet_core.training.device import autocast, threads
from ascnet_core.training.state import TrainingState
from ascnet_core.training.steps import Sets

SAMPLE = 16  # slices of each set that gauges look at
HISTOGRAM_SAMPLE = 48  # input slices whose I_ro is counted in a snapshot


@torch.no_grad()
def cut_batches(model: CuttingModule, slices: Tensor, settings: Settings, batch: int = 16) -> Cuts:
    """Cuts of slices (N, 1, S, S) in inference mode, in batches."""
    model.eval()
    with autocast(slices.device, settings.compute), threads(settings.compute):
        parts = [model(slices[start : start + batch]) for start in range(0, len(slices), batch)]
    return Cuts(*(torch.cat(one) for one in zip(*parts, strict=True)))


def spread(slices: Tensor, count: int) -> Tensor:
    """`count` slices (or all, if fewer) spread evenly over the set."""
    chosen = np.unique(np.linspace(0, len(slices) - 1, min(count, len(slices))).round().astype(int))
    return slices[torch.from_numpy(chosen).to(slices.device)]


def measure(state: TrainingState, settings: Settings, sets: Sets) -> dict[str, float]:
    """Gauges on a fixed sample of both sets.

    rank_correlation
        Spearman's, of I_ro with I_in inside the region, both on 256 levels; near 1, M only
        quantises brightness. 0 if one of them is constant there.
    wild_input, wild_reference
        Mean wild cut inside the region, on inputs and on references.
    score, saturated
        Mean abs(s) before D's tanh, and the share of images with abs(tanh) > 0.999 (no gradient
        comes from those), over both sets.
    gradient
        Norm of the gradient of M's adversarial term at I_fc, a mean over images.
    accuracy_fence, accuracy_reference
        Share of fences, and of references, that D tells right.
    """
    inputs, references = spread(sets.inputs, SAMPLE), spread(sets.references, SAMPLE)
    cuts = cut_batches(state.kept, inputs, settings)
    of_references = cut_batches(state.kept, references, settings)
    found = {
        "rank_correlation": _followed(cuts.reconstruction, inputs),
        "wild_input": float(cuts.wild[inputs > 0].mean()),
        "wild_reference": float(of_references.wild[references > 0].mean()),
    }
    if state.discriminator is not None:
        found |= _game(state, settings, inputs, references)
    return found


def _followed(reconstruction: Tensor, slices: Tensor) -> float:
    """Rank correlation of two stacks of slices where the second is above 0; 0 if undefined."""
    inside = (slices > 0).cpu().numpy()
    found = rank_correlation(_bytes(reconstruction), _bytes(slices), inside)
    return 0.0 if np.isnan(found) else found


def _game(
    state: TrainingState, settings: Settings, inputs: Tensor, references: Tensor
) -> dict[str, float]:
    discriminator = state.discriminator
    assert discriminator is not None
    adversary = settings.adversary
    training = discriminator.training
    momenta = [norm.momentum for norm in norms(discriminator)]
    asked = [parameter.requires_grad for parameter in discriminator.parameters()]
    fences = cut_batches(state.model, inputs, settings).fence
    freeze(discriminator, adversary)
    discriminator.eval()
    with autocast(state.device, settings.compute):
        with torch.no_grad():
            of_references = discriminator.score(references)
        fences.requires_grad_(True)
        of_fences = discriminator.score(fences)
        loss = cutting_side(discriminator, fences, adversary)
    (gradient,) = torch.autograd.grad(loss * len(fences), fences)
    scores = torch.cat([of_fences.detach(), of_references])
    sign = -1.0 if adversary.mirrored else 1.0
    discriminator.train(training)
    for norm, momentum in zip(norms(discriminator), momenta, strict=True):
        norm.momentum = momentum
    for parameter, wanted in zip(discriminator.parameters(), asked, strict=True):
        parameter.requires_grad_(wanted)
    return {
        "score": float(scores.abs().mean()),
        "saturated": float((torch.tanh(scores).abs() > 0.999).float().mean()),
        "gradient": float(gradient.flatten(1).norm(dim=1).mean()),
        "accuracy_fence": float((sign * of_fences < 0).float().mean()),
        "accuracy_reference": float((sign * of_references > 0).float().mean()),
    }


def look(
    state: TrainingState, settings: Settings, sets: Sets, watched: np.ndarray
) -> dict[str, np.ndarray]:
    """Cut the watched slices (W, S, S) and count over a sample of the inputs.

    Returns
    -------
    dict
        `watched_input`, `fence`, `wild`, `reconstruction` (W, S, S) uint8 with 255 for 1.0;
        `counts` (256,) int64, I_ro of the sample inside the region; `joint` (64, 64) int64, fence
        (rows) against wild values there.
    """
    slices = torch.from_numpy(np.array(watched, dtype=np.float32))[:, None].to(state.device)
    cuts = cut_batches(state.kept, slices, settings)
    sample = spread(sets.inputs, HISTOGRAM_SAMPLE)
    of_sample = cut_batches(state.kept, sample, settings)
    inside = (sample > 0).cpu().numpy()
    counts = np.bincount(_bytes(of_sample.reconstruction)[inside], minlength=256)
    fence, wild = (_bytes(one)[inside] // 4 for one in (of_sample.fence, of_sample.wild))
    joint = np.bincount(fence.astype(np.int64) * 64 + wild, minlength=64 * 64)
    return {
        "watched_input": _bytes(slices)[:, 0],
        "fence": _bytes(cuts.fence)[:, 0],
        "wild": _bytes(cuts.wild)[:, 0],
        "reconstruction": _bytes(cuts.reconstruction)[:, 0],
        "counts": counts.astype(np.int64),
        "joint": joint.reshape(64, 64).astype(np.int64),
    }


def _bytes(values: Tensor) -> np.ndarray:
    """[0, 1] -> 0..255, rounded."""
    return (values.float() * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
