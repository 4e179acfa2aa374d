"""A study's report as one HTML file that needs nothing but itself, and prints on A4."""

import base64
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean, median, pstdev
from typing import Any, NamedTuple

from markupsafe import Markup

from ascnet_core.html_page import templates
from ascnet_core.names import FLAGS
from ascnet_core.runs.create import versions
from ascnet_core.studies.decisions import NOTHING, Decision
from ascnet_core.studies.folder import now
from ascnet_core.studies.report.contents import Outcome, Pair, Report
from ascnet_core.studies.report.plots import COLOURS, bland_altman, strip_plot

_DISCUSSED = 10
"""Subjects of two raters that are named as those to discuss first."""
_TEMPLATES = templates(Path(__file__).parent / "templates")


class _Rater(NamedTuple):
    """What a rater decided, and how."""

    name: str
    colour: str
    decided: int
    flags: dict[str, int]
    blind: int
    truth_shown: int
    dice_shown: int
    rules: str
    changed: int
    median_seconds: float | None
    total_minutes: float | None
    first: str
    last: str
    open: list[str]


class _Scores(NamedTuple):
    """Dice of some decisions against the truth: of subjects with a lesion, and the others.

    `blind` of the decisions were made blindly.
    """

    blind: int
    n: int
    mean: float | None
    sd: float | None
    median: float | None
    free: int
    free_empty: int


def report_html(report: Report, program: str, command: str) -> str:
    """Return the page; no script, no font and no picture is fetched.

    `program` is how this program is called, `command` the call that makes the page again.
    """
    colours = dict(zip(report.raters, COLOURS * (1 + len(report.raters)), strict=False))
    return _TEMPLATES.get_template("report.html").render(
        report=report,
        facts=_facts(report, program, command),
        raters=[_rater(report, name, colours[name]) for name in report.raters],
        flags=FLAGS,
        nobody=[s for s in report.study.subjects if s not in report.outcomes],
        levels=_levels(report, colours),
        volumes=_volumes(report, colours) if not report.problem else "",
        pairs=[(pair, *_plots(pair)) for pair in report.pairs],
        discussed=_DISCUSSED,
        against=list(_against(report, colours)),
        colours=colours,
        way=_way,
        kept=_kept,
        came_by=came_by,
        on_screen=_on_screen,
        embedded=lambda png: Markup(base64.b64encode(png).decode("ascii")),
    )


def came_by(decision: Decision) -> str:
    """The rule that proposed a level, or how it came else."""
    if decision.level is None:
        return "by hand" if decision.rule == NOTHING else ""
    own = (
        f"{decision.level}" if decision.upper is None else f"band:{decision.level}:{decision.upper}"
    )
    return "by hand" if decision.rule in ("", own) else decision.rule


def _way(decision: Decision) -> str:
    """What levels of decisions must share to be compared."""
    band = ", band" if decision.upper is not None else ""
    return f"{decision.map}, {decision.range}, {decision.side}{band}"


def _kept(decision: Decision) -> str:
    return "excluded" if decision.threshold is None else decision.text


def _on_screen(decision: Decision) -> str:
    shown = [name for name in ("truth", "dice") if getattr(decision, f"{name}_shown")]
    parts = ["blind"] * decision.blind + [f"{' and '.join(shown)} shown".capitalize()] * bool(shown)
    return ", ".join(parts) or "masks alone"


def _facts(report: Report, program: str, command: str) -> list[tuple[str, str]]:
    study, about = report.study, report.study.about
    these = _in_words(versions())
    made_with = Counter(_in_words(entry.versions) for entry in report.history)
    made_with = Counter({"the same" if t == these else t: n for t, n in made_with.items()})
    cycle = f", cycle {about['cycle']}" if about["cycle"] else ""
    flip = ", averaged with its mirror image" if study.flip else ""
    where = shlex.quote(str(study.path))
    return [
        ("study", f"{study.name}, made {_time(about['made'])}"),
        ("cohort", f"{about['cohort']} ({about['manifest']}), {len(study.subjects)} subjects"),
        ("run", f"{about['run']}{cycle}{flip}"),
        ("SHA-256", f"manifest {about['manifest_sha256']}; run {about['run_sha256']}"),
        ("report made", _time(now())),
        ("versions", these),
        ("decided with", "; ".join(f"{text} ({n} rows)" for text, n in made_with.items())),
        ("command", command),
        *(
            (
                f"command, {rater}",
                f"{program} segment --study {where} --rater {shlex.quote(rater)} -o masks",
            )
            for rater in report.raters
        ),
    ]


