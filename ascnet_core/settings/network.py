"""Settings: the networks, and the game between them."""

from __future__ import annotations

from dataclasses import dataclass

from ascnet_core.settings.field import Checked, setting


@dataclass(frozen=True)
class Network(Checked):
    """Sizes of M and D."""

    table = "network"
    width: int = setting(32, "Feature maps of M's first level (32 in the paper).", low=1, high=256)
    discriminator_width: int = setting(32, "Feature maps of D's first level.", low=1, high=256)
    dropout: float = setting(0.3, "Share dropped after each pooling.", low=0, high=0.95)
    decoder_dropout: str = setting(
        "none",
        "Dropout after concatenations: none (the paper), or as "
        "in the released code, all but the fence decoder's last.",
        "none",
        "asymmetric",
    )
    norm: str = setting(
        "batch",
        "Normalisation in M: over the batch (the paper; that of all processes together where there "
        "are several), or over groups of maps of each slice by itself, which leaves no running "
        "statistics to fit badly.",
        "batch",
        "group",
    )
    discriminator_norm: str = setting(
        "batch", "Normalisation in D, as network.norm in M.", "batch", "group"
    )
    norm_momentum: float = setting(
        0.01,
        "Weight of the newest batch in batch norm's running statistics (0.01 is Keras' 0.99).",
        low=0.0001,
        high=1,
    )


@dataclass(frozen=True)
class Adversary(Checked):
    """The game between D and M."""

    table = "adversary"
    weight: float = setting(
        1.0, "Weight of the adversarial term in M; 0 leaves D out altogether.", low=0
    )
    loss: str = setting(
        "tanh-mae",
        "The paper's mean absolute error through a tanh, or one that "
        "keeps its slope where D is sure.",
        "tanh-mae",
        "hinge",
        "least-squares",
    )
    mirrored: bool = setting(
        False,
        "References are -1 and fences +1, as in the released code; the "
        "same game with its signs swapped.",
    )
    discarded: bool = setting(
        False,
        "M trains against a fresh, never trained D, as in the "
        "released code, where the trained one is thrown away.",
    )
    frozen_uses_batches: bool = setting(
        False,
        "While M trains, D normalises by the batch and "
        "keeps its dropout on, as in the released code.",
    )
    r1: float = setting(
        0.0, "Weight of the R1 penalty (squared gradient of D at references).", low=0
    )
