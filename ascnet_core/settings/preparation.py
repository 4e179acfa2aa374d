"""What settings say of the preparation of scans and of the draw of the reference."""

from ascnet_core.imaging.prepare import Preparation
from ascnet_core.imaging.reference_draw import Draw
from ascnet_core.settings.tables import Settings


def preparation_of(settings: Settings) -> Preparation:
    """How the settings say a scan is prepared."""
    data = settings.data
    return Preparation(
        size=data.size,
        scaling=data.scaling,
        low=data.low,
        high=data.high,
        region=data.region,
        channel=data.channel,
        frame=data.frame,
        nan=data.nan,
    )


def draw_of(settings: Settings) -> Draw:
    """What of the reference the settings ask for; drawn by `schedule.seed`."""
    asked = settings.reference
    return Draw(
        asked.share,
        asked.contamination,
        asked.level_low,
        asked.level_high,
        settings.schedule.seed,
    )
