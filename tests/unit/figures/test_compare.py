"""Curves of several runs in panels."""

from ascnet_core.figures.compare import COURSE, RUN_COLOURS, RUN_DASHES, Panel, laid_over
from ascnet_core.monitoring.comparison import Curve, course_curves
from tests import made_up

TIE = Curve((0.0, 80.0), (0.0, 1.0), (1.0, 0.0))


def test_each_run_has_one_colour_and_dash_in_every_panel_and_one_line_in_the_legend() -> None:
    runs = {"one": course_curves(made_up.story("ms")), "two": course_curves(made_up.story("mmm"))}
    figure = laid_over(runs, COURSE)
    assert len(figure.data) == 2 * len(COURSE)
    for number, name in enumerate(runs):
        own = [trace for trace in figure.data if trace.name == name]
        assert {trace.line.color for trace in own} == {RUN_COLOURS[number]}
        assert {trace.line.dash for trace in own} == {RUN_DASHES[number]}
        assert sum(bool(trace.showlegend) for trace in own) == 1
    assert [note.text for note in figure.layout.annotations] == [panel.title for panel in COURSE]


def test_the_axis_is_slices_or_cycles_and_says_so_below() -> None:
    panels = [Panel("tie", "tie")]
    by_images = laid_over({"a": {"tie": TIE}}, panels)
    assert list(by_images.data[0].x) == [0, 80]
    assert "slices" in by_images.layout.xaxis.title.text
    by_cycle = laid_over({"a": {"tie": TIE}}, panels, "cycle")
    assert list(by_cycle.data[0].x) == [0, 1]
    assert "cycle" in by_cycle.layout.xaxis.title.text


def test_a_run_without_a_curve_keeps_its_colour_in_the_others() -> None:
    runs = {"a": {"tie": TIE}, "b": {"tie": TIE, "fence": TIE}}
    figure = laid_over(runs, [Panel("fence", "fence"), Panel("tie", "tie")])
    drawn = [(trace.name, trace.line.color) for trace in figure.data]
    assert drawn == [("b", RUN_COLOURS[1]), ("a", RUN_COLOURS[0]), ("b", RUN_COLOURS[1])]


def test_a_logarithm_leaves_out_what_it_cannot_show() -> None:
    figure = laid_over({"a": {"tie": TIE}}, [Panel("tie", "tie", log=True)])
    assert list(figure.data[0].y) == [1.0, None]
    assert figure.layout.yaxis.type == "log"
    for low, high in ((0.011, 0.19), (0.1, 2000.0), (1e-9, 1e3), (0.5, 0.5)):
        curve = Curve((0.0, 1.0), (0.0, 1.0), (low, high))
        drawn = laid_over({"a": {"tie": curve}}, [Panel("tie", "tie", log=True)])
        seen = [tick for tick in drawn.layout.yaxis.tickvals if low / 10 <= tick <= high * 10]
        assert 1 <= len(seen) <= 12


def test_no_panel_is_an_empty_figure() -> None:
    assert len(laid_over({}, []).data) == 0
