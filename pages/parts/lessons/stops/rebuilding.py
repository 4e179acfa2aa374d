"""What a reconstruction does to a lesion."""

from pages.parts.lessons.stop import Stop
from pages.parts.lessons.stops import two_cuts

STOP = Stop(
    "Rebuild the slice, and look at the rest",
    "What a reconstruction does to a lesion (paper, Fig. 5).",
    two_cuts.show,
)
