"""A report as one HTML file that needs nothing but itself."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from ascnet_core.scoring.report import Line, Oracle, Report

_NETWORK, _BASELINE = "#0072B2", "#7F7F7F"
_LEFT, _PLOT, _ROW = 430, 500, 30
_NUMBERS = {"mean Dice", "SD", "95 % interval", "median", "AUPRC", "n", "Dice"}
_NUMBERS |= {"oracle: one for all", "oracle: one each"}

_STYLE = """\
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1040px; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 3rem; }
h3 { font-size: 1.05rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #ddd;
  vertical-align: top; }
th { font-weight: 600; border-bottom-color: #999; } td.n, th.n { text-align: right; }
.facts th { width: 9rem; font-weight: 400; color: #666; border-bottom-color: #ddd; }
.note { color: #666; font-size: .9em; } svg { max-width: 100%; height: auto; }
code { font-size: .92em; overflow-wrap: anywhere; } td > code { white-space: nowrap; }
.facts td > code { white-space: normal; }
details { margin-top: 1rem; }
@media print { body { margin: 0; } details { display: none; } }
"""


def report_html(report: Report) -> str:
    """Return the page; no script, no font and no picture is fetched."""
    facts = ""
    for name, value in report.facts:
        text = escape(value)
        cell = f"<code>{text}</code>" if name.startswith("command") else text
        facts += f"<tr><th>{escape(name)}</th><td>{cell}</td></tr>"
    terms = "".join(
        f"<p><b>{escape(name)}</b>: {escape(text)}.</p>"
        for name, text in report.definitions.items()
    )
    parts = [f"<h1>{escape(report.title)}</h1>", f'<table class="facts">{facts}</table>']
    names = dict.fromkeys(line.data for line in report.lines)
    for name in names:
        parts += [f"<h2>{escape(name)}</h2>"] if len(names) > 1 else []
        parts += _section(report, name)
    parts += [
        f"<details><summary>Every patient</summary>{_patients(report.lines)}</details>",
        f"<details><summary>What the figures mean</summary>{terms}</details>",
        '<p class="note">ASC-Net Explorer. Research software, not a medical device.</p>',
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _section(report: Report, data: str) -> list[str]:
    """The tables and the plot of one data set."""
    lines = [line for line in report.lines if line.data == data]
    oracles = [one for one in report.oracles if one.data == data]
    parts = [
        "<h3>Thresholds that saw no mask</h3>",
        _lines(lines),
        "<h3>Dice of each patient</h3>",
        box_plot(lines),
        '<p class="note">Box: the middle half; line: median; diamond: mean; whiskers: the furthest '
        "patient within 1.5 boxes; a dot is a patient (point at it for the name). Blue: networks; "
        "grey: methods without training.</p>",
    ]
    if oracles:
        parts += [
            "<h3>Oracle: thresholds chosen with the masks</h3>",
            '<p class="note">What the best threshold would have given: an upper bound that nobody '
            "has in use. Not to be compared with the table above.</p>",
            _oracles(oracles),
        ]
    return parts


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are HTML already; columns of numbers are aligned on the right."""
    kinds = [' class="n"' if name in _NUMBERS else "" for name in head]
    first = "".join(
        f"<th{kind}>{escape(name)}</th>" for name, kind in zip(head, kinds, strict=True)
    )
    body = "".join(
        "<tr>" + "".join(f"<td{k}>{c}</td>" for c, k in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table>"


def _lines(lines: Sequence[Line]) -> str:
    head = ["method", "map", "rule", "post-processing", "mean Dice", "SD", "95 % interval"]
    head += ["median", "AUPRC", "n"]
    rows = []
    for line in lines:
        note = f'<br><span class="note">{escape(line.note)}</span>' if line.note else ""
        span = "–".join(map(_number, (line.low, line.high))) if line.low == line.low else ""
        rows.append(
            [
                *(escape(line.method) + note, escape(line.map)),
                *(f"<code>{escape(line.rule)}</code>", escape(line.post)),
                *(f"<b>{_number(line.mean)}</b>", _number(line.sd), span, _number(line.median)),
                *(_number(line.auprc), str(len(line.subjects))),
            ]
        )
    return _table(head, rows)


def _oracles(oracles: Sequence[Oracle]) -> str:
    head = ["method", "map", "post-processing", "oracle: one for all", "oracle: one each"]
    rows = [
        [
            *(escape(one.method), escape(one.map), escape(one.post)),
            *(_number(one.shared), _number(one.own)),
        ]
        for one in oracles
    ]
    return _table(head, rows)


def _patients(lines: Sequence[Line]) -> str:
    head = ["patient", "method", "map", "rule", "post-processing", "Dice"]
    rows = [
        [
            *(escape(subject), escape(line.method), escape(line.map)),
            *(f"<code>{escape(line.rule)}</code>", escape(line.post), _number(float(dice))),
        ]
        for line in lines
        for subject, dice in zip(line.subjects, line.dice, strict=True)
    ]
    return _table(head, sorted(rows, key=lambda row: row[0]))


def box_plot(lines: Sequence[Line]) -> str:
    """Return the patients' Dice under each line as an SVG: boxes on their side, 0 to 1."""
    shown = [line for line in lines if len(line.dice)]
    height = _ROW * len(shown) + 44
    width = _LEFT + _PLOT + 24
    bottom = _ROW * len(shown) + 6
    marks = []
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        x = _x(tick)
        marks.append(f'<line x1="{x}" y1="4" x2="{x}" y2="{bottom}" stroke="#ddd"/>')
        marks.append(f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    middle = _LEFT + _PLOT / 2
    marks.append(f'<text x="{middle}" y="{bottom + 34}" text-anchor="middle">Dice</text>')
    for number, line in enumerate(shown):
        marks += _box(line, _ROW * (number + 0.5) + 4)
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        'aria-label="Dice of each patient under each method and rule" font-size="12" '
        f'font-family="system-ui, sans-serif" fill="#222">{"".join(marks)}</svg>'
    )


def _box(line: Line, y: float) -> list[str]:
    colour = _NETWORK if line.trained else _BASELINE
    q1, median, q3 = (float(q) for q in np.quantile(line.dice, [0.25, 0.5, 0.75]))
    reach = 1.5 * (q3 - q1)
    inside = line.dice[(line.dice >= q1 - reach) & (line.dice <= q3 + reach)]
    low, high = float(inside.min()), float(inside.max())
    label = f"{line.method} · {line.map} · {line.rule}"
    label += "" if line.post == "none" else f" · {line.post}"
    short = label if len(label) <= 66 else label[:65] + "…"
    mean = _x(line.mean)
    parts = [
        f'<text x="{_LEFT - 14}" y="{y + 4}" text-anchor="end">{escape(short)}'
        f"<title>{escape(label)}</title></text>",
        f'<line x1="{_x(low)}" y1="{y}" x2="{_x(high)}" y2="{y}" stroke="{colour}"/>',
        f'<rect x="{_x(q1)}" y="{y - 8}" width="{max(_x(q3) - _x(q1), 1):.1f}" height="16" '
        f'fill="{colour}" fill-opacity="0.25" stroke="{colour}"/>',
        f'<line x1="{_x(median)}" y1="{y - 8}" x2="{_x(median)}" y2="{y + 8}" '
        f'stroke="{colour}" stroke-width="2.5"/>',
        f'<path d="M {mean - 4} {y} l 4 -4 l 4 4 l -4 4 z" fill="#222"/>',
    ]
    for number, (subject, dice) in enumerate(zip(line.subjects, line.dice, strict=True)):
        at = y + (number % 5 - 2) * 2.5  # beside one another, the same each time
        parts.append(
            f'<circle cx="{_x(float(dice))}" cy="{at}" r="2.6" fill="{colour}" '
            f'fill-opacity="0.7"><title>{escape(subject)}: {dice:.3f}</title></circle>'
        )
    return parts


def _x(dice: float) -> float:
    return round(_LEFT + _PLOT * dice, 1)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}"
