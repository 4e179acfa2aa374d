"""Settings: the networks, and how D and M train against each other."""

from typing import Literal

from pydantic import Field

from ascnet_core.settings.checked import table


@table
class Network:
    """Sizes of M and D."""

    width: int = Field(32, ge=1, le=256)
    """Feature maps of M's first level (32 in the paper)."""
    cuts: Literal["free", "conserved"] = "free"
    """Fence and wild cut are drawn each by a decoder of its own (the paper), or share the slice
    between them: the wild cut is what is taken out, the fence what is left."""
    discriminator: Literal["dense", "patches"] = "dense"
    """D is the paper's, which looks at the slice as a whole, or scores overlapping patches."""
    discriminator_depth: int = Field(5, ge=1, le=6)
    """Times that a D of patches halves the slice: its patches are 3 x 2^depth - 2 pixels wide."""
    discriminator_pool: Literal["mean", "least"] = "mean"
    """The score of a D of patches: their mean, or that of the patch that looks least normal, so
    that a small lesion counts."""
    discriminator_width: int = Field(32, ge=1, le=256)
    """Feature maps of D's first level."""
    dropout: float = Field(0.3, ge=0, le=0.95)
    """Share dropped after each pooling."""
    decoder_dropout: Literal["none", "asymmetric"] = "none"
    """Dropout after concatenations: none (the paper), or as in the released code, all but the fence
    decoder's last."""
    norm: Literal["batch", "group"] = "batch"
    """Normalisation in M: over the batch (the paper; that of all processes together where there are
    several), or over groups of maps of each slice by itself, which leaves no running statistics to
    fit badly."""
    discriminator_norm: Literal["batch", "group"] = "batch"
    """Normalisation in D, as network.norm in M."""
    norm_momentum: float = Field(0.01, ge=0.0001, le=1)
    """Weight of the newest batch in batch norm's running statistics (0.01 is Keras' 0.99)."""


@table
class Adversary:
    """How D and M train against each other."""

    weight: float = Field(1.0, ge=0, le=1e6)
    """Weight of the adversarial term in M; 0 leaves D out altogether."""
    loss: Literal["tanh-mae", "hinge", "least-squares"] = "tanh-mae"
    """The paper's mean absolute error through a tanh, or one that keeps its slope where D is
    sure."""
    mirrored: bool = False
    """References are -1 and fences +1, as in the released code; the same losses with their signs
    swapped."""
    discarded: bool = False
    """M trains against a fresh, never trained D, as in the released code, where the trained one is
    thrown away."""
    frozen_uses_batches: bool = False
    """While M trains, D normalises by the batch and keeps its dropout on, as in the released
    code."""
    r1: float = Field(0.0, ge=0, le=1e6)
    """Weight of the R1 penalty (squared gradient of D at references)."""
    steps: int = Field(1, ge=1, le=20)
    """Steps of D after each step of M in joint order."""
    view_flips: bool = False
    """D sees fences and references mirrored at random."""
    view_turn: float = Field(0.0, ge=0, le=180)
    """D sees them turned by up to so many degrees, so that it does not learn few patients by
    heart."""
    view_scale: float = Field(0.0, ge=0, le=0.5)
    """D sees them larger or smaller by up to this share."""
    view_shift: float = Field(0.0, ge=0, le=0.5)
    """D sees them shifted by up to this share of their width."""
    view_brightness: float = Field(0.0, ge=0, le=0.9)
    """D sees them brighter or darker by up to this share."""
