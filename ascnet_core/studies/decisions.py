"""Decisions: added, taken back by a further row, never changed; and those that hold."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ascnet_core.errors import UserError
from ascnet_core.names import FLAGS, RANGES, SCOPES, SIDES, Flag, RangeKind, Scope, Side
from ascnet_core.outputs import write_own
from ascnet_core.runs.create import versions
from ascnet_core.segmentation.pieces import by_scan, parse_edits, to_text
from ascnet_core.segmentation.steps import parse_steps
from ascnet_core.segmentation.threshold import Threshold
from ascnet_core.settings.method import INPUT
from ascnet_core.studies import database
from ascnet_core.studies.folder import Study, now, scans_sha256
from ascnet_core.studies.raters import add_rater, check_rater
from ascnet_core.studies.table import THRESHOLDS, to_csv

NOTHING = "nothing"
"""The rule of a decision that there is no lesion: its mask is empty, which is an answer."""
_BEYOND = {"bright": 256, "dark": -1}
"""Levels that no voxel reaches."""
_IN_TABLE = {"bright": 255, "dark": 0}
"""What stands in the database for no level of the rule `nothing`: its table asks for one."""


@dataclass(frozen=True)
class Decision:
    """What a rater decides for a subject, for all its scans.

    Attributes
    ----------
    rater, subject : Who, and for whom; `scan` is the one on the screen, if there was one.
    map, range, level, upper, side : What is thresholded (a map of the run, or `input`), what its
        levels 0..255 stand for, and where, as in `Threshold`. Without a `level` the flag must be
        `exclude` (no mask), or the rule `nothing` (no lesion: an empty mask).
    rule, scope : The rule that proposed the level, or the level itself where it was set by hand.
    post : Post-processing steps, in order.
    rating : Of the mask, 1 (bad) to 5.
    seconds : How long it took.
    truth_shown, dice_shown : Whether the truth, or the Dice, was on the screen.
    blind : Whether masks, Dice and others' levels were hidden until the decision stood.
    pieces : Connected pieces dropped or kept alone, in order; given as for `parse_edits`, kept as
        `Edit`s.
    """

    rater: str
    subject: str
    map: str
    side: Side
    range: RangeKind
    rule: str
    level: int | None
    upper: int | None = None
    scope: Scope = "subject"
    post: tuple[str, ...] = ()
    flag: Flag = "fine"
    rating: int | None = None
    note: str = ""
    seconds: float | None = None
    scan: str | None = None
    truth_shown: bool = False
    dice_shown: bool = False
    blind: bool = False
    pieces: Any = ()

    def __post_init__(self) -> None:
        """Raise a UserError for what no decision can be."""
        object.__setattr__(self, "rater", check_rater(self.rater))
        object.__setattr__(self, "note", "\n".join(self.note.splitlines()).strip())
        for name, known in (("side", SIDES), ("range", RANGES), ("scope", SCOPES), ("flag", FLAGS)):
            if getattr(self, name) not in known:
                raise UserError(
                    f"{name} is {getattr(self, name)!r}; choose one of {', '.join(known)}."
                )
        if self.rule == NOTHING:
            for name in ("level", "upper"):
                object.__setattr__(self, name, None)
        elif self.level is None and self.flag != "exclude":
            raise UserError(
                f"Subject {self.subject} has no level; give one, the flag 'exclude' (no mask), or "
                f"the rule '{NOTHING}' (no lesion, an empty mask)."
            )
        lowest = 0
        for name, value in (("level", self.level), ("upper", self.upper)):
            if value is not None and not (type(value) is int and lowest <= value <= 255):
                raise UserError(f"{name} is {value!r}; give a whole number {lowest} to 255.")
            lowest = value or 0
        if self.rating is not None and self.rating not in range(1, 6):
            raise UserError(f"rating is {self.rating!r}; give 1 to 5, or none.")
        if self.seconds is not None and not 0 <= self.seconds < float("inf"):
            raise UserError(f"seconds is {self.seconds!r}; give 0 or more.")
        try:
            self.note.encode()
        except UnicodeEncodeError as error:
            raise UserError("The note holds bytes that are no UTF-8 text; type it anew.") from error
        object.__setattr__(self, "pieces", parse_edits(self.pieces))
        parse_steps(self.post)

    @property
    def threshold(self) -> Threshold | None:
        """The threshold, of kind `manual`; None for a subject that is left out."""
        if self.flag == "exclude":
            return None
        if self.level is None:
            sentence = f"Decided by {self.rater}: {self.flag}, there is nothing to keep."
            return Threshold(_BEYOND[self.side], None, self.side, NOTHING, sentence, "manual")
        rule = f"{self.level}" if self.upper is None else f"band:{self.level}:{self.upper}"
        came = "set by hand" if self.rule in (rule, "") else f"proposed by {self.rule}"
        sentence = f"Decided by {self.rater}: {self.flag}, {came}."
        return Threshold(self.level, self.upper, self.side, rule, sentence, "manual")

    @property
    def text(self) -> str:
        """What is kept, in short: a level or band, `no lesion` (an empty mask), or `no mask`."""
        if (threshold := self.threshold) is None:
            return "no mask"
        return "no lesion" if self.rule == NOTHING else threshold.text()


@dataclass(frozen=True)
class Entry:
    """A row of the history: a decision, or (with `undoes`) one that was taken back.

    `number` counts up over the study. The hashes are of run and scans as they were, `versions`
    those of the packages.
    """

    number: int
    made: str
    rater: str
    subject: str
    undoes: int | None
    decision: Decision | None
    scan_sha256: str | None
    run_sha256: str | None
    versions: Mapping[str, str]

    @property
    def decided(self) -> Decision:
        """The decision, of a row that is one."""
        assert self.decision is not None
        return self.decision


_OWN = [field.name for field in fields(Decision)]
_HOLDING = """
SELECT d.* FROM decisions d JOIN subjects s ON s.name = d.subject
WHERE d.id IN (
    SELECT max(id) FROM decisions
    WHERE undoes IS NULL AND id NOT IN (SELECT undoes FROM decisions WHERE undoes IS NOT NULL)
    GROUP BY rater, subject
) ORDER BY d.rater, s.place
"""


def record(
    study: Study, decision: Decision, token: str | None = None, seen: str | None = None
) -> int:
    """Add a decision and return its number: from then on nothing loses it.

    With a `token`, the sender's own name of it, one that is sent again is not added again. `seen`
    is the hash (`scans_sha256`) of the scans that were on the screen. `thresholds.csv` is written
    anew. Raises a UserError if the study has no such subject, its run or scans cannot be read, the
    run has changed, or the scans are others than those `seen`.
    """
    with database.reading(study.path) as base:  # what is kept stands, whatever changed since
        if number := database.sent(base, "decisions", token):
            return number
    if decision.subject not in study.subjects:
        raise UserError(f"Study {study.name} has no subject {decision.subject!r}.")
    scans = study.cohort().scans_of(decision.subject)
    names = [scan.scan for scan in scans]
    for name in (decision.scan, *by_scan(decision.pieces)):
        if name not in (None, *names):
            raise UserError(f"Subject {decision.subject} has no scan {name!r}.")
    if study.map_named(decision.map) is INPUT and decision.range != INPUT.range:
        raise UserError(f"Levels of the input stand for {INPUT.range} values; give no other range.")
    files = scans_sha256(scans)
    if seen not in (None, files):
        raise UserError(
            f"The files of {decision.subject} have changed since they were on the screen; look at "
            "it again and decide anew."
        )
    level = _IN_TABLE[decision.side] if decision.rule == NOTHING else decision.level
    row: dict[str, Any] = vars(decision) | {
        "level": level,
        "post": json.dumps(decision.post),
        "pieces": to_text(decision.pieces) or None,
        "scan_sha256": files,
        "run_sha256": study.run_sha256(),
        "token": token,
    }
    return _add(study, row)


def undo(
    study: Study, rater: str, subject: str | None = None, token: str | None = None
) -> Entry | None:
    """Take back a rater's last decision that holds, or that on one subject; return it.

    The one before it on the subject holds again. With a `token`, what is sent again takes nothing
    back, and None is returned. Raises a UserError if there is none.
    """
    rater = check_rater(rater)
    with database.writing(study.path) as base:
        if database.sent(base, "decisions", token):
            return None
        mine = [
            entry
            for entry in map(_entry, base.execute(_HOLDING))
            if entry.rater == rater and subject in (None, entry.subject)
        ]
        if not mine:
            of = "" if subject is None else f" on {subject}"
            raise UserError(f"{rater} has no decision{of} in study {study.name} to take back.")
        last = max(mine, key=lambda entry: entry.number)
        _insert(
            base, {"rater": rater, "subject": last.subject, "undoes": last.number, "token": token}
        )
    write_thresholds(study)
    return last


def history(study: Study) -> list[Entry]:
    """Every row ever written, oldest first."""
    with database.reading(study.path) as base:
        return [_entry(row) for row in base.execute("SELECT * FROM decisions ORDER BY id")]


def holding(study: Study, rater: str | None = None) -> list[Entry]:
    """The decisions that hold, at most one a subject and rater, by rater and subject."""
    with database.reading(study.path) as base:
        entries = [_entry(row) for row in base.execute(_HOLDING)]
    return [entry for entry in entries if rater in (None, entry.rater)]


def decisions_of(study: Study, rater: str) -> dict[str, Entry]:
    """A rater's decisions that hold, by subject."""
    return {entry.subject: entry for entry in holding(study, check_rater(rater))}


