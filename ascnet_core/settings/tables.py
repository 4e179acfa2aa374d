"""All settings of a run, put together from the tables in the files beside this one.

Import every table from here. Each checks its values when it is made, so no invalid settings exist.
"""

from __future__ import annotations

from typing import Literal

from ascnet_core.errors import UserError
from ascnet_core.names import MapName, Side
from ascnet_core.settings.checked import table
from ascnet_core.settings.data import Data, Reference
from ascnet_core.settings.losses import Corruption, Losses
from ascnet_core.settings.network import Adversary, Network
from ascnet_core.settings.schedule import Compute, Schedule

__all__ = [
    "Adversary",
    "Compute",
    "Corruption",
    "Data",
    "Losses",
    "Network",
    "Reference",
    "Schedule",
    "Segmentation",
    "Settings",
]


@table
class Segmentation:
    """How I_ro becomes a mask unless someone says otherwise: the run's stated default."""

    map: MapName = "reconstruction"
    """The map that is thresholded."""
    rule: str = "rightmost-peak"
    """Rule of the threshold."""
    side: Side = "bright"
    """Whether the anomaly is bright or dark on that map."""
    scope: Literal["cohort", "subject"] = "cohort"
    """One threshold for the cohort, or one a subject."""
    post: tuple[str, ...] = ()
    """Post-processing steps, in order."""


@table
class Settings:
    """All tables of a run, and the preset they came from."""

    preset: str = ""
    """The preset these settings started from."""
    description: str = ""
    """What the preset is for."""
    data: Data = Data()
    reference: Reference = Reference()
    network: Network = Network()
    adversary: Adversary = Adversary()
    losses: Losses = Losses()
    corruption: Corruption = Corruption()
    schedule: Schedule = Schedule()
    compute: Compute = Compute()
    segmentation: Segmentation = Segmentation()

    def __post_init__(self) -> None:
        """Refuse tables that fit each by itself but not together."""
        if self.schedule.stage_1 + self.schedule.stage_2 == 0:
            raise UserError("schedule.stage_1 and schedule.stage_2 are both 0; ask for a cycle.")
        extra = self.losses
        if self.schedule.order == "alternate" and (
            extra.denoise_fence
            or extra.denoise_wild
            or extra.tie
            or extra.identity
            or extra.wild_reference
            or extra.self_training
        ):
            raise UserError(
                "losses on reference slices need schedule.order=joint, since the paper's order "
                "shows M the inputs only; set it or set those losses to 0."
            )
        if extra.self_training and not (self.schedule.average and self.schedule.stage_2):
            raise UserError(
                "losses.self_training learns in stage 2 from the moving average of M; set "
                "schedule.average and schedule.stage_2 above 0."
            )
