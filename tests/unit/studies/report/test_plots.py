"""The report's plots: well-formed SVG whose parts lie where the numbers say."""

import xml.etree.ElementTree as ET

import pytest

from ascnet_core.studies.report.plots import bland_altman, strip_plot

SVG = "{http://www.w3.org/2000/svg}"


def parts(text: str, name: str) -> list[ET.Element]:
    named = str(text).replace("<svg", f'<svg xmlns="{SVG[1:-1]}"', 1)
    return list(ET.fromstring(named).iter(SVG + name))


def test_values_lie_on_their_scale_and_the_stroke_is_the_median():
    rows = [("anna", "#111", [("a", 0.0), ("b", 100.0), ("c", 255.0), ("d", 110.0)])]
    text = strip_plot(rows, "level", (0, 255))
    xs = [float(dot.get("cx", "")) for dot in parts(text, "circle")]
    low, _, high, _ = xs
    share = [(x - low) / (high - low) for x in xs]
    assert share == pytest.approx([0, 100 / 255, 1, 110 / 255], abs=1e-3)
    stroke = parts(text, "line")[-1]
    assert float(stroke.get("x1", "")) == pytest.approx(low + 105 / 255 * (high - low), abs=0.1)
    assert [dot.find(SVG + "title").text for dot in parts(text, "circle")][1] == "b: 100"


def test_bias_and_limits_are_drawn_where_they_are():
    first, second = [10.0, 20.0, 30.0, 40.0], [12.0, 19.0, 35.0, 44.0]
    text = bland_altman("abcd", first, second, ("mean", "difference"))
    places = [float(dot.get("cy", "")) for dot in parts(text, "circle")]
    ys = {y: b - a for y, a, b in zip(places, first, second, strict=True)}
    (y1, d1), *_, (y2, d2) = sorted(ys.items())
    scale = (d2 - d1) / (y2 - y1)
    lines = [d1 + (float(one.get("y1", "")) - y1) * scale
             for one in parts(text, "line") if one.get("stroke") == "#0072B2"]  # fmt: skip
    sd = 2.6457513
    assert lines == pytest.approx([2.5, 2.5 + 1.96 * sd, 2.5 - 1.96 * sd], abs=0.05)
    assert "bias 2.5" in text


@pytest.mark.parametrize("values", [[], [5.0], [5.0, 5.0], [0.0, 0.0]])
def test_little_or_nothing_is_drawn_too(values):
    bland_altman(["x"] * len(values), values, values, ("mean", "difference"))
    text = strip_plot([("a", "#111", [("s", value) for value in values])], "ml")
    assert len(parts(text, "circle")) == len(values)


def test_names_are_no_markup():
    name = '</title><script>alert(1)</script>"'
    for text in (
        strip_plot([(name, "#111", [(name, 1.0)])], name),
        bland_altman([name], [1.0], [2.0], (name, name)),
    ):
        assert not parts(text, "script")
        assert "<script" not in text
