"""A report as one HTML file that needs nothing but itself, from the files in `templates/`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ascnet_core.html_page import templates
from ascnet_core.scoring.report import Line, Report

_NETWORK, _BASELINE = "#0072B2", "#7F7F7F"
_LEFT, _PLOT, _ROW = 430, 500, 30

_TEMPLATES = templates(Path(__file__).parent / "templates")


def report_html(report: Report) -> str:
    """Return the page; no script, no font and no picture is fetched."""
    sections = [
        (
            name,
            [line for line in report.lines if line.data == name],
            [one for one in report.oracles if one.data == name],
        )
        for name in dict.fromkeys(line.data for line in report.lines)
    ]
    patients = [
        (subject, line, float(dice))
        for line in report.lines
        for subject, dice in zip(line.subjects, line.dice, strict=True)
    ]
    return _TEMPLATES.get_template("report.html").render(
        report=report,
        sections=sections,
        patients=sorted(patients, key=lambda row: row[0]),
        box_plot=box_plot,
    )


def box_plot(lines: Sequence[Line]) -> str:
    """Return the patients' Dice under each line as an SVG: boxes on their side, 0 to 1."""
    shown = [line for line in lines if len(line.dice)]
    bottom = _ROW * len(shown) + 6
    text = _TEMPLATES.get_template("box_plot.svg").render(
        width=_LEFT + _PLOT + 24,
        height=bottom + 38,
        left=_LEFT,
        middle=_LEFT + _PLOT / 2,
        bottom=bottom,
        ticks=[(f"{tick:g}", _x(tick)) for tick in (0, 0.2, 0.4, 0.6, 0.8, 1)],
        boxes=[_box(line, _ROW * (number + 0.5) + 4) for number, line in enumerate(shown)],
    )
    return text.replace("\n", "")


def _box(line: Line, y: float) -> dict[str, Any]:
    """What a box shows: its label, and where its parts are."""
    q1, median, q3 = (float(q) for q in np.quantile(line.dice, [0.25, 0.5, 0.75]))
    reach = 1.5 * (q3 - q1)
    inside = line.dice[(line.dice >= q1 - reach) & (line.dice <= q3 + reach)]
    label = f"{line.method} · {line.map} · {line.rule}"
    label += "" if line.post == "none" else f" · {line.post}"
    return {
        "y": y,
        "colour": _NETWORK if line.trained else _BASELINE,
        "label": label,
        "short": label if len(label) <= 66 else label[:65] + "…",
        "low": _x(float(inside.min())),
        "high": _x(float(inside.max())),
        "q1": _x(q1),
        "width": max(_x(q3) - _x(q1), 1),
        "median": _x(median),
        "mean": _x(line.mean),
        # beside one another, the same each time
        "dots": [
            (subject, float(dice), _x(float(dice)), y + (number % 5 - 2) * 2.5)
            for number, (subject, dice) in enumerate(zip(line.subjects, line.dice, strict=True))
        ],
    }


def _x(dice: float) -> float:
    return round(_LEFT + _PLOT * dice, 1)
