"""The lesion's peak trades sides: FLAIR beside T2."""

from pages.parts.lessons.stop import Stop
from pages.parts.lessons.stops import two_cuts

STOP = Stop(
    "Peaks trade sides",
    "The same network, other side (paper, Fig. 8).",
    two_cuts.show,
)
