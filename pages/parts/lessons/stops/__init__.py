"""The stops of the lessons, in their order; each is a file of its own."""

from pages.parts.lessons.stops import (
    histograms,
    one_or_each,
    the_click,
    too_early,
    two_cuts,
    when_it_fails,
)

STOPS = (
    histograms.STOP,
    two_cuts.STOP,
    the_click.STOP,
    too_early.STOP,
    one_or_each.STOP,
    when_it_fails.STOP,
)
