"""Which of two masks a rater prefers, not knowing what made them; and how often in all.

A pair of contenders is shown subject by subject, which of them on which side being drawn by lot.
Each answer is a row that stays; a changed mind is a new row, and the last one counts.
"""

import hashlib
import json
import random
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from ascnet_core.errors import UserError
from ascnet_core.names import SIDES, Side
from ascnet_core.runs.create import versions
from ascnet_core.runs.folder import Run, resolve_run
from ascnet_core.segmentation.rules import parse_rule
from ascnet_core.segmentation.steps import parse_steps
from ascnet_core.studies import database
from ascnet_core.studies.folder import Study, now, run_sha256, scans_sha256
from ascnet_core.studies.raters import add_rater, check_rater

Better = Literal["left", "right", "neither"]
BETTER: tuple[Better, ...] = get_args(Better)


@dataclass(frozen=True, order=True)
class Contender:
    """One way to a mask: a run's map, a rule for each subject's own histogram, side and steps.

    `run` is a name under `checkpoints/` or a path, `cycle` that of its network (None: its result).
    """

    run: str
    map: str
    rule: str
    side: Side
    post: tuple[str, ...] = ()
    cycle: int | None = None

    @property
    def text(self) -> str:
        """All of it in words, for tables."""
        cycle = "" if self.cycle is None else f", cycle {self.cycle}"
        steps = ", ".join(self.post) or "no steps"
        return f"{self.map} by {self.rule}, {self.side}, {steps}, run {self.run}{cycle}"


@dataclass(frozen=True)
class Pair:
    """Two contenders, `a` and `b`; which one is `a` does not depend on who was named first."""

    a: Contender
    b: Contender

    @property
    def key(self) -> str:
        """A name of the pair that says nothing of it."""
        return hashlib.sha256(f"{_json(self.a)}\0{_json(self.b)}".encode()).hexdigest()[:16]

    def plain(self) -> list[dict[str, Any]]:
        """Both as JSON can hold them; `pair_from` reads it."""
        return [asdict(self.a), asdict(self.b)]


@dataclass(frozen=True)
class Preference:
    """An answer as it was given; `left` is what lay there. The hashes are of run and scans."""

    number: int
    made: str
    rater: str
    subject: str
    pair: Pair
    left: Literal["a", "b"]
    better: Literal["a", "b", "neither"]
    seconds: float | None
    scan_sha256: str
    a_run_sha256: str
    b_run_sha256: str
    versions: str


@dataclass(frozen=True)
class Result:
    """How often each was better; `p` is of the sign test of a against b, two-sided.

    Answers of `neither` are left out of the test; without others `p` is 1.
    """

    a: int
    b: int
    neither: int
    p: float


def pair_of(one: Contender, other: Contender) -> Pair:
    """The pair of two ways; UserError if they are the same, or one is none that can be used."""
    first, second = sorted((_checked(one), _checked(other)), key=_json)
    if first == second:
        raise UserError("Both ways are the same; change the rule, the map, the steps or the run.")
    return Pair(first, second)


def pair_from(plain: Sequence[Mapping[str, Any]]) -> Pair:
    """The pair whose `plain` this is."""
    return Pair(*(_contender(one) for one in plain))


def _contender(values: Mapping[str, Any]) -> Contender:
    return Contender(**{**values, "post": tuple(values["post"])})


def _checked(one: Contender) -> Contender:
    if one.side not in SIDES:
        raise UserError(f"side is {one.side!r}; choose one of {', '.join(SIDES)}.")
    settings = Run(resolve_run(one.run)).settings()
    if one.map != "input":
        settings.method.map_named(one.map)
    post = tuple(map(str, parse_steps(one.post)))
    return Contender(one.run, one.map, str(parse_rule(one.rule)), one.side, post, one.cycle)


def left_of(study: Study, pair: Pair, rater: str, subject: str) -> Literal["a", "b"]:
    """Which of the pair is shown at the left: drawn by lot, for a rater and subject once for all.

    The lot hangs on when the study was made, too, so that nobody knows it from another study.
    """
    lot = random.Random(f"{study.about['made']}\0{pair.key}\0{rater}\0{subject}")
    return "a" if lot.random() < 0.5 else "b"


