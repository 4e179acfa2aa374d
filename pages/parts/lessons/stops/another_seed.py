"""Re-runs of one recipe beside each other."""

from pages.parts.lessons.stop import Stop
from pages.parts.lessons.stops import one_cycle_more

STOP = Stop(
    "The same recipe, trained again",
    "Re-runs look different (paper, Fig. 9).",
    one_cycle_more.show,
)
