"""Everything a run depends on, as dataclasses with a sentence for every field.

The tables lie beside this file, those of methods in `methods/`; here they come together. Values are
checked when a table is made, so no invalid settings exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ascnet_core.errors import UserError
from ascnet_core.settings.data import Data, Reference
from ascnet_core.settings.field import Checked, setting
from ascnet_core.settings.losses import Corruption, Losses
from ascnet_core.settings.method import TrainedMethod
from ascnet_core.settings.methods import METHODS
from ascnet_core.settings.methods.asc_net import AscNet
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
    "TrainedMethod",
]


@dataclass(frozen=True)
class Segmentation(Checked):
    """How a map becomes a mask unless someone says otherwise: the run's stated default."""

    table = "segmentation"
    map: str = setting(
        "reconstruction",
        "The map that is thresholded.",
        *dict.fromkeys(one.name for method in METHODS.values() for one in method.maps),
    )
    rule: str = setting("rightmost-peak", "Rule of the threshold.")
    side: str = setting(
        "bright", "Whether the anomaly is bright or dark on that map.", "bright", "dark"
    )
    scope: str = setting(
        "cohort", "One threshold for the cohort, or one a subject.", "cohort", "subject"
    )
    post: tuple[str, ...] = setting((), "Post-processing steps, in order.")


@dataclass(frozen=True)
class Settings:
    """All tables of a run, and the preset they came from."""

    preset: str = field(default="", metadata={"help": "The preset these settings started from."})
    description: str = field(default="", metadata={"help": "What the preset is for."})
    method: TrainedMethod = field(default_factory=AscNet)
    data: Data = field(default_factory=Data)
    reference: Reference = field(default_factory=Reference)
    network: Network = field(default_factory=Network)
    adversary: Adversary = field(default_factory=Adversary)
    losses: Losses = field(default_factory=Losses)
    corruption: Corruption = field(default_factory=Corruption)
    schedule: Schedule = field(default_factory=Schedule)
    compute: Compute = field(default_factory=Compute)
    segmentation: Segmentation = field(default_factory=Segmentation)

    def __post_init__(self) -> None:
        """Refuse tables that fit each by itself but not together."""
        if self.schedule.stage_1 + self.schedule.stage_2 == 0:
            raise UserError("schedule.stage_1 and schedule.stage_2 are both 0; ask for a cycle.")
        self.method.map_named(self.segmentation.map)
        self.method.check(self)
