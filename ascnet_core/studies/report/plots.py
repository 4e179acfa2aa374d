"""Plots of a study's report as SVG, which needs no script and prints sharply."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from ascnet_core.html_page import templates
from ascnet_core.studies.agreement import agreement

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Of raters, in order; from the seventh on again. Their names stand beside, too."""
_GREY = "#555"
_WIDTH, _ROW = 760, 34
_TEMPLATES = templates(Path(__file__).parent / "templates")


class Dot(NamedTuple):
    """A value of a subject in a plot, in the plot's units."""

    name: str
    x: float
    y: float
    colour: str


class Line(NamedTuple):
    """A line across a plot at a value of y, what it is, and half the width of its interval."""

    y: float
    label: str
    dashed: bool
    around: float


@dataclass(frozen=True)
class _Axis:
    """From values to places: `low` lies at `start`, `high` at `end`, in pixels."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[tuple[str, float]]:
        """About six round values, as written, with their places."""
        step = _round_step((self.high - self.low) / 6)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(f"{n * step:.10g}", self.at(n * step)) for n in range(first, last + 1)]


def _round_step(width: float) -> float:
    power = 10.0 ** math.floor(math.log10(width))
    return next(power * by for by in (1, 2, 5, 10) if power * by >= width * (1 - 1e-9))


def strip_plot(
    rows: Sequence[tuple[str, str, Sequence[tuple[str, float]]]],
    title: str,
    span: tuple[float, float] | None = None,
) -> Markup:
    """Values of subjects on one scale, a row each of (label, colour, [(subject, value), ...]).

    The stroke in a row is its median. `span` is what the scale holds; None: 0 to the largest value.
    """
    largest = max((value for *_, values in rows for _, value in values), default=0) or 1
    low, high = span or (0, largest)
    left, bottom = 200, _ROW * len(rows) + 8
    x = _Axis(low, high, left, _WIDTH - 20)
    dots, marks, labels = [], [], []
    for number, (label, colour, values) in enumerate(rows):
        y = _ROW * (number + 0.5) + 4
        labels.append((label if len(label) <= 30 else label[:29] + "…", label, y))
        # beside one another, the same each time
        for place, (name, value) in enumerate(values):
            dots.append(Dot(f"{name}: {value:.4g}", x.at(value), y + (place % 7 - 3) * 2.6, colour))
        if values:
            inner = sorted(value for _, value in values)
            middle = (inner[(len(inner) - 1) // 2] + inner[len(inner) // 2]) / 2
            marks.append((x.at(middle), y - 14, y + 14))
    return _drawn(
        "strip.svg", width=_WIDTH, height=bottom + 40, left=left, right=_WIDTH - 20,
        bottom=bottom, ticks=x.ticks(), title=title, dots=dots, marks=marks, labels=labels,
    )  # fmt: skip


def bland_altman(
    names: Sequence[str],
    first: Sequence[float],
    second: Sequence[float],
    titles: tuple[str, str],
    colour: str = _GREY,
) -> Markup:
    """Second minus first against their mean, with bias and limits of agreement; one dot a subject.

    Bars at the right are the 95 % intervals of bias and limits. `titles` are of the x and y axis.
    Empty where there is no subject.
    """
    if not names:
        return Markup()
    found = agreement(first, second)
    means = [(a + b) / 2 for a, b in zip(first, second, strict=True)]
    differences = [b - a for a, b in zip(first, second, strict=True)]
    lines = [Line(found.bias, f"bias {found.bias:.3g}", False, found.bias_error)]
    if not math.isnan(found.sd):
        for label, value in (("upper", found.high), ("lower", found.low)):
            lines.append(Line(value, f"{label} limit {value:.3g}", True, found.limit_error))
    known = [line for line in lines if not math.isnan(line.around)]
    reach = [*(line.y + sign * line.around for line in known for sign in (1, -1))]
    reach += [*differences, *(line.y for line in lines), 0.0]
    left, right, bottom, height, width = 62, 392, 230, 272, 520
    x = _Axis(*_roomy(means), left, right)
    y = _Axis(*_roomy(reach), bottom, 10)
    dots = [
        Dot(f"{name}: difference {d:.4g}, mean {m:.4g}", x.at(m), y.at(d), colour)
        for name, m, d in zip(names, means, differences, strict=True)
    ]
    drawn = []
    for number, line in enumerate(lines):
        around = 0 if math.isnan(line.around) else line.around
        ends = (y.at(line.y + around), y.at(line.y - around)) if around else ()
        drawn.append((line, y.at(line.y), right + 6 + 5 * number, ends))
    # labels of lines that lie close stand one below the other
    labels, last = [], -math.inf
    for line, place, *_ in sorted(drawn, key=lambda one: one[1]):
        last = max(place + 4, last + 14)
        labels.append((line.label, last))
    return _drawn(
        "bland_altman.svg", width=width, height=height, left=left, right=right, bottom=bottom,
        x_ticks=x.ticks(), y_ticks=y.ticks(), zero=y.at(0), titles=titles, dots=dots, lines=drawn,
        labels=labels,
    )  # fmt: skip


def _roomy(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.08 * (high - low) or max(abs(low) * 0.1, 1.0)
    return low - room, high + room


def _drawn(template: str, **what: object) -> Markup:
    text = _TEMPLATES.get_template(template).render(**what)
    return Markup(text.replace("\n", ""))