def write_thresholds(study: Study) -> None:
    """Write `thresholds.csv` anew, if it is this tool's; one at a time, the last knowing all."""
    with database.writing(study.path) as base:
        text = to_csv([plain(_entry(row)) for row in base.execute(_HOLDING)], COLUMNS)
        try:
            write_own(study.path / THRESHOLDS, text, "study")
        except UserError as error:
            raise UserError(f"All decisions are kept in the study; but {error}") from error


def _add(study: Study, row: Mapping[str, Any]) -> int:
    with database.writing(study.path) as base:
        number = _insert(base, row)
    write_thresholds(study)
    return number


def _insert(base: sqlite3.Connection, row: Mapping[str, Any]) -> int:
    made = now()
    add_rater(base, row["rater"], made)
    row = {**row, "made": made, "versions": json.dumps(versions())}
    return database.insert(base, "decisions", row)


def _entry(row: sqlite3.Row) -> Entry:
    decision = None
    if row["undoes"] is None:
        own = {name: row[name] for name in _OWN}
        own |= {name: bool(own[name]) for name in ("truth_shown", "dice_shown", "blind")}
        own["post"] = tuple(json.loads(own["post"]))
        own["pieces"] = json.loads(own["pieces"] or "[]")
        decision = Decision(**own)
    kept = {name: row[name] for name in ("made", "rater", "subject", "undoes")}
    hashes = {name: row[name] for name in ("scan_sha256", "run_sha256")}
    return Entry(
        row["id"], **kept, decision=decision, **hashes, versions=json.loads(row["versions"])
    )


def plain(entry: Entry) -> dict[str, Any]:
    """An entry as the cells of a table, with `COLUMNS`."""
    own = {} if entry.decision is None else dict(vars(entry.decision))
    if own:
        own["post"] = " ".join(own["post"])
        own["pieces"] = to_text(own["pieces"])
        own |= {n: "yes" if own[n] else "no" for n in ("truth_shown", "dice_shown", "blind")}
    more = {name: value for name, value in vars(entry).items() if name != "decision"}
    return own | more | {"versions": json.dumps(dict(entry.versions))}


_FIRST = ["number", "made", "rater", "subject"]
COLUMNS = [
    *_FIRST,
    *(name for name in _OWN if name not in _FIRST),
    *("scan_sha256", "run_sha256", "versions"),
]
"""Of `thresholds.csv`; the history has `undoes` too."""
