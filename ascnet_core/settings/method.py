"""The table `method`: which method a run trains, and its description, without torch.

A method is a class in a file of its own in `settings/methods/`. Its fields are its own settings,
which stand beside its name under `[method]`. It also describes itself for forms, tables, the film
and the check of the schedule. Its networks and its steps are in `recipes/`, in a file (or a folder)
of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from ascnet_core.errors import UserError
from ascnet_core.names import RangeKind, Side
from ascnet_core.settings.checked import table

if TYPE_CHECKING:
    from ascnet_core.settings.tables import Settings


@dataclass(frozen=True)
class Map:
    """One of the maps that a method makes of a slice, with values in [0, 1].

    `--map` takes its `name`; menus show its `label`, pictures the `short` one. `rule` is its
    default threshold rule, as for a bright anomaly; `side` says whether anomalies are bright or
    dark on it, `range` what levels 0 and 255 stand for by default, and `kept` whether snapshots
    keep it.
    """

    name: str
    label: str
    short: str
    rule: str = "otsu"
    side: Side = "bright"
    range: RangeKind = "raw"
    kept: bool = True


INPUT = Map("input", "input I_in", "I_in")
"""The slice itself, which can be looked at beside the maps."""


class Gauge(NamedTuple):
    """A number measured at the end of an epoch: its name, its title, and what it means."""

    name: str
    title: str
    about: str


@dataclass(frozen=True)
class Phase:
    """A stretch of training in a cycle: `epochs` times `steps` steps of one kind.

    Events and the page show its `name`; `number` tells the phases of a method apart where seeds are
    drawn. `trains` says for each learner how many slices go through it in a step. `shows` names,
    for each batch of `schedule.batch_m` slices that the first learner learns from in a step, the
    set that it is drawn from: "input" or "reference".
    """

    name: str
    number: int
    epochs: int
    steps: int
    trains: Mapping[str, int] = field(default_factory=dict)
    shows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Learner:
    """A network with an optimiser of its own.

    Sentences call it by its `name`; `width`, `norm` and `rate` are the keys of its settings. `cost`
    is the time that a slice takes in it, relative to M at the same width. `running`: its batch norm
    works by running statistics. `derived_twice`: a loss holds a gradient of it.
    """

    name: str
    width: str = "network.width"
    norm: str = "network.norm"
    rate: str = "schedule.learning_rate"
    cost: float = 1.0
    running: bool = True
    derived_twice: bool = False


@table
class TrainedMethod:
    """What every method says of itself; a method's class overrides what differs.

    Histogram and film show the first of the `maps`; the `gauges` are measured in training. `own`
    holds the beginnings of the keys, in other tables than `method`, that this method alone uses.
    `two_cuts`: it makes the two cuts of ASC-Net, which the advisor, the page Cuts, the joint
    histogram and the reference lab are made for.
    """

    title: ClassVar[str] = ""
    sentence: ClassVar[str] = ""
    maps: ClassVar[tuple[Map, ...]] = ()
    gauges: ClassVar[tuple[Gauge, ...]] = ()
    own: ClassVar[tuple[str, ...]] = ()
    two_cuts: ClassVar[bool] = False

    name: str = ""
    """The method that is trained. Its own settings stand beside its name."""

    def phases(
        self, settings: Settings, stage: int, inputs: int, references: int
    ) -> tuple[Phase, ...]:
        """The phases of a cycle of stage 1 or 2, for so many input and reference slices."""
        raise NotImplementedError

    def learners(self, settings: Settings) -> tuple[Learner, ...]:
        """The networks that are trained; the first one is kept and makes the maps."""
        raise NotImplementedError

    def batches(self, settings: Settings) -> dict[str, int]:
        """The key of each batch size -> the number of equal parts that the batch is made of."""
        return {"schedule.batch_m": 1}

    def check(self, settings: Settings) -> None:
        """Raise UserError where settings of several tables do not fit this method."""
        if settings.schedule.stop_when != "never" and not self.two_cuts:
            raise UserError(f"{self.lacks('The advisor')} Set schedule.stop_when=never.")

    @classmethod
    def pictures(cls) -> tuple[Map, ...]:
        """The maps that snapshots keep, in the order of pictures: the first one comes last."""
        return tuple(one for one in reversed(cls.maps) if one.kept)

    def map_named(self, name: str) -> Map:
        """The map of that name; `UserError` names those that there are."""
        for one in self.maps:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.maps)
        raise UserError(f"The method {self.name} has no map {name!r}; choose among {known}.")

    def of_histogram(self, text: str) -> str:
        """A sentence on a histogram, with the name of its map if that is not I_ro."""
        return text if self.two_cuts or not text else f"{self.maps[0].short}: {text}"

    def lacks(self, what: str) -> str:
        """The sentence that says that only a method with two cuts has this."""
        return f"{what} needs the two cuts of ASC-Net, which {self.name} does not make."

    @classmethod
    def segmentation(cls) -> dict[str, Any]:
        """Map, rule and side by default."""
        first = cls.maps[0]
        return {"map": first.name, "rule": first.rule, "side": first.side}
