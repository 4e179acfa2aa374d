"""The stops of the lessons, in their order; each is a file of its own."""

from pages.parts.lessons.stops import (
    another_seed,
    no_common_gap,
    one_cycle_more,
    one_or_each,
    real_patients,
    rebuilding,
    the_click,
    trading_sides,
    two_cuts,
    when_it_fails,
)

STOPS = (
    no_common_gap.STOP,
    rebuilding.STOP,
    two_cuts.STOP,
    the_click.STOP,
    one_or_each.STOP,
    trading_sides.STOP,
    another_seed.STOP,
    one_cycle_more.STOP,
    when_it_fails.STOP,
    real_patients.STOP,
)
