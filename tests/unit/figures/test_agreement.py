"""The plot of Bland and Altman holds each subject, bias, limits and their intervals."""

import pytest

from ascnet_core.figures.agreement import bland_altman
from ascnet_core.studies.agreement import agreement

FIRST, SECOND = [10.0, 20.0, 30.0, 40.0], [12.0, 19.0, 35.0, 44.0]


def test_dots_lines_and_intervals():
    figure = bland_altman(["a", "b<b>", "c", "d"], FIRST, SECOND, "mean", "<i>ben</i> minus anna")
    found = agreement(FIRST, SECOND)
    dots = figure.data[-1]
    assert list(dots.x) == [11, 19.5, 32.5, 42]
    assert list(dots.y) == [2, -1, 5, 4]
    assert list(dots.customdata) == ["a", "b<b>", "c", "d"]
    assert dots.text[1] == "b&lt;b&gt;"
    assert figure.layout.yaxis.title.text == "&lt;i&gt;ben&lt;/i&gt; minus anna"
    lines = [shape.y0 for shape in figure.layout.shapes]
    assert lines == pytest.approx([found.bias, found.high, found.low])
    bars = [bar.error_y.array[0] for bar in figure.data[:-1]]
    assert bars == pytest.approx([found.bias_error, found.limit_error, found.limit_error])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_few_subjects(number):
    figure = bland_altman("ab"[:number], FIRST[:number], FIRST[:number], "x", "y")
    assert len(figure.data[-1].x) == number
    assert len(figure.layout.shapes) == (0, 1, 3)[number]
