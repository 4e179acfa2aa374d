"""All settings of a run, put together from the tables in the files beside this one.

Those of methods lie in `methods/`. Each table checks its values when it is made, so no invalid
settings exist.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ascnet_core.errors import UserError
from ascnet_core.names import Side
from ascnet_core.settings.checked import table
from ascnet_core.settings.data import Data, Reference
from ascnet_core.settings.losses import Corruption, Losses
from ascnet_core.settings.method import TrainedMethod
from ascnet_core.settings.methods import METHODS
from ascnet_core.settings.methods.asc_net import AscNet
from ascnet_core.settings.network import Adversary, Network
from ascnet_core.settings.schedule import Compute, Schedule

if TYPE_CHECKING:
    Method = TrainedMethod
else:
    Method = Annotated[reduce(or_, METHODS.values()), Field(discriminator="name")]


@table
class Segmentation:
    """How a map becomes a mask unless someone says otherwise: the run's stated default."""

    map: str = "reconstruction"
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
    method: Method = AscNet()
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
        self.method.map_named(self.segmentation.map)
        self.method.check(self)
