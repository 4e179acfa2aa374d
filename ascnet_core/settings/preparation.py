"""From settings to the preparation of scans and the draw of the reference."""

from dataclasses import asdict, fields

from ascnet_core.imaging.prepare import Preparation
from ascnet_core.imaging.reference_draw import Draw
from ascnet_core.settings.tables import Settings


def preparation_of(settings: Settings) -> Preparation:
    """How the settings say a scan is prepared; its fields are settings of the table `data`."""
    names = (field.name for field in fields(Preparation))
    return Preparation(**{name: getattr(settings.data, name) for name in names})


def draw_of(settings: Settings) -> Draw:
    """What of the reference the settings ask for; drawn by `schedule.seed`."""
    return Draw(**asdict(settings.reference), seed=settings.schedule.seed)