def _in_words(found: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _time(when: str) -> str:
    """A time of the database (UTC, ISO 8601), to the minute."""
    return f"{when[:10]} {when[11:16]} UTC"


def _rater(report: Report, name: str, colour: str) -> _Rater:
    mine = [one.entry for one in report.of(name)]
    decisions = [entry.decided for entry in mine]
    rows = [entry for entry in report.history if entry.rater == name]
    seconds = [d.seconds for d in decisions if d.seconds is not None]
    rules = Counter(came_by(d) for d in decisions if d.threshold is not None)
    done = {entry.subject for entry in mine}
    return _Rater(
        name,
        colour,
        len(mine),
        {flag: sum(d.flag == flag for d in decisions) for flag in FLAGS},
        sum(d.blind for d in decisions),
        sum(d.truth_shown for d in decisions),
        sum(d.dice_shown for d in decisions),
        ", ".join(f"{rule} {number}" for rule, number in rules.most_common()),
        len(rows) - len(mine),
        median(seconds) if seconds else None,
        sum(seconds) / 60 if seconds else None,
        _time(min((entry.made for entry in mine), default="")) if mine else "",
        _time(max((entry.made for entry in mine), default="")) if mine else "",
        [subject for subject in report.study.subjects if subject not in done],
    )


def _levels(report: Report, colours: dict[str, str]) -> list[tuple[str, Markup]]:
    """A plot of levels by what makes them comparable; of a band both ends are drawn."""
    found: dict[str, dict[str, list[tuple[str, float]]]] = {}
    for rater in report.raters:
        for one in report.of(rater):
            decision = one.entry.decided
            if decision.threshold is not None:
                ends = [decision.level, decision.upper]
                values = found.setdefault(_way(decision), {}).setdefault(rater, [])
                values += [(decision.subject, float(end)) for end in ends if end is not None]
    return [
        (way, strip_plot([(r, colours[r], values) for r, values in rows.items()],
                         "level, 0 to 255", (0, 255)))
        for way, rows in found.items()
    ]  # fmt: skip


def _volumes(report: Report, colours: dict[str, str]) -> Markup:
    rows = [
        (rater, colours[rater], [(o.entry.subject, o.volume_ml) for o in report.of(rater)
                                 if o.volume_ml is not None])
        for rater in report.raters
    ]  # fmt: skip
    known = {
        subject: one.truth_ml
        for subject, every in report.outcomes.items()
        for one in every
        if one.truth_ml is not None
    }
    if known:
        rows.append(("truth", "#222", list(known.items())))
    return strip_plot(rows, "volume of the mask, ml")


def _plots(pair: Pair) -> tuple[Markup, Markup]:
    """Bland-Altman plots of levels and of volumes, where there are any."""
    plots = []
    for first, second, needs, what in (
        ("level_1", "level_2", "difference", "level"),
        ("volume_1_ml", "volume_2_ml", "volume_difference_ml", "volume, ml"),
    ):
        rows = [row for row in pair.rows if row[needs] is not None]
        titles = f"mean {what}", f"{pair.raters[1]} minus {pair.raters[0]}, {what}"
        names, one, other = ([row[key] for row in rows] for key in ("subject", first, second))
        plots.append(bland_altman(names, one, other, titles))
    return plots[0], plots[1]


def _against(
    report: Report, colours: dict[str, str]
) -> Iterator[tuple[str, _Scores, _Scores, Markup]]:
    """By rater: Dice of decisions made without and with the truth on the screen, and volumes."""
    for rater in report.raters:
        known = [one for one in report.of(rater) if one.counts is not None]
        if not known:
            continue
        titles = "mean of mask and truth, ml", "mask minus truth, ml"
        names = [one.entry.subject for one in known]
        true, found = [one.truth_ml or 0 for one in known], [one.volume_ml or 0 for one in known]
        plot = bland_altman(names, true, found, titles, colours[rater])
        yield (
            rater,
            _scores([one for one in known if not one.informed]),
            _scores([one for one in known if one.informed]),
            plot,
        )


def _scores(outcomes: Sequence[Outcome]) -> _Scores:
    counts: list[Any] = [one.counts for one in outcomes]
    dice = [one.dice for one in counts if one.true]
    free = [one for one in counts if not one.true]
    return _Scores(
        sum(one.entry.decided.blind for one in outcomes),
        len(dice),
        mean(dice) if dice else None,
        pstdev(dice) if dice else None,
        median(dice) if dice else None,
        len(free),
        sum(not one.predicted for one in free),
    )
