"""A denoising autoencoder without torch. Its U-Net and steps: `recipes.denoising_autoencoder`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ascnet_core.settings.checked import table
from ascnet_core.settings.method import Gauge, Learner, Map, Phase, TrainedMethod

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Settings


@table
class DenoisingAutoencoder(TrainedMethod):
    """A U-Net that takes coarse noise out of reference slices (Kascenas et al. 2022)."""

    title = "Denoising autoencoder"
    sentence = (
        "A U-Net learns to take coarse noise out of reference slices. What it takes out of an "
        "input as well is the anomaly. It sees no input in training; where sentences say M, they "
        "mean this U-Net."
    )
    maps = (
        Map("residual", "residual abs(I_in - output)", "residual"),
        Map("reconstruction", "output of the U-Net", "output"),
    )
    gauges = (
        Gauge(
            "rank_correlation",
            "Rank correlation of the residual with I_in",
            "Spearman's, inside the region, -1 to 1. Near 1 the residual only follows brightness.",
        ),
        Gauge(
            "residual_input",
            "Mean residual on inputs",
            "0 to 1, inside the region.",
        ),
        Gauge(
            "residual_reference",
            "Mean residual on references",
            "0 to 1, inside the region; nothing is wrong there, so the smaller the better.",
        ),
    )

    name: Literal["denoising-autoencoder"] = "denoising-autoencoder"
    noise: float = Field(0.2, ge=0, le=2)
    """Standard deviation of the noise (0.2 in the paper)."""
    cells: int = Field(16, ge=1, le=256)
    """Cells of the noise across a slice, before it is enlarged smoothly (16 in the paper): the
    fewer, the larger its spots."""

    def phases(
        self, settings: Settings, stage: int, inputs: int, references: int
    ) -> tuple[Phase, ...]:
        """One phase; an epoch shows every reference slice once."""
        schedule = settings.schedule
        steps = schedule.steps or max(1, -(-references // schedule.batch_m))
        trains = {"M": schedule.batch_m}
        return (Phase("denoising", 0, schedule.epochs_m, steps, trains, ("reference",)),)

    def learners(self, settings: Settings) -> tuple[Learner, ...]:
        """The U-Net, which costs less than ASC-Net's M with its two decoders."""
        return (Learner("M", cost=0.7),)
