"""What holds of the advice whatever the course: points drawn at random."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from ascnet_core.monitoring.advisor import advise
from ascnet_core.monitoring.history import Point
from ascnet_core.monitoring.stop_rules import HOLD, KEPT, RULES
from tests.made_up import held, story

POINTS = st.builds(
    lambda gaps, ranks, share, stable, area, holes, alike, dead: {
        "separations": tuple(gaps),
        "rank_correlation": ranks,
        "rank_share": share,
        "stability": stable,
        "area": area,
        "hole_share": holes,
        "input_dice": alike,
        "gauges": {} if dead is None else {"saturated": dead},
    },
    st.lists(st.floats(0, 1), max_size=4),
    st.none() | st.floats(-1, 1),
    st.none() | st.floats(-1, 1),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1),
    st.none() | st.floats(0, 1),
)


def made(values: list[dict]) -> list[Point]:
    peak = story("m")[1].peaks[0]
    return [
        Point(index=n, total_cycle=n, peaks=(peak,) * (len(v["separations"]) + 1), **v)
        for n, v in enumerate(values, 1)
    ]


@settings(deadline=None, max_examples=150)
@given(st.lists(POINTS, max_size=9))
def test_whatever_happens_the_advice_is_whole(values: list[dict]) -> None:
    points = made(values)
    advice = advise(points)
    assert advice.sentence
    cycles = {point.total_cycle for point in points}
    assert advice.best_cycle is None or advice.best_cycle in cycles
    if advice.kind == "go back":
        assert advice.best_cycle is not None
    if advice.kind == "stop":
        newest = points[-HOLD:]
        assert all(held(advice)[name] for name in RULES)
        assert all(point.separated >= 3 for point in newest)
        assert all((point.stability or 0) >= 0.75 for point in newest[1:])
        for point in newest:
            own = point.input_dice is not None and point.input_dice < 0.5
            assert abs(point.rank_correlation or 0) < 0.98 or (own and (point.area or 0) >= 0.005)


@settings(deadline=None, max_examples=60)
@given(st.lists(POINTS, max_size=6), st.integers(0, 4))
def test_three_bad_cycles_never_stop(values: list[dict], more: int) -> None:
    bad = [{**value, "separations": (0.2,)} for value in values] or []
    assert advise(made([*values, *bad[: 1 + more]])).kind != "stop" or not bad


@settings(deadline=None, max_examples=60)
@given(st.lists(POINTS, max_size=6), st.floats(0.6, 1), st.floats(0.8, 1), st.floats(0.01, 0.5))
def test_enough_good_cycles_on_the_same_side_always_stop(
    values: list[dict], gap: float, stable: float, area: float
) -> None:
    good = {
        "separations": (gap, gap),
        "rank_correlation": 0.5,
        "rank_share": 0.5,
        "stability": stable,
        "area": area,
        "hole_share": 0.0,
        "input_dice": 0.3,
        "gauges": {},
    }
    # what came before must not have turned to the other side
    values = [{**value, "rank_correlation": 0.2} for value in values]
    assert advise(made([*values, *[good] * HOLD])).kind == "stop"


@settings(deadline=None, max_examples=40)
@given(st.lists(POINTS, max_size=4), st.floats(KEPT + 0.001, 1), st.integers(0, HOLD - 1))
def test_never_green_where_the_fence_keeps_what_is_marked(
    values: list[dict], kept: float, ago: int
) -> None:
    """Whatever came before, and whichever of the last three cycles it is."""
    assert advise(story("ssss")).kind == "stop"
    course = [replace(point, total_cycle=point.total_cycle + 9) for point in story("ssss")]
    course[-1 - ago] = replace(course[-1 - ago], fence_kept=kept)
    advice = advise([*made(values), *course])
    assert advice.kind != "stop"
    assert not held(advice)["fence clears the mask"]
