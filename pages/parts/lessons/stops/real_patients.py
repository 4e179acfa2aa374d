"""Real patients: the watched slices of lgg-flair."""

from pages.parts.lessons.stop import Stop
from pages.parts.lessons.stops import one_cycle_more

STOP = Stop(
    "Real patients",
    "Real heads.",
    one_cycle_more.show,
)