def prefer(
    study: Study,
    pair: Pair,
    rater: str,
    subject: str,
    better: Better,
    seconds: float | None = None,
    token: str | None = None,
) -> int:
    """Keep an answer and return its number: from then on nothing loses it.

    With a `token`, the sender's own name of it, one that is sent again is not kept again. Raises a
    UserError if the study has no such subject, `better` is none of `BETTER`, or run or scans cannot
    be read.
    """
    rater = check_rater(rater)
    if subject not in study.subjects:
        raise UserError(f"Study {study.name} has no subject {subject!r}.")
    if better not in BETTER:
        raise UserError(f"better is {better!r}; choose one of {', '.join(BETTER)}.")
    if seconds is not None and not 0 <= seconds < float("inf"):
        raise UserError(f"seconds is {seconds!r}; give 0 or more.")
    sides = [pair.a, pair.b]
    if left_of(study, pair, rater, subject) == "b":
        sides.reverse()
    scans = scans_sha256(study.cohort().scans_of(subject))
    left, right = (
        _json(one, run_sha256=run_sha256(resolve_run(one.run), one.cycle), scan_sha256=scans)
        for one in sides
    )
    made = now()
    row = {
        "made": made,
        "rater": rater,
        "subject": subject,
        "left": left,
        "right": right,
        "better": better,
        "seconds": seconds,
        "token": token,
        "versions": json.dumps(versions()),
    }
    with database.writing(study.path) as base:
        add_rater(base, rater, made)
        return database.insert(base, "preferences", row)


def every_preference(study: Study) -> list[Preference]:
    """Every answer ever given, oldest first."""
    with database.reading(study.path) as base:
        return [_preference(row) for row in base.execute("SELECT * FROM preferences ORDER BY id")]


def holding(preferences: Iterable[Preference]) -> dict[tuple[Pair, str], list[Preference]]:
    """The last answer a subject of each pair and rater, in the order of the first one."""
    last: dict[tuple[Pair, str], dict[str, Preference]] = {}
    for one in preferences:
        last.setdefault((one.pair, one.rater), {})[one.subject] = one
    return {key: list(answers.values()) for key, answers in last.items()}


def result_of(answers: Sequence[Preference]) -> Result:
    """Count answers on one pair, a subject once, and test whether one wins more often."""
    from scipy.stats import binomtest

    a, b, neither = (sum(one.better == name for one in answers) for name in ("a", "b", "neither"))
    p = float(binomtest(a, a + b).pvalue) if a + b else 1.0
    return Result(a, b, neither, p)


COLUMNS = (
    *("number", "made", "rater", "subject", "a", "b", "left", "better", "counts", "seconds"),
    *("scan_sha256", "a_run_sha256", "b_run_sha256", "versions"),
)
"""Of `preferences.csv`; `counts` is yes for the last answer on a subject."""


def rows_of(preferences: Sequence[Preference]) -> list[dict[str, Any]]:
    """Every answer as a row with `COLUMNS`."""
    counted = {one.number for answers in holding(preferences).values() for one in answers}
    rows = []
    for one in preferences:
        more = {"a": one.pair.a.text, "b": one.pair.b.text}
        more["counts"] = "yes" if one.number in counted else "no"
        rows.append({name: more.get(name, getattr(one, name, None)) for name in COLUMNS})
    return rows


def _json(one: Contender, **more: str) -> str:
    return json.dumps(asdict(one) | more, sort_keys=True)


def _preference(row: sqlite3.Row) -> Preference:
    sides = {}
    for side in ("left", "right"):
        values = json.loads(row[side])
        hashes = values.pop("run_sha256"), values.pop("scan_sha256")
        sides[side] = _contender(values), hashes
    names: list[Literal["left", "right"]] = ["left", "right"]
    first, second = sorted(names, key=lambda side: _json(sides[side][0]))
    found: dict[str, Literal["a", "b"]] = {first: "a", second: "b"}
    return Preference(
        number=row["id"],
        pair=Pair(sides[first][0], sides[second][0]),
        left=found["left"],
        better=found.get(row["better"], "neither"),
        scan_sha256=sides[first][1][1],
        a_run_sha256=sides[first][1][0],
        b_run_sha256=sides[second][1][0],
        **{name: row[name] for name in ("made", "rater", "subject", "seconds", "versions")},
    )
